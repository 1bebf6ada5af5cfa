package book

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

var operations = flag.Int("operations", 5_000, "random operations of TestSweep")

// operate does any one thing to the corpus's pool.
func (c *corpus) operate(late bool) {
	w := c.world
	w.until(w.now + slot.Time(c.IntN(8)))
	id := max(1, c.next-ID(c.IntN(40)))
	switch c.IntN(12) {
	case 0:
		w.cancel(id)
	case 1:
		x := Terms{}
		if l := w.book.leases.get(id); l != nil {
			x = l.terms()
			x.Duration = slot.Time(1 + c.IntN(400))
			x.Parts = slices.Clone(x.Parts)
			x.Parts[0].Need = cpus(int32(1 + c.IntN(4)))
			x.Least, x.Start = nil, max(x.Start, w.now)
			x.Deadline = max(x.Deadline, x.Start+x.Duration)
		}
		if a, err := w.book.Change(w.now, id, x); err == nil && a.State != Refused {
			w.terms[id] = w.book.leases.get(id).terms()
			w.actual[id] = min(w.actual[id], x.Duration)
		}
	case 2:
		w.book.SetRank(w.now, []string{"a", "b"}[c.IntN(2)], slot.Time(c.IntN(200)-100))
	case 3:
		if !late { // or one that is late would be in the way
			c.window()
		}
	default:
		x := c.request()
		x.Owner = []string{"a", "b"}[c.IntN(2)]
		if late { // of who is late, others may have counted on being apart
			x.Affinity, x.Image = nil, Image{}
		}
		w.submit(x, slot.Time(1+c.Int64N(int64(x.Duration))))
	}
	w.advance()
	if c.IntN(200) == 0 {
		w.restart()
	}
}

// window withholds a part of a host for a while, or opens it again.
func (c *corpus) window() {
	w := c.world
	h := slot.Host(c.IntN(len(w.pool.Hosts)))
	var all []Window
	if start := w.now + slot.Time(c.IntN(200)); c.IntN(2) == 0 {
		left := cpus(int32(c.IntN(3)))
		all = []Window{{slot.Span{Start: start, End: start + slot.Time(c.IntN(100))}, left}}
	}
	w.book.Windows(w.now, h, all)
	w.stuck[h] = w.book.crowded([]slot.Host{h}, slot.Span{Start: w.now, End: slot.Never})
	w.log = append(w.log, fmt.Sprintf("%d: windows of %d: %v", w.now, h, all))
}

// TestSweep does anything to Books at random, of all kinds of lease, bounds,
// rules, changes, windows and restarts, half of them late. After every event the
// hosts bear, by a count of what really goes on, no more than they have; in the
// end all is over and free.
func TestSweep(t *testing.T) {
	const each = 1000 // operations of one pool
	c := &corpus{Rand: rand.New(rand.NewPCG(7, 7)), kinds: map[string]int{}}
	for n := range *operations {
		late := n/each%2 == 1
		if n%each == 0 {
			c.site(t)
			if late {
				c.world.until(slot.Never)
				c.world.book.policy.Confirm = slot.Time(1 + c.IntN(4))
				c.world.late = func() slot.Time { return slot.Time(c.IntN(16) - 3) }
			}
		}
		c.operate(late)
		if n%each == each-1 {
			for h := range c.world.pool.Hosts {
				c.world.book.Windows(c.world.now, slot.Host(h), nil)
			}
			c.world.until(slot.Never)
			c.world.over()
		}
	}
}
