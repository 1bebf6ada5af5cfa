package agenda

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Bind records whether a workspace keeps snapshots on its host. Its lease stays on
// its hosts as long as one of its workspaces does. One that its lease has at another host
// than its own, to which it is to move yet, is a Busy: its snapshots would stay behind.
func (a *Agenda) Bind(tx workspace.Tx, w *workspace.Workspace, keeps bool) error {
	a.mu.Lock()
	defer a.unlock()
	old, r, err := a.known(tx, w.Booking)
	if err != nil || old == nil || slices.Contains(old.Bound, w.ID) == keeps {
		return err
	}
	node := slices.Index(old.Members, w.ID)
	if keeps && node < len(r.Hosts) && a.pool[r.Hosts[node]].ID != w.Host {
		return workspace.Refuse(workspace.Busy, "workspace %s is about to move to host %s", w.ID,
			a.pool[r.Hosts[node]].ID)
	}
	b := *old
	b.Bound = among(old.Bound, w.ID, keeps)
	return a.tie(tx, &b)
}

// Doze records that a workspace whose lease is suspended had its memory saved by its owner
// before: when the lease goes on it is left as it is.
func (a *Agenda) Doze(tx workspace.Tx, w *workspace.Workspace) error {
	a.mu.Lock()
	defer a.unlock()
	old, _, err := a.known(tx, w.Booking)
	if err != nil || old == nil || slices.Contains(old.Asleep, w.ID) {
		return err
	}
	b := *old
	b.Asleep = among(old.Asleep, w.ID, true)
	return a.tie(tx, &b)
}

// asleep reports whether Doze was called of a workspace and its lease has not gone on yet.
func asleep(tx workspace.Tx, w *workspace.Workspace) bool {
	b, err := tx.Booking(w.Booking)
	return err == nil && slices.Contains(b.Asleep, w.ID)
}

// goneOn ends that: the workspace has its room again.
func (a *Agenda) goneOn(tx workspace.Tx, w *workspace.Workspace) error {
	if !asleep(tx, w) {
		return nil
	}
	old, err := tx.Booking(w.Booking)
	if err != nil {
		return err
	}
	b := *old
	b.Asleep = among(old.Asleep, w.ID, false)
	return a.tie(tx, &b)
}

// among returns the workspaces with one among them, or without it.
func among(all []workspace.ID, id workspace.ID, is bool) []workspace.ID {
	rest := slices.DeleteFunc(slices.Clone(all), func(other workspace.ID) bool {
		return other == id
	})
	if is {
		rest = append(rest, id)
	}
	return rest
}

// stays reports whether a lease goes on on its hosts alone.
func stays(b *workspace.Booking) bool { return len(b.Bound)+len(b.Asleep) > 0 }

// tie puts a booking of which others are bound to their hosts than before.
func (a *Agenda) tie(tx workspace.Tx, b *workspace.Booking) error {
	tx.OnUndone(a.void)
	if err := tx.PutBooking(b); err != nil {
		return err
	}
	a.book.Stay(stamp(now()), book.ID(b.ID), stays(b))
	return a.sync(tx)
}
