package deploymenttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// lifetime is what a machine goes through.
var lifetime = []string{
	"start", "pause", "resume", "reboot", "serialize", "start", "stop by force",
	"start paused", "resume", "stop gracefully", "start paused", "serialize",
	"start paused", "stop by force", "start", "stop gracefully",
}

// everyCallTwice leads one machine through its life, repeating each call as a
// caller does whose answer was lost.
func everyCallTwice(t *testing.T, b *bench) {
	const id = 11
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	b.must("define again", b.Host.Define(b.ctx(), b.Machine(id)))
	b.is(id, off)
	now := off
	for _, name := range b.Life {
		w := wishNamed(name)
		now = b.grant(id, w, now)
		now = b.grant(id, w, now)
		b.must("define once more", b.Host.Define(b.ctx(), b.Machine(id)))
		b.is(id, now)
	}
	for range 2 {
		b.must("undefine", b.Host.Undefine(b.ctx(), id))
		b.is(id, gone)
	}
}

// everyWishInEveryCondition holds the adapter against the whole model.
func everyWishInEveryCondition(t *testing.T, b *bench) {
	id := workspace.ID(100)
	for _, from := range asked {
		for _, w := range wishes {
			id++
			b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
			b.reach(id, from)
			b.grant(id, w, from)
			b.must("undefine", b.Host.Undefine(b.ctx(), id))
			b.is(id, gone)
		}
	}
}

func unknownMachines(t *testing.T, b *bench) {
	const id = 404
	for _, w := range wishes {
		b.isKind(w.name, w.do(b.ctx(), b.Host, id), workspace.NotFound)
	}
	b.is(id, gone)
	b.must("undefine", b.Host.Undefine(b.ctx(), id))
}

func anotherDefinition(t *testing.T, b *bench) {
	const id = 12
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	b.must("start", b.Host.Start(b.ctx(), id, true))
	other := b.Machine(id)
	other.MemoryMB += 16
	site := b.Machine(id) // the site's kernel may change under a machine
	site.Boot.Kernel += ".old"
	b.must("define with another kernel", b.Host.Define(b.ctx(), site))
	b.isKind("define", b.Host.Define(b.ctx(), other), workspace.Internal)
	b.is(id, paused)
	b.must("define as before", b.Host.Define(b.ctx(), b.Machine(id)))
	b.must("undefine", b.Host.Undefine(b.ctx(), id))
	b.must("define anew", b.Host.Define(b.ctx(), other))
	b.is(id, off)
}

// randomWalk tries orders that nobody thought of.
func randomWalk(t *testing.T, b *bench) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	now := map[workspace.ID]workspace.Condition{}
	for range b.Walk {
		id := workspace.ID(1 + random.IntN(3))
		if _, ok := now[id]; !ok {
			b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
			now[id] = off
		}
		step := random.IntN(len(wishes) + 1)
		if step < len(wishes) {
			now[id] = b.grant(id, wishes[step], now[id])
			continue
		}
		b.must("undefine", b.Host.Undefine(b.ctx(), id))
		b.is(id, gone)
		delete(now, id)
	}
}

// hearing is a Watch under way.
type hearing struct {
	heard  chan workspace.Observed
	ended  chan error
	cancel context.CancelFunc
}

// listen starts a Watch, and returns once it is known to hear.
func (b *bench) listen() *hearing {
	ctx, cancel := context.WithCancel(context.Background())
	b.t.Cleanup(cancel)
	h := &hearing{heard: make(chan workspace.Observed, 1024), ended: make(chan error, 1),
		cancel: cancel}
	go func() {
		h.ended <- b.Host.Watch(ctx, func(o workspace.Observed) { h.heard <- o })
	}()
	b.probe(h)
	return h
}

// probe pauses and resumes a machine of its own until the watch tells of it:
// there is no other way to know that it has begun.
func (b *bench) probe(h *hearing) {
	const id = 9000
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	deadline := time.After(b.Limit)
	for {
		b.must("start", b.Host.Start(b.ctx(), id, true))
		b.must("stop", b.Host.Stop(b.ctx(), id, workspace.StopForced))
		select {
		case <-h.heard:
			b.must("undefine", b.Host.Undefine(b.ctx(), id))
			return
		case err := <-h.ended:
			b.t.Fatalf("watch ended at once: %v", err)
		case <-deadline:
			b.t.Fatal("watch tells nothing")
		case <-time.After(time.Second):
		}
	}
}

// tells waits for the watch to report this.
func (b *bench) tells(h *hearing, want workspace.Observed) {
	b.t.Helper()
	var got []workspace.Observed
	limit := time.After(b.Limit)
	for {
		select {
		case o := <-h.heard:
			if o == want {
				return
			}
			got = append(got, o)
		case err := <-h.ended:
			b.t.Fatalf("the watch ended: %v", err)
		case <-limit:
			b.t.Fatalf("the watch never told of %v, but of %v", want, got)
		}
	}
}

// ends cancels the watch and checks that this is no error.
func (b *bench) ends(h *hearing) {
	b.t.Helper()
	h.cancel()
	for {
		select {
		case <-h.heard:
		case err := <-h.ended:
			b.must("watch", err)
			return
		}
	}
}

func watchTells(t *testing.T, b *bench) {
	const id = 13
	h := b.listen()
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	now := off
	for _, name := range []string{
		"start", "pause", "resume", "serialize", "start", "stop by force",
	} {
		now = b.grant(id, wishNamed(name), now)
		b.tells(h, workspace.Observed{ID: id, Condition: now})
	}
	b.must("undefine", b.Host.Undefine(b.ctx(), id))
	b.tells(h, workspace.Observed{ID: id, Condition: gone})
	b.ends(h)
}

func guestPowersOff(t *testing.T, b *bench) {
	if b.PowerOff == nil {
		t.Log("guests of this host cannot switch themselves off")
		return
	}
	const id = 14
	h := b.listen()
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	b.must("start", b.Host.Start(b.ctx(), id, false))
	b.PowerOff(t, id)
	b.tells(h, workspace.Observed{ID: id, Condition: off})
	b.becomes(id, off)
	b.ends(h)
}

func listIsOurs(t *testing.T, b *bench) {
	want := []workspace.Observed{{ID: 21, Condition: off}, {ID: 22, Condition: running},
		{ID: 23, Condition: paused}, {ID: 24, Condition: saved}}
	if got := b.list(); len(got) != 0 {
		t.Fatalf("a host without machines of ours lists %v", got)
	}
	for _, o := range want {
		b.must("define", b.Host.Define(b.ctx(), b.Machine(o.ID)))
		b.reach(o.ID, o.Condition)
	}
	got := b.list()
	slices.SortFunc(got, func(x, y workspace.Observed) int { return int(x.ID - y.ID) })
	if !slices.Equal(got, want) {
		t.Errorf("list gives %v, want %v", got, want)
	}
}

// contextEnds checks that a call whose context has ended says so, soon, and
// does nothing.
func contextEnds(t *testing.T, b *bench) {
	const id = 15
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
	defer cancel()
	for _, c := range []struct {
		ctx   context.Context
		cause error
		kind  workspace.Kind
	}{
		{cancelled, context.Canceled, workspace.Transient},
		{late, context.DeadlineExceeded, workspace.Unavailable},
	} {
		for name, call := range b.everyCall(c.ctx, id) {
			err := call()
			b.isKind(name, err, c.kind)
			if !errors.Is(err, c.cause) {
				t.Errorf("%s: %v does not carry %v", name, err, c.cause)
			}
		}
	}
	b.is(id, off)
}

// everyCall is each operation of the port, with the context.
func (b *bench) everyCall(ctx context.Context, id workspace.ID) map[string]func() error {
	calls := map[string]func() error{
		"define":   func() error { return b.Host.Define(ctx, b.Machine(id)) },
		"undefine": func() error { return b.Host.Undefine(ctx, id) },
		"inspect":  func() error { _, err := b.Host.Inspect(ctx, id); return err },
		"list":     func() error { _, err := b.Host.List(ctx); return err },
		"capacity": func() error { _, err := b.Host.Capacity(ctx); return err },
	}
	for _, w := range wishes {
		calls[w.name] = func() error { return w.do(ctx, b.Host, id) }
	}
	return calls
}

// reattach checks that a second adapter finds what the first one made.
func reattach(t *testing.T, b *bench) {
	const id = 16
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	b.must("start", b.Host.Start(b.ctx(), id, true))
	second := b.Reopen(t)
	defer func() { b.must("close", second.Close()) }()
	b.must("define", second.Define(b.ctx(), b.Machine(id)))
	b.must("start", second.Start(b.ctx(), id, true))
	b.must("resume", second.Resume(b.ctx(), id))
	b.is(id, running)
}

func manyAtOnce(t *testing.T, b *bench) {
	var wait sync.WaitGroup
	errs := make(chan error, 4)
	for id := workspace.ID(31); id < 35; id++ {
		wait.Go(func() { errs <- b.shortLife(id) })
	}
	wait.Wait()
	for range cap(errs) {
		b.must("one of many", <-errs)
	}
}

// shortLife leads a machine from definition to removal.
func (b *bench) shortLife(id workspace.ID) error {
	ctx, cancel := context.WithTimeout(context.Background(), b.Limit)
	defer cancel()
	return errors.Join(
		b.Host.Define(ctx, b.Machine(id)),
		b.Host.Start(ctx, id, false),
		b.Host.Pause(ctx, id),
		b.Host.Resume(ctx, id),
		b.Host.Stop(ctx, id, workspace.StopForced),
		b.Host.Undefine(ctx, id),
	)
}

// hostileWords defines machines whose free text tries to be something else.
func hostileWords(t *testing.T, b *bench) {
	for i, word := range Hostile {
		m := b.Machine(workspace.ID(5000 + i))
		m.Name, m.Owner = word, workspace.Owner(word)
		b.must(fmt.Sprintf("define %q", word), b.Host.Define(b.ctx(), m))
		b.must(fmt.Sprintf("define %q again", word), b.Host.Define(b.ctx(), m))
		b.is(m.ID, off)
		b.must("undefine", b.Host.Undefine(b.ctx(), m.ID))
	}
}

func capacity(t *testing.T, b *bench) {
	got, err := b.Host.Capacity(b.ctx())
	b.must("capacity", err)
	if got.CPUs < 1 || got.MemoryMB < 1 {
		t.Errorf("capacity is %+v", got)
	}
}
