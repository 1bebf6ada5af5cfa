package agenda

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Ship has a workspace of a running lease move to another host, to that of the
// name or, where it is empty, to one that the Book chooses; still has its guest
// stand still meanwhile. It returns the host. Both hosts are the lease's until it
// has moved. The error is of kind NotFound, Busy, Conflict (it, or who has to come along,
// stays) or NoResource.
func (a *Agenda) Ship(
	tx workspace.Tx, w *workspace.Workspace, to workspace.HostID, still bool,
) (workspace.HostID, error) {
	a.mu.Lock()
	defer a.unlock()
	if err := a.ready(tx); err != nil {
		return "", err
	}
	target := slot.Host(-1)
	if to != "" {
		h, ok := a.index[to]
		if !ok {
			return "", workspace.Refuse(workspace.NotFound, "no such host %q", to)
		}
		target = h
	}
	b, err := tx.Booking(w.Booking)
	if err != nil {
		return "", err
	}
	tx.OnUndone(a.void)
	node := slices.Index(b.Members, w.ID)
	found, err := a.book.Shift(stamp(now()), book.ID(w.Booking), node, target)
	if err != nil {
		return "", err
	}
	if err := a.awake(tx, b); err != nil {
		return "", err
	}
	a.still[w.ID] = still
	return a.pool[found].ID, a.step(tx)
}

// awake refuses (Conflict) to move a lease to the hosts that the Book has for it where the
// owner of one of those that move has its memory saved: that lies on the host which it would
// leave, and cannot go on elsewhere without the guest.
func (a *Agenda) awake(tx workspace.Tx, b *workspace.Booking) error {
	r, _ := a.book.Record(book.ID(b.ID))
	for i, id := range b.Members {
		w, err := tx.Workspace(id)
		if err != nil || i >= len(r.Hosts) || a.pool[r.Hosts[i]].ID == w.Host {
			continue
		}
		saved := w.State == workspace.Serialized && !w.Parked
		if saved || under(tx, id, workspace.ChangeSerialize) {
			return workspace.Refuse(workspace.Conflict, "the memory of workspace %s is saved on "+
				"host %s, where it stays: start it, or shut it down, before it moves", id, w.Host)
		}
	}
	return nil
}

// Return has a workspace that could not move go on where it is, and reports whether that
// has room for it up to the end of its lease; if not, it has to leave in another way.
func (a *Agenda) Return(tx workspace.Tx, w *workspace.Workspace) (bool, error) {
	a.mu.Lock()
	defer a.unlock()
	if err := a.ready(tx); err != nil {
		return false, err
	}
	b, err := tx.Booking(w.Booking)
	home, known := a.index[w.Host]
	if err != nil || !known {
		return false, err
	}
	tx.OnUndone(a.void)
	node := slices.Index(b.Members, w.ID)
	if !a.book.Return(stamp(now()), book.ID(b.ID), node, home) {
		return false, nil
	}
	return true, a.step(tx)
}
