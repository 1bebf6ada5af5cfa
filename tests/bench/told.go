package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// The figures of notification. The time of a delivery is taken from the
// request that caused it, which is before the commit.
var (
	toldRate = goal{"notifications for a second of two processors", "", 0, true}
	toldWall = goal{"notifications delivered, 1,000 subscribers, 100 changes", "/s", 20_000, true}
	toldCPU  = goal{"notification, CPU of daemon and consumers", "ms", 0.1, false}
	toldEach = goal{"notifications in one POST, mean", "", 0, false}

	// A change that a thousand are told of at once asks for the full rate while
	// it lasts; a tenth of the rate is the one that is spread over the second.
	spreadLate = goal{"request to delivery, p99, 20 changes/s to 100 each", "ms", 50, false}
	burstLate  = goal{"request to delivery, p99, 2 changes/s to 1,000 each", "ms", 0, false}
)

const (
	subscribers = 1000
	changes     = 100 // of one workspace, at full speed
	listeners   = 8
	paced       = 5 * time.Second
)

// told plays the scene of notification: a thousand subscribers of one
// workspace that changes its state a hundred times, as fast as it can; then a
// tenth of the demanded rate, by one workspace and spread over ten.
func told(ctx context.Context, o options, s scene) error {
	for _, part := range []struct {
		workspaces int
		play       func(context.Context, *audience, scene) error
	}{{1, rushed}, {1, calm(burstLate)}, {10, calm(spreadLate)}} {
		data := filepath.Join(s.dir, fmt.Sprintf("told-%d", s.run))
		p, err := daemon.Start(ctx, daemon.Options{Bin: o.bin, Data: data, Log: os.Stderr})
		if err != nil {
			return err
		}
		a, err := gather(target{p.Addr(), p.PID()}, part.workspaces)
		if err == nil {
			err = part.play(ctx, a, s)
			a.crowd.close()
		}
		p.Kill()
		if err = errors.Join(err, os.RemoveAll(data)); err != nil {
			return err
		}
	}
	return nil
}

// An audience is a daemon with workspaces that all consumers of a crowd have
// subscribed to, each to one.
type audience struct {
	target
	*crowd
	keys []string
}

// gather makes the workspaces and the subscriptions.
func gather(t target, workspaces int) (*audience, error) {
	caller := daemon.NewCaller(t.addr)
	defer caller.Close()
	a := &audience{target: t}
	for range workspaces {
		status, reply, err := caller.Send(daemon.Create, daemon.Values{})
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("status %d to a create: %w", status, err)
		}
		a.keys = append(a.keys, daemon.Keys(reply)...)
	}
	if err := a.await(caller, "Running"); err != nil {
		return nil, err
	}
	var err error
	if a.crowd, err = newCrowd(subscribers, listeners); err != nil {
		return nil, err
	}
	for n := range subscribers {
		status, reply, err := caller.Send(daemon.Subscribe, daemon.Values{
			Key: a.keys[n%workspaces], Consumer: a.address(n),
		})
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("status %d to a subscribe: %.300s %w", status, reply, err)
		}
	}
	return a, nil
}

// await waits until all workspaces are in the state.
func (a *audience) await(caller *daemon.Caller, state string) error {
	for _, key := range a.keys {
		for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			_, reply, err := caller.Send(daemon.State, daemon.Values{Key: key})
			if err != nil {
				return err
			}
			if daemon.StateOf(reply) == state {
				break
			}
			if time.Now().After(end) {
				return fmt.Errorf("workspace %s is not %s", key, state)
			}
		}
	}
	return nil
}

// turn pauses and starts a workspace in turn: the n-th change of its state.
func turn(caller *daemon.Caller, key string, n int) error {
	message := daemon.Pause
	if n%2 == 1 {
		message = daemon.Begin
	}
	status, reply, err := caller.Send(message, daemon.Values{Key: key})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d to change %d: %.600s", status, n, reply)
	}
	return err
}

// states are what the workspaces are in after an even, and an odd change.
var states = [2]string{"Paused", "Running"}

// rushed changes the state as fast as the daemon does.
func rushed(ctx context.Context, a *audience, s scene) error {
	wait := a.expect(subscribers * changes)
	before, err := daemon.CPU(a.pid)
	if err != nil {
		return err
	}
	own, begin := ownCPU(), time.Now()
	caller := daemon.NewCaller(a.addr)
	defer caller.Close()
	for n := range changes {
		if err := turn(caller, a.keys[0], n); err != nil {
			return err
		}
		if err := a.await(caller, states[n%2]); err != nil {
			return err
		}
	}
	changed := time.Since(begin)
	if err := wait(ctx); err != nil {
		return err
	}
	took, own := time.Since(begin), ownCPU()-own
	after, err := daemon.CPU(a.pid)
	const sent = subscribers * changes
	fmt.Fprintf(os.Stderr, "%d notifications in %.2f s (%d changes in %.2f s) by %d POSTs, "+
		"CPU of the daemon %.2f s, of the consumers %.2f s\n", sent, took.Seconds(), changes,
		changed.Seconds(), a.posts, (after - before).Seconds(), own.Seconds())
	spent := (after - before + own).Seconds()
	s.table.add(toldRate, sent/(spent/2))
	s.table.add(toldWall, sent/took.Seconds())
	s.table.add(toldCPU, spent*1000/sent)
	s.table.add(toldEach, sent/float64(a.posts))
	return err
}

// ownCPU is the processor time that this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// calm changes states at a pace that makes 2,000 notifications a second, and
// measures when each comes.
func calm(g goal) func(context.Context, *audience, scene) error {
	return func(ctx context.Context, a *audience, s scene) error {
		each := subscribers / len(a.keys)
		pause := time.Second * time.Duration(each) / 2000
		count := int(paced / pause)
		wait := a.expect(count * each)
		sent, err := a.pace(ctx, count, pause)
		if err == nil {
			err = wait(ctx)
		}
		if err != nil {
			return err
		}
		s.table.add(g, float64(a.late(sent).Microseconds())/1000)
		return nil
	}
}

// pace makes so many changes, of the workspaces in turn, and returns when each
// was asked for, by workspace.
func (a *audience) pace(
	ctx context.Context, count int, pause time.Duration,
) ([][]time.Time, error) {
	sent := make([][]time.Time, len(a.keys))
	tick := time.NewTicker(pause)
	defer tick.Stop()
	caller := daemon.NewCaller(a.addr)
	defer caller.Close()
	for n := range count {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		w := n % len(a.keys)
		sent[w] = append(sent[w], time.Now())
		if err := turn(caller, a.keys[w], len(sent[w])-1); err != nil {
			return nil, err
		}
	}
	return sent, nil
}

// late returns the time within which 99 of 100 notifications came.
func (a *audience) late(sent [][]time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []time.Duration
	for who, heard := range a.heard {
		for i, at := range heard {
			all = append(all, at.Sub(sent[who%len(a.keys)][i]))
		}
	}
	slices.Sort(all)
	fmt.Fprintf(os.Stderr, "%d notifications: median %s, p99 %s, last %s\n", len(all),
		all[len(all)/2], all[len(all)*99/100], all[len(all)-1])
	return all[len(all)*99/100]
}
