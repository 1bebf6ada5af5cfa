package manager

import (
	"cmp"
	"context"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Destroy removes the workspace. When it returns the workspace is gone for its
// owner, whatever was under way is superseded, and the removal of its remains
// is durable work.
func (m *Manager) Destroy(
	ctx context.Context, owner workspace.Owner, id workspace.ID,
) error {
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		w, err := tx.Workspace(id)
		if err != nil || !visible(w, owner) {
			return unknown(id)
		}
		return m.destroy(tx, w)
	})
	if err == nil {
		m.work.Interrupt(id)
	}
	return err
}

// destroy moves the workspace to Destroying, tells its subscribers, drops the
// changes that are now pointless and puts the one that cleans up.
func (m *Manager) destroy(tx workspace.Tx, old *workspace.Workspace) error {
	state, err := old.State.Next(workspace.TriggerDestroy)
	if err != nil {
		return err
	}
	w, at := *old, now()
	w.State, w.Changed = state, at
	var home string // of a move that is cut off: its files are there still
	for _, c := range tx.ChangesOf(w.ID) {
		switch c.Kind {
		case workspace.ChangeResume, workspace.ChangeEvict:
			home = cmp.Or(c.Argument, home)
		case workspace.ChangeMigrate:
			home = string(c.Elsewhere(w.Host))
		}
		if err := tx.RemoveChange(c.ID); err != nil {
			return err
		}
	}
	err = tx.PutChange(&workspace.Change{
		ID: tx.NextChangeID(), Kind: workspace.ChangeDestroy, Workspace: w.ID,
		Status: workspace.ChangeDoing, Argument: home, Created: at,
	})
	if err != nil {
		return err
	}
	err = tx.Emit(workspace.Event{
		Workspace: w.ID, Topic: workspace.TopicTermination, State: old.State, At: at,
	})
	if err != nil {
		return err
	}
	if err := tx.PutWorkspace(&w); err != nil {
		return err
	}
	return m.agenda.Notice(tx, w.Booking)
}
