package notify

import (
	"time"

	"github.com/philoxenia/philoxenia/schema/report"
)

// Source says how an event became known.
type Source string

// The sources of events.
const (
	Notified Source = "notification" // the service told it
	Read     Source = "read"         // the state property was read
	// Missed is no state: messages that were meant for this receiver are lost,
	// and only reading the state tells what has happened meanwhile.
	Missed Source = "missed"
	// Reopened is no state: the subscriptions made before exist no longer, and
	// what happens is told only after subscribing anew.
	Reopened Source = "reopened"
)

// EndsSoon stands in an Event for a warning: running time is over soon.
const EndsSoon = "ends soon"

// Event is one thing that became known of a workspace. A Watcher tells states,
// and of leases and transfers where it is asked to; a Receiver also tells that it Missed
// something or was Reopened.
type Event struct {
	Workspace string    // the workspace's key; empty when Missed or Reopened
	Was       string    // the state known before; empty at first, and from a Receiver
	State     string    // a state of the schema, or client.Gone; empty with Lease, Transfer
	Fault     string    // why it is Corrupted, or what was given up
	At        time.Time // when it became known here, UTC
	Source    Source
	// Lease is how the workspace's lease stands with the scheduler (report.LeaseQueued
	// and its like), or EndsSoon; empty when the event is of the state. End is when
	// running time will be over, zero when that is not known.
	Lease string
	End   time.Time
	// Transfer is how far an image on its way is; nil when the event is of something else.
	Transfer *report.Transfer
}

// Changed reports whether the state differs from the one known before.
func (e Event) Changed() bool { return e.ofState() && e.Was != e.State }

// ofState reports whether the event tells a state.
func (e Event) ofState() bool { return e.Lease == "" && e.Transfer == nil }
