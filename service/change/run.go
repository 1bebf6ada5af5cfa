package change

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// most is the longest wait between two tries.
const most = time.Minute

// A job is one change in the hands of a worker.
type job struct {
	*Engine
	line   *line
	change *workspace.Change
	plan   *Plan
}

// advance carries out the first change of the line until it ends or has to
// wait, and returns how long. At shutdown it returns with the change as it is.
func (e *Engine) advance(ctx context.Context, l *line) time.Duration {
	first := e.first(l)
	for first != nil && ctx.Err() == nil {
		j := job{e, l, first, e.plan(first)}
		if wait := j.step(ctx); wait > 0 {
			return wait
		}
		next := e.first(l)
		if next == nil || next.ID != first.ID {
			return 0 // it has ended: others may be before the next
		}
		first = next
	}
	return 0
}

// plan returns the plan of the change. One of a kind that we have no plan for
// has no tasks: it ends, as it would be in the way for ever.
func (e *Engine) plan(c *workspace.Change) *Plan {
	if p := e.plans[c.Kind]; p != nil {
		return p
	}
	e.log.Error("change of an unknown kind", "change", c.ID, "kind", c.Kind,
		"workspace", c.Workspace)
	return &Plan{Kind: c.Kind}
}

// first returns the first change of the line, nil when there is none.
func (e *Engine) first(l *line) *workspace.Change {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(l.changes) == 0 {
		return nil
	}
	return l.changes[0]
}

// step does what is next for the change: at most one task. A positive wait
// means that it is not to be gone on with before.
func (j job) step(ctx context.Context) time.Duration {
	if wait, over := j.cut(ctx, nil); over {
		return wait
	}
	if wait := time.Until(j.change.NotBefore); wait > 0 {
		return wait
	}
	switch j.change.Status {
	case workspace.ChangeDoing:
		return j.do(ctx)
	case workspace.ChangeUndoing:
		return j.undo(ctx)
	}
	return j.record(ctx, j.begin)
}

// do does the task under way, and records what came of it.
func (j job) do(ctx context.Context) time.Duration {
	r, wait := j.run(ctx)
	if r == nil {
		return wait
	}
	step := j.plan.needed(r, j.change.Step)
	if step == len(j.plan.Tasks) {
		return j.record(ctx, j.done(step, nil))
	}
	task := &j.plan.Tasks[step]
	commit, err := j.call(ctx, task, task.Do, r)
	if wait, over := j.cut(ctx, err); over {
		return wait
	}
	if err == nil {
		return j.record(ctx, j.done(step, commit))
	}
	return j.tryAgainOr(ctx, task, step, err, j.fail)
}

// undo takes the effect of the task under way back, and records it. An undo
// that fails for good is reported and passed over: the rest must be undone.
func (j job) undo(ctx context.Context) time.Duration {
	r, wait := j.run(ctx)
	if r == nil {
		return wait
	}
	if j.change.Step >= len(j.plan.Tasks) {
		return j.record(ctx, j.undone(nil))
	}
	task := &j.plan.Tasks[j.change.Step]
	commit, err := j.call(ctx, task, task.Undo, r)
	if wait, over := j.cut(ctx, err); over {
		return wait
	}
	if err == nil {
		return j.record(ctx, j.undone(commit))
	}
	forever := *task
	forever.Retries = -1
	return j.tryAgainOr(ctx, &forever, j.change.Step, err, j.passOver)
}

// cut reports whether the step is over, whatever came of it, because of the
// shutdown or of a destroy that waits; if so, how long to wait. A task that
// failed for an interruption with nothing behind it is to be done again.
func (j job) cut(ctx context.Context, err error) (time.Duration, bool) {
	if err != nil && ctx.Err() != nil {
		return 0, true
	}
	if !j.isInterrupted() {
		return 0, false
	}
	ended, wait := j.giveWay(ctx)
	if !ended && wait == 0 && err != nil {
		wait = time.Millisecond
	}
	return wait, ended || wait > 0
}

// run gathers what handlers are told; nil when the workspace is gone, which
// ends the change, or cannot be read.
func (j job) run(ctx context.Context) (*Run, time.Duration) {
	w, err := j.store.Workspace(context.WithoutCancel(ctx), j.change.Workspace)
	switch {
	case err == nil:
		return &Run{Change: j.change, Workspace: w, progress: j.report}, 0
	case workspace.KindOf(err) == workspace.NotFound:
		return nil, j.record(ctx, j.end)
	}
	return nil, j.trouble("workspace cannot be read", err)
}

// call calls the handler. A panic is a failure like any other.
func (j job) call(
	ctx context.Context, task *Task, f Func, r *Run,
) (commit Commit, err error) {
	if f == nil {
		return nil, nil
	}
	j.log.Debug("task begins", "change", j.change.ID, "kind", j.change.Kind,
		"workspace", j.change.Workspace, "task", task.Name, "attempt", j.change.Attempt)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	j.enter(task, cancel)
	defer j.leave()
	defer func() {
		if p := recover(); p != nil {
			j.log.Error("task panicked", "change", j.change.ID, "kind", j.change.Kind,
				"workspace", j.change.Workspace, "task", task.Name,
				"panic", p, "stack", string(debug.Stack()))
			err = workspace.Errorf(workspace.Internal, task.Name, "", "panic: %v", p)
		}
	}()
	return f(ctx, r)
}

// enter makes the task the one under way.
func (j job) enter(task *Task, cancel context.CancelFunc) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.line.cancel = cancel
	j.line.progress = Progress{Change: j.change.ID, Task: task.Name}
	if j.line.interrupted {
		cancel()
	}
}

// leave says that no task is under way.
func (j job) leave() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.line.cancel = nil
}

// report notes the progress of the task under way.
func (j job) report(done, total int64) {
	j.mu.Lock()
	j.line.progress.Done, j.line.progress.Total = done, total
	now := j.line.progress
	j.mu.Unlock()
	if j.progressed != nil {
		j.progressed(j.change.Workspace, now)
	}
}

// isInterrupted reports whether the change is to give way.
func (j job) isInterrupted() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.line.interrupted
}

// tryAgainOr decides what a failed try leads to: another one after a wait, or
// giving up, which is what otherwise does.
func (j job) tryAgainOr(
	ctx context.Context, task *Task, step int, err error,
	otherwise func(step int, task *Task, err error) move,
) time.Duration {
	var retry *Retry
	if errors.As(err, &retry) {
		return max(retry.After, time.Millisecond)
	}
	kind := workspace.KindOf(err)
	passing := kind == workspace.Transient || kind == workspace.Unavailable
	left := task.Retries < 0 || j.change.Attempt < task.Retries ||
		task.Patient && kind == workspace.Unavailable
	if !passing || !left {
		return j.record(ctx, otherwise(step, task, err))
	}
	wait := task.wait(j.change.Attempt)
	if lost := j.record(ctx, j.again(step, wait)); lost > 0 {
		return lost
	}
	level := slog.LevelInfo
	if j.change.Attempt > 0 {
		level = slog.LevelDebug // once, or a lost host fills the log
	}
	j.log.Log(ctx, level, "task will be tried again", "change", j.change.ID,
		"kind", j.change.Kind, "workspace", j.change.Workspace, "task", task.Name,
		"attempt", j.change.Attempt+1, "retry_in", wait, "error", err)
	return wait
}

// wait returns how long to wait after so many failed tries before this one.
func (t *Task) wait(attempt int) time.Duration {
	wait := t.Backoff
	if wait <= 0 {
		wait = time.Second
	}
	for ; attempt > 0 && wait < most; attempt-- {
		wait *= 2
	}
	return min(wait, most)
}

// needed returns the first task from step on that is to be done.
func (p *Plan) needed(r *Run, step int) int {
	for step < len(p.Tasks) && p.Tasks[step].Needs != nil && !p.Tasks[step].Needs(r) {
		step++
	}
	return min(step, len(p.Tasks))
}

// undoable returns the last task up to step that has an undo, -1 if none has.
func (p *Plan) undoable(step int) int {
	step = min(step, len(p.Tasks)-1)
	for step >= 0 && p.Tasks[step].Undo == nil {
		step--
	}
	return step
}

// fault is the text of why a task failed.
func fault(doing string, task *Task, err error) string {
	return fmt.Sprintf("%s %s: %v", doing, task.Name, err)
}
