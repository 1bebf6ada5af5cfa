package vmm

import (
	"context"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// What can be done about a snapshot.
const (
	KeepCreate = "create"
	KeepDelete = "delete"
	KeepRevert = "revert"
)

// Keep is what is to be done about a snapshot of a name.
type Keep struct{ Action, Name string }

// Check refuses (Invalid) what makes no sense.
func (k Keep) Check() error {
	if !slices.Contains([]string{KeepCreate, KeepDelete, KeepRevert}, k.Action) {
		return workspace.Errorf(workspace.Invalid, "use the snapshot", k.Name,
			"%q is none of create, delete, revert", k.Action)
	}
	return workspace.CheckSnapshotName(k.Name)
}

// String writes it for the Argument of a change.
func (k Keep) String() string { return k.Action + " " + k.Name }

// keepOf reads it.
func keepOf(r *change.Run) (Keep, error) {
	action, name, _ := strings.Cut(r.Change.Argument, " ")
	k := Keep{action, name}
	return k, k.Check()
}

// Reverts reports whether a ChangeSnapshot goes back to a snapshot.
func Reverts(r *change.Run) bool {
	k, err := keepOf(r)
	return err == nil && k.Action == KeepRevert
}

// Keep makes, deletes or goes back to the snapshot that the change has as Argument.
// A workspace that went back is Propagated, or Starting where its snapshot had
// memory; one that could not go back is what its guest is.
func (v *VMM) Keep() change.Handler {
	return change.Handler{Undo: v.call(truth), Do: v.slowly(func(
		ctx context.Context, n *host.Node, r *change.Run,
	) (change.Commit, error) {
		k, err := keepOf(r)
		if err != nil {
			return nil, err
		}
		id := r.Workspace.ID
		switch k.Action {
		case KeepCreate:
			return nil, n.Snapshot(ctx, id, k.Name)
		case KeepDelete:
			return nil, n.DeleteSnapshot(ctx, id, k.Name)
		}
		if err := n.Revert(ctx, id, k.Name); err != nil {
			return nil, err
		}
		now, err := n.Inspect(ctx, id)
		if err != nil {
			return nil, err
		}
		return reverted(r, now == workspace.ConditionSaved), nil
	})}
}

// Snapshots returns the states that the workspace's host keeps.
func (v *VMM) Snapshots(
	ctx context.Context, w *workspace.Workspace,
) ([]workspace.Snapshot, error) {
	n, err := v.o.Pool.Node(w.Host)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, v.o.CallTimeout)
	defer cancel()
	return n.Snapshots(ctx, w.ID)
}

// reverted records a workspace that went back.
func reverted(r *change.Run, memory bool) change.Commit {
	return func(tx workspace.Tx) error {
		id, state := r.Workspace.ID, r.Workspace.State
		if state == workspace.ShuttingDown {
			if _, err := workspace.Move(tx, id, workspace.TriggerOff, ""); err != nil {
				return err
			}
		}
		if !memory {
			return nil
		}
		_, err := workspace.Move(tx, id, workspace.TriggerStart, "")
		return err
	}
}
