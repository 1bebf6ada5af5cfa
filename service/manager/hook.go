package manager

import (
	"context"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/agenda"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// hooks tie the tasks of changes to the agenda: it hears, in the transaction
// that records a task, what has become of the workspace.
type hooks struct {
	agenda *agenda.Agenda
	Upkeep
}

// scheduled are the plans of the changes that only the scheduler asks for.
func (h hooks) scheduled(images *image.Images, machines *vmm.VMM) []change.Plan {
	comes := in(workspace.Starting)
	tell := change.Task{Name: "tell", Handler: h.noted(change.Handler{}), Retries: forever}
	return []change.Plan{
		{Kind: workspace.ChangeSuspend, Failed: h.notSuspended, Tasks: []change.Task{
			begin(workspace.ChangeSuspend),
			onHost(change.Task{Name: "suspend", Handler: machines.Suspend(),
				Needs: in(workspace.Serializing)}),
			{Name: "park", Handler: change.Handler{Do: h.aside}, Retries: forever},
		}},
		{Kind: workspace.ChangeResume, Failed: h.notResumed, Tasks: []change.Task{
			begin(workspace.ChangeResume),
			onHost(change.Task{Name: "move", Handler: images.Move(), Needs: moved}),
			onHost(change.Task{Name: "receive", Handler: h.held(machines.Receive()), Needs: comes}),
			onHost(change.Task{Name: "restore", Handler: machines.Restore(), Needs: comes}),
			onHost(change.Task{Name: "confirm", Handler: machines.Confirm(), Needs: comes}),
			tell,
			{Name: "leave", Handler: machines.Leave(), Retries: forever, Needs: moved},
			{Name: "discard", Handler: images.Leave(), Retries: forever, Needs: moved},
		}},
		{Kind: workspace.ChangeEvict, Failed: corrupted, Tasks: []change.Task{
			{Name: "leave", Handler: machines.Leave(), Retries: forever, Needs: moved},
			{Name: "leave home", Handler: images.Leave(), Retries: forever, Needs: moved},
			{Name: "evict", Handler: h.noted(keepingFault(machines.Evict(images))),
				Retries: forever},
		}},
		{Kind: workspace.ChangeMigrate, Failed: h.notMigrated, Tasks: []change.Task{
			onHost(change.Task{Name: "migrate", Handler: h.moved(machines.Migrate(images))}),
			{Name: "leave", Handler: machines.Depart(images), Retries: forever},
		}},
		{Kind: workspace.ChangeSnapshot, Failed: notKept, Tasks: []change.Task{
			{Name: "begin", Handler: reverting(), Needs: vmm.Reverts},
			onHost(change.Task{Name: "keep", Handler: h.counted(machines)}),
			onHost(change.Task{Name: "start", Handler: machines.Start(), Needs: comes}),
			onHost(change.Task{Name: "confirm", Handler: machines.Confirm(), Needs: comes}),
		}},
		{Kind: workspace.ChangeResize, Failed: h.notResized, Tasks: []change.Task{
			onHost(change.Task{Name: "resize", Handler: h.given(machines.Resize())}),
		}},
	}
}

// moved reports whether a resume brings the workspace to another host.
func moved(r *change.Run) bool { return image.Home(r) != r.Workspace.Host }

// noted is a handler of whose end the agenda hears.
func (h hooks) noted(inner change.Handler) change.Handler { return after(inner, h.notice) }

// after is a handler of whose end somebody hears in the transaction that records it.
func after(
	inner change.Handler, hear func(tx workspace.Tx, id workspace.ID) error,
) change.Handler {
	do := inner.Do
	inner.Do = func(ctx context.Context, r *change.Run) (change.Commit, error) {
		var commit change.Commit
		if do != nil {
			var err error
			if commit, err = do(ctx, r); err != nil {
				return nil, err
			}
		}
		return func(tx workspace.Tx) error {
			if commit != nil {
				if err := commit(tx); err != nil {
					return err
				}
			}
			if r.Workspace == nil {
				return nil
			}
			return hear(tx, r.Workspace.ID)
		}, nil
	}
	return inner
}

// notice tells the agenda of a workspace of the record.
func (h hooks) notice(tx workspace.Tx, id workspace.ID) error {
	w, err := tx.Workspace(id)
	if err != nil {
		return err
	}
	return h.agenda.Notice(tx, w.Booking)
}

// keepingFault keeps why the workspace has to begin anew, for its owner.
func keepingFault(inner change.Handler) change.Handler {
	do := inner.Do
	inner.Do = func(ctx context.Context, r *change.Run) (change.Commit, error) {
		commit, err := do(ctx, r)
		if err != nil || commit == nil || r.Workspace.Fault == "" {
			return commit, err
		}
		return func(tx workspace.Tx) error {
			if err := commit(tx); err != nil {
				return err
			}
			old, err := tx.Workspace(r.Workspace.ID)
			if err != nil {
				return err
			}
			w := *old
			w.Fault = r.Workspace.Fault
			return tx.PutWorkspace(&w)
		}, nil
	}
	return inner
}

// there is noted for workspaces that go no further than their image.
func (h hooks) there(inner change.Handler) change.Handler {
	plain, noted := inner.Do, h.noted(inner).Do
	inner.Do = func(ctx context.Context, r *change.Run) (change.Commit, error) {
		if r.Workspace.Initial == workspace.Propagated {
			return noted(ctx, r)
		}
		return plain(ctx, r)
	}
	return inner
}

// held holds a handler back until the workspace has its room on the host.
func (h hooks) held(inner change.Handler) change.Handler {
	wait := vmm.Await(func(r *change.Run) (time.Duration, string) {
		return h.agenda.Wait(r.Workspace)
	})
	do := inner.Do
	inner.Do = func(ctx context.Context, r *change.Run) (change.Commit, error) {
		if _, err := wait.Do(ctx, r); err != nil {
			return nil, err
		}
		return do(ctx, r)
	}
	return inner
}

// yield is the task that gives room back when the lease's mechanism has been
// applied: nothing will run there again.
func (h hooks) yield() change.Task {
	return change.Task{Name: "yield", Handler: change.Handler{Do: h.park}, Retries: forever,
		Needs: func(r *change.Run) bool { return r.Workspace.Expired && !r.Workspace.Parked }}
}

// park records that the workspace holds no room on its host any more.
func (h hooks) park(_ context.Context, r *change.Run) (change.Commit, error) {
	return func(tx workspace.Tx) error { return h.parkIn(tx, r.Workspace.ID) }, nil
}

// aside is park at the end of a suspension. What is not parked by then although its memory
// is saved had been saved by its owner.
func (h hooks) aside(_ context.Context, r *change.Run) (change.Commit, error) {
	return func(tx workspace.Tx) error {
		w, err := tx.Workspace(r.Workspace.ID)
		if err != nil {
			return err
		}
		if w.State == workspace.Serialized && !w.Parked {
			if err := h.agenda.Doze(tx, w); err != nil {
				return err
			}
		}
		return h.parkIn(tx, w.ID)
	}, nil
}

func (h hooks) parkIn(tx workspace.Tx, id workspace.ID) error {
	old, err := tx.Workspace(id)
	if err != nil {
		return err
	}
	if !old.Parked {
		w := *old
		w.Parked = true
		if err := tx.PutWorkspace(&w); err != nil {
			return err
		}
	}
	return h.agenda.Notice(tx, old.Booking)
}

// saved ends a save: the image is in its repository, nothing is on the host.
func (h hooks) saved(_ context.Context, r *change.Run) (change.Commit, error) {
	return func(tx workspace.Tx) error {
		if err := h.releaseIn(tx, r.Workspace.ID); err != nil {
			return err
		}
		_, err := workspace.Move(tx, r.Workspace.ID, workspace.TriggerSaved, "")
		return err
	}, nil
}

// gone ends a destroy: nothing of the workspace remains on its host, so its
// record goes and its account is settled.
func (h hooks) gone() change.Func {
	return func(_ context.Context, r *change.Run) (change.Commit, error) {
		if r.Workspace == nil {
			return nil, nil
		}
		return func(tx workspace.Tx) error {
			w, err := tx.Workspace(r.Workspace.ID)
			if err != nil {
				return err
			}
			if err := h.settle(tx, w); err != nil {
				return err
			}
			if err := tx.RemoveWorkspace(w.ID); err != nil {
				return err
			}
			if w.Group != "" {
				if err := leaveGroup(tx, w.Group); err != nil {
					return err
				}
			}
			return h.agenda.Notice(tx, w.Booking)
		}, nil
	}
}

// settle puts what a destroyed workspace has used on its owner's account.
func (h hooks) settle(tx workspace.Tx, w *workspace.Workspace) error {
	if err := tx.AddUsed(w.Owner, used(tx, w, h.Charge)); err != nil {
		return err
	}
	return h.Accounts.Charge(tx, w, used(tx, w, 0))
}

// used is the running time that a destroyed workspace has taken.
func used(tx workspace.Tx, w *workspace.Workspace, unit time.Duration) time.Duration {
	if !w.Lease.Start.IsZero() {
		return charge(w, w.Changed, unit)
	}
	b, err := tx.Booking(w.Booking)
	if err != nil {
		return 0
	}
	return rounded(b.Ran, unit)
}

// notSuspended ends a suspension that failed: the host was promised to another
// lease, so the workspace has to leave it and begins anew.
func (h hooks) notSuspended(r *change.Run, cause error) change.Commit {
	if r.Workspace == nil {
		return nil
	}
	return func(tx workspace.Tx) error {
		old, err := tx.Workspace(r.Workspace.ID)
		if err != nil || old.Gone() {
			return err
		}
		w := *old
		w.Fault = "it begins anew: " + cause.Error()
		if err := tx.PutWorkspace(&w); err != nil {
			return err
		}
		return tx.PutChange(&workspace.Change{
			ID: tx.NextChangeID(), Kind: workspace.ChangeEvict, Workspace: w.ID,
			Status: workspace.ChangeQueued, Created: now(),
		})
	}
}

// notResumed ends a resume that failed. Disks, and memory unless it was used up,
// are where they were: the lease is suspended again.
func (h hooks) notResumed(r *change.Run, cause error) change.Commit {
	if r.Workspace == nil {
		return nil
	}
	return func(tx workspace.Tx) error {
		old, err := tx.Workspace(r.Workspace.ID)
		if err != nil || old.Gone() {
			return err
		}
		on, fault := workspace.Trigger(""), agenda.NotGoneOn+cause.Error()
		switch old.State {
		case workspace.Starting:
			on = workspace.TriggerSerOff
		case workspace.Serialized:
		case workspace.Propagated:
			if !old.Changed.Before(r.Change.Created) { // it was about to go on
				fault = agenda.Spent + cause.Error()
			}
		default:
			return failed(r, workspace.TriggerFail, cause)(tx)
		}
		w := *old
		w.Host, w.Parked, w.Fault = image.Home(r), true, fault
		if err := tx.PutWorkspace(&w); err != nil {
			return err
		}
		if on != "" {
			if _, err := workspace.Move(tx, w.ID, on, fault); err != nil {
				return err
			}
		}
		return h.notice(tx, w.ID)
	}
}

// fullThere is in the faults of migrations to hosts that have no room: what has been undone
// is known by its text alone.
const fullThere = "the other host is full: "

// moved is the handler of a migration, at whose end the lease's new host is its
// only one, and subscribers are told.
func (h hooks) moved(inner change.Handler) change.Handler {
	do := inner.Do
	inner.Do = func(ctx context.Context, r *change.Run) (change.Commit, error) {
		commit, err := do(ctx, r)
		if err != nil && workspace.KindOf(err) == workspace.NoResource {
			err = workspace.Refuse(workspace.NoResource, fullThere+"%w", err)
		}
		return commit, err
	}
	return after(inner, func(tx workspace.Tx, id workspace.ID) error {
		w, err := tx.Workspace(id)
		if err != nil || w.Gone() {
			return err
		}
		if err := h.agenda.Tell(tx, w); err != nil {
			return err
		}
		return h.agenda.Notice(tx, w.Booking)
	})
}

// notMigrated ends a migration that failed: the guest goes on where it was, and is
// moved with its memory saved, which takes longer and works between any hosts. Where the
// other host has no room that would be of no use, and it stays unless others are promised
// its room here.
func (h hooks) notMigrated(r *change.Run, cause error) change.Commit {
	if r.Workspace == nil {
		return nil
	}
	return func(tx workspace.Tx) error {
		old, err := tx.Workspace(r.Workspace.ID)
		if err != nil || old.Gone() || old.Host != r.Workspace.Host {
			return err
		}
		if arrived(r.Change, old) {
			return finish(tx, r.Change)
		}
		if strings.Contains(cause.Error(), fullThere) {
			if stays, err := h.agenda.Return(tx, old); err != nil {
				return err
			} else if stays {
				return with(r, cause)(tx)
			}
		}
		w := *old
		w.Fault = "it could not move while it ran, and moves with its memory saved: " +
			cause.Error()
		if err := tx.PutWorkspace(&w); err != nil {
			return err
		}
		_, err = workspace.Queue(tx, workspace.Change{
			Kind: workspace.ChangeSuspend, Workspace: w.ID})
		return err
	}
}

// reverting is the beginning of going back to a snapshot: whatever the guest does,
// it ends.
func reverting() change.Handler {
	return change.Handler{Do: func(_ context.Context, r *change.Run) (change.Commit, error) {
		on, ok := firstSteps[workspace.ChangeShutdown][r.Workspace.State]
		if !ok {
			return nil, nil
		}
		return vmm.Moved(r.Workspace.ID, on), nil
	}}
}

// counted is the task that does something about a snapshot, at whose end the
// scheduler hears whether the workspace keeps any, which lie on its host.
func (h hooks) counted(machines *vmm.VMM) change.Handler {
	inner := machines.Keep()
	do := inner.Do
	inner.Do = func(ctx context.Context, r *change.Run) (change.Commit, error) {
		commit, err := do(ctx, r)
		if err != nil {
			return nil, err
		}
		all, err := machines.Snapshots(ctx, r.Workspace)
		if err != nil {
			return nil, err
		}
		return func(tx workspace.Tx) error {
			if commit != nil {
				if err := commit(tx); err != nil {
					return err
				}
			}
			w, err := tx.Workspace(r.Workspace.ID)
			if err != nil || w.Gone() {
				return err
			}
			return h.agenda.Bind(tx, w, len(all) > 0)
		}, nil
	}
	return inner
}

// notKept ends what was to be done about a snapshot and could not be: the owner has
// the reason.
func notKept(r *change.Run, cause error) change.Commit {
	if r.Workspace != nil && (r.Workspace.State == workspace.Starting ||
		vmm.Halting(r.Workspace.State)) {
		return failed(r, workspace.TriggerOff, cause)
	}
	return with(r, cause)
}

// notSerialized ends what could not be serialized: it goes on, with the reason, unless
// its time is over.
func notSerialized(r *change.Run, cause error) change.Commit {
	if r.Workspace == nil || r.Workspace.Expired || vmm.Halting(r.Workspace.State) {
		return corrupted(r, cause)
	}
	return with(r, cause)
}

// with leaves the workspace as it is and gives its owner the reason why.
func with(r *change.Run, cause error) change.Commit {
	if r.Workspace == nil {
		return nil
	}
	return func(tx workspace.Tx) error {
		old, err := tx.Workspace(r.Workspace.ID)
		if err != nil || old.Gone() {
			return err
		}
		w := *old
		w.Fault, w.Changed = cause.Error(), now()
		if err := tx.PutWorkspace(&w); err != nil {
			return err
		}
		return tx.Emit(workspace.Event{Workspace: w.ID, Topic: workspace.TopicState,
			State: w.State, Fault: w.Fault, At: w.Changed})
	}
}

// given is the handler of a resize, at whose end the lease holds no more than
// the machine has now.
func (h hooks) given(inner change.Handler) change.Handler {
	return after(inner, func(tx workspace.Tx, id workspace.ID) error {
		w, err := tx.Workspace(id)
		if err != nil || w.Gone() {
			return err
		}
		return h.agenda.Reshape(tx, w)
	})
}

// notResized ends a resize that the machine did not take: the workspace has the
// shape of before, and its owner the reason.
func (h hooks) notResized(r *change.Run, cause error) change.Commit {
	if r.Workspace == nil {
		return nil
	}
	return func(tx workspace.Tx) error {
		before, err := vmm.ShapeOf(r.Change.Argument)
		if err != nil {
			return err
		}
		old, err := tx.Workspace(r.Workspace.ID)
		if err != nil || old.Gone() {
			return err
		}
		w := *old
		w.Demand, w.Fault, w.Changed = reshaped(w.Demand, before), cause.Error(), now()
		if err := tx.PutWorkspace(&w); err != nil {
			return err
		}
		return h.agenda.Reshape(tx, &w)
	}
}
