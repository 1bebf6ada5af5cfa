package change

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// errGone says that the change is no longer in the record: a destroy removed
// it, and cleans up what it did.
var errGone = errors.New("the change was removed meanwhile")

// A refused is a handler's Commit that failed: the handler's fault, not the
// store's.
type refused struct {
	error
	step int  // whose
	last bool // it was Plan.Failed's
}

// Unwrap returns the cause.
func (r refused) Unwrap() error { return r.error }

// A move is what one transaction does to the change. It returns the first
// change of the workspace afterwards, nil when none is left.
type move func(tx workspace.Tx) (*workspace.Change, error)

// record makes the move durable and the line follow it. When that fails the
// change stays as it was, to be gone on with after the wait returned.
func (j job) record(ctx context.Context, m move) time.Duration {
	var next *workspace.Change
	err := j.store.Update(context.WithoutCancel(ctx), func(tx workspace.Tx) error {
		if !holds(tx, j.change) {
			return errGone
		}
		var err error
		next, err = m(tx)
		return err
	})
	var bad refused
	switch {
	case err == nil:
		j.follow(next)
	case errors.Is(err, errGone):
		j.follow(nil)
	case errors.As(err, &bad):
		return j.refused(ctx, bad)
	default:
		return j.trouble("change cannot be recorded", err)
	}
	return 0
}

// refused deals with a handler's Commit that failed: it counts as a failure of
// its task, except that undoing goes on.
func (j job) refused(ctx context.Context, cause refused) time.Duration {
	if cause.last {
		j.log.Error("failure cannot be recorded", "change", j.change.ID, "kind", j.change.Kind,
			"workspace", j.change.Workspace, "error", cause.error)
		return j.record(ctx, j.end)
	}
	task := &j.plan.Tasks[cause.step]
	if j.change.Status == workspace.ChangeUndoing {
		return j.record(ctx, j.passOver(cause.step, task, cause.error))
	}
	return j.tryAgainOr(ctx, task, cause.step, cause.error, j.fail)
}

// follow makes the line follow the record.
func (j job) follow(next *workspace.Change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case next == nil:
		j.line.end(j.change.ID)
	case next.ID != j.change.ID:
		j.line.end(next.ID - 1)
		j.line.set(next)
	default:
		j.line.set(next)
	}
}

// trouble reports that the record is out of reach and returns how long to wait.
func (j job) trouble(what string, err error) time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	level := slog.LevelError
	if j.line.tries > 0 {
		level = slog.LevelDebug // once, or a full disk fills itself
	}
	j.log.Log(context.Background(), level, what, "change", j.change.ID, "kind", j.change.Kind,
		"workspace", j.change.Workspace, "error", err)
	wait := (&Task{Backoff: time.Second / 10}).wait(j.line.tries)
	j.line.tries++
	return wait
}

// giveWay ends an interrupted change without undo, if a destroy change is
// queued behind it; else the interruption is forgotten. It reports whether the
// change ended, or how long to wait for the record.
func (j job) giveWay(ctx context.Context) (ended bool, wait time.Duration) {
	none := false
	wait = j.record(ctx, func(tx workspace.Tx) (*workspace.Change, error) {
		for _, c := range tx.ChangesOf(j.change.Workspace) {
			if c.ID > j.change.ID && c.Kind == workspace.ChangeDestroy {
				return j.end(tx)
			}
		}
		none = true
		return j.change, nil
	})
	if none && wait == 0 {
		j.mu.Lock()
		j.line.interrupted = false
		j.mu.Unlock()
	}
	return !none && wait == 0, wait
}

// holds reports whether the change is in the record still.
func holds(tx workspace.Tx, c *workspace.Change) bool {
	for _, held := range tx.ChangesOf(c.Workspace) {
		if held.ID == c.ID {
			return true
		}
	}
	return false
}

// begin is the move from the queue to the first task that is needed.
func (j job) begin(tx workspace.Tx) (*workspace.Change, error) {
	return j.start(tx, j.change)
}

// start puts the change as under way at the first task that is needed.
func (e *Engine) start(tx workspace.Tx, c *workspace.Change) (*workspace.Change, error) {
	next := *c
	next.Status = workspace.ChangeDoing
	if w, err := tx.Workspace(c.Workspace); err == nil {
		next.Step = e.plan(c).needed(&Run{Change: &next, Workspace: w}, 0)
	}
	return &next, tx.PutChange(&next)
}

// done is the move after task step was done: to the next one that is needed,
// or to the end.
func (j job) done(step int, commit Commit) move {
	return func(tx workspace.Tx) (*workspace.Change, error) {
		if err := apply(tx, commit); err != nil {
			return nil, refused{error: err, step: step}
		}
		w, err := tx.Workspace(j.change.Workspace)
		if err != nil {
			return j.end(tx) // nothing is left to work on
		}
		next := *j.change
		next.Attempt, next.NotBefore = 0, time.Time{}
		next.Step = j.plan.needed(&Run{Change: &next, Workspace: w}, step+1)
		if next.Step == len(j.plan.Tasks) {
			return j.end(tx)
		}
		return &next, tx.PutChange(&next)
	}
}

// apply runs a handler's Commit.
func apply(tx workspace.Tx, commit Commit) error {
	if commit == nil {
		return nil
	}
	return commit(tx)
}

// again is the move after a failed try that will be repeated.
func (j job) again(step int, wait time.Duration) move {
	return func(tx workspace.Tx) (*workspace.Change, error) {
		next := *j.change
		next.Step = step
		next.Attempt++
		next.NotBefore = time.Now().Add(wait).UTC().Truncate(time.Millisecond)
		return &next, tx.PutChange(&next)
	}
}

// fail is the move after task step failed for good: to undoing it, as it may
// have happened in part, and those before it.
func (j job) fail(step int, task *Task, err error) move {
	j.log.Warn("change failed", "change", j.change.ID, "kind", j.change.Kind,
		"workspace", j.change.Workspace, "task", task.Name, "error", err)
	return j.back(step, fault("cannot", task, err))
}

// passOver is the move after undoing task step failed for good.
func (j job) passOver(step int, task *Task, err error) move {
	j.log.Error("task cannot be undone", "change", j.change.ID, "kind", j.change.Kind,
		"workspace", j.change.Workspace, "task", task.Name, "error", err)
	return j.back(step-1, j.change.Fault+"; "+fault("cannot undo", task, err))
}

// undone is the move after the task under way was undone.
func (j job) undone(commit Commit) move {
	return func(tx workspace.Tx) (*workspace.Change, error) {
		if err := apply(tx, commit); err != nil {
			return nil, refused{error: err, step: j.change.Step}
		}
		return j.back(j.change.Step-1, j.change.Fault)(tx)
	}
}

// back is the move to undoing the last task up to step that can be undone, or
// to the end when there is none.
func (j job) back(step int, cause string) move {
	return func(tx workspace.Tx) (*workspace.Change, error) {
		next := *j.change
		next.Status, next.Fault = workspace.ChangeUndoing, cause
		next.Attempt, next.NotBefore = 0, time.Time{}
		next.Step = j.plan.undoable(step)
		if next.Step < 0 {
			return j.giveUp(tx, &next)
		}
		return &next, tx.PutChange(&next)
	}
}

// giveUp ends a change that failed and is undone.
func (j job) giveUp(tx workspace.Tx, c *workspace.Change) (*workspace.Change, error) {
	if j.plan.Failed != nil {
		w, _ := tx.Workspace(c.Workspace)
		commit := j.plan.Failed(&Run{Change: c, Workspace: w}, errors.New(c.Fault))
		if err := apply(tx, commit); err != nil {
			return nil, refused{error: err, last: true}
		}
	}
	return j.end(tx)
}

// end removes the change and starts the next one of the workspace; when the
// workspace is gone, all its changes go.
func (j job) end(tx workspace.Tx) (*workspace.Change, error) {
	_, gone := tx.Workspace(j.change.Workspace)
	for _, c := range tx.ChangesOf(j.change.Workspace) {
		if c.ID == j.change.ID || gone != nil {
			if err := tx.RemoveChange(c.ID); err != nil {
				return nil, err
			}
		}
	}
	rest := tx.ChangesOf(j.change.Workspace)
	if len(rest) == 0 {
		return nil, nil
	}
	if rest[0].Status != workspace.ChangeQueued {
		return rest[0], nil
	}
	return j.start(tx, rest[0])
}
