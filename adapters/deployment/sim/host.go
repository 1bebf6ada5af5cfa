package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// deployment is the port to one host.
type deployment struct {
	world *World
	host  *host
}

var _ workspace.Deployment = (*deployment)(nil)

// Define adds the machine, switched off. Defining it again in the same words
// changes nothing; in other words it is an Internal error, because a workspace
// always yields the same machine.
func (d *deployment) Define(ctx context.Context, m workspace.Machine) error {
	return d.call(ctx, OpDefine, m.ID, func() error {
		if old, ok := d.host.machines[m.ID]; ok {
			if old.is(m) {
				return nil
			}
			return workspace.Errorf(workspace.Internal, "define the machine", m.ID.String(),
				"host %s knows it with another definition", d.host.id)
		}
		return d.world.commit(d.host, m.ID, verbDefine, defined(m))
	})
}

// Start boots the machine, or restores what Stop saved.
func (d *deployment) Start(ctx context.Context, id workspace.ID, paused bool) error {
	to := wishStart
	if paused {
		to = wishStartPaused
	}
	return d.wish(ctx, OpStart, id, to)
}

// Stop halts the machine. A simulated guest obeys at once; stopping a saved one
// throws its memory away.
func (d *deployment) Stop(ctx context.Context, id workspace.ID, mode workspace.StopMode) error {
	to := wishOff
	if mode == workspace.StopSerialize {
		to = wishSave
	}
	return d.wish(ctx, OpStop, id, to)
}

// Pause stops the machine's clock.
func (d *deployment) Pause(ctx context.Context, id workspace.ID) error {
	return d.wish(ctx, OpPause, id, wishPause)
}

// Resume goes on from a pause.
func (d *deployment) Resume(ctx context.Context, id workspace.ID) error {
	return d.wish(ctx, OpResume, id, wishResume)
}

// Reboot restarts the guest, a paused one too.
func (d *deployment) Reboot(ctx context.Context, id workspace.ID) error {
	return d.wish(ctx, OpReboot, id, wishReboot)
}

// Undefine removes the machine, whatever it is doing.
func (d *deployment) Undefine(ctx context.Context, id workspace.ID) error {
	return d.call(ctx, OpUndefine, id, func() error {
		if _, ok := d.host.machines[id]; !ok {
			return nil
		}
		return d.world.commit(d.host, id, verbUndefine, machine{})
	})
}

// Inspect tells the machine's condition.
func (d *deployment) Inspect(ctx context.Context, id workspace.ID) (workspace.Condition, error) {
	found := workspace.ConditionAbsent
	err := d.call(ctx, OpInspect, id, func() error {
		found = conditions[d.host.machines[id].condition]
		return nil
	})
	return found, err
}

// List returns every machine of the host.
func (d *deployment) List(ctx context.Context) ([]workspace.Observed, error) {
	var all []workspace.Observed
	err := d.call(ctx, OpList, 0, func() error {
		all = make([]workspace.Observed, 0, len(d.host.machines))
		for id, m := range d.host.machines {
			all = append(all, workspace.Observed{ID: id, Condition: conditions[m.condition]})
		}
		return nil
	})
	return all, err
}

// Capacity returns what was configured.
func (d *deployment) Capacity(ctx context.Context) (workspace.Capacity, error) {
	return d.host.capacity, d.call(ctx, OpCapacity, 0, func() error { return nil })
}

// Close does nothing: the host goes on without us.
func (d *deployment) Close() error { return nil }

// wish is a call that wants the machine in another condition.
func (d *deployment) wish(ctx context.Context, op Op, id workspace.ID, to wish) error {
	return d.call(ctx, op, id, func() error {
		return d.world.change(d.host, id, to, string(op)+" the machine")
	})
}

// call does the work unless the script, the context or the network forbid it.
func (d *deployment) call(ctx context.Context, op Op, id workspace.ID, work func() error) error {
	got := d.world.fates.of(d.host.id, op, id)
	if err := d.befall(ctx, got); err != nil {
		d.world.count(op)
		return d.fault(op, id, err)
	}
	if err := d.locked(op, id, work); err != nil || !got.lost {
		return err
	}
	if got.hang {
		<-ctx.Done()
		return d.fault(op, id, ctx.Err())
	}
	return d.fault(op, id, errLost)
}

// locked does the work under the world's lock.
func (d *deployment) locked(op Op, id workspace.ID, work func() error) error {
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	d.world.counts[op]++
	if d.host.down {
		return d.fault(op, id, errDown)
	}
	return work()
}

func (w *World) count(op Op) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[op]++
}

// What the script brings upon a call.
var (
	errDown = errors.New("the host is out of reach")
	errLost = errors.New("the answer was lost")
)

// scripted is a failure that a rule asked for.
type scripted struct{ kind string }

func (s scripted) Error() string { return "the script says: " + s.kind }

// befall is what happens before a call does its work.
func (d *deployment) befall(ctx context.Context, got fate) error {
	if got.delay > 0 && ctx.Err() == nil {
		wait(ctx, got.delay)
	}
	if got.hang && !got.lost {
		<-ctx.Done()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if got.fail != "" {
		return scripted{got.fail}
	}
	return nil
}

// wait returns after the delay, or when the context ends.
func wait(ctx context.Context, delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// fault gives the error its kind: a scripted one has the script's, a cancelled
// call may be tried again, all else means that the host did not answer.
func (d *deployment) fault(op Op, id workspace.ID, cause error) error {
	kind := workspace.Unavailable
	var s scripted
	if errors.As(cause, &s) {
		kind = failures[s.kind]
	}
	if errors.Is(cause, context.Canceled) {
		kind = workspace.Transient
	}
	return &workspace.Error{Op: string(op) + " on host " + string(d.host.id), Kind: kind,
		ID: id.String(), Err: fmt.Errorf("simulated: %w", cause)}
}
