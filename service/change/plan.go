package change

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Commit is what a handler wants to be written in the very transaction that
// records its task as done or undone. It must be quick, and may run for
// nothing: the transaction can fail, and the task is then repeated.
type Commit func(tx workspace.Tx) error

// Func brings one effect about, or takes it back. It must be idempotent: after
// a crash it runs again, whether or not the effect had happened. It returns
// soon after ctx ends. A nil Commit writes nothing.
type Func func(ctx context.Context, r *Run) (Commit, error)

// Handler is the effect of a task and the way back. A nil Do has no effect,
// a nil Undo leaves nothing to take back. Undo may be called for a task that
// failed halfway, was skipped, or was undone before: all must succeed.
type Handler struct {
	Do, Undo Func
}

// Task is one step of a plan.
type Task struct {
	Name string
	Handler
	// Retries is how often a try that failed with kind Transient or Unavailable
	// is repeated before the change is undone; negative: for ever.
	Retries int
	// Patient says that what is out of reach (kind Unavailable) is waited for
	// however long, as for a host that will be back.
	Patient bool
	// Backoff is the wait before the first of them, doubled for each further
	// one up to a minute; zero: a second.
	Backoff time.Duration
	// Needs says whether the task is to be done at all; nil: it is. It must
	// follow from the record alone, as it is asked again after a crash.
	Needs func(r *Run) bool
}

// Plan is how the changes of one kind are carried out.
type Plan struct {
	Kind  workspace.ChangeKind
	Tasks []Task
	// Failed says what to write when the change ends without success, after
	// all undoing. It may be nil. r.Workspace may be nil when it is gone.
	Failed func(r *Run, cause error) Commit
}

// Run is what a handler knows of the change it works for. The change and the
// workspace are those of the record: they are shared, do not change them.
type Run struct {
	Change    *workspace.Change
	Workspace *workspace.Workspace
	progress  func(done, total int64)
}

// Progress tells how far the task is, in units of its own choice.
func (r *Run) Progress(done, total int64) {
	if r.progress != nil {
		r.progress(done, total)
	}
}

// Retry, as a handler's error, asks for another try later. It is no failure
// and is not counted: the thing waited for is under way.
type Retry struct {
	After  time.Duration
	Reason string
}

// Error returns the reason and the wait.
func (r *Retry) Error() string {
	return fmt.Sprintf("%s, next try after %s", r.Reason, r.After)
}

// Options are the engine's settings.
type Options struct {
	Concurrency int          // tasks under way at a time; 0: 64
	Logger      *slog.Logger // nil: slog.Default()
	// Progressed is told of each progress of a task; it must be quick. It may be nil.
	Progressed func(workspace.ID, Progress)
}

// Progress is how far the task under way of a workspace is.
type Progress struct {
	Change      workspace.ChangeID
	Task        string
	Done, Total int64 // as the handler told; 0, 0 when it told nothing
}
