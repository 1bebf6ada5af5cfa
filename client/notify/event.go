package notify

import "time"

// Source says how an event became known.
type Source string

// The sources of events.
const (
	Notified Source = "notification" // the service told it
	Read     Source = "read"         // the state property was read
)

// Event is one thing that became known of a workspace.
type Event struct {
	Workspace string    // the workspace's key
	Was       string    // the state known before; empty at first
	State     string    // a state of the schema, or client.Gone
	Fault     string    // why it is Corrupted, or what was given up
	At        time.Time // when it became known here, UTC
	Source    Source
}

// Changed reports whether the state differs from the one known before.
func (e Event) Changed() bool { return e.Was != e.State }
