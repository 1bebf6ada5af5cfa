package manager

import (
	"context"
	"fmt"
	"slices"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// An operation is what start and the shutdown family have in common: a word
// for the fault, the change that does it, from where it is possible and where
// it leads.
type operation struct {
	verb string // for our own errors
	word string // as the original's faults have it
	kind workspace.ChangeKind
	to   workspace.State
	from []workspace.State // at rest; from `to` itself it is already done
}

// operations is the gate of the contract's section 4.2 as a table.
var operations = map[workspace.ChangeKind]operation{
	workspace.ChangeStart: {
		"start", "Start", workspace.ChangeStart, workspace.Running,
		[]workspace.State{
			workspace.Unpropagated, workspace.Propagated, workspace.Serialized, workspace.Paused,
		},
	},
	workspace.ChangePause: {
		"pause", "Pause", workspace.ChangePause, workspace.Paused,
		[]workspace.State{workspace.Running},
	},
	workspace.ChangeReboot: {
		"reboot", "Reboot", workspace.ChangeReboot, workspace.Running,
		[]workspace.State{workspace.Running, workspace.Paused},
	},
	workspace.ChangeShutdown: {
		"shut down", "Shutdown", workspace.ChangeShutdown, workspace.Propagated,
		[]workspace.State{workspace.Running, workspace.Paused, workspace.Serialized},
	},
	workspace.ChangeSerialize: {
		"serialize", "Serialize", workspace.ChangeSerialize, workspace.Serialized,
		[]workspace.State{workspace.Running, workspace.Paused},
	},
	workspace.ChangeSave: {
		"save", "ReadyForTransport (shutdown-save)", workspace.ChangeSave, workspace.TransportReady,
		[]workspace.State{workspace.Running, workspace.Paused, workspace.Propagated},
	},
}

// shutdowns maps the words of the wire to changes; Trash is not among them,
// for it is a destroy.
var shutdowns = map[workspace.ShutdownKind]workspace.ChangeKind{
	workspace.ShutdownNormal:            workspace.ChangeShutdown,
	workspace.ShutdownPause:             workspace.ChangePause,
	workspace.ShutdownSerialize:         workspace.ChangeSerialize,
	workspace.ShutdownReboot:            workspace.ChangeReboot,
	workspace.ShutdownReadyForTransport: workspace.ChangeSave,
}

// Start brings the workspace to Running from wherever it rests. One that runs,
// or is on its way there, is left alone.
func (m *Manager) Start(
	ctx context.Context, owner workspace.Owner, id workspace.ID,
) error {
	return m.store.Update(ctx, func(tx workspace.Tx) error {
		return operate(tx, owner, id, order{kind: workspace.ChangeStart})
	})
}

// Shutdown does one of the shutdown family. saveTo is the target of a
// ReadyForTransport alone; empty means where the image came from.
func (m *Manager) Shutdown(
	ctx context.Context, owner workspace.Owner, id workspace.ID,
	kind workspace.ShutdownKind, saveTo string,
) error {
	if kind == workspace.ShutdownTrash {
		return m.Destroy(ctx, owner, id)
	}
	change, err := m.shutdownChange(kind, saveTo, id.String())
	if err != nil {
		return err
	}
	return m.store.Update(ctx, func(tx workspace.Tx) error {
		return operate(tx, owner, id, order{change, saveTo})
	})
}

// shutdownChange checks the request as far as its own words go.
func (m *Manager) shutdownChange(
	kind workspace.ShutdownKind, saveTo, id string,
) (workspace.ChangeKind, error) {
	change, ok := shutdowns[kind]
	if !ok {
		return "", workspace.Errorf(workspace.Invalid, "shut the workspace down", id,
			"unknown shutdown type %q", kind)
	}
	if saveTo == "" {
		return change, nil
	}
	if kind != workspace.ShutdownReadyForTransport {
		return "", workspace.Errorf(workspace.Invalid, "shut the workspace down", id,
			"PostShutdown is only compatible with a ReadyForTransport request")
	}
	if err := m.images.CheckTarget(saveTo); err != nil {
		return "", &workspace.Error{
			Op: "save the workspace", Kind: workspace.KindOf(err), ID: id, Err: err,
		}
	}
	return change, nil
}

// An order is what is asked of a workspace, and of a save the target.
type order struct {
	kind     workspace.ChangeKind
	argument string
}

// operate queues one operation on one of the owner's workspaces, when running
// time is not over. The error has kind NotFound or Conflict.
func operate(tx workspace.Tx, owner workspace.Owner, id workspace.ID, o order) error {
	w, err := tx.Workspace(id)
	if err != nil || !visible(w, owner) {
		return unknown(id)
	}
	if !w.OpsEnabled(now()) {
		return disabled(operations[o.kind], w, "")
	}
	if b, err := tx.Booking(w.Booking); err == nil && b.Status != workspace.LeaseActive {
		return disabled(operations[o.kind], w, fmt.Sprintf(": its lease is %s", b.Status))
	}
	if waiting := len(tx.ChangesOf(id)); waiting >= mostWaiting {
		return workspace.Errorf(workspace.Busy, operations[o.kind].verb+" workspace", id.String(),
			"%d operations wait for it already: try again when they are done", waiting)
	}
	return queue(tx, w, o)
}

// mostWaiting is how many operations may wait for a workspace: the record keeps them all.
const mostWaiting = 64

// queue queues a change of the workspace behind what is under way, when its
// state, as it will be then, allows that. It does nothing when the state will
// be the wanted one anyway. The error has kind Conflict.
func queue(tx workspace.Tx, w *workspace.Workspace, o order) error {
	op, before := operations[o.kind], tx.ChangesOf(w.ID)
	will := project(w, before)
	if will == op.to && o.kind != workspace.ChangeReboot {
		return nil
	}
	if !slices.Contains(op.from, will) {
		return disabled(op, w, fmt.Sprintf(": it will be %s", will.Wire()))
	}
	if w.Fault != "" { // what failed before is over once something else is asked for
		fresh := *w
		fresh.Fault = ""
		if err := tx.PutWorkspace(&fresh); err != nil {
			return err
		}
	}
	_, err := workspace.Queue(tx, workspace.Change{
		Kind: o.kind, Workspace: w.ID, Argument: o.argument,
	})
	return err
}

func disabled(op operation, w *workspace.Workspace, why string) error {
	return workspace.Errorf(workspace.Conflict, op.verb+" workspace", w.ID.String(),
		"%s is currently disabled%s", op.word, why)
}

// project returns the state at which the workspace will rest when the changes
// have ended well.
func project(w *workspace.Workspace, changes []*workspace.Change) workspace.State {
	will := w.State
	for _, c := range changes {
		switch c.Kind {
		case workspace.ChangeDeploy:
			will = w.Initial
		case workspace.ChangeDestroy:
			will = workspace.Cancelled
		case workspace.ChangeResize, workspace.ChangeMigrate, workspace.ChangeSnapshot:
		case workspace.ChangeSuspend:
			will = workspace.Serialized
		case workspace.ChangeResume:
			will = workspace.Running
		case workspace.ChangeEvict:
			will = workspace.Unpropagated
		default:
			will = operations[c.Kind].to
		}
	}
	return will
}
