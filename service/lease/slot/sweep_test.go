package slot

import (
	"cmp"
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
)

var operations = flag.Int("operations", 1_000_000, "random operations of TestSweep")

// crowd is a table under random use, with books of its own.
type crowd struct {
	table *Table
	live  []taken
	rand  *rand.Rand
}

// step takes a gang at a time, or as early as it can be had, or gives one
// node's hold back, in whole or from a moment on. It returns what was placed.
func (c *crowd) step() []Host {
	if len(c.live) > 1500 || (len(c.live) > 0 && c.rand.IntN(3) == 0) {
		c.giveBack()
		return nil
	}
	start := Time(c.rand.Int64N(int64(100 * hour)))
	length := Time(1 + c.rand.Int64N(int64(8*hour)))
	if c.rand.IntN(100) == 0 {
		length *= 200 // beyond what one hold is entered for in the rows
	}
	g := Gang{Nodes: 1 + c.rand.IntN(8), Each: c.rand.IntN(3), Rank: bestFit, Look: 8}
	g.Need = Amount{int32(c.rand.IntN(100)), int32(c.rand.IntN(2048)), int32(c.rand.IntN(3))}
	if c.rand.IntN(4) == 0 {
		g.Rank, g.Look = nil, 0
	}
	var hosts []Host
	if c.rand.IntN(8) == 0 {
		start, hosts = c.table.EarliestGang(start, length, g)
	} else {
		hosts = c.table.Place(Span{start, start + length}, g)
	}
	for _, h := range hosts {
		x := taken{h, Span{start, start + length}, g.Need}
		c.table.Add(x.host, x.span, x.a)
		c.live = append(c.live, x)
	}
	return hosts
}

func (c *crowd) giveBack() {
	i := c.rand.IntN(len(c.live))
	x := &c.live[i]
	from := x.span.Start
	if c.rand.IntN(2) == 0 {
		from += Time(c.rand.Int64N(int64(x.span.End - from)))
	}
	c.table.Remove(x.host, Span{from, x.span.End}, x.a)
	if x.span.End = from; x.span.Empty() {
		c.live[i] = c.live[len(c.live)-1]
		c.live = c.live[:len(c.live)-1]
	}
}

// sweep goes over the begins and ends of all that is held, host by host in the
// order of time, and returns whether every host bears it at every moment.
func (c *crowd) sweep() bool {
	type turn struct {
		host Host
		at   Time
		a    Amount
	}
	turns := make([]turn, 0, 2*len(c.live))
	for _, x := range c.live {
		turns = append(turns, turn{x.host, x.span.Start, x.a},
			turn{x.host, x.span.End, Amount{}.Minus(x.a)})
	}
	slices.SortFunc(turns, func(x, y turn) int {
		return cmp.Or(cmp.Compare(x.host, y.host), cmp.Compare(x.at, y.at))
	})
	var use Amount
	for i, now := range turns {
		if i == 0 || turns[i-1].host != now.host {
			use = Amount{}
		}
		use = use.Plus(now.a)
		over := !use.Fits(&c.table.room[now.host])
		if last := i+1 == len(turns) || turns[i+1].at != now.at; last && over {
			return false
		}
	}
	return true
}

func newCrowd() *crowd {
	room := pool(24)
	for i := range room {
		room[i][CPU], room[i][Disk] = int32(50*(1+i%4)), int32(i%5)
	}
	return &crowd{table: New(room), rand: rand.New(rand.NewPCG(3, 5))}
}

// TestSweep uses a table at random, now and then in a snapshot, and finds no
// host over-committed by a count that knows nothing of profiles.
func TestSweep(t *testing.T) {
	c := newCrowd()
	placed := 0
	for n := range *operations {
		placed += len(c.step())
		if n%1000 == 0 {
			if !c.sweep() {
				t.Fatalf("over-committed after %d operations", n)
			}
			c.table = c.table.Snapshot()
		}
	}
	if placed < *operations/4 {
		t.Errorf("only %d nodes placed in %d operations", placed, *operations)
	}
}

// TestSweepSees holds that the sweep finds what is wrong.
func TestSweepSees(t *testing.T) {
	c := newCrowd()
	c.live = []taken{
		{0, Span{0, 10}, Amount{30}}, {0, Span{5, 15}, Amount{20}}, {0, Span{10, 20}, Amount{30}},
	}
	if !c.sweep() {
		t.Error("50 of 50 is too much for the sweep")
	}
	c.live = append(c.live, taken{0, Span{14, 16}, Amount{1}})
	if c.sweep() {
		t.Error("51 of 50 is not too much for the sweep")
	}
}

// TestSameUseSamePlaces plays the same operations on three tables, one of which
// is copied and one of which has no rows to pass over hosts by: the answers are
// the same.
func TestSameUseSamePlaces(t *testing.T) {
	a, b, c := newCrowd(), newCrowd(), newCrowd()
	for n := range 20000 {
		x, y, z := a.step(), b.step(), c.step()
		if !slices.Equal(x, y) || !slices.Equal(x, z) {
			t.Fatalf("after %d operations %v, %v and %v", n, x, y, z)
		}
		if n%50 == 0 {
			b.table = b.table.Snapshot()
		}
		clear(c.table.rows)
		if n%5000 == 0 { // rows come and go while much is held
			clear(a.table.rows)
			a.table.far = true
		}
	}
}

// TestRowsErrOnOneSide holds that no row says less than is free, and that where
// nothing is held for long, none says more.
func TestRowsErrOnOneSide(t *testing.T) {
	for _, far := range []bool{false, true} {
		c := newCrowd()
		c.table.asked = true
		for n := range 3000 {
			c.step()
			if !far && c.table.far {
				c = newCrowd()
				c.table.asked = true
			}
			if n%10 > 0 {
				continue
			}
			for i, r := range c.table.rows {
				for h := range r.free {
					free := c.table.Free(Host(h), span(i))
					is, said := scarce(&free), r.free[h]
					more := !far && said != is
					if !is.fits(said) || !said.fits(r.best[h/blockSize]) || more {
						t.Fatalf("host %d has %v free in cell %d, of %v at best, but %v", h, said,
							i, r.best[h/blockSize], is)
					}
				}
			}
		}
	}
}

// TestSnapshotsAreApart changes a table and its snapshot in different ways.
func TestSnapshotsAreApart(t *testing.T) {
	c := newCrowd()
	for range 500 {
		c.step()
	}
	said := func(t *Table) (all []Amount) {
		for h := range Host(t.Len()) {
			t.Steps(h, Span{0, 200 * hour}, func(_ Span, a Amount) { all = append(all, a) })
		}
		return all
	}
	before, old := said(c.table), c.table
	other := &crowd{table: c.table.Snapshot(), live: slices.Clone(c.live), rand: c.rand}
	for range 500 {
		other.step()
	}
	if !slices.Equal(before, said(old)) {
		t.Fatal("what is done to a snapshot shows in the table")
	}
	then := said(other.table)
	for range 500 {
		c.step()
	}
	if !slices.Equal(then, said(other.table)) {
		t.Fatal("what is done to the table shows in a snapshot")
	}
}
