// Package deployment is what a user asks for: the deployment request (how much
// of what, for how long), the optional parameters, and the create and shutdown
// messages that carry them. It reads and writes each as a file and as part of
// a message.
//
// It checks what the text alone can tell. It must not know policy: how long a
// lease may be, how much a host holds, what an owner may have.
//
// Where it is more lenient than the original service, and why:
//
//	what                                     why
//	a range without jsdl:Exact               its lower bound is a clear answer
//	CPU count and memory with a fraction     the original's stubs write 2.0 and 256.0
//	empty optionalParameters                 the original client always sends it
//
// Where it is stricter: amounts below one and above 2,147,483,647 (the range
// of the original's int) are refused and not cut; files to write must have
// absolute paths without dots.
package deployment

import (
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The names under which the documents travel.
var (
	RequestFile  = n("WorkspaceDeployment") // root of a deployment request file
	RequestWire  = t("resourceRequest")     // in a create message
	OptionalFile = t("OptionalParameters")  // root of an optional parameters file
	OptionalWire = t("optionalParameters")  // in a create message
	Create       = xmlstrict.Name{Space: schema.Workspace, Local: "create"}
	Shutdown     = xmlstrict.Name{Space: schema.Workspace, Local: "shutdownWorkspace"}
	ShutdownAll  = xmlstrict.Name{Space: schema.Group, Local: "shutdownWorkspaces"}
)

// The messages of face two. CreateLease, and PlanLease, which asks what it would
// get, hold the documents under the names that they have as files, RequestFile
// and its like.
var (
	CreateLease           = p("Create")
	PlanLease             = p("Plan")
	StartLease            = p("Start")
	StartLeaseResponse    = p("StartResponse")
	ShutdownLease         = p("Shutdown")
	ShutdownLeaseResponse = p("ShutdownResponse")
)

// The initial states that a request may name.
const (
	Unpropagated = "Unpropagated"
	Propagated   = "Propagated"
	Running      = "Running"
	Paused       = "Paused"
)

// The shutdown mechanisms; an absent one means a normal shutdown.
const (
	Serialize = "Serialize"
	Trash     = "Trash"
)

// MaxContent is how many characters a file to write may have.
const MaxContent = 40960

// MaxNodes is the largest NodeNumber.
const MaxNodes = 32767

// maxAmount is the largest amount of megabytes, CPUs or percent.
const maxAmount = 1<<31 - 1

// maxRate is the largest number of hertz or bits a second.
const maxRate = 1_000_000_000_000_000

// WorkspaceDeployment is the deployment request.
type WorkspaceDeployment struct {
	MinDuration  time.Duration // 0: the site's default
	InitialState string
	Allocation   ResourceAllocation
	Nodes        int           // 1 to MaxNodes
	Mechanism    string        // Serialize, Trash, or empty: normal
	PostShutdown *PostShutdown // nil: the image goes back where it came from
	Terms        *LeaseTerms   // nil: now or not at all; face one has none
}

// PostShutdown says where the root partition goes after shutdown.
type PostShutdown struct {
	Target string // a URI
}

// ResourceAllocation is how much of a host each node takes. Absent ranges are nil.
type ResourceAllocation struct {
	Architecture  string // JSDL word, may be empty
	CPUSpeed      *Range // Hz
	CPUPercentage *Range
	CPUCount      *Range
	Memory        *Range // MB; a request must give it
	Bandwidth     []Bandwidth
	Storage       []Storage
}

// Bandwidth is what one NIC needs, in bits a second.
type Bandwidth struct {
	NIC                string
	Incoming, Outgoing *Range
}

// Storage is the size of one blank partition.
type Storage struct {
	Partition string
	Space     Range // MB
}

// OptionalParameters go with a create request. Absent parts are nil or empty.
type OptionalParameters struct {
	StageIn, StageOut *Transfer
	Files             []File
	UserData          *string // mdServerUserdata
	Credential        *string // credentialToCopy
}

// File is text to write into the guest's disk.
type File struct {
	Content string // at most MaxContent characters
	Path    string // absolute
}

// Transfer is a stage-in or stage-out request.
type Transfer struct {
	Endpoint           string
	Source             string
	Destination        string
	StagingCredential  *wsa.EPR
	TransferCredential *wsa.EPR
	Checksum           string
	ChecksumType       string
}

// CreateRequest is the create message of either face, and face two's question
// what it would get; ensembles and contexts are face one's alone.
type CreateRequest struct {
	Metadata       *metadata.VirtualWorkspace
	Deployment     *WorkspaceDeployment
	Optional       *OptionalParameters // nil when absent
	PartOfEnsemble bool
	Ensemble       *wsa.EPR
	EnsembleDone   bool
	Context        *wsa.EPR
	LockContext    bool
}

// The shutdown types.
const (
	ShutdownNormal            = "Normal"
	ShutdownPause             = "Pause"
	ShutdownSerialize         = "Serialize"
	ShutdownReboot            = "Reboot"
	ShutdownTrash             = "Trash"
	ShutdownReadyForTransport = "ReadyForTransport"
)

// ShutdownRequest is the shutdown message of a workspace or a group, on either
// face.
type ShutdownRequest struct {
	Type         string
	PostShutdown *PostShutdown // with ReadyForTransport alone
}

// n, t and j make names in the documents' namespaces, p and q in face two's own.
var (
	p = xmlstrict.In(schema.Lease)
	q = xmlstrict.In(schema.Terms)
	n = xmlstrict.In(schema.Negotiable)
	t = xmlstrict.In(schema.Types)
	j = xmlstrict.In(schema.JSDL)
)
