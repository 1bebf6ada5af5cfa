package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// A target is a server under measurement.
type target struct {
	addr string
	pid  int
}

// A load is a series of calls, sent by clients at once over one keep-alive
// connection each.
type load struct {
	clients int
	message daemon.Message
	bodies  [][]byte
	// got is told of each reply: the index of its call and its body, valid
	// until it returns. Calls of different clients come at the same time.
	got func(i int, reply []byte)
}

// A spent is what a load took.
type spent struct {
	calls int
	wall  time.Duration
	cpu   time.Duration // of the server, what it did afterwards on its own included
}

// rate returns the calls answered in a second.
func (s spent) rate() float64 { return float64(s.calls) / s.wall.Seconds() }

// milliseconds returns the server's processor time for one call.
func (s spent) milliseconds() float64 {
	return s.cpu.Seconds() * 1000 / float64(s.calls)
}

// drive sends the load and waits until the server is at rest again.
func (t target) drive(ctx context.Context, l load) (spent, error) {
	before, err := daemon.CPU(t.pid)
	if err != nil {
		return spent{}, err
	}
	begin := time.Now()
	if err := t.push(ctx, l); err != nil {
		return spent{}, err
	}
	s := spent{calls: len(l.bodies), wall: time.Since(begin)}
	after, err := awaitRest(ctx, t.pid)
	s.cpu = after - before
	return s, err
}

// push sends the load.
func (t target) push(ctx context.Context, l load) error {
	failed := make([]error, l.clients)
	var clients sync.WaitGroup
	for c := range l.clients {
		clients.Go(func() { failed[c] = t.series(ctx, l, c) })
	}
	clients.Wait()
	return errors.Join(failed...)
}

// series sends every clients-th call of the load, beginning with the first-th.
func (t target) series(ctx context.Context, l load, first int) error {
	c := daemon.NewCaller(t.addr)
	defer c.Close()
	for i := first; i < len(l.bodies); i += l.clients {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		status, reply, err := c.Post(l.message, l.bodies[i])
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("status %d to call %d: %.600s", status, i, reply)
		}
		if l.got != nil {
			l.got(i, reply)
		}
	}
	return nil
}

// How long a server must use no processor time to count as at rest. Longer
// than the simulated hypervisor takes for its slowest step.
const quiet = 600 * time.Millisecond

// awaitRest waits until the process has used no processor time for a while and
// returns what it has used in all. Asking the server itself would cost what is
// being measured.
func awaitRest(ctx context.Context, pid int) (time.Duration, error) {
	last, err := daemon.CPU(pid)
	since := time.Now()
	for err == nil && time.Since(since) < quiet {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(quiet / 12):
		}
		var now time.Duration
		if now, err = daemon.CPU(pid); now-last > quiet/60 {
			last, since = now, time.Now()
		}
	}
	return last, err
}

// bodies makes the bodies of n calls beforehand, so that the clients have
// little to do while the server is measured.
func bodies(m daemon.Message, keys []string, n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		v := daemon.Values{}
		if len(keys) > 0 {
			v.Key = keys[i%len(keys)]
		}
		all[i] = m.Body(v)
	}
	return all
}
