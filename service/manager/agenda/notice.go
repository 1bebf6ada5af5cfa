package agenda

import (
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Notice tells that something has become of a workspace in this update: it came
// up, was suspended or evicted, went off at its end, gave its host back or is
// gone from the record.
func (a *Agenda) Notice(tx workspace.Tx, lease workspace.LeaseID) error {
	if lease == 0 {
		return nil
	}
	a.mu.Lock()
	defer a.unlock()
	if err := a.ready(tx); err != nil {
		return err
	}
	tx.OnUndone(a.void)
	if err := a.tally(tx, lease); err != nil {
		return err
	}
	return a.step(tx)
}

// tally holds a lease against what its workspaces are at, and tells the Book
// what is complete.
func (a *Agenda) tally(tx workspace.Tx, lease workspace.LeaseID) error {
	old, err := tx.Booking(lease)
	if workspace.KindOf(err) == workspace.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	b := *old
	b.Left = slices.Clone(old.Left)
	at, id := stamp(now()), book.ID(lease)
	r, known := a.book.Record(id)
	n, err := a.weigh(tx, &b, &r, known)
	if err != nil {
		return err
	}
	if n.gone == len(b.Members) {
		a.over(at, id)
		return tx.RemoveBooking(lease)
	}
	if n.relapsed {
		if err := a.fallBack(tx, &b, &r); err != nil {
			return err
		}
	}
	if err := a.put(tx, old, &b); err != nil {
		return err
	}
	switch {
	case n.left == len(b.Members):
		a.over(at, id)
	case known && n.left+n.going == len(b.Members) && r.State != book.Ending:
		a.book.Ended(at, id) // its hosts are free as soon as it is off them
	case known && n.left+n.ready == len(b.Members):
		a.book.Done(at, id)
	}
	return nil
}

// A count is how many of a lease's workspaces are where.
type count struct {
	gone, left, going int  // from the record, off their hosts for good, about to be
	ready             int  // where the lease is bringing them
	relapsed          bool // one could not go on
}

// weigh counts the workspaces of a lease, sends those on that had to leave
// another host first, and notes in the booking who has left for good.
func (a *Agenda) weigh(
	tx workspace.Tx, b *workspace.Booking, r *book.Record, known bool,
) (n count, err error) {
	n.relapsed = known && a.relapsed(tx, b, r)
	for i, member := range b.Members {
		w, err := tx.Workspace(member)
		if err != nil {
			n.gone++
		}
		if !b.Left[i] && given(w, err) {
			b.Left[i] = true
			if known {
				a.book.Leave(stamp(now()), book.ID(b.ID), i)
			}
		}
		switch {
		case b.Left[i]:
			n.left++
		case w.Gone() || w.Expired:
			n.going++
		case !known || n.relapsed:
		case a.complete(tx, w, r, i):
			n.ready++
		default:
			if err := a.again(tx, w, r, i); err != nil {
				return n, err
			}
		}
	}
	if r.State == book.Resuming && n.left+n.ready == len(b.Members) {
		b.Failed = 0
	}
	return n, nil
}

// given reports whether a workspace has given its host back for good; err tells
// that it is gone from the record.
func given(w *workspace.Workspace, err error) bool {
	return err != nil || !w.Holds() || (!w.HoldsHost() && (w.Gone() || w.Expired))
}

// complete reports whether a workspace is where its lease is bringing it.
func (a *Agenda) complete(
	tx workspace.Tx, w *workspace.Workspace, r *book.Record, node int,
) bool {
	switch r.State {
	case book.Booting, book.Resuming:
		if w.Parked {
			return false
		}
		switch w.State {
		case workspace.Running, workspace.Paused, workspace.Corrupted, w.Initial:
			return true
		}
		return !under(tx, w.ID, workspace.ChangeDeploy) &&
			!under(tx, w.ID, workspace.ChangeResume) && !under(tx, w.ID, workspace.ChangeStart)
	case book.Suspending:
		return w.Parked
	case book.Running: // on its way to other hosts
		return len(r.Left) > 0 && !w.Parked && w.Host == a.pool[r.Hosts[node]].ID &&
			!under(tx, w.ID, workspace.ChangeSuspend)
	}
	return false
}

// again seats a workspace that had to leave another host first.
func (a *Agenda) again(
	tx workspace.Tx, w *workspace.Workspace, r *book.Record, node int,
) error {
	has := r.State == book.Booting || r.State == book.Resuming || r.State == book.Running
	if !has || !w.Parked || w.Gone() || len(r.Hosts) <= node {
		return nil
	}
	evicted := w.Host == "" && w.State == workspace.Unpropagated
	moving := w.Host != a.pool[r.Hosts[node]].ID &&
		(w.State == workspace.Serialized || w.State == workspace.Propagated)
	if !evicted && !moving {
		return nil
	}
	return a.seat(tx, w, r.Hosts[node], a.share(r.Terms.ID, node))
}

// over tells the Book that nothing of a lease is left.
func (a *Agenda) over(at slot.Time, id book.ID) {
	a.book.Ended(at, id)
	a.book.Done(at, id)
	if _, known := a.book.Record(id); known {
		_ = a.book.Cancel(at, id) // one that shuts down already is over by itself
	}
}

// Wait says how long a workspace's guest has to be held back, and why; 0: it may
// come up.
func (a *Agenda) Wait(w *workspace.Workspace) (after time.Duration, reason string) {
	const soon, late = 20 * time.Millisecond, time.Second
	if !w.Parked {
		return 0, ""
	}
	a.mu.Lock()
	defer a.unlock()
	if a.book == nil {
		return late, "the schedule is being made"
	}
	r, known := a.book.Record(book.ID(w.Booking))
	if !known || r.From == slot.Never {
		return late, "its lease has no hosts"
	}
	if r.State == book.Accepted {
		return min(max(time.Until(moment(r.From)), soon), late), "its lease has not begun"
	}
	return soon, "its room on the host is not free yet"
}
