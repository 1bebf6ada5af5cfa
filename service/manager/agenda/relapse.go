package agenda

import (
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// How the faults begin of workspaces that could not go on: with what is left of
// them they are on their hosts, and their leases are suspended again.
const (
	NotGoneOn = "it could not go on, and will try again: "
	Spent     = "it could not go on, its memory is used up, it will begin anew from its disk: "
)

// stuck reports whether a workspace is back where it was before a resume.
func stuck(w *workspace.Workspace) bool {
	rests := w.State == workspace.Serialized || w.State == workspace.Propagated
	return w.Parked && rests && (strings.HasPrefix(w.Fault, NotGoneOn) || spent(w))
}

// spent reports whether its memory is used up.
func spent(w *workspace.Workspace) bool { return strings.HasPrefix(w.Fault, Spent) }

// relapsed reports whether one of a lease's workspaces could not go on.
func (a *Agenda) relapsed(tx workspace.Tx, b *workspace.Booking, r *book.Record) bool {
	if r.State != book.Resuming && r.State != book.Running {
		return false
	}
	for i, id := range b.Members {
		if w, err := tx.Workspace(id); err == nil && !b.Left[i] && !w.Gone() && stuck(w) {
			return true
		}
	}
	return false
}

// fallBack suspends what of the lease has gone on, or is about to, and lets it
// rest once all of it is.
func (a *Agenda) fallBack(tx workspace.Tx, b *workspace.Booking, r *book.Record) error {
	home := make([]slot.Host, len(b.Members))
	copy(home, r.Hosts)
	waits, begins := false, false
	for i, id := range b.Members {
		w, err := tx.Workspace(id)
		if err != nil || b.Left[i] || w.Gone() || w.Expired {
			continue
		}
		if h, ok := a.index[w.Host]; ok {
			home[i] = h
		}
		begins = begins || spent(w)
		goes := under(tx, id, workspace.ChangeResume) || under(tx, id, workspace.ChangeStart)
		if stuck(w) || (w.Parked && !goes) {
			continue
		}
		waits = true
		if under(tx, id, workspace.ChangeSuspend) || under(tx, id, workspace.ChangeEvict) {
			continue
		}
		if err := order(tx, id, workspace.ChangeSuspend, ""); err != nil {
			return err
		}
	}
	if waits {
		return nil
	}
	b.Failed++
	b.Again = now().Add(pause(b.Failed))
	a.resting[b.ID] = b.Again
	a.book.Rest(stamp(now()), book.ID(b.ID), home, begins)
	a.log.Warn("lease could not go on and rests", "lease", b.ID, "attempt", b.Failed,
		"retry_in", pause(b.Failed))
	return nil
}

// pause is how long a lease rests that could not resume so many times in a row.
func pause(failed int) time.Duration {
	const first, most, doublings = 10 * time.Second, time.Hour, 9
	return min(first<<min(failed-1, doublings), most)
}

// rested returns the leases that may try to resume again.
func (a *Agenda) rested() (ids []workspace.LeaseID) {
	for id, at := range a.resting {
		if !at.After(now()) {
			ids = append(ids, id)
		}
	}
	return ids
}

// retry lets leases that have rested wait for hosts again.
func (a *Agenda) retry(tx workspace.Tx, at slot.Time) error {
	for _, id := range a.rested() {
		delete(a.resting, id)
		old, err := tx.Booking(id)
		if err != nil {
			continue // it is gone
		}
		b := *old
		b.Again = time.Time{}
		if err := tx.PutBooking(&b); err != nil {
			return err
		}
		a.book.Retry(at, book.ID(id))
	}
	return nil
}
