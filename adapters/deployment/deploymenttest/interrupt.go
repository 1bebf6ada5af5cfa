package deploymenttest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Striker lets misfortune befall the calls that an adapter makes to its host.
type Striker interface {
	// Arm has it strike the nth call from now on, beginning with 1.
	Arm(n int)
	// Disarm ends that, and reports whether it struck.
	Disarm() bool
	// Mend brings the host back, if it is gone.
	Mend(t *testing.T)
}

// operation is one call of the port, with the condition that it begins in and the
// one that it leads to.
type operation struct {
	name     string
	from, to workspace.Condition
	do       call
}

// operations are those of the port that need no help of the guest.
func operations(m workspace.Machine, twoSteps bool) []operation {
	all := []operation{
		{"define", gone, off,
			func(ctx context.Context, h workspace.Deployment, _ workspace.ID) error {
				return h.Define(ctx, m)
			}},
		{"start", off, running, startWish(false)},
		{"pause", running, paused, plainWish(workspace.Hypervisor.Pause)},
		{"resume", paused, running, plainWish(workspace.Hypervisor.Resume)},
		{"resize", running, running, resizeWish},
		{"serialize", paused, saved, stopWish(workspace.StopSerialize)},
		{"restore", saved, running, startWish(false)},
		{"forget what was saved", saved, off, stopWish(workspace.StopForced)},
		{"stop by force", running, off, stopWish(workspace.StopForced)},
		{"undefine what runs", running, gone, plainWish(workspace.Hypervisor.Undefine)},
		{"undefine what is saved", saved, gone, plainWish(workspace.Hypervisor.Undefine)},
	}
	if !twoSteps {
		all = append(all, operation{"start paused", off, paused, startWish(true)},
			operation{"restore paused", saved, paused, startWish(true)})
	}
	return append(all, questions...)
}

// questions are those that change nothing.
var questions = []operation{
	{"inspect", running, running,
		func(ctx context.Context, h workspace.Deployment, id workspace.ID) error {
			_, err := h.Inspect(ctx, id)
			return err
		}},
	{"list", running, running,
		func(ctx context.Context, h workspace.Deployment, _ workspace.ID) error {
			_, err := h.List(ctx)
			return err
		}},
	{"measure", running, running,
		func(ctx context.Context, h workspace.Deployment, _ workspace.ID) error {
			_, err := h.Measure(ctx)
			return err
		}},
}

// Interrupt strikes each call of each operation, one after the other: what the
// adapter returns must say that the host was not reached, and the same operation,
// asked for again, must end as if it had been asked for once, with nothing left
// behind. The host of the rig is the one that is struck; its Reopen makes a second
// adapter that is not. Only the operations of these names are, if there are any.
func Interrupt(t *testing.T, r Rig, s Striker, only ...string) {
	b := newBench(t, r)
	plain := r.Reopen(t)
	t.Cleanup(func() { b.must("close", plain.Close()) })
	const id = 71
	for _, op := range operations(b.Machine(id), r.TwoSteps) {
		if len(only) > 0 && !slices.Contains(only, op.name) {
			continue
		}
		t.Run(op.name, func(t *testing.T) {
			i := &interrupted{&bench{b.Rig, t}, plain, s, op, id}
			n := 1
			for ; i.strike(n); n++ {
			}
			t.Logf("%d calls", n-1)
		})
	}
}

// interrupted is one operation that misfortune befalls.
type interrupted struct {
	*bench
	plain workspace.Deployment
	Striker
	op operation
	id workspace.ID
}

// strike has the nth call of the operation struck, and asks for it again. It is
// false when there are not so many calls.
func (i *interrupted) strike(n int) bool {
	i.t.Helper()
	what := fmt.Sprintf("%s, call %d struck", i.op.name, n)
	i.prepare()
	_, err := i.Host.Inspect(i.ctx(), i.id) // connected from here on
	i.must(what+": inspect before", err)
	i.Arm(n)
	err = i.within(callLimit, func(ctx context.Context) error { return i.op.do(ctx, i.Host, i.id) })
	struck := i.Disarm()
	i.Mend(i.t)
	switch kind := workspace.KindOf(err); {
	case err != nil && !struck:
		i.t.Fatalf("%s, which it was not: %v", what, err)
	case err != nil && kind != workspace.Unavailable && kind != workspace.Transient:
		i.t.Errorf("%s: got %v (%s)", what, err, kind)
	}
	i.must(what+": once more", i.op.do(i.ctx(), i.Host, i.id))
	got, err := i.plain.Inspect(i.ctx(), i.id)
	i.must(what+": inspect", err)
	if got != i.op.to {
		i.t.Fatalf("%s: it is %s, want %s", what, got, i.op.to)
	}
	i.settles(what)
	return struck
}

// prepare brings the machine into the condition that the operation begins in.
func (i *interrupted) prepare() {
	i.t.Helper()
	if i.op.from == gone {
		return
	}
	m := i.Machine(i.id)
	i.must("define", i.plain.Define(i.ctx(), m))
	if i.op.from == off {
		return
	}
	i.must("start", i.plain.Start(i.ctx(), i.id, i.op.from == paused))
	if i.op.from == saved {
		i.must("serialize", i.plain.Stop(i.ctx(), i.id, workspace.StopSerialize))
	}
}

// settles removes the machine and checks that nothing of it is left.
func (i *interrupted) settles(what string) {
	i.t.Helper()
	i.must(what+": undefine", i.plain.Undefine(i.ctx(), i.id))
	rest, err := i.plain.List(i.ctx())
	i.must(what+": list", err)
	if len(rest) > 0 {
		i.t.Fatalf("%s: there remains %v", what, rest)
	}
	if i.Left != nil {
		if left := i.Left(i.t); len(left) > 0 {
			i.t.Fatalf("%s: there remain %q", what, left)
		}
	}
}
