package book

import (
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"pgregory.net/rapid"
)

// linked gives the hosts links of so many kbit/s each way.
func linked(p Pool, kbit int32) Pool {
	for i := range p.Hosts {
		p.Hosts[i][slot.NetIn], p.Hosts[i][slot.NetOut] = kbit, kbit
	}
	return p
}

// saved returns a world of two hosts of a CPU in which the lease on host 0 is
// saved at 20 for a reservation from 30 to 80.
func saved(t *testing.T, p Policy) *world {
	p.Preemption, p.Movable, p.Choice = []Means{BySuspension}, true, Pack
	p.SuspendRate, p.ResumeRate = 100000, 100000 // 10 ms for 1,000 MB
	w := newWorld(t, linked(hosts(2, 1), 1<<30-1), p)
	w.submit(one(1, BestEffort, 1, 100), 0)
	w.submit(one(9, Immediate, 1, 200), 0)
	w.until(10)
	r := one(2, Reservation, 1, 50)
	r.Start = 30
	w.submit(r, 0)
	return w
}

// TestHomeIsPreferred resumes a saved lease where it was when that is free as
// soon as other hosts.
func TestHomeIsPreferred(t *testing.T) {
	w := saved(t, Policy{})
	w.until(80)
	if a := w.book.Lease(1); a.State != Resuming || !slices.Equal(a.Hosts, []slot.Host{0}) {
		t.Errorf("%+v\n%s", a, w.story())
	}
	w.until(slot.Never)
}

// TestMemoryTakesTheLink resumes a lease elsewhere: it takes longer by what it
// takes to bring the memory, and the links are taken meanwhile.
func TestMemoryTakesTheLink(t *testing.T) {
	w := saved(t, Policy{MigrateRate: 67108}) // 15 ms; the links bear twice as much
	w.until(40)
	w.book.Ended(40, 9)
	w.stop(9, w.now)
	w.actual[9] = w.ran[9]
	w.until(40)
	a := w.book.Lease(1)
	if a.State != Resuming || !slices.Equal(a.Hosts, []slot.Host{1}) || a.Start != 65 {
		t.Fatalf("%+v\n%s", a, w.story())
	}
	for h, r := range []slot.Resource{slot.NetOut, slot.NetIn} {
		during := w.book.full.Free(slot.Host(h), slot.Span{Start: 40, End: 55})[r]
		then := w.book.full.Free(slot.Host(h), slot.Span{Start: 55, End: 56})[r]
		if during != 1<<30-1-67108*kbits || then != 1<<30-1 {
			t.Errorf("host %d has %d of %s, then %d", h, during, r, then)
		}
	}
	w.until(slot.Never)
}

// TestMovesAreBorneByLinks drives Books whose hosts have links that bear one
// move at a time: none ever bears more, and everybody's turn comes.
func TestMovesAreBorneByLinks(t *testing.T) {
	moved := 0
	for n := 0; moved == 0; n++ { // it is rare
		if n == 50 {
			t.Fatal("nothing was moved")
		}
		rapid.Check(t, func(t *rapid.T) { moved += move(t) })
	}
}

// move lets such a Book run and returns how many leases went on elsewhere.
func move(t *rapid.T) int {
	p := drawPolicy(t)
	p.Movable, p.Confirm = true, 0
	p.MigrateRate = rapid.SampledFrom([]int64{0, 67108, 1000000}).Draw(t, "rate")
	size := int32(rapid.IntRange(1, 3).Draw(t, "size"))
	w := newWorld(t, linked(hosts(rapid.IntRange(2, 4).Draw(t, "hosts"), size), 1<<29), p)
	for id := range ID(rapid.IntRange(1, 20).Draw(t, "leases")) {
		w.until(w.now + slot.Time(rapid.IntRange(0, 15).Draw(t, "pause")))
		x := drawTerms(t, id+1, w.now)
		w.submit(x, slot.Time(rapid.IntRange(1, int(x.Duration)).Draw(t, "actual")))
	}
	w.until(slot.Never)
	for id := range w.terms {
		if _, ok := w.ended[id]; !ok {
			t.Fatalf("lease %d never ended\n%s", id, w.story())
		}
	}
	for h := range w.pool.Hosts {
		span := slot.Span{Start: w.now, End: slot.Never}
		if w.book.full.Free(slot.Host(h), span) != w.pool.Hosts[h] ||
			w.book.firm.Free(slot.Host(h), span) != w.pool.Hosts[h] {
			t.Fatalf("host %d is not free at the end", h)
		}
	}
	return w.moved
}
