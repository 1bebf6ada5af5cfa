package manager

import (
	"context"
	"slices"

	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const snapshotOp = "keep a snapshot of workspace"

// Keep is Snapshot with what is to be done in words.
func (m *Manager) Keep(
	ctx context.Context, owner workspace.Owner, id workspace.ID, action, name string,
) error {
	return m.Snapshot(ctx, owner, id, vmm.Keep{Action: action, Name: name})
}

// Snapshot keeps, deletes or goes back to a state of the workspace on its host. It
// returns when that is done, or has begun and takes long. Going back throws away
// what the workspace has become since; it then goes on where the state had memory,
// and is off where it had none. Errors: Invalid (a wrong name), NotFound, Conflict
// (its lease does not run, it has no machine, it lost its host meanwhile, or what the host
// refused), Busy (something else is under way, or it is about to move), Quota (there are
// MostSnapshots already).
func (m *Manager) Snapshot(
	ctx context.Context, owner workspace.Owner, id workspace.ID, what vmm.Keep,
) error {
	if err := what.Check(); err != nil {
		return err
	}
	var err error
	switch what.Action {
	case vmm.KeepCreate:
		err = m.oneMore(ctx, owner, id, what.Name)
	case vmm.KeepRevert:
		err = m.there(ctx, owner, id, what.Name)
	}
	if err != nil {
		return err
	}
	var queued workspace.ChangeID
	err = m.store.Update(ctx, func(tx workspace.Tx) error {
		w, err := tx.Workspace(id)
		if err != nil || !visible(w, owner) {
			return unknown(id)
		}
		if err := keepable(tx, w); err != nil {
			return err
		}
		if w.Fault != "" {
			fresh := *w
			fresh.Fault = ""
			if err := tx.PutWorkspace(&fresh); err != nil {
				return err
			}
		}
		if what.Action == vmm.KeepCreate { // the scheduler knows it before there is one
			if err := m.agenda.Bind(tx, w, true); err != nil {
				return err
			}
		}
		queued, err = workspace.Queue(tx, workspace.Change{
			Kind: workspace.ChangeSnapshot, Workspace: id, Argument: what.String(),
		})
		return err
	})
	if err != nil {
		return err
	}
	if _, err = m.outcome(ctx, owner, id, snapshotOp, queued); err != nil {
		return err
	}
	return m.carriedOut(ctx, owner, id, what, queued)
}

// carriedOut refuses (Conflict) to say of a snapshot that it is there, or gone, which is not:
// what was to be done about it was dropped, as when the workspace lost its host. What is under
// way yet, and what a host does not tell, is left open.
func (m *Manager) carriedOut(
	ctx context.Context, owner workspace.Owner, id workspace.ID, what vmm.Keep,
	change workspace.ChangeID,
) error {
	open, err := m.isOpen(ctx, change)
	if err != nil || open || m.kept == nil || what.Action == vmm.KeepRevert {
		return err
	}
	all, err := m.Snapshots(ctx, owner, id)
	if err != nil {
		return nil //nolint:nilerr // as said
	}
	is := func(s workspace.Snapshot) bool { return s.Name == what.Name }
	if slices.ContainsFunc(all, is) == (what.Action == vmm.KeepCreate) {
		return nil
	}
	return workspace.Errorf(workspace.Conflict, snapshotOp, id.String(),
		"something else has befallen the workspace meanwhile")
}

// oneMore refuses a snapshot beyond what a workspace may have.
func (m *Manager) oneMore(
	ctx context.Context, owner workspace.Owner, id workspace.ID, name string,
) error {
	all, err := m.Snapshots(ctx, owner, id)
	same := func(s workspace.Snapshot) bool { return s.Name == name }
	if err != nil || len(all) < workspace.MostSnapshots || slices.ContainsFunc(all, same) {
		return err
	}
	return workspace.Errorf(workspace.Quota, snapshotOp, id.String(),
		"it has %d snapshots, and no more than %d are kept: delete some", len(all),
		workspace.MostSnapshots)
}

// there refuses to go back to a snapshot that there is not, before anything is done for
// it.
func (m *Manager) there(
	ctx context.Context, owner workspace.Owner, id workspace.ID, name string,
) error {
	all, err := m.Snapshots(ctx, owner, id)
	same := func(s workspace.Snapshot) bool { return s.Name == name }
	if err != nil || m.kept == nil || slices.ContainsFunc(all, same) {
		return err
	}
	return workspace.Errorf(workspace.Conflict, snapshotOp, id.String(),
		"it has no snapshot %q", name)
}

// keepable says why nothing can be done about snapshots of a workspace now.
func keepable(tx workspace.Tx, w *workspace.Workspace) error {
	refuse := func(format string, args ...any) error {
		return workspace.Errorf(workspace.Conflict, snapshotOp, w.ID.String(), format, args...)
	}
	resting := []workspace.State{workspace.Running, workspace.Paused, workspace.Propagated,
		workspace.Serialized}
	if b, err := tx.Booking(w.Booking); err == nil && b.Status != workspace.LeaseActive {
		return refuse("its lease is %s", b.Status)
	}
	if !w.OpsEnabled(now()) || !slices.Contains(resting, w.State) {
		return refuse("it is %s", w.State.Wire())
	}
	if len(tx.ChangesOf(w.ID)) > 0 {
		return workspace.Errorf(workspace.Busy, snapshotOp, w.ID.String(),
			"something else is under way with it")
	}
	return nil
}

// Snapshots returns the states of a workspace that its host keeps, the oldest
// first.
func (m *Manager) Snapshots(
	ctx context.Context, owner workspace.Owner, id workspace.ID,
) ([]workspace.Snapshot, error) {
	w, err := m.Workspace(ctx, owner, id)
	if err != nil || w.Host == "" || m.kept == nil {
		return nil, err
	}
	all, err := m.snapshots(ctx, w)
	if workspace.KindOf(err) == workspace.NotFound {
		return nil, nil // it has no machine yet
	}
	return all, err
}
