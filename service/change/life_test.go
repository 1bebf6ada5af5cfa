package change

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/tests/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// errLost is what a store says whose disk refuses.
var errLost = workspace.Errorf(workspace.Unavailable, "update the record", "", "disk full")

// TestEachTaskTwice lets each record after an effect fail once, so that every
// do and every undo happens twice.
func TestEachTaskTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan {
			c := l.task("c")
			c.Do = func(context.Context, *Run) (Commit, error) {
				l.note("c")
				return nil, errForGood
			}
			return l.deploy(l.task("a"), l.task("b"), c)
		})
		l.store.fail = func(n int) error {
			if n%2 == 1 {
				return errLost
			}
			return nil
		}
		l.carryOut()
		l.want("a a b b c c -c -c -b -b -a -a failed(cannot c: cannot try: not ever)")
	})
}

// TestCrashBetweenEffectAndRecord kills the engine at each record, in its place
// and starts another: whatever was done is done again, and all ends well.
func TestCrashBetweenEffectAndRecord(t *testing.T) {
	for _, fails := range []bool{false, true} {
		for at := 1; at <= 5; at++ {
			t.Run(fmt.Sprintf("fails=%v,at=%d", fails, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { crash(t, fails, at) })
			})
		}
	}
}

func crash(t *testing.T, fails bool, at int) {
	plans := func(l *lab) []Plan {
		b := l.task("b")
		if fails {
			b.Do = func(context.Context, *Run) (Commit, error) { return nil, errForGood }
		}
		return l.deploy(l.task("a"), b, l.task("c"))
	}
	l := newLab(t, plans)
	var dead atomic.Bool
	l.store.fail = func(n int) error {
		if n == at {
			dead.Store(true)
		}
		if dead.Load() {
			return errLost
		}
		return nil
	}
	l.run()
	l.queue(l.workspace(), workspace.ChangeDeploy)
	time.Sleep(time.Second / 20) // virtual: until the crash
	l.stop()
	dead.Store(false)
	l.store.fail = nil
	l.engine = l.newEngine(plans(l), 4)
	l.run()
	l.settle()
	last := "c"
	if fails {
		last = "failed(cannot b: cannot try: not ever)"
	}
	if !strings.HasSuffix(l.read(), last) {
		t.Errorf("diary is %q, want it to end with %s", l.read(), last)
	}
	once := strings.Join(compact(strings.Fields(l.read())), " ")
	want := "a b c"
	if fails {
		want = "a -b -a " + last
	}
	if once != want {
		t.Errorf("diary without repetition is %q, want %q", once, want)
	}
}

// compact leaves one of each run of equal words.
func compact(words []string) []string {
	var once []string
	for _, w := range words {
		if len(once) == 0 || once[len(once)-1] != w {
			once = append(once, w)
		}
	}
	return once
}

// hanging returns a task that hangs until its context ends, and then fails.
func (l *lab) hanging(name string) Task {
	t := l.task(name)
	t.Do = func(ctx context.Context, r *Run) (Commit, error) {
		l.note("%s...", name)
		r.Progress(3, 4)
		<-ctx.Done()
		return nil, fmt.Errorf("cannot wait: %w", ctx.Err())
	}
	return t
}

// destroy is a plan of kind destroy.
func (l *lab) destroy() Plan {
	return Plan{Kind: workspace.ChangeDestroy, Tasks: []Task{l.task("destroy")}}
}

func TestShutdownLeavesTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan { return l.deploy(l.task("a"), l.hanging("b")) })
		l.run()
		id := l.workspace()
		l.queue(id, workspace.ChangeDeploy)
		synctest.Wait()
		p, ok := l.engine.Progress(id)
		if want := (Progress{Change: 1, Task: "b", Done: 3, Total: 4}); !ok || p != want {
			t.Errorf("progress is %+v, %v, want %+v", p, ok, want)
		}
		l.stop()
		if _, ok := l.engine.Progress(id); ok {
			t.Error("after the shutdown a task is under way")
		}
		c := l.changes()[0]
		if c.Status != workspace.ChangeDoing || c.Step != 1 {
			t.Errorf("change is %+v, want it to be doing step 1", *c)
		}
		l.engine = l.newEngine(l.deploy(l.task("a"), l.task("b")), 4)
		l.run()
		l.settle()
		l.want("a b... b")
	})
}

func TestUndoingGoesOnAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan {
			return l.deploy(l.task("a"), failing(l.task("b"), errForGood))
		})
		l.update(func(tx workspace.Tx) error {
			id := tx.NextID()
			return errors.Join(tx.PutWorkspace(&workspace.Workspace{ID: id}),
				tx.PutChange(&workspace.Change{ID: tx.NextChangeID(), Workspace: id,
					Kind: workspace.ChangeDeploy, Status: workspace.ChangeUndoing,
					Step: 1, Fault: "it was so"}))
		})
		l.run()
		l.settle()
		l.want("-b -a failed(it was so)")
	})
}

// An interruption is a case of TestInterrupt.
type interruption struct {
	name    string
	first   func(l *lab) Task
	remove  bool // what is before the destroy, as the core does
	destroy bool // is queued at all
	diary   string
}

// interruptions are the cases: what the interrupted task does.
var interruptions = []interruption{
	{"running", func(l *lab) Task { return l.hanging("a") }, false, true, "a... destroy"},
	{"running and removed", func(l *lab) Task { return l.hanging("a") }, true, true,
		"a... destroy"},
	{"waiting", func(l *lab) Task {
		a := failing(l.task("a"), errPassing)
		a.Retries, a.Backoff = 1, time.Hour
		return a
	}, false, true, "destroy"},
	{"waiting and removed", func(l *lab) Task {
		return failing(l.task("a"), &Retry{After: time.Hour})
	}, true, true, "destroy"},
	{"succeeding all the same", func(l *lab) Task {
		a := l.hanging("a")
		do := a.Do
		a.Do = func(ctx context.Context, r *Run) (Commit, error) {
			_, _ = do(ctx, r)
			return func(workspace.Tx) error { l.note("wrong"); return nil }, nil
		}
		return a
	}, false, true, "a... destroy"},
	{"without reason", func(l *lab) Task {
		a, n := l.task("a"), 0
		hang, do := l.hanging("a").Do, a.Do
		a.Do = func(ctx context.Context, r *Run) (Commit, error) {
			if n++; n == 1 {
				return hang(ctx, r)
			}
			return do(ctx, r)
		}
		return a
	}, false, false, "a... a b"},
}

func TestInterrupt(t *testing.T) {
	for _, test := range interruptions {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, test.run)
		})
	}
}

// run interrupts the task.
func (test interruption) run(t *testing.T) {
	l := newLab(t, func(l *lab) []Plan {
		return append(l.deploy(test.first(l), l.task("b")), l.destroy())
	})
	l.run()
	id := l.workspace()
	l.queue(id, workspace.ChangeDeploy)
	synctest.Wait()
	begun := time.Now()
	if test.destroy {
		l.supersede(id, test.remove)
	}
	l.engine.Interrupt(id)
	l.engine.Interrupt(id)
	l.engine.Interrupt(id + 1)
	l.settle()
	l.want(test.diary)
	if took := time.Since(begun); took > time.Second {
		t.Errorf("giving way took %s", took)
	}
}

// supersede queues a destroy change, and removes those before it if told so.
func (l *lab) supersede(id workspace.ID, remove bool) {
	l.queue(id, workspace.ChangeDeploy) // one that waits behind the running one
	l.update(func(tx workspace.Tx) error {
		var first bool
		for i, c := range tx.ChangesOf(id) {
			first = i == 0
			if first && !remove {
				continue
			}
			if err := tx.RemoveChange(c.ID); err != nil {
				return err
			}
		}
		return put(tx, id, workspace.ChangeDestroy)
	})
}

func TestRemovedChangeStopsQuietly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan {
			a := l.task("a")
			a.Do = func(context.Context, *Run) (Commit, error) {
				time.Sleep(time.Second) // virtual: it is removed meanwhile
				return func(workspace.Tx) error { l.note("wrong"); return nil }, nil
			}
			return l.deploy(a, l.task("b"))
		})
		l.run()
		id := l.workspace()
		l.queue(id, workspace.ChangeDeploy)
		synctest.Wait()
		l.update(func(tx workspace.Tx) error { return tx.RemoveChange(1) })
		time.Sleep(time.Minute) // virtual
		l.want("")
		if len(l.changes()) > 0 {
			t.Error("the change is back")
		}
	})
}

func TestRetriesAreCountedByTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan {
			a := failing(l.task("a"), errPassing, errPassing)
			b := failing(l.task("b"), errPassing, errPassing)
			a.Retries, b.Retries = 2, 2
			return l.deploy(a, b)
		})
		l.carryOut()
		l.want("a b")
	})
}

func TestDestroyIsHeededAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan { return append(l.deploy(l.task("a")), l.destroy()) })
		id := l.workspace()
		l.queue(id, workspace.ChangeDeploy)
		l.queue(id, workspace.ChangeDestroy)
		l.engine = l.newEngine(append(l.deploy(l.task("a")), l.destroy()), 1)
		l.run()
		l.settle()
		l.want("destroy")
	})
}

func TestDestroyIsNotInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(l *lab) []Plan {
			d := l.destroy()
			do := d.Tasks[0].Do
			d.Tasks[0].Do = func(ctx context.Context, r *Run) (Commit, error) {
				select {
				case <-ctx.Done():
					return nil, ctx.Err()
				case <-time.After(time.Minute):
					return do(ctx, r)
				}
			}
			return []Plan{d}
		})
		l.run()
		id := l.workspace()
		l.queue(id, workspace.ChangeDestroy)
		synctest.Wait()
		l.engine.Interrupt(id)
		l.settle()
		l.want("destroy")
	})
}

// TestOrderAndBound lets many workspaces have several changes each: those of
// one run in order and one at a time, and never more than the bound in all.
func TestOrderAndBound(t *testing.T) {
	const workspaces, each, bound = 20, 4, 4
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		seen := make([][]workspace.ChangeID, workspaces+1)
		l := newLab(t, func(l *lab) []Plan {
			a := Task{Name: "a"}
			a.Do = func(_ context.Context, r *Run) (Commit, error) {
				if n := running.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Second) // virtual
				running.Add(-1)
				seen[r.Workspace.ID] = append(seen[r.Workspace.ID], r.Change.ID)
				return nil, nil
			}
			return l.deploy(a)
		})
		for range workspaces {
			id := l.workspace()
			for range each {
				l.queue(id, workspace.ChangeDeploy)
			}
		}
		begun := time.Now()
		l.run()
		l.settle()
		if got := most.Load(); got != bound {
			t.Errorf("%d tasks at a time, want %d", got, bound)
		}
		if took := time.Since(begun).Round(time.Second); took != workspaces*each/bound*time.Second {
			t.Errorf("it took %s, want all workers busy all the time", took)
		}
		for id, ids := range seen[1:] {
			if len(ids) != each {
				t.Errorf("workspace %d: %d changes ran, want %d", id+1, len(ids), each)
			}
			for i := 1; i < len(ids); i++ {
				if ids[i] <= ids[i-1] {
					t.Errorf("workspace %d: changes ran in the order %v", id+1, ids)
				}
			}
		}
	})
}

// TestEffectsBalance lets handlers and records fail at random: all changes end,
// and what a failed change did is undone, what others did is done.
func TestEffectsBalance(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dice := rapid.SliceOfN(rapid.IntRange(0, 9), 100, 100).Draw(rt, "dice")
		dice = append(dice, 9, 9, 9, 9, 9, 9, 9, 9) // some luck at least
		synctest.Test(t, func(t *testing.T) { balance(t, dice) })
	})
}

func balance(t *testing.T, dice []int) {
	var n atomic.Int64
	roll := func() int { return dice[int(n.Add(1))%len(dice)] }
	const tasks, count = 4, 6
	var effects [count + 1][tasks]bool // by change, by task
	var failed [count + 1]bool
	l := newLab(t, func(l *lab) []Plan {
		plan := Plan{Kind: workspace.ChangeDeploy, Failed: func(r *Run, _ error) Commit {
			return func(workspace.Tx) error { failed[r.Change.ID] = true; return nil }
		}}
		for i := range tasks {
			effect := func(now bool) Func {
				return func(_ context.Context, r *Run) (Commit, error) {
					before := roll()
					if before == 0 {
						return nil, errPassing
					}
					if now && before == 1 {
						return nil, errForGood
					}
					effects[r.Change.ID][i] = now
					if roll() == 0 {
						return nil, errPassing // done, but the answer was lost
					}
					return nil, nil
				}
			}
			plan.Tasks = append(plan.Tasks, Task{Name: fmt.Sprint("t", i), Retries: 3,
				Handler: Handler{Do: effect(true), Undo: effect(false)}})
		}
		return []Plan{plan}
	})
	l.store.fail = func(int) error {
		if roll() <= 1 {
			return errLost
		}
		return nil
	}
	for range count / 2 {
		id := l.workspace()
		l.queue(id, workspace.ChangeDeploy)
		l.queue(id, workspace.ChangeDeploy)
	}
	l.run()
	l.settle()
	for id := 1; id <= count; id++ {
		for i := range tasks {
			if effects[id][i] == failed[id] {
				t.Errorf("change %d failed: %v, but task %d is in effect: %v",
					id, failed[id], i, effects[id][i])
			}
		}
	}
}
