package deployment

import (
	"strconv"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Write writes the deployment request under a name, RequestFile or RequestWire;
// the latter is face one's, which has no terms: they are left out.
func (v *WorkspaceDeployment) Write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	enc.Declare(schema.Negotiable, schema.JSDL)
	enc.Start(n("DeploymentTime"))
	if v.MinDuration > 0 {
		enc.Element(n("minDuration"), wsrf.FormatDuration(v.MinDuration))
	}
	enc.End()
	enc.Element(n("InitialState"), v.InitialState)
	v.Allocation.Write(enc)
	enc.Element(n("NodeNumber"), strconv.Itoa(v.Nodes))
	optional(enc, n("ShutdownMechanism"), v.Mechanism)
	v.PostShutdown.write(enc)
	if name == RequestFile {
		v.Terms.write(enc)
	}
	enc.End()
}

// optional writes an element unless its text is empty.
func optional(enc *xmlstrict.Encoder, name xmlstrict.Name, text string) {
	if text != "" {
		enc.Element(name, text)
	}
}

// write writes the element, nothing when it is nil.
func (p *PostShutdown) write(enc *xmlstrict.Encoder) {
	if p == nil {
		return
	}
	enc.Start(n("PostShutdown"))
	enc.Element(n("rootPartitionUnpropagationTarget"), p.Target)
	enc.End()
}

// Write writes the allocation as an n:ResourceAllocation element.
func (v *ResourceAllocation) Write(enc *xmlstrict.Encoder) {
	enc.Start(n("ResourceAllocation"))
	if v.Architecture != "" || v.CPUSpeed != nil {
		enc.Start(n("CPU"))
		metadata.WriteArchitecture(enc, v.Architecture)
		v.CPUSpeed.write(enc, j("IndividualCPUSpeed"))
		enc.End()
	}
	v.CPUPercentage.write(enc, n("CPUPercentage"))
	v.CPUCount.write(enc, j("IndividualCPUCount"))
	v.Memory.write(enc, j("IndividualPhysicalMemory"))
	v.writeBandwidth(enc)
	v.writeStorage(enc)
	enc.End()
}

func (v *ResourceAllocation) writeBandwidth(enc *xmlstrict.Encoder) {
	if len(v.Bandwidth) == 0 {
		return
	}
	enc.Start(n("Bandwidth"))
	for _, b := range v.Bandwidth {
		enc.Start(n("nic"))
		enc.Element(n("name"), b.NIC)
		b.Incoming.write(enc, n("IncomingNetworkBandwidth"))
		b.Outgoing.write(enc, n("OutgoingNetworkBandwidth"))
		enc.End()
	}
	enc.End()
}

func (v *ResourceAllocation) writeStorage(enc *xmlstrict.Encoder) {
	if len(v.Storage) == 0 {
		return
	}
	enc.Start(n("Storage"))
	for i := range v.Storage {
		enc.Start(n("entry"))
		enc.Element(n("partitionName"), v.Storage[i].Partition)
		v.Storage[i].Space.write(enc, j("IndividualDiskSpace"))
		enc.End()
	}
	enc.End()
}

// Write writes the optional parameters under a name, OptionalFile or OptionalWire.
func (v *OptionalParameters) Write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	v.StageIn.write(enc, t("stageIn"))
	v.StageOut.write(enc, t("stageOut"))
	for _, f := range v.Files {
		enc.Start(t("filewrite"))
		enc.Element(t("content"), f.Content)
		enc.Element(t("pathOnVM"), f.Path)
		enc.End()
	}
	if v.UserData != nil {
		enc.Element(t("mdServerUserdata"), *v.UserData)
	}
	if v.Credential != nil {
		enc.Element(t("credentialToCopy"), *v.Credential)
	}
	enc.End()
}

// write writes the transfer under a name, nothing when it is nil.
func (v *Transfer) write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	if v == nil {
		return
	}
	enc.Start(name)
	optional(enc, t("serviceEndpoint"), v.Endpoint)
	enc.Element(t("sourceURL"), v.Source)
	enc.Element(t("destURL"), v.Destination)
	reference(enc, t("stagingCredential"), v.StagingCredential)
	reference(enc, t("transferCredential"), v.TransferCredential)
	optional(enc, t("checksum"), v.Checksum)
	optional(enc, t("checksumtype"), v.ChecksumType)
	enc.End()
}

// reference writes an endpoint reference, nothing when it is nil.
func reference(enc *xmlstrict.Encoder, name xmlstrict.Name, epr *wsa.EPR) {
	if epr != nil {
		epr.Write(enc, name, wsa.V200403)
	}
}

// Write writes the create message. Optional parameters are always written, as
// the original client does.
func (v *CreateRequest) Write(enc *xmlstrict.Encoder) {
	enc.Start(Create)
	enc.Declare(schema.Types)
	v.Metadata.Write(enc, metadata.Wire)
	v.Deployment.Write(enc, RequestWire)
	optionals := v.Optional
	if optionals == nil {
		optionals = new(OptionalParameters)
	}
	optionals.Write(enc, OptionalWire)
	flag(enc, t("partOfEnsemble"), v.PartOfEnsemble)
	reference(enc, t("ensembleEPR"), v.Ensemble)
	flag(enc, t("ensembleDone"), v.EnsembleDone)
	reference(enc, t("contextEPR"), v.Context)
	flag(enc, t("lockContext"), v.LockContext)
	enc.End()
}

// WriteLease writes the create message as face two has it, a CreateLease
// element. What is not in that face is left out.
func (v *CreateRequest) WriteLease(enc *xmlstrict.Encoder) { v.writeTwo(enc, CreateLease) }

// WritePlan writes the question what the create message would get, a PlanLease
// element.
func (v *CreateRequest) WritePlan(enc *xmlstrict.Encoder) { v.writeTwo(enc, PlanLease) }

func (v *CreateRequest) writeTwo(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	v.Metadata.Write(enc, metadata.File)
	v.Deployment.Write(enc, RequestFile)
	if v.Optional != nil {
		v.Optional.Write(enc, OptionalFile)
	}
	enc.End()
}

// flag writes an element that says true, nothing for false.
func flag(enc *xmlstrict.Encoder, name xmlstrict.Name, set bool) {
	if set {
		enc.Element(name, "true")
	}
}

// Write writes the shutdown message under a name, Shutdown or ShutdownAll.
func (v *ShutdownRequest) Write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	enc.Element(t("shutdownType"), v.Type)
	v.PostShutdown.write(enc)
	enc.End()
}

// WriteLease writes the shutdown message as face two has it, a ShutdownLease
// element.
func (v *ShutdownRequest) WriteLease(enc *xmlstrict.Encoder) {
	enc.Start(ShutdownLease)
	enc.Element(shutdownKind, v.Type)
	if v.PostShutdown != nil {
		enc.Element(shutdownTarget, v.PostShutdown.Target)
	}
	enc.End()
}
