package book

import (
	"cmp"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// An event is a moment at which a step of a lease is due. One that no longer
// agrees with the lease is passed over.
type event struct {
	at    slot.Time
	verb  Verb
	id    ID // of the lease; for a transfer, the host
	image string
}

// compare orders events: by time, then verb, then lease.
func (e event) compare(f event) int {
	return cmp.Or(cmp.Compare(e.at, f.at), cmp.Compare(e.verb, f.verb), cmp.Compare(e.id, f.id),
		cmp.Compare(e.image, f.image))
}

func (e event) before(f event) bool { return e.compare(f) < 0 }

// due is a heap of events by time, then verb, then lease.
type due []event

func (d *due) push(e event) {
	*d = append(*d, e)
	h := *d
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h[i].before(h[parent]) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

func (d *due) pop() event {
	h := *d
	top, last := h[0], len(h)-1
	h[0] = h[last]
	h = h[:last]
	*d = h
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return top
		}
		if child+1 < last && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(h[i]) {
			return top
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}

// by calls f with all that is due by a time, void or not, in no order.
func (d due) by(at slot.Time, f func(event)) {
	for open := []int{0}; len(open) > 0; {
		i := open[len(open)-1]
		open = open[:len(open)-1]
		if i < len(d) && d[i].at <= at {
			f(d[i])
			open = append(open, 2*i+1, 2*i+2)
		}
	}
}

// schedule makes the lease's next step due. When most of what is due has
// become void, the rest is sorted out.
func (b *Book) schedule(l *lease) {
	if len(l.steps) == 0 {
		return
	}
	if len(b.due) > 64+4*(len(b.leases)+len(b.images)) {
		b.due = slices.DeleteFunc(b.due, func(e event) bool { return !b.valid(e) })
		slices.SortFunc(b.due, event.compare) // a sorted slice is a heap
		b.due = slices.Compact(b.due)
	}
	b.due.push(event{l.steps[0].at, l.steps[0].verb, l.ID, ""})
}
