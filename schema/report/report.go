// Package report is what the service tells: the answer to a create message,
// the property documents of factory, workspace and account, usage and lists.
// The server writes them, straight into an encoder and without a tree between;
// clients read them.
//
// Parts with a fixed order are read strictly. Property documents may hold
// their properties in any order, as the standard says (WS-ResourceProperties
// 1.2, section 4), and unknown properties are passed over; those that are read
// must be there as often as the schema says.
//
// It must not know where the values come from.
package report

import (
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The property documents and the other answers.
var (
	FactoryRPSet   = w("FactoryRPSet")
	ServiceRPSet   = w("ServiceRPSet")
	StatusRPSet    = s("StatusRPSet")
	CreateResponse = w("createResponse")
	UsageResponse  = s("usedAndReservedTime")
	ListResponse   = s("currentWorkspaces")
)

// The answers and the property documents of face two.
var (
	CreateLeaseResponse = p("CreateResponse")
	QueryUsage          = p("QueryUsage") // the request, which is empty
	QueryUsageResponse  = p("QueryUsageResponse")

	FactoryLeaseRPSet = p("FactoryProperties")
	ServiceLeaseRPSet = p("WorkspaceProperties")
	StatusLeaseRPSet  = p("StatusProperties")
	HostRPSet         = p("HostProperties")
)

// The properties of the factory, of a workspace and of the account; the two
// times of a workspace are those of wsrf, what it publishes is in those of wsn.
var (
	PropertyDefaultRunningTime = t("DefaultRunningTime")
	PropertyMaximumRunningTime = t("MaximumRunningTime")
	PropertyArchitecture       = j("CPUArchitectureName")
	PropertyVMM                = d("VMM")
	PropertyAssociations       = t("Associations")
	PropertyLogistics          = l("logistics")
	PropertySchedule           = t("schedule")
	PropertyAllocation         = n("ResourceAllocation")
	PropertyState              = t("currentState")
	PropertyChargeGranularity  = s("chargeGranularity")
)

// The keys of workspaces and groups in endpoint references, on either face.
var (
	WorkspaceKey = w("WorkspaceKey")
	GroupKey     = xmlstrict.Name{Space: schema.Group, Local: "WorkspaceGroupKey"}
)

// Created is the answer to a create message. References are nil when there is
// no such thing; ensembles and contexts are face one's alone.
type Created struct {
	Workspaces []CreatedWorkspace // at least one
	Group      *wsa.EPR
	Ensemble   *wsa.EPR
	Context    *wsa.EPR
}

// CreatedWorkspace is one workspace of the answer. Its reference holds its
// WorkspaceKey.
type CreatedWorkspace struct {
	EPR      wsa.EPR
	Schedule Schedule
	NICs     []metadata.NIC
	Images   []DiskImage // face two alone tells them
}

// Schedule is when a workspace runs and ends.
type Schedule struct {
	Start       time.Time // zero: as soon as possible
	Duration    time.Duration
	Termination time.Time // zero: not known yet
}

// CurrentState is a state of the schema (Running, Paused, ...), with the
// reason when it is Corrupted.
type CurrentState struct {
	State string
	Fault *wsrf.BaseFault // its Name is not used: it is always t:WorkspaceFault
}

// FactoryProperties is what a factory tells of its pool. The edition, here and
// below, says which property document it is: the draft's is face one's, the
// final one's is face two's.
type FactoryProperties struct {
	Edition            wsrf.Edition
	DefaultRunningTime time.Duration
	MaximumRunningTime time.Duration
	Architectures      []string
	VMM                *metadata.VMM
	Associations       []string
}

// ServiceProperties is what a workspace tells of itself.
type ServiceProperties struct {
	Edition         wsrf.Edition
	NICs            []metadata.NIC
	Schedule        Schedule
	Allocation      deployment.ResourceAllocation
	CurrentTime     time.Time
	TerminationTime time.Time // zero: never
	State           CurrentState

	// Face two alone tells these.
	Lease       *Lease             // nil: the scheduler has none
	Shape       deployment.Amounts // what can change while it runs
	Explanation *Explanation       // nil: it does not wait
	Images      []DiskImage        // of the library, that it is made of
	Use         *Use               // nil: it is not in memory, or its host does not say
}

// StatusProperties is what the status service tells of accounting.
type StatusProperties struct {
	Edition           wsrf.Edition
	ChargeGranularity time.Duration // whole minutes on the wire
}

// Usage is an account of running time.
type Usage struct{ Used, Reserved time.Duration }

// CurrentWorkspaces are the caller's workspaces.
type CurrentWorkspaces []CurrentWorkspace

// CurrentWorkspace is one of them.
type CurrentWorkspace struct {
	EPR        wsa.EPR
	State      CurrentState
	Schedule   Schedule
	Allocation deployment.ResourceAllocation
	NICs       []metadata.NIC
	Details    string // clients before Nimbus 2.9 refuse it: leave it empty for them
}

// The name makers, one a namespace.
var (
	w = xmlstrict.In(schema.Workspace)
	t = xmlstrict.In(schema.Types)
	l = xmlstrict.In(schema.Logistics)
	d = xmlstrict.In(schema.Definition)
	n = xmlstrict.In(schema.Negotiable)
	s = xmlstrict.In(schema.Status)
	j = xmlstrict.In(schema.JSDL)
	p = xmlstrict.In(schema.Lease)
	b = xmlstrict.In(schema.BaseNotification2)
)
