package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// take enters into the tables that the lease holds its hosts for the span.
func (b *Book) take(l *lease, s slot.Span) {
	l.each(func(i int, need *slot.Amount) {
		b.full.Add(l.hosts[i], s, *need)
		if l.firm && b.firm != b.full {
			b.firm.Add(l.hosts[i], s, *need)
		}
	})
	b.flow(l.streams, common(s, l.supply()), (*slot.Table).Add)
	if !l.firm {
		b.weak(l, true)
	}
}

// give gives back what the lease holds from a time on. What is past is past.
func (b *Book) give(l *lease, from slot.Time) {
	rest := slot.Span{Start: max(from, l.held.Start, b.now), End: l.held.End}
	if !rest.Empty() {
		l.each(func(i int, need *slot.Amount) {
			b.full.Remove(l.hosts[i], rest, *need)
			if l.firm && b.firm != b.full {
				b.firm.Remove(l.hosts[i], rest, *need)
			}
		})
		b.flow(l.streams, common(rest, l.supply()), (*slot.Table).Remove)
		l.held.End = rest.Start
	}
	if from <= l.held.Start {
		l.held = slot.Span{}
		b.weak(l, false)
	}
}

// weak enters the lease among those that may lose their hosts, or strikes it out.
func (b *Book) weak(l *lease, in bool) {
	i, found := slices.BinarySearch(b.soft, l.ID)
	if in && !found {
		b.soft = slices.Insert(b.soft, i, l.ID)
	} else if !in && found {
		b.soft = slices.Delete(b.soft, i, i+1)
	}
}

// harden makes what the lease holds firm: nobody takes it any more.
func (b *Book) harden(l *lease) {
	if l.firm {
		return
	}
	l.firm = true
	b.weak(l, false)
	if b.firm != b.full {
		l.each(func(i int, need *slot.Amount) { b.firm.Add(l.hosts[i], l.held, *need) })
	}
}

// remove strikes the lease out of the Book.
func (b *Book) remove(l *lease) {
	b.give(l, l.held.Start)
	b.arrive(l)
	b.unpin(l)
	b.dequeue(l)
	b.strike(l)
}

// commit lets a lease that does not wait run as decided, and whoever is in the
// way make room.
func (b *Book) commit(l *lease, d *decision) {
	b.script(l, d)
	l.state, l.asked = Accepted, nil
	b.pin(l, d) // first, or an image that it counts on goes with who makes room
	b.part(l)
	for _, v := range d.victims {
		b.oust(b.own(b.leases.get(v.id)), v, d.hold.Start)
	}
	b.take(l, l.held)
	b.schedule(l)
}

// oust takes the hosts from the lease from a time on.
func (b *Book) oust(l *lease, v victim, from slot.Time) {
	if l.waiting() {
		b.unplan(l)
		return
	}
	if l.state == Accepted && v.means == ByKilling {
		b.requeue(l, Queued)
		return
	}
	if v.means == ByMigration {
		b.move(l, v.hosts)
		return
	}
	b.give(l, from)
	if v.means == BySuspension {
		l.cut = from
	} else {
		l.cut = slot.Never
	}
	b.prompt(l)
	b.schedule(l)
}

// killing returns the steps of a lease that loses its hosts at a time, its
// memory with them. What has run its time by then is over.
func (l *lease) killing(from slot.Time) []step {
	var steps []step
	done := l.done()
	if l.state == Booting || l.state == Resuming {
		if l.runs >= from {
			return []step{{from, from, Kill}}
		}
		steps = append(steps, step{l.runs, min(done, from), Run})
	}
	if l.state != Suspending && done <= from {
		return append(steps, step{done, from, Shutdown}, step{from, from, End})
	}
	return append(steps, step{from, from, Kill})
}
