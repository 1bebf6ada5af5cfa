package book

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// corpus makes up pools under load and requests to them, the same ones always.
type corpus struct {
	*rand.Rand
	world *world
	next  ID
	kinds map[string]int // what was offered, and refused
}

// site begins a new pool of one policy and puts it under load.
func (c *corpus) site(t *testing.T) {
	p := Policy{
		Backfill: Backfill(c.IntN(3)), Choice: Choice(c.IntN(3)), Movable: c.IntN(2) == 0,
		Boot: slot.Time(c.IntN(40)), Shutdown: slot.Time(c.IntN(20)), Threshold: 1,
		SuspendRate: 50000, ResumeRate: 100000, MigrateRate: 67108, CacheMB: 3,
		Preemption: [][]Means{
			nil, {BySuspension}, {BySuspension, ByKilling}, {ByKilling},
			{ByMigration, BySuspension},
		}[c.IntN(5)],
	}
	pool := linked(hosts(2+c.IntN(5), int32(2+c.IntN(7))), 1<<29)
	if c.IntN(2) == 0 {
		pool.Repository, p.Transfer = 4000000, 2000000
	}
	c.world, c.next = newWorld(t, pool, p), 0
	for range 40 {
		c.world.until(c.world.now + slot.Time(c.IntN(30)))
		x := c.request()
		c.world.submit(x, slot.Time(1+c.Int64N(int64(x.Duration))))
	}
}

// request returns terms of any kind.
func (c *corpus) request() Terms {
	c.next++
	now := c.world.now
	x := Terms{
		ID: c.next, Kind: Kind(c.IntN(4)), Submitted: now, Preemptible: c.IntN(4) > 0,
		Start: now + slot.Time(c.IntN(400)), Duration: slot.Time(1 + c.IntN(400)),
	}
	x.Deadline = x.Start + x.Duration + slot.Time(c.IntN(300))
	for range 1 + c.IntN(8)/7 {
		need := cpus(int32(1 + c.IntN(4)))
		need[slot.Memory] = int32(500 * (1 + c.IntN(6)))
		x.Parts = append(x.Parts, Part{1 + c.IntN(6), need})
	}
	if c.IntN(4) == 0 {
		for _, p := range x.Parts {
			half := p.Need[slot.Memory] / 2
			x.Least = append(x.Least, slot.Amount{slot.CPU: 100, slot.Memory: half})
			x.Grain = append(x.Grain, slot.Amount{slot.CPU: 100})
		}
	}
	if c.IntN(3) == 0 {
		x.Image = Image{fmt.Sprint("image ", c.IntN(5)), int64(1 + c.IntN(4))}
	}
	if c.IntN(4) == 0 {
		rule := Affinity{Apart: c.IntN(2) == 0}
		if c.IntN(2) == 0 && c.next > 1 {
			rule.Others = []Node{{1 + ID(c.Int64N(int64(c.next-1))), -1}}
		}
		x.Affinity = []Affinity{rule}
	}
	return x
}

// refusal asks for a lease, or of a lease for more, until that is refused, and
// returns with the reason how to ask again.
func (c *corpus) refusal(t *testing.T) (*Reason, func(*Offer) (Answer, error)) {
	for n := 0; ; n++ {
		if n%20 == 0 {
			c.site(t)
		}
		w := c.world
		x := c.request()
		if live := w.running(); c.IntN(3) == 0 && len(live) > 0 {
			id := live[c.IntN(len(live))]
			x = w.book.leases.get(id).Terms
			x.Duration += slot.Time(c.IntN(100))
			x.Parts = slices.Clone(x.Parts)
			x.Parts[0].Need = x.Parts[0].Need.Plus(cpus(int32(1 + c.IntN(4))))
			if a, err := w.book.Snapshot().Change(w.now, id, x); err == nil && a.State == Refused {
				return a.Reason, func(o *Offer) (Answer, error) { return w.take(id, o) }
			}
			continue
		}
		if a, err := w.book.Snapshot().Submit(w.now, x); err == nil && a.State == Refused {
			return a.Reason, func(o *Offer) (Answer, error) {
				return w.book.Snapshot().Submit(w.now, o.Terms)
			}
		}
	}
}

// running returns the leases that run and are not to be destroyed, by ID.
func (w *world) running() (all []ID) {
	for id, l := range w.book.leases.all() {
		doomed := slices.ContainsFunc(l.steps, func(s step) bool { return s.verb == Kill })
		if l.state == Running && !doomed {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// TestThousandRefusals takes every offer that comes with a thousand refusals:
// all are accepted, at the cost to others that they name. Every refusal says
// why, and offers something.
func TestThousandRefusals(t *testing.T) {
	c := &corpus{Rand: rand.New(rand.NewPCG(1000, 5)), kinds: map[string]int{}}
	for n := range 1000 {
		r, ask := c.refusal(t)
		c.kinds[r.Code.String()]++
		if r.String() == "" || r.Free > r.Wanted || len(r.Offers) == 0 {
			t.Errorf("refusal %d says %+v %+v\n%s", n, r, r.Offers, c.world.story())
		}
		for i := range r.Offers {
			o := &r.Offers[i]
			c.kinds["offered "+o.Change.String()]++
			if o.At > 0 {
				c.kinds["offered for a time to come"]++
			}
			if len(o.Preempts) > 0 {
				c.kinds["offered at a cost"]++
			}
			a, err := ask(o)
			if err != nil || a.State == Refused || !slices.Equal(a.Preempts, o.Preempts) {
				t.Errorf("refusal %d (%s) offers %s, %+v, but then %+v %v", n, r.Code, o.Change, o,
					a, err)
			}
		}
	}
	var said []string
	for what, count := range c.kinds {
		said = append(said, fmt.Sprintf("%s %d", what, count))
	}
	slices.Sort(said)
	t.Log(strings.Join(said, ", "))
	if len(c.kinds) < 12 {
		t.Errorf("the corpus is too much alike: %v", said)
	}
}
