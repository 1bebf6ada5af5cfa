package deployment

import (
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Decode reads a deployment request at e, an element of doc under either of
// its names. The error is a *xmlstrict.ContentError.
func Decode(doc *xmlstrict.Document, e *etree.Element) (*WorkspaceDeployment, error) {
	r := newReader(doc, "deployment request")
	return document.Decode(r.Reader, e, r.deployment, RequestFile, RequestWire)
}

// DecodeAllocation reads an n:ResourceAllocation element, of which every part
// is optional, as a property has it.
func DecodeAllocation(doc *xmlstrict.Document, e *etree.Element) (*ResourceAllocation, error) {
	r := newReader(doc, "resource allocation")
	return document.Decode(r.Reader, e, r.allocation, n("ResourceAllocation"))
}

// reader reads the documents of this package.
type reader struct{ *document.Reader }

func newReader(doc *xmlstrict.Document, name string) *reader {
	return &reader{document.NewReader(doc, name)}
}

func (r *reader) deployment(e *etree.Element, v *WorkspaceDeployment) {
	fields := []document.Field{
		document.One(n("DeploymentTime"), func(e *etree.Element) {
			r.Sequence(e, []document.Field{
				document.Optional(n("minDuration"), r.Duration(&v.MinDuration, false)),
			})
		}),
		document.One(n("InitialState"), r.OneOf(&v.InitialState, "initial state",
			Unpropagated, Propagated, Running, Paused)),
		document.One(n("ResourceAllocation"), func(e *etree.Element) {
			r.allocation(e, &v.Allocation)
			if v.Allocation.Memory == nil {
				r.Fail(e, "the element "+j("IndividualPhysicalMemory").String(),
					"add IndividualPhysicalMemory with an Exact number of megabytes",
					"memory must be given")
			}
		}).Hint("say how much memory each node takes"),
		document.One(n("NodeNumber"), r.Int(&v.Nodes, 1, MaxNodes)),
		document.Optional(n("ShutdownMechanism"), r.OneOf(&v.Mechanism, "shutdown mechanism",
			Serialize, Trash)),
		document.Optional(n("PostShutdown"), r.postShutdown(&v.PostShutdown)),
	}
	if xmlstrict.Is(e, RequestFile) {
		fields = append(fields, document.Optional(q("LeaseTerms"), r.terms(v)))
	}
	r.Sequence(e, fields)
}

func (r *reader) postShutdown(to **PostShutdown) func(*etree.Element) {
	return func(e *etree.Element) {
		*to = new(PostShutdown)
		r.Sequence(e, []document.Field{
			document.One(n("rootPartitionUnpropagationTarget"), r.URI(&(*to).Target)).
				Hint("say where the image goes, or leave PostShutdown out"),
		})
	}
}

func (r *reader) allocation(e *etree.Element, v *ResourceAllocation) {
	r.Sequence(e, []document.Field{
		document.Optional(n("CPU"), func(e *etree.Element) { r.cpu(e, v) }),
		document.Optional(n("CPUPercentage"), r.rangeValue(&v.CPUPercentage, "percent")),
		document.Optional(j("IndividualCPUCount"), r.rangeValue(&v.CPUCount, "CPUs")),
		document.Optional(j("IndividualPhysicalMemory"), r.rangeValue(&v.Memory, "MB")),
		document.Optional(n("Bandwidth"), func(e *etree.Element) { r.bandwidth(e, v) }),
		document.Optional(n("Storage"), func(e *etree.Element) { r.storage(e, v) }),
	})
}

func (r *reader) cpu(e *etree.Element, v *ResourceAllocation) {
	r.Sequence(e, []document.Field{
		document.Optional(j("CPUArchitecture"), metadata.Architecture(r.Reader, &v.Architecture)),
		document.Optional(j("IndividualCPUSpeed"), r.rate(&v.CPUSpeed, "Hz")),
	})
}

// maxParts is how many entries of one kind a request may have: as many as a
// workspace may have disks or interfaces of one kind.
const maxParts = 64

// perSecond is the unit of bandwidth.
const perSecond = "bits a second"

func (r *reader) bandwidth(e *etree.Element, v *ResourceAllocation) {
	r.Sequence(e, []document.Field{
		document.Many(1, n("nic"), func(e *etree.Element) {
			var b Bandwidth
			r.Sequence(e, []document.Field{
				document.One(n("name"), r.Word(&b.NIC)),
				document.Optional(n("IncomingNetworkBandwidth"), r.rate(&b.Incoming, perSecond)),
				document.Optional(n("OutgoingNetworkBandwidth"), r.rate(&b.Outgoing, perSecond)),
			})
			v.Bandwidth = append(v.Bandwidth, b)
		}).Most(maxParts),
	})
}

func (r *reader) storage(e *etree.Element, v *ResourceAllocation) {
	r.Sequence(e, []document.Field{
		document.Many(0, n("entry"), func(e *etree.Element) { r.entry(e, v) }).Most(maxParts),
	})
}

func (r *reader) entry(e *etree.Element, v *ResourceAllocation) {
	var name string
	var space *Range
	r.Sequence(e, []document.Field{
		document.One(n("partitionName"), r.Word(&name)),
		document.One(j("IndividualDiskSpace"), r.rangeValue(&space, "MB")),
	})
	if r.Failed() {
		return
	}
	for _, other := range v.Storage {
		if other.Partition == name {
			r.Fail(e, "one entry for each partition", "",
				"there is more than one entry for %q", name)
		}
	}
	v.Storage = append(v.Storage, Storage{Partition: name, Space: *space})
}
