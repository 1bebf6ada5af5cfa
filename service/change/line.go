package change

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A place says where a line is.
type place int

// The places.
const (
	resting place = iota // new
	queued               // among those that could go on
	working              // with a worker
	waiting              // for a time
)

// A line is the changes of one workspace that have not ended, by rising ID.
// Only the first is carried out. All fields are guarded by the engine's lock.
type line struct {
	id          workspace.ID
	changes     []*workspace.Change
	ended       workspace.ChangeID // the highest that ended: not to be taken again
	state       place
	interrupted bool               // the first is to give way
	cancel      context.CancelFunc // of the task under way, nil when there is none
	progress    Progress           // of the task under way
	tries       int                // records that failed in a row

	until time.Time // while waiting
	wait  int       // index in the heap, -1 when not in it
}

// add takes the change in and reports whether it was new. Of one that is
// known, the engine knows better how far it is.
func (l *line) add(c *workspace.Change) bool {
	byID := func(a *workspace.Change, id workspace.ChangeID) int { return cmp.Compare(a.ID, id) }
	i, known := slices.BinarySearchFunc(l.changes, c.ID, byID)
	if known || c.ID <= l.ended {
		return false
	}
	l.changes = slices.Insert(l.changes, i, c)
	return true
}

// end takes out the change and those before it.
func (l *line) end(id workspace.ChangeID) {
	for len(l.changes) > 0 && l.changes[0].ID <= id {
		l.changes = l.changes[1:]
	}
	l.ended = max(l.ended, id)
	l.interrupted = false
	l.tries = 0
}

// set makes the change, which has moved on, the first.
func (l *line) set(c *workspace.Change) {
	if !l.add(c) {
		l.changes[0] = c
	}
	l.tries = 0
}
