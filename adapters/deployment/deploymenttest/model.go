package deploymenttest

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// wish is one thing that can be asked of a machine that exists.
type wish struct {
	name   string
	do     call
	guest  bool                                        // needs the guest's help
	leaves map[workspace.Condition]workspace.Condition // no entry: Conflict
}

// Short names for the conditions, to keep the model readable.
const (
	off     = workspace.ConditionOff
	running = workspace.ConditionRunning
	paused  = workspace.ConditionPaused
	saved   = workspace.ConditionSaved
	gone    = workspace.ConditionAbsent
)

// asked are the conditions that we can bring a machine into.
var asked = []workspace.Condition{off, running, paused, saved}

// transitions is short for the table's last column.
type transitions = map[workspace.Condition]workspace.Condition

// wishes is the model of the port: what every adapter does, by the condition
// that it finds the machine in.
var wishes = []wish{
	{"start", startWish(false), false,
		transitions{off: running, running: running, saved: running}},
	{"start paused", startWish(true), false,
		transitions{off: paused, paused: paused, saved: paused}},
	{"stop gracefully", stopWish(workspace.StopGraceful), true,
		transitions{off: off, running: off, paused: off, saved: off}},
	{"stop by force", stopWish(workspace.StopForced), false,
		transitions{off: off, running: off, paused: off, saved: off}},
	{"serialize", stopWish(workspace.StopSerialize), false,
		transitions{running: saved, paused: saved, saved: saved}},
	{"pause", plainWish(workspace.Hypervisor.Pause), false,
		transitions{running: paused, paused: paused}},
	{"resume", plainWish(workspace.Hypervisor.Resume), false,
		transitions{running: running, paused: running}},
	{"reboot", plainWish(workspace.Hypervisor.Reboot), true,
		transitions{running: running, paused: running}},
	{"resize", resizeWish, false, transitions{off: off, running: running}},
}

// call is one call of the port on one machine.
type call = func(context.Context, workspace.Deployment, workspace.ID) error

func startWish(paused bool) call {
	return func(ctx context.Context, h workspace.Deployment, id workspace.ID) error {
		return h.Start(ctx, id, paused)
	}
}

func stopWish(m workspace.StopMode) call {
	return func(ctx context.Context, h workspace.Deployment, id workspace.ID) error {
		return h.Stop(ctx, id, m)
	}
}

func plainWish(method func(workspace.Hypervisor, context.Context, workspace.ID) error) call {
	return func(ctx context.Context, h workspace.Deployment, id workspace.ID) error {
		return method(h, ctx, id)
	}
}

// resizeWish asks for what needs no help of the guest.
func resizeWish(ctx context.Context, h workspace.Deployment, id workspace.ID) error {
	return h.Resize(ctx, id, workspace.Shape{CPUPercent: 50})
}

// wishNamed finds a row of the model.
func wishNamed(name string) wish {
	for _, w := range wishes {
		if w.name == name {
			return w
		}
	}
	panic("the model has no wish " + name)
}

// grant asks for w and checks that what follows is what the model says.
func (b *bench) grant(id workspace.ID, w wish, from workspace.Condition) workspace.Condition {
	b.t.Helper()
	limit := b.Limit
	if w.guest {
		limit = b.Graceful
	}
	ctx, cancel := Soon(context.Background(), limit, b.Limit)
	err := w.do(ctx, b.Host, id)
	cancel()
	to, legal := w.leaves[from]
	if !legal {
		b.isKind(w.name+" of a machine that is "+string(from), err, workspace.Conflict)
		to = from
	} else {
		b.must(w.name+" of a machine that is "+string(from), err)
	}
	b.is(id, to)
	return to
}

// within runs a call and lets its context go as soon as it returns.
func (b *bench) within(limit time.Duration, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return call(ctx)
}

// reach brings a machine that is off into the condition.
func (b *bench) reach(id workspace.ID, want workspace.Condition) {
	b.t.Helper()
	if want == off {
		return
	}
	b.must("start", b.Host.Start(b.ctx(), id, want == paused))
	if want == saved {
		b.must("serialize", b.Host.Stop(b.ctx(), id, workspace.StopSerialize))
	}
	b.is(id, want)
}
