package vmm

import (
	"context"
	"errors"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Await holds a change back until ready says 0. Otherwise it says how long to
// wait before it is asked again, and what for: that is no failure, writes
// nothing and keeps no worker. It must be quick.
func Await(ready func(*change.Run) (after time.Duration, reason string)) change.Handler {
	return change.Handler{Do: func(_ context.Context, r *change.Run) (change.Commit, error) {
		if r.Workspace == nil {
			return nil, nil
		}
		after, reason := ready(r)
		if after <= 0 {
			return nil, nil
		}
		return nil, &change.Retry{After: after, Reason: reason}
	}}
}

// Suspend writes the guest's memory to disk beside its disks. When that is done
// the workspace is Serialized and Parked in one transaction: its host keeps the
// files and no more. The machine is defined again first: what an earlier release
// defined does not know yet where its memory is to be.
func (v *VMM) Suspend() change.Handler {
	h, define := v.Serialize(), v.call(v.define)
	do := h.Do
	h.Do = func(ctx context.Context, r *change.Run) (change.Commit, error) {
		if _, err := define(ctx, r); err != nil {
			return nil, err
		}
		moved, err := do(ctx, r)
		if err != nil || moved == nil {
			return nil, err
		}
		return func(tx workspace.Tx) error {
			if err := moved(tx); err != nil {
				return err
			}
			return park(tx, r.Workspace.ID, r.Workspace.Host)
		}, nil
	}
	return h
}

// A resume is made of these tasks, in this order, on a workspace whose Host is
// where it is to run and whose change has the host that keeps its files as
// Argument (empty: the same):
//
//	image.Images.Move   its files come to the host
//	VMM.Receive         the machine is known there
//	VMM.Restore         it goes on from its memory
//	VMM.Confirm
//	VMM.Leave           the machine is no longer known at home
//	image.Images.Leave  nor are its files there
//
// Up to Confirm all can be undone, and the files at home are as they were. The
// workspace is Serialized again, or Propagated where there is no memory left; the
// plan's Failed puts Host back to home then. Of the last two, which have
// nothing to undo, a failure is retried for ever.

// Receive makes the machine known to the host to which it moves. The way back
// removes it there, unless it is at home there.
func (v *VMM) Receive() change.Handler {
	return change.Handler{Do: v.call(v.define), Undo: v.call(
		func(ctx context.Context, n *host.Node, r *change.Run) (change.Commit, error) {
			if image.Home(r) == n.ID {
				return nil, nil
			}
			return v.undefine(ctx, n, r)
		})}
}

// Restore lets the machine go on from its memory on disk. The way back pulls
// the plug of one that came up, and leaves memory that is still on disk there.
// Where that memory was the only one, the workspace is Propagated then.
func (v *VMM) Restore() change.Handler {
	return change.Handler{Do: v.slowly(v.restore), Undo: v.call(
		func(ctx context.Context, n *host.Node, r *change.Run) (change.Commit, error) {
			now, err := n.Inspect(ctx, r.Workspace.ID)
			if err != nil || now == workspace.ConditionSaved {
				return nil, err
			}
			if _, err := unplug(ctx, n, r); err != nil {
				return nil, err
			}
			home, err := v.o.Pool.Node(image.Home(r))
			if err != nil || r.Workspace.State != workspace.Starting {
				return nil, err
			}
			apart, err := host.Apart(ctx, home, n, r.Workspace.ID)
			if apart || err != nil {
				return nil, err
			}
			return Moved(r.Workspace.ID, workspace.TriggerOff), nil
		})}
}

// restore starts the machine from its memory, which is then of no more use at
// a home that has the same disks.
func (v *VMM) restore(
	ctx context.Context, n *host.Node, r *change.Run,
) (change.Commit, error) {
	if _, err := v.timed(learn.Resume, v.start)(ctx, n, r); err != nil {
		return nil, err
	}
	home, err := v.o.Pool.Node(image.Home(r))
	if err != nil {
		return nil, err
	}
	return nil, image.Spend(ctx, home, n, r.Workspace)
}

// Leave removes the machine from the home that it has left.
func (v *VMM) Leave() change.Handler {
	return change.Handler{Do: func(ctx context.Context, r *change.Run) (change.Commit, error) {
		if r.Workspace == nil || image.Home(r) == r.Workspace.Host {
			return nil, nil
		}
		n, err := v.o.Pool.Node(image.Home(r))
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, v.o.CallTimeout)
		defer cancel()
		return v.undefine(ctx, n, r)
	}}
}

// Evict takes the host away from the workspace: the machine is forced off and
// removed with its disks and its memory. When that is done the workspace is
// Unpropagated and Parked, without a host, in one transaction.
func (v *VMM) Evict(images *image.Images) change.Handler {
	off, discard := v.call(v.undefine), images.Discard().Do
	return change.Handler{Do: func(ctx context.Context, r *change.Run) (change.Commit, error) {
		if r.Workspace == nil {
			return nil, nil
		}
		if _, err := off(ctx, r); err != nil {
			return nil, err
		}
		if _, err := discard(ctx, r); err != nil {
			return nil, err
		}
		id := r.Workspace.ID
		return func(tx workspace.Tx) error {
			if err := park(tx, id, ""); err != nil || r.Workspace.State == workspace.Unpropagated {
				return err
			}
			return Moved(id, workspace.TriggerEvicted)(tx)
		}, nil
	}}
}

// park records that the workspace holds no capacity, and where its files are.
func park(tx workspace.Tx, id workspace.ID, home workspace.HostID) error {
	old, err := tx.Workspace(id)
	if err != nil {
		return err
	}
	w := *old
	w.Parked, w.Host = true, home
	return tx.PutWorkspace(&w)
}

// Resize gives the machine the shape of the workspace's Demand, while it runs.
// The way back is the shape that the change has as Argument (ShapeOf reads it);
// without one it stays as it is. What the guest cannot do is an error of kind
// Conflict that says what it could. A workspace without a machine has nothing
// to do: its next definition has the shape.
func (v *VMM) Resize() change.Handler {
	return change.Handler{
		Do: v.call(func(
			ctx context.Context, n *host.Node, r *change.Run,
		) (change.Commit, error) {
			return nil, resize(ctx, n, r.Workspace.ID, shapeOn(n, r.Workspace))
		}),
		Undo: v.call(func(
			ctx context.Context, n *host.Node, r *change.Run,
		) (change.Commit, error) {
			before, err := ShapeOf(r.Change.Argument)
			if err != nil || before == (workspace.Shape{}) {
				return nil, err
			}
			err = resize(ctx, n, r.Workspace.ID, before)
			if limit := new(workspace.Limit); workspace.KindOf(err) == workspace.Conflict &&
				!errors.As(err, &limit) {
				return nil, nil // one that takes no other shape now took none before
			}
			return nil, err
		}),
	}
}

func resize(ctx context.Context, n *host.Node, id workspace.ID, s workspace.Shape) error {
	err := n.Resize(ctx, id, s)
	if workspace.KindOf(err) == workspace.NotFound {
		return nil
	}
	return err
}
