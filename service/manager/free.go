package manager

import (
	"context"
	"slices"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Addresses are given back when no machine is left that has them, and capacity when
// nothing at all is left.

// always is so of a task that has all there is to remove.
func always(*change.Run) bool { return true }

// stays reports whether a destroy has one host alone to clear.
func stays(r *change.Run) bool { return r.Workspace == nil || !moved(r) }

// frees is a task that removes the machine from a host. Where that is the last one that it
// may be on, its addresses are others' to have in the transaction that records the end of
// the task, whatever else is to be removed and however long that takes.
func frees(t change.Task, last func(*change.Run) bool) change.Task {
	do, free := t.Do, after(t.Handler, freeIn).Do
	t.Do = func(ctx context.Context, r *change.Run) (change.Commit, error) {
		if last(r) {
			return free(ctx, r)
		}
		return do(ctx, r)
	}
	return t
}

// freeIn records that a workspace has no machine whose addresses these would be.
func freeIn(tx workspace.Tx, id workspace.ID) error {
	w, err := tx.Workspace(id)
	if err != nil {
		return err
	}
	nics := slices.Clone(w.NICs)
	for i := range nics {
		nics[i].Freed = true
	}
	return tx.PutNICs(id, nics)
}

// release gives capacity and addresses back.
func (h hooks) release(_ context.Context, r *change.Run) (change.Commit, error) {
	if r.Workspace == nil {
		return nil, nil
	}
	return func(tx workspace.Tx) error { return h.releaseIn(tx, r.Workspace.ID) }, nil
}

func (h hooks) releaseIn(tx workspace.Tx, id workspace.ID) error {
	old, err := tx.Workspace(id)
	if err != nil || old.Released {
		return err
	}
	w := *old
	w.Released = true
	if err := tx.PutWorkspace(&w); err != nil {
		return err
	}
	return h.agenda.Notice(tx, w.Booking)
}
