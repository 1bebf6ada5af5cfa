package workspace

import (
	"cmp"
	"time"
)

// LeaseKind is what a lease asks of time.
type LeaseKind string

// The kinds of lease; the empty one is immediate.
const (
	LeaseImmediate   LeaseKind = "immediate"   // now, or not at all
	LeaseReservation LeaseKind = "reservation" // at its start, exactly
	LeaseBestEffort  LeaseKind = "best-effort" // when there is room; waits in a queue
	LeaseDeadline    LeaseKind = "deadline"    // done in time, whenever it begins
)

// LeaseTerms are what a request asks of the scheduler beyond amounts and duration.
type LeaseTerms struct {
	Kind        LeaseKind
	Start       time.Time // of a reservation; the earliest, of a deadline; else zero
	Deadline    time.Time // of a deadline
	Preemptible bool      // it may be interrupted for a reservation; best effort alone
	Affinity    []AffinityRule
}

// Relation is how an affinity rule wants nodes to lie.
type Relation string

// The relations.
const (
	Near  Relation = "near"  // on the same host
	Apart Relation = "apart" // on other hosts
	// Within reach: on one host, or on hosts between which a private network can be
	// (Host.Overlay); of the lease's own nodes alone. No request asks for it: it follows
	// from their network.
	Within Relation = "within reach"
)

// AffinityRule says where the nodes of a lease are to be: near to or apart from
// the workspaces named, or the hosts named; with neither, from each other.
type AffinityRule struct {
	Relation   Relation
	Soft       bool // a wish; otherwise a condition
	Workspaces []ID
	Hosts      []HostID
}

// Part is so many equal nodes of a request. All parts run together.
type Part struct {
	Nodes  int
	Demand Allocation // of each node, at most: as much as there is is given
	Least  Allocation // what will do; a zero field: as Demand
}

// LeaseID names a lease: it is the ID of its first workspace.
type LeaseID int64

// LeaseStatus is where a lease stands with the scheduler, which is not where
// its machines are.
type LeaseStatus string

// The statuses.
const (
	LeaseQueued     LeaseStatus = "queued"     // waits, with or without a planned start
	LeaseAccepted   LeaseStatus = "accepted"   // its hosts are promised for a time to come
	LeaseActive     LeaseStatus = "active"     // it has its hosts
	LeaseSuspending LeaseStatus = "suspending" // its memory is being saved for another lease
	LeaseSuspended  LeaseStatus = "suspended"  // it waits with its memory saved
	LeaseOver       LeaseStatus = "over"       // its running time is over, or it has failed
)

// Booking is the scheduler's record of one lease, from which the plan is made
// again after a restart, to the same promises. Times are UTC in milliseconds.
type Booking struct {
	ID        LeaseID
	Owner     Owner
	Members   []ID // the workspaces, in the order of Hosts; those destroyed included
	Terms     LeaseTerms
	Parts     []Part // as granted: Demand is what each node has
	Duration  time.Duration
	Submitted time.Time // its place in the queue

	Status LeaseStatus
	Hosts  []HostID  // of each member; empty: none has been chosen
	From   time.Time // when it has its hosts, planned or past; zero: unknown
	Runs   time.Time // when it runs, planned or past; zero: unknown
	Until  time.Time // when it gives its hosts back, as planned; zero: unknown
	Cut    time.Time // when it is to be suspended; zero: it is not
	Ran    time.Duration
	Since  time.Time // when it began to run last; zero: it does not
	Saved  bool      // its memory is saved on Home
	Home   []HostID
	// Its nodes leave these hosts, of each member, for Hosts, as planned until
	// Arrived; empty: they do not move.
	Leaving []HostID
	Arrived time.Time

	Failed int       // resumes in a row
	Again  time.Time // when another one is tried; zero: when there is room

	// Bound are the members that keep snapshots, which lie on their hosts: the lease
	// goes on there alone.
	Bound []ID
	// Asleep are the members of a suspended lease whose memory their owner had saved
	// before: it stays saved, where it is, when the lease goes on.
	Asleep []ID

	Phase    BarPhase      // what its hosts do for it; empty: it has none, or they wait
	Left     []bool        // of each member: it gave its host back for good
	Warned   []time.Time   // of each member: the end of running time that was warned of
	Image    string        // that its nodes boot from; empty: nothing needs to be brought
	ImageMB  int64         // its size
	Boot     time.Duration // allowed for before it runs; less than zero: nothing
	Shutdown time.Duration // allowed for after it has run; less than zero: nothing
}

// Offer is a change of terms that would be accepted.
type Offer struct {
	Change   string    // "later", "fewer", "shorter", "smaller"
	Start    time.Time // zero: as asked for
	Deadline time.Time // zero: as asked for
	Nodes    int
	Duration time.Duration
	Demand   Allocation // of each node; of several parts, of the first
	Preempts []LeaseID  // leases that would lose their hosts for it
}

// Proposal is the answer to a what-if question: what a request would get.
type Proposal struct {
	Status   LeaseStatus // queued, accepted or active
	Start    time.Time   // when it would run; zero: not planned yet
	End      time.Time   // when its running time would be over
	Hosts    []HostID    // of each node
	Parts    []Part      // as they would be granted
	Preempts []LeaseID
}

// Shape is what of a machine can be changed while it runs. A zero field of a
// wish leaves the machine as it is.
type Shape struct {
	MemoryMB   int64
	CPUs       int64
	CPUPercent int64 // of one processor, of each of its CPUs; 100: no limit
	NetInKbps  int64 // kilobits a second
	NetOutKbps int64
}

// Over returns the shape with the fields that it leaves open as before.
func (s Shape) Over(before Shape) Shape {
	return Shape{
		MemoryMB: cmp.Or(s.MemoryMB, before.MemoryMB), CPUs: cmp.Or(s.CPUs, before.CPUs),
		CPUPercent: cmp.Or(s.CPUPercent, before.CPUPercent),
		NetInKbps:  cmp.Or(s.NetInKbps, before.NetInKbps),
		NetOutKbps: cmp.Or(s.NetOutKbps, before.NetOutKbps),
	}
}

// Resize is a wish to give a live workspace another shape.
type Resize struct {
	Shape
	DryRun bool // answer only
}

// Holding is what an owner's workspaces hold together.
type Holding struct {
	Workspaces int64         // those in the record, whatever their state
	CPUs       int64         // of those that hold capacity, or wait for it
	MemoryMB   int64         // of the same
	CPUTime    time.Duration // processors times the running time of all in the record
}

// Account is what an owner's ended leases took of late.
type Account struct {
	CPUTime time.Duration // processors times time, as much of it as counted at At
	At      time.Time
}

// BarPhase is what a host does for a lease at a time.
type BarPhase string

// The phases of a schedule.
const (
	PhaseTransfer BarPhase = "transfer"
	PhaseBoot     BarPhase = "boot"
	PhaseRun      BarPhase = "run"
	PhaseSuspend  BarPhase = "suspend"
	PhaseResume   BarPhase = "resume"
	PhaseShutdown BarPhase = "shutdown"
	PhaseClosed   BarPhase = "closed" // a window in which the host takes nothing
)

// Bar is a piece of the schedule of hosts.
type Bar struct {
	Host       HostID
	Start, End time.Time
	Phase      BarPhase
	Lease      LeaseID // 0: another owner's, or none
	Nodes      int     // of the lease on this host
	CPUs       int64   // that they take together
	MemoryMB   int64
	Firm       bool // nobody takes it away any more
	Begun      bool
}

// Fate is what becomes of a workspace on a host that is to be empty.
type Fate string

// The fates.
const (
	FateMoves Fate = "moves" // to another host
	FateWaits Fate = "waits" // until what is under way with it has ended
	FateStays Fate = "stays" // it cannot be moved now
)

// Departure is what becomes of one workspace on a host that is to be empty.
type Departure struct {
	Workspace ID
	Fate      Fate
	To        HostID // of one that moves
	Why       string // of one that does not
}

// HostMode is what an operator wants of a host, apart from its configuration.
type HostMode struct {
	Host    HostID
	Drained bool   // it takes no new leases
	Comment string // why, for people
	Windows []Window
}

// Window is a time in which a host gives less than it has: an owner's own use,
// or maintenance.
type Window struct {
	Start, End time.Time
	Rule       string   // recurrence rule (RFC 5545, section 3.3.10) from Start on; empty: once
	Left       Capacity // what leases may have meanwhile; zero: nothing
	Comment    string
}
