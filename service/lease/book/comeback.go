package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// A stand-in holds hosts for a lease that is about to be suspended, from when it
// could go on: those behind it in the queue may not take them meanwhile, as they
// may not once it waits there itself.
type standIn struct {
	lease *lease
	hosts []slot.Host
	span  slot.Span
}

// returning lists the leases that are to be suspended, or are being, in the order
// of the queue.
func (b *Book) returning() []*lease {
	var all []*lease
	for _, id := range b.soft {
		l := b.leases.get(id)
		if !l.waiting() && (l.cut != slot.Never || l.state == Suspending) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(v, w *lease) int {
		if v.before(w) {
			return -1
		}
		return 1
	})
	return all
}

// onceSaved returns the lease as it will wait once its memory is saved.
func (b *Book) onceSaved(l *lease) *lease {
	c := l.copy()
	if l.begun() {
		saving := l.held.End - b.suspension(l, l.hosts)
		c.ran = l.Duration - max(l.done()-max(saving, b.now), 1)
	}
	c.state, c.saved, c.home, c.hosts = Suspended, true, l.hosts, nil
	c.cut, c.since, c.held = slot.Never, slot.Never, slot.Span{}
	return c
}

// standFor takes the hosts on which the lease could go on the earliest.
func (b *Book) standFor(l *lease) standIn {
	c := b.onceSaved(l)
	s, length := b.search(b.full, c), b.length(c)
	from := max(l.held.End, b.now)
	i := standIn{lease: c}
	if b.movable(l) {
		from, i.hosts = s.earliest(from, length)
	} else {
		from, i.hosts = s.stay(from, length, c.home), c.home
	}
	if from == slot.Never || i.hosts == nil {
		return standIn{}
	}
	i.span = slot.Span{Start: from, End: from + length}
	i.change(b.full.Add)
	return i
}

// withdraw gives back what stand-ins hold.
func (b *Book) withdraw(all []standIn) {
	for i := range all {
		all[i].change(b.full.Remove)
	}
}

func (i *standIn) change(f func(slot.Host, slot.Span, slot.Amount)) {
	if i.lease == nil || i.span.Empty() {
		return
	}
	i.lease.each(func(n int, need *slot.Amount) { f(i.hosts[n], i.span, *need) })
}
