package workspace

import "time"

// ShutdownKind is a word of the schema's shutdownEnumeration: one operation
// carries them all.
type ShutdownKind string

// The shutdown kinds.
const (
	ShutdownNormal            ShutdownKind = "Normal"            // power off, keep the disks
	ShutdownPause             ShutdownKind = "Pause"             // keep in memory
	ShutdownSerialize         ShutdownKind = "Serialize"         // memory to disk
	ShutdownReboot            ShutdownKind = "Reboot"            //
	ShutdownTrash             ShutdownKind = "Trash"             // as Destroy
	ShutdownReadyForTransport ShutdownKind = "ReadyForTransport" // image back to its repository
)

// Usage is an account of running time.
type Usage struct {
	Used     time.Duration // of ended leases, and of what has run of current ones
	Reserved time.Duration // of current leases, as granted
}

// Site is what the factory tells about the pool.
type Site struct {
	DefaultDuration   time.Duration
	MaximumDuration   time.Duration
	Architectures     []string
	VMMType           string
	VMMVersions       []string
	Associations      []string
	ChargeGranularity time.Duration
	StatusDetails     bool // the status port tells what is under way
	HideCharge        bool // the status port has no property with the granularity
}
