package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// The figures with their targets.
var (
	emptyStart = goal{"first answer, empty store", "ms", 300, false}
	fullStart  = goal{"first answer, many workspaces", "ms", 3000, false}

	createCPU   = goal{"create, CPU until Running", "ms", 0.8, false}
	createOne   = goal{"create, 1 client", "/s", 0, true}
	createEight = goal{"create, 8 clients", "/s", 1500, true}

	destroyCPU      = goal{"destroy, CPU until gone", "ms", 0.8, false}
	destroyOne      = goal{"destroy, 1 client", "/s", 0, true}
	destroyEight    = goal{"destroy, 8 clients", "/s", 1500, true}
	destroyManyCPU  = goal{"destroy among many, CPU until gone", "ms", 0.8, false}
	destroyManyRate = goal{"destroy among many, 8 clients", "/s", 1500, true}

	memory     = goal{"resident with few workspaces", "MiB", 60, false}
	manyMemory = goal{"resident with many workspaces", "MiB", 0, false}
)

// A scene is one run's surroundings.
type scene struct {
	dir     string
	run     int
	table   *table
	samples *replies
}

// replies keeps one reply of each operation, for the bare handler to return.
type replies struct {
	mu   sync.Mutex
	text map[string][]byte
}

func (r *replies) keep(name string, reply []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.text == nil {
		r.text = map[string][]byte{}
	}
	if r.text[name] == nil {
		r.text[name] = append([]byte(nil), reply...)
	}
}

// keys collects the keys of created workspaces.
type keys struct {
	mu  sync.Mutex
	all []string
}

func (k *keys) add(reply []byte) {
	found := daemon.Keys(reply)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, found...)
}

// few plays the first scene: an empty store, creates, reads, destroys.
func few(ctx context.Context, o options, s scene) error {
	data := filepath.Join(s.dir, fmt.Sprintf("few-%d", s.run))
	pprof, err := freePort()
	if err != nil {
		return err
	}
	p, err := firstAnswer(ctx, daemon.Options{
		Bin: o.bin, Data: data, Args: []string{"--pprof", pprof},
	}, s.table, emptyStart)
	if err != nil {
		return err
	}
	defer p.Kill()
	defer os.RemoveAll(data)
	t := target{p.Addr(), p.PID()}
	k := &keys{}
	if err := s.creates(ctx, t, o, k); err != nil {
		return err
	}
	if err := allRunning(t, len(k.all)); err != nil {
		return err
	}
	if err := s.resident(t, memory); err != nil {
		return err
	}
	for _, r := range readings {
		if err := s.reads(ctx, t, o, r, k); err != nil {
			return err
		}
		if err := s.allocations(ctx, t, pprof, r, k); err != nil {
			return err
		}
	}
	return s.destroys(ctx, t, k)
}

// creates makes the few workspaces, a fifth of them with one client.
func (s scene) creates(ctx context.Context, t target, o options, k *keys) error {
	l := load{message: daemon.Create, got: func(_ int, reply []byte) {
		k.add(reply)
		s.samples.keep("create", reply)
	}}
	one, eight := o.small/5, o.small-o.small/5
	l.clients, l.bodies = 1, bodies(daemon.Create, nil, one)
	a, err := t.drive(ctx, l)
	if err != nil {
		return err
	}
	l.clients, l.bodies = 8, bodies(daemon.Create, nil, eight)
	b, err := t.drive(ctx, l)
	if err != nil {
		return err
	}
	s.table.add(createCPU, b.milliseconds())
	s.table.add(createOne, a.rate())
	s.table.add(createEight, b.rate())
	return nil
}

// destroys destroys all, a fifth of them with one client.
func (s scene) destroys(ctx context.Context, t target, k *keys) error {
	n := len(k.all) / 5
	l := load{message: daemon.Destroy, clients: 1, bodies: bodies(daemon.Destroy, k.all[:n], n),
		got: func(_ int, reply []byte) { s.samples.keep("destroy", reply) }}
	a, err := t.drive(ctx, l)
	if err != nil {
		return err
	}
	rest := k.all[n:]
	l.clients, l.bodies = 8, bodies(daemon.Destroy, rest, len(rest))
	b, err := t.drive(ctx, l)
	if err != nil {
		return err
	}
	s.table.add(destroyCPU, b.milliseconds())
	s.table.add(destroyOne, a.rate())
	s.table.add(destroyEight, b.rate())
	return nil
}

// many plays the second scene: a full store, destroys among many, restarts.
func many(ctx context.Context, o options, s scene) error {
	opts := daemon.Options{Bin: o.bin, Data: filepath.Join(s.dir, "many")}
	p, err := daemon.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { p.Kill() }()
	k := &keys{}
	if err := k.fill(ctx, target{p.Addr(), p.PID()}, o.large); err != nil {
		return err
	}
	for range o.runs {
		if err := s.destroyAmongMany(ctx, target{p.Addr(), p.PID()}, o, k); err != nil {
			return err
		}
		p.Kill()
		if p, err = firstAnswer(ctx, opts, s.table, fullStart); err != nil {
			return err
		}
	}
	if err := s.queries(ctx, target{p.Addr(), p.PID()}, o); err != nil {
		return err
	}
	return allRunning(target{p.Addr(), p.PID()}, len(k.all))
}

// destroyAmongMany destroys a batch of the many and makes as many anew.
func (s scene) destroyAmongMany(ctx context.Context, t target, o options, k *keys) error {
	if _, err := awaitRest(ctx, t.pid); err != nil {
		return err
	}
	if err := s.resident(t, manyMemory); err != nil {
		return err
	}
	gone := k.all[:o.batch]
	k.all = k.all[o.batch:]
	a, err := t.drive(ctx, load{message: daemon.Destroy, clients: 8,
		bodies: bodies(daemon.Destroy, gone, len(gone))})
	if err != nil {
		return err
	}
	s.table.add(destroyManyCPU, a.milliseconds())
	s.table.add(destroyManyRate, a.rate())
	return k.fill(ctx, t, o.batch)
}

// fill creates n more workspaces with eight clients.
func (k *keys) fill(ctx context.Context, t target, n int) error {
	_, err := t.drive(ctx, load{message: daemon.Create, clients: 8,
		bodies: bodies(daemon.Create, nil, n),
		got:    func(_ int, reply []byte) { k.add(reply) }})
	return err
}

func (s scene) resident(t target, g goal) error {
	bytes, err := daemon.Resident(t.pid)
	s.table.add(g, float64(bytes)/(1<<20))
	return err
}

// firstAnswer starts a daemon and takes the time from exec to its first reply.
func firstAnswer(ctx context.Context, o daemon.Options, t *table, g goal) (*daemon.Process, error) {
	begin := time.Now()
	p, err := daemon.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	c := daemon.NewCaller(p.Addr())
	defer c.Close()
	_, _, err = c.Send(daemon.State, daemon.Values{Key: "1"}) // a fault is an answer too
	t.add(g, float64(time.Since(begin).Milliseconds()))
	return p, err
}

// allRunning proves that the work behind the creates was done: n workspaces
// are there and each of them runs.
func allRunning(t target, n int) error {
	c := daemon.NewCaller(t.addr)
	defer c.Close()
	_, reply, err := c.Send(daemon.List, daemon.Values{})
	if err != nil {
		return err
	}
	there, running := len(daemon.Keys(reply)), daemon.CountStates(reply, "Running")
	if there != n || running != n {
		return fmt.Errorf("%d workspaces were created, %d are there, %d of them running: "+
			"the figures would leave work out", n, there, running)
	}
	return nil
}
