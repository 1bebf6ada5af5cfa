package book

import "github.com/philoxenia/philoxenia/service/lease/slot"

// Verb is what is to be done with a lease.
type Verb uint8

// The verbs, in the order in which what is due at one moment is done: what
// frees hosts comes before what takes them.
const (
	park     Verb = iota // a suspension is complete: into the queue; not told
	land                 // nodes have moved; not told
	End                  // the nodes are gone, the hosts free
	Kill                 // the nodes are destroyed; the lease waits to begin again
	Shutdown             // the running time is over: the nodes shut down
	Suspend              // the nodes' memory is saved
	Migrate              // the running nodes move to these hosts
	Transfer             // the image is brought to the one host
	Boot                 // the nodes start
	Resume               // the nodes' memory is restored
	Run                  // the nodes run
)

// String returns the verb as a schedule prints it.
func (v Verb) String() string {
	return [...]string{
		"park", "land", "end", "kill", "shutdown", "suspend", "migrate", "transfer", "boot",
		"resume", "run",
	}[v]
}

// Action is something that begins or ends now.
type Action struct {
	At    slot.Time // when it was due
	Verb  Verb
	Lease ID
	Hosts []slot.Host // of each node, in order of the parts; not to be changed
	Until slot.Time   // when it is to be complete; for Run, when running ends or pauses
	Image string      // of a Transfer, which the first lease that needs it is named for
}

// State is where a lease is.
type State uint8

// The states of a lease.
const (
	Refused    State = iota // not in the Book
	Queued                  // waits, with or without a planned start
	Accepted                // its hosts are promised
	Booting                 // its nodes start, for the first time or again
	Running                 // its nodes run
	Suspending              // its memory is being saved
	Suspended               // it waits with its memory saved
	Resuming                // its memory is being restored
	Ending                  // its nodes shut down
)

// String returns the state in words.
func (s State) String() string {
	return [...]string{
		"refused", "queued", "accepted", "booting", "running", "suspending", "suspended",
		"resuming", "ending",
	}[s]
}

// Answer is what became of a request.
type Answer struct {
	State State
	// Start is when the nodes run, End when their running time is over, if all
	// goes as planned; Never while nothing is planned. A lease that is to be
	// suspended ends later than this: Cut is when it gives its hosts back.
	Start, End slot.Time
	Cut        slot.Time
	Hosts      []slot.Host // of each node, in order of the parts; not to be changed
	Parts      []Part      // as granted, or as asked for while nothing is; not to be changed
	Preempts   []ID        // leases that lose hosts to this one
	Reason     *Reason     // of a lease that is refused or waits without a plan
}
