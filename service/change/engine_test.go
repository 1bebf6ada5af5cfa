package change

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A lab is a store, an engine on it, and a diary of what the handlers did.
type lab struct {
	t      *testing.T
	store  *faulty
	engine *Engine
	stop   func()

	mu    sync.Mutex
	diary []string
}

// A faulty store fails some updates, before or after they are done.
type faulty struct {
	workspace.Store
	mu   sync.Mutex
	fail func(n int) error // of the n-th update, may be nil
	n    int
}

// Update implements workspace.Store.
func (f *faulty) Update(ctx context.Context, do func(workspace.Tx) error) error {
	f.mu.Lock()
	f.n++
	var err error
	if f.fail != nil {
		err = f.fail(f.n)
	}
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return f.Store.Update(ctx, do)
}

// updates returns how many updates were asked for.
func (f *faulty) updates() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// newLab opens a fresh record. The plans may write into the lab's diary.
func newLab(t *testing.T, plans func(*lab) []Plan) *lab {
	l := &lab{t: t}
	s, err := sqlite.Open(t.Context(), sqlite.Options{
		Path:      filepath.Join(t.TempDir(), "record.db"),
		OnChanges: func(cs []*workspace.Change) { l.engine.Offer(cs) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if l.stop != nil {
			l.stop()
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	l.store = &faulty{Store: s}
	l.engine = l.newEngine(plans(l), 4)
	return l
}

func (l *lab) newEngine(plans []Plan, concurrency int) *Engine {
	return New(l.store, plans, Options{
		Concurrency: concurrency, Logger: slog.New(slog.DiscardHandler)})
}

// run starts the engine.
func (l *lab) run() {
	ctx, cancel := context.WithCancel(context.Background())
	engine, done := l.engine, make(chan struct{})
	go func() {
		defer close(done)
		if err := engine.Run(ctx); err != nil {
			l.t.Error(err)
		}
	}()
	l.stop = func() { cancel(); <-done; l.stop = nil }
}

// note writes into the diary.
func (l *lab) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.diary = append(l.diary, fmt.Sprintf(format, args...))
}

// read returns the diary.
func (l *lab) read() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.diary, " ")
}

// want compares the diary.
func (l *lab) want(diary string) {
	l.t.Helper()
	if got := l.read(); got != diary {
		l.t.Errorf("diary is %q, want %q", got, diary)
	}
}

// update runs f in a transaction that must succeed, past the faults.
func (l *lab) update(f func(workspace.Tx) error) {
	l.t.Helper()
	if err := l.store.Store.Update(l.t.Context(), f); err != nil {
		l.t.Fatal(err)
	}
}

// workspace makes a new workspace.
func (l *lab) workspace() (id workspace.ID) {
	l.t.Helper()
	l.update(func(tx workspace.Tx) error {
		id = tx.NextID()
		return tx.PutWorkspace(&workspace.Workspace{ID: id, State: workspace.Unpropagated})
	})
	return id
}

// queue queues a change behind those that the workspace has.
func (l *lab) queue(id workspace.ID, kind workspace.ChangeKind) {
	l.t.Helper()
	l.update(func(tx workspace.Tx) error { return put(tx, id, kind) })
}

// put puts a change as the core does: the first of its workspace is under way.
func put(tx workspace.Tx, id workspace.ID, kind workspace.ChangeKind) error {
	status := workspace.ChangeDoing
	if len(tx.ChangesOf(id)) > 0 {
		status = workspace.ChangeQueued
	}
	return tx.PutChange(&workspace.Change{
		ID: tx.NextChangeID(), Kind: kind, Workspace: id, Status: status})
}

// changes returns the changes that have not ended.
func (l *lab) changes() []*workspace.Change {
	l.t.Helper()
	all, err := l.store.Changes(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return all
}

// carryOut runs the engine over the deployment of a new workspace.
func (l *lab) carryOut() {
	l.t.Helper()
	l.run()
	l.queue(l.workspace(), workspace.ChangeDeploy)
	l.settle()
}

// settle waits, in virtual time, until no change is left.
func (l *lab) settle() {
	l.t.Helper()
	limit := time.Now().Add(100 * time.Hour)
	for len(l.changes()) > 0 {
		if time.Now().After(limit) {
			l.t.Fatalf("changes never end: %+v, diary %q", *l.changes()[0], l.read())
		}
		time.Sleep(time.Second / 10) // virtual
	}
	synctest.Wait()
}

// task returns a task that notes what it does.
func (l *lab) task(name string) Task {
	noting := func(text string) Func {
		return func(context.Context, *Run) (Commit, error) {
			l.note("%s", text)
			return nil, nil
		}
	}
	return Task{Name: name, Handler: Handler{Do: noting(name), Undo: noting("-" + name)}}
}

// failing returns the task with its first tries failing so.
func failing(t Task, errs ...error) Task {
	do, n := t.Do, 0
	t.Do = func(ctx context.Context, r *Run) (Commit, error) {
		if n++; n <= len(errs) {
			return nil, errs[n-1]
		}
		return do(ctx, r)
	}
	return t
}

// failed is a Plan.Failed that notes the cause.
func (l *lab) failed(_ *Run, cause error) Commit {
	return func(workspace.Tx) error {
		l.note("failed(%v)", cause)
		return nil
	}
}

// deploy is one plan of kind deploy.
func (l *lab) deploy(tasks ...Task) []Plan {
	return []Plan{{Kind: workspace.ChangeDeploy, Tasks: tasks, Failed: l.failed}}
}

var (
	errPassing = workspace.Errorf(workspace.Transient, "try", "", "not now")
	errForGood = workspace.Errorf(workspace.Conflict, "try", "", "not ever")
)

func TestTasksRunInOrderAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan {
			skipped := l.task("b")
			skipped.Needs = func(*Run) bool { return false }
			return l.deploy(l.task("a"), skipped, l.task("c"), skipped)
		})
		l.carryOut()
		l.want("a c")
		if n := l.store.updates(); n != 2 {
			t.Errorf("%d transactions for two tasks, want 2", n)
		}
	})
}

func TestFailureUndoesBackwards(t *testing.T) {
	tests := []struct {
		name   string
		tasks  func(l *lab) []Task
		diary  string
		writes int
	}{
		{"last", func(l *lab) []Task {
			return []Task{l.task("a"), l.task("b"), failing(l.task("c"), errForGood)}
		}, "a b -c -b -a failed(cannot c: cannot try: not ever)", 6},
		{"first", func(l *lab) []Task {
			return []Task{failing(l.task("a"), errForGood), l.task("b")}
		}, "-a failed(cannot a: cannot try: not ever)", 2},
		{"nothing to undo", func(l *lab) []Task {
			a := failing(l.task("a"), errForGood)
			a.Undo = nil
			return []Task{a}
		}, "failed(cannot a: cannot try: not ever)", 1},
		{"retries used up", func(l *lab) []Task {
			b := failing(l.task("b"), errPassing, errPassing, errPassing)
			b.Retries, b.Undo = 2, nil
			return []Task{l.task("a"), b}
		}, "a -a failed(cannot b: cannot try: not now)", 5},
		{"undo fails for good", func(l *lab) []Task {
			b := failing(l.task("b"), errForGood)
			b.Undo = func(context.Context, *Run) (Commit, error) { return nil, errForGood }
			return []Task{l.task("a"), b}
		}, "a -a failed(cannot b: cannot try: not ever; cannot undo b: cannot try: not ever)", 4},
		{"panic", func(l *lab) []Task {
			b := l.task("b")
			b.Do = func(context.Context, *Run) (Commit, error) { panic("oops") }
			return []Task{l.task("a"), b}
		}, "a -b -a failed(cannot b: cannot b: panic: oops)", 4},
		{"commit refused", func(l *lab) []Task {
			b := l.task("b")
			b.Do = func(context.Context, *Run) (Commit, error) {
				return func(workspace.Tx) error { return errForGood }, nil
			}
			return []Task{l.task("a"), b}
		}, "a -b -a failed(cannot b: cannot try: not ever)", 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, func(l *lab) []Plan { return l.deploy(test.tasks(l)...) })
				l.run()
				l.queue(l.workspace(), workspace.ChangeDeploy)
				l.settle()
				l.want(test.diary)
				if n := l.store.updates(); n != test.writes {
					t.Errorf("%d transactions, want %d", n, test.writes)
				}
			})
		})
	}
}

func TestRefusedFailureStillEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan {
			plans := l.deploy(failing(l.task("a"), errForGood))
			plans[0].Failed = func(*Run, error) Commit {
				return func(workspace.Tx) error { return errForGood }
			}
			return plans
		})
		l.carryOut()
		l.want("-a")
	})
}

func TestBackoffDoublesToAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries []time.Duration
		begun := time.Now()
		l := newLab(t, func(l *lab) []Plan {
			a := l.task("a")
			a.Retries, a.Backoff = 7, 2*time.Second
			do := a.Do
			a.Do = func(ctx context.Context, r *Run) (Commit, error) {
				tries = append(tries, time.Since(begun).Round(time.Second))
				if r.Change.Attempt < 7 {
					return nil, errPassing
				}
				return do(ctx, r)
			}
			return l.deploy(a)
		})
		l.carryOut()
		s := time.Second
		want := []time.Duration{0, 2 * s, 6 * s, 14 * s, 30 * s, 62 * s, 122 * s, 182 * s}
		if !slices.Equal(tries, want) {
			t.Errorf("tries at %v, want %v", tries, want)
		}
		l.want("a")
	})
}

func TestUndoIsTriedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan {
			a := failing(l.task("a"), errForGood)
			n, undo := 0, a.Undo
			a.Undo = func(ctx context.Context, r *Run) (Commit, error) {
				if n++; n < 100 {
					return nil, errPassing
				}
				return undo(ctx, r)
			}
			return l.deploy(a)
		})
		l.carryOut()
		l.want("-a failed(cannot a: cannot try: not ever)")
	})
}

func TestRetryIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		later := &Retry{After: 5 * time.Second, Reason: "the image is still on its way"}
		begun := time.Now()
		l := newLab(t, func(l *lab) []Plan {
			return l.deploy(failing(l.task("a"), later, fmt.Errorf("wrapped: %w", later), later))
		})
		l.carryOut()
		l.want("a")
		if took := time.Since(begun); took < 15*time.Second || took > 16*time.Second {
			t.Errorf("it took %s, want three waits of 5 s", took)
		}
		if n := l.store.updates(); n != 1 {
			t.Errorf("%d transactions, want 1: waiting writes nothing", n)
		}
	})
}

func TestCommitIsPartOfTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan {
			a, b := l.task("a"), l.task("b")
			a.Do = func(_ context.Context, r *Run) (Commit, error) {
				return func(tx workspace.Tx) error {
					w := *r.Workspace
					w.State = workspace.Propagating
					return tx.PutWorkspace(&w)
				}, nil
			}
			b.Needs = func(r *Run) bool { return r.Workspace.State == workspace.Propagating }
			return l.deploy(a, b)
		})
		l.carryOut()
		l.want("b")
	})
}

func TestGoneWorkspaceEndsItsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan {
			a := l.task("a")
			a.Do = func(_ context.Context, r *Run) (Commit, error) {
				l.note("a")
				return func(tx workspace.Tx) error {
					return tx.RemoveWorkspace(r.Workspace.ID)
				}, nil
			}
			return l.deploy(a, l.task("b"))
		})
		id := l.workspace()
		l.queue(id, workspace.ChangeDeploy)
		l.queue(id, workspace.ChangeDeploy)
		l.run()
		l.settle()
		l.want("a")
	})
}

func TestUnknownKindEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan { return l.deploy(l.task("a")) })
		l.run()
		id := l.workspace()
		l.queue(id, "dance")
		l.queue(id, workspace.ChangeDeploy)
		l.settle()
		l.want("a")
	})
}

func TestRetryText(t *testing.T) {
	var err error = &Retry{After: time.Second, Reason: "the guest is still shutting down"}
	if want := "the guest is still shutting down, next try after 1s"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	var r *Retry
	if !errors.As(fmt.Errorf("x: %w", err), &r) {
		t.Error("a wrapped Retry is not found")
	}
	new(Run).Progress(1, 2) // outside an engine it is harmless
}
