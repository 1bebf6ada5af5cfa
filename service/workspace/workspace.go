package workspace

import "time"

// Workspace is one leased virtual machine, from the accepted request to its
// destruction. A *Workspace that came out of a store is shared: copy it before
// changing a field.
type Workspace struct {
	ID      ID
	Group   GroupID // empty when it was created alone
	Booking LeaseID // its lease with the scheduler
	Owner   Owner
	Spec    Spec
	Demand  Allocation
	Lease   Lease
	Initial State // where deployment ends: Unpropagated, Propagated, Running, Paused

	Host     HostID // the host that holds the reservation
	NICs     []NIC  // with what was allocated; shares no memory with Spec
	State    State
	Fault    string // why it is Corrupted, or what failed last
	Released bool   // capacity and addresses were given back before destruction
	Parked   bool   // its capacity is others': its lease waits or is over; addresses stay
	Expired  bool   // running time is over and its mechanism was queued
	Version  int64  // rises by one with each durable change of this workspace

	Created time.Time
	Changed time.Time
}

// Holds reports whether the workspace counts against the address pools, and
// HoldsHost whether against its host's capacity. Conservation of both follows
// from these rules.
func (w *Workspace) Holds() bool { return !w.Released && w.State != Cancelled }

// HoldsHost reports whether the workspace counts against its host's capacity.
func (w *Workspace) HoldsHost() bool { return w.Holds() && !w.Parked && w.Host != "" }

// Gone reports whether the workspace no longer exists for its owner, although
// its remains may still be under removal.
func (w *Workspace) Gone() bool { return w.State == Destroying || w.State == Cancelled }

// OpsEnabled reports whether start, pause, reboot and shutdown are accepted at
// the time: not from ReadyForTransport on, nor once running time has expired.
func (w *Workspace) OpsEnabled(now time.Time) bool {
	return w.State.OpsEnabled() && !w.Expired && now.Before(w.Lease.End())
}

// SaveTarget returns where the root image is delivered when a save names no
// target: the lease's, or else where it came from.
func (w *Workspace) SaveTarget() string {
	if w.Lease.SaveTo != "" {
		return w.Lease.SaveTo
	}
	return w.Root().Location
}

// Root returns the root disk.
func (w *Workspace) Root() Disk {
	for _, d := range w.Spec.Disks {
		if d.Role == RootDisk {
			return d
		}
	}
	return Disk{}
}

// Spec is what the workspace metadata and the optional parameters say: what
// the environment is. It does not change after creation.
type Spec struct {
	Name         string // metadata name, any URI
	Architecture string // JSDL word: x86, x86_64, ...
	VMM          VMM
	Kernel       Kernel
	Disks        []Disk
	NICs         []NIC // as requested
	Files        []File
	UserData     string // mdServerUserdata
	StageIn      *Transfer
	StageOut     *Transfer
}

// VMM is the hypervisor that the metadata asks for.
type VMM struct {
	Type     string // Xen, VMware (the schema's words) or KVM (ours)
	Versions []string
}

// Kernel is the kernel that the metadata asks for; Image empty means the
// site's default.
type Kernel struct {
	Image      string // file://NAME of a kernel the site offers
	Parameters string
}

// DiskRole tells the kinds of disk apart.
type DiskRole string

// The disk roles.
const (
	RootDisk      DiskRole = "root"      // rootVBD: exactly one
	PartitionDisk DiskRole = "partition" // a further image
	BlankDisk     DiskRole = "blank"     // blankspacePartition, made on the host
)

// Disk is one disk or partition of the workspace.
type Disk struct {
	Role     DiskRole
	Name     string // partitionName of a blank disk
	Location string // image URI; empty for a blank disk
	MountAs  string // sda1, sdb, ...
	ReadOnly bool
	SizeMB   int64 // of a blank disk
	// SHA256 is what the file at Location must have, in lower-case hexadecimal; empty:
	// what the repository says of it, if anything.
	SHA256 string `json:",omitzero"`
	// Image is the entry of the image library that Location came from, NAME:VERSION,
	// and Asked what was asked for instead; empty: the request gave Location itself.
	Image string `json:",omitzero"`
	Asked string `json:",omitzero"`
}

// File is one customisation: text to be written into the guest's disk.
type File struct {
	Path    string // absolute, on the guest
	Content string
}

// Transfer is a stage-in or stage-out request.
type Transfer struct {
	Endpoint     string // URL of the service that is to do it; empty: this one
	Source       string
	Destination  string
	Checksum     string
	ChecksumType string
	// Left says that it is the business of the service at Endpoint: no transport of
	// this site serves both ends.
	Left bool `json:",omitzero"`
}

// Due reports whether this service is to carry the transfer out, false for none.
func (t *Transfer) Due() bool { return t != nil && !t.Left }

// Method says where a NIC's addresses come from.
type Method string

// The acquisition methods of the schema.
const (
	AllocateAndConfigure Method = "AllocateAndConfigure"
	AcceptAndConfigure   Method = "AcceptAndConfigure"
	Advisory             Method = "Advisory"
)

// NIC is a network interface: what was asked for and, once allocated, what it got.
type NIC struct {
	Name        string
	Association string
	Method      Method
	MAC         string // upper-case hexadecimal with colons
	Address

	// Device is the name that the host's end of its link has, of a Machine alone;
	// empty: whichever the hypervisor chooses.
	Device string `json:"-"`
	// Bridge is the bridge device of the host that its link is plugged into, of a Machine
	// alone; empty: what its association is there.
	Bridge string `json:"-"`
	// VNI numbers the private network of its group between hosts (RFC 7348): no two groups
	// have it at a time. 0: that network is on one host, or there is none.
	VNI int `json:",omitzero"`
	// MTU is the largest packet that passes there; 0: as everywhere.
	MTU int `json:",omitzero"`
	// Freed says that its address is others' to have: the machine is gone, though not yet
	// all that its workspace left.
	Freed bool `json:",omitzero"`
}

// Leases reports whether the NIC holds its address, of a workspace that holds any.
func (n *NIC) Leases() bool { return n.IP != "" && !n.Freed }

// Allocation is how much of the pool one node of a request takes.
type Allocation struct {
	MemoryMB     int64
	CPUs         int64 // 0: the site's default, resolved to at least 1 at creation
	CPUPercent   int64 // 0: not given
	DiskMB       int64 // of the host, beyond the image; 0: not counted
	NetInKbps    int64 // kilobits a second; 0: no limit and no promise
	NetOutKbps   int64
	Architecture string
	CPUsGiven    bool // the request named a CPU count: show it in properties
}

// CPUShare returns what the CPUs are worth of a host, in hundredths of a CPU:
// one that may take a percentage of a processor is worth so much.
func (a Allocation) CPUShare() int64 { return a.CPUs * a.PerCPU() }

// PerCPU returns what each CPU is worth, in hundredths.
func (a Allocation) PerCPU() int64 {
	const whole = 100
	if a.CPUPercent <= 0 {
		return whole
	}
	return min(a.CPUPercent, whole)
}

// Shape returns the part of the allocation that can change while a machine runs.
func (a Allocation) Shape() Shape {
	return Shape{a.MemoryMB, a.CPUs, a.CPUPercent, a.NetInKbps, a.NetOutKbps}
}

// Mechanism is what happens to a workspace at the end of its running time.
type Mechanism string

// The shutdown mechanisms of the schema; Normal is what an absent element means.
const (
	MechanismNormal    Mechanism = "Normal"
	MechanismSerialize Mechanism = "Serialize"
	MechanismTrash     Mechanism = "Trash"
)

// Lease is what was promised about time. Times are UTC, truncated to milliseconds.
type Lease struct {
	Start     time.Time
	Duration  time.Duration // running time
	Grace     time.Duration // from the end of running time to destruction
	Mechanism Mechanism
	SaveTo    string        // rootPartitionUnpropagationTarget; empty: where it came from
	Warn      time.Duration // before End subscribers are warned; 0: they are not
}

// End returns when running time ends and Mechanism is applied.
func (l Lease) End() time.Time { return l.Start.Add(l.Duration) }

// Termination returns when the resource is destroyed (ActualTerminationTime).
func (l Lease) Termination() time.Time { return l.End().Add(l.Grace) }

// Terms are what the renegotiation of a lease asks for.
type Terms struct {
	End      time.Time     // the termination time; zero: as it follows from the rest
	Duration time.Duration // running time from the lease's start; 0: as it follows
}

// Group is a set of workspaces created by one request.
type Group struct {
	ID      GroupID
	Owner   Owner
	Members []ID // those not yet destroyed
}

// Host is one VMM node of the pool.
type Host struct {
	ID           HostID
	VMM          string // KVM, Xen, ...
	Capacity     Capacity
	Associations []string // networks that reach it; empty: all
	Active       bool     // takes new workspaces
	// Overlay is the IP address at which other hosts reach it for private networks that
	// span hosts; empty: those on it are on it alone.
	Overlay string
}

// Capacity is an amount of host resources.
type Capacity struct {
	CPUs       int64 // of what is used: CPUShare in CPUs, rounded up
	CPUShare   int64 // of what is used: hundredths of a CPU; else 0
	MemoryMB   int64
	DiskMB     int64 // 0: not counted
	NetInKbps  int64 // kilobits a second; 0: not counted
	NetOutKbps int64
}

// HostUse is a host and what of it is taken now.
type HostUse struct {
	Host
	Used Capacity
}

// Request is a create request, read and checked as far as its own text goes.
type Request struct {
	Owner     Owner
	MessageID string // idempotency key, may be empty
	Digest    string // of all that is asked for: what MessageID stands for
	Spec      Spec
	Demand    Allocation
	Least     Allocation // what of Demand will do; a zero field: as Demand
	Terms     LeaseTerms
	Warn      time.Duration // before the end of running time; 0: the site's default
	Parts     []Part        // of a gang of several shapes; empty: Nodes of Demand
	Duration  time.Duration // 0: the site's default
	Nodes     int           // at least 1; of all parts
	Initial   State
	Mechanism Mechanism
	SaveTo    string
}

// Created is the answer to a create request.
type Created struct {
	Workspaces []*Workspace
	Group      GroupID // empty for a single workspace
}
