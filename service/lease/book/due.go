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

// due is events by time, then verb, then lease: most in order, which snapshots
// share, and those since in a heap of their own.
type due struct {
	sorted []event // not written
	heap   []event
}

func (d *due) len() int { return len(d.sorted) + len(d.heap) }

// top returns the first event of those there are.
func (d *due) top() event {
	if len(d.heap) == 0 || (len(d.sorted) > 0 && !d.heap[0].before(d.sorted[0])) {
		return d.sorted[0]
	}
	return d.heap[0]
}

func (d *due) push(e event) {
	d.heap = append(d.heap, e)
	h := d.heap
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
	if top := d.top(); len(d.heap) == 0 || top != d.heap[0] {
		d.sorted = d.sorted[1:]
		return top
	}
	h := d.heap
	top, last := h[0], len(h)-1
	h[0] = h[last]
	h = h[:last]
	d.heap = h
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
func (d *due) by(at slot.Time, f func(event)) {
	for i := 0; i < len(d.sorted) && d.sorted[i].at <= at; i++ {
		f(d.sorted[i])
	}
	for open := []int{0}; len(open) > 0; {
		i := open[len(open)-1]
		open = open[:len(open)-1]
		if i < len(d.heap) && d.heap[i].at <= at {
			f(d.heap[i])
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
	if b.due.len() > 64+4*(b.leases.len()+len(b.images)) {
		b.sift()
	}
	b.due.push(event{l.steps[0].at, l.steps[0].verb, l.ID, ""})
}

// sift sorts what is due, without what has become void.
func (b *Book) sift() {
	all := slices.Concat(b.due.sorted, b.due.heap)
	all = slices.DeleteFunc(all, func(e event) bool { return !b.valid(e) })
	slices.SortFunc(all, event.compare)
	b.due = due{sorted: slices.Clip(slices.Compact(all))}
}

// share returns what is due, for a snapshot.
func (b *Book) share() due {
	if len(b.due.heap) > smallLayer(b.due.len()) {
		b.sift()
	}
	return due{b.due.sorted, slices.Clone(b.due.heap)}
}
