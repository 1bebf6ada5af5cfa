package workspace

import (
	"context"
	"fmt"
	"time"
)

// Machine is what a deployment adapter needs to know of a workspace to bring
// it up. It is made anew from the record each time, so that the same workspace
// always yields the same machine.
type Machine struct {
	ID           ID
	Owner        Owner
	Name         string // free text of the metadata, for people
	Architecture string
	VMM          string
	MemoryMB     int64
	CPUs         int64
	CPUPercent   int64
	NetInKbps    int64 // of all NICs together, kilobits a second; 0: no limit
	NetOutKbps   int64
	DiskMBps     int64 // of all disks together, megabytes a second; 0: no limit
	DiskIOPS     int64 // operations a second; 0: no limit
	Boot         Boot
	Disks        []MachineDisk
	NICs         []NIC
	Memory       string // absolute path on the host where StopSerialize leaves the memory
}

// Boot is the kernel to start, as absolute paths on the host; empty paths mean
// that the disk boots itself.
type Boot struct {
	Kernel  string
	Initrd  string
	Cmdline string
}

// MachineDisk is a disk file on the host.
type MachineDisk struct {
	Path     string // absolute, on the host
	Format   string // "raw" or "qcow2"; never guessed
	MountAs  string // as the metadata has it: sda1, sdb, ...
	ReadOnly bool
	Seed     bool // it tells the guest who it is, and holds nothing of its owner's
}

// Condition is what a host says of a machine.
type Condition string

// The conditions.
const (
	ConditionAbsent  Condition = "absent"  // not known to the host
	ConditionOff     Condition = "off"     // defined, not running
	ConditionRunning Condition = "running" //
	ConditionPaused  Condition = "paused"  //
	ConditionSaved   Condition = "saved"   // off, its memory is on disk
	ConditionCrashed Condition = "crashed" //
)

// StopMode says how a machine is brought to a halt.
type StopMode string

// The stop modes.
const (
	StopGraceful  StopMode = "graceful"  // ask the guest, force it when ctx's deadline nears
	StopForced    StopMode = "forced"    // pull the plug
	StopSerialize StopMode = "serialize" // write memory to disk; Start restores it
)

// Hypervisor brings machines up and down on one host. Every call is
// idempotent: asking for what is already so succeeds and changes nothing, so
// that a call whose answer was lost can be repeated. Calls touch only machines
// that carry our identity. Errors have kind NotFound (no such machine), Conflict
// (the machine's condition forbids it), Transient, Unavailable (host out of
// reach), Denied (host or we are not who we should be) or Internal.
type Hypervisor interface {
	Define(ctx context.Context, m Machine) error
	Start(ctx context.Context, id ID, paused bool) error
	Stop(ctx context.Context, id ID, mode StopMode) error
	Pause(ctx context.Context, id ID) error
	Resume(ctx context.Context, id ID) error
	Reboot(ctx context.Context, id ID) error
	// Undefine forces the machine off and removes it with all that Define and
	// Start made. A machine that is absent is a success.
	Undefine(ctx context.Context, id ID) error
}

// Resizer changes machines while they run, under the rules of Hypervisor.
type Resizer interface {
	// Resize gives the machine another shape at once: one that runs without a
	// restart, one that is off at its next start. In other conditions it is a
	// Conflict; so is what the guest or the hypervisor cannot do, or less than the
	// guest uses, with a *Limit that says what could be: the machine is then as it was.
	Resize(ctx context.Context, id ID, s Shape) error
}

// Limit is why a machine cannot have a shape: the first of its amounts that
// cannot be, and what could.
type Limit struct {
	Resource string // "memory", "cpus"
	Unit     string // "MB", "CPUs"
	Wanted   int64
	Least    int64
	Most     int64
	Reason   string // what sets the limit, such as "the guest uses 70 MB"
}

// Error returns the reason and the bounds.
func (l *Limit) Error() string {
	return fmt.Sprintf("%s of %d %s: %s; from %d to %d %s could be",
		l.Resource, l.Wanted, l.Unit, l.Reason, l.Least, l.Most, l.Unit)
}

// Observed is one of our machines, as a host reports it.
type Observed struct {
	ID        ID
	Condition Condition
}

// Inspector tells what is on one host.
type Inspector interface {
	// Inspect returns ConditionAbsent, not an error, for an unknown machine.
	Inspect(ctx context.Context, id ID) (Condition, error)
	// List returns our machines alone, in no order.
	List(ctx context.Context) ([]Observed, error)
	// Capacity returns what the host has in all.
	Capacity(ctx context.Context) (Capacity, error)
	// Watch calls report for each change of condition that it hears of, until
	// ctx ends (nil) or the host is out of reach (error). Reports may repeat
	// and may be late; who needs certainty asks Inspect.
	Watch(ctx context.Context, report func(Observed)) error
}

// Prober tells whether a host can do what is asked of it.
type Prober interface {
	// Version says what runs on the host, in a few words for people.
	Version(ctx context.Context) (string, error)
	// Probe tests the host now, and leaves it as it was. Findings are for operators.
	Probe(ctx context.Context) []Finding
}

// Deployment is a deployment adapter bound to one host.
type Deployment interface {
	Prober
	Hypervisor
	Resizer
	Migrator
	Snapshotter
	Inspector
	Meter
	Consoles
	Close() error
}

// ImageInfo describes an image file.
type ImageInfo struct {
	Size   int64  // bytes, holes included
	Format string // "raw" or "qcow2", by its header
	SHA256 string // hexadecimal; empty when not computed
	// Version tells the file from what else was or will be under its location, as far as
	// the repository says; only Check asks for it. Empty: nothing does.
	Version string
	// Changed is when the file was last written to, where that is all that Version says:
	// of one that was written to this very moment it does not say enough.
	Changed time.Time
}

// Progress is told of bytes done and bytes in all, now and then. It must be quick.
type Progress func(done, total int64)

// Rate says how many bytes a second a transfer may take at most, 0 for no limit. It is
// asked again as the transfer goes, and must be quick.
type Rate func() int64

// Fetch asks a transport adapter to bring an image to a host.
type Fetch struct {
	Location string // image URI of the adapter's scheme
	Path     string // absolute path of the file to make
	SHA256   string // expected, hexadecimal; empty: that of NAME.sha256 beside it, if any
	MaxBytes int64  // refuse an image whose size (virtual size for qcow2) is larger; 0: no limit
	// Promised is how many bytes the file has in its repository, as Check told. One that
	// has grown since is not fetched, which is Transient; 0: not known.
	Promised int64
	Sync     bool     // make it survive a power cut before returning
	Share    bool     // nothing will write to the file: another name of the source will do
	Rate     Rate     // nil: no limit
	Progress Progress // may be nil
}

// Deliver asks a transport adapter to bring an image back to a repository.
type Deliver struct {
	Path     string // absolute path of the file to read
	Location string
	Rate     Rate // nil: no limit
	Progress Progress
}

// Transport moves images between repositories and hosts. The target appears
// complete and verified under its name, or not at all; a repeated call goes on
// where the last one stopped, or finds the work done; what is half made stands
// beside the file on the host, named as it with one of Leftovers behind. Errors have kind Invalid
// (a location outside the repository, a refused format), NotFound, Denied
// (credentials, host key), NoResource (disk full), Transient or Unavailable.
type Transport interface {
	// CheckLocation says whether the location is one that the adapter takes, by
	// its form alone.
	CheckLocation(location string) error
	// Check says whether the image at location exists and could be fetched.
	Check(ctx context.Context, location string) (ImageInfo, error)
	Fetch(ctx context.Context, f Fetch) (ImageInfo, error)
	Deliver(ctx context.Context, d Deliver) (ImageInfo, error)
}

// Leftovers are what the names of half-made files on a host end in: who removes
// a disk removes these too.
var Leftovers = []string{".part", ".part.state", ".deliver.state",
	".packed", ".packed.part", ".packed.part.state", ".packed.deliver.state", ".packed.state"}

// Customiser writes files into the file system of a disk image that no guest
// is using. Writing the same files twice is the same as once. What the host has no
// means for is Lacking, and nothing happened.
type Customiser interface {
	Customise(ctx context.Context, path, format string, files []File) error
}
