package book

import (
	"cmp"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// clearPlans takes back the plans of those that wait on any of the hosts during
// the span. They are planned anew at the next review.
func (b *Book) clearPlans(hosts []slot.Host, span slot.Span) {
	for _, id := range b.queue {
		if l := b.leases.get(id); !common(l.held, span).Empty() && meet(l.hosts, hosts) {
			b.unplan(b.own(l))
			b.changed = true
		}
	}
}

// clearAccepted moves accepted leases off the lease's hosts where it would hold
// them during the span, if they start as promised elsewhere.
func (b *Book) clearAccepted(l *lease, span slot.Span) {
	for _, other := range b.accepted(l.hosts, span) {
		if until, _ := b.reach(l, l.hosts, span.Start); until >= span.End {
			return
		}
		if other := b.leases.get(other.ID); other != nil && other.state == Accepted && other != l {
			b.relocate(b.own(other))
		}
	}
}

// accepted returns the leases that have not begun and are to have any of the
// hosts during the span, in order of their starts.
func (b *Book) accepted(hosts []slot.Host, span slot.Span) []*lease {
	var all []*lease
	for _, l := range b.leases.all() {
		if l.state == Accepted && !common(l.held, span).Empty() && meet(l.hosts, hosts) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(l, m *lease) int {
		return cmp.Or(cmp.Compare(l.held.Start, m.held.Start), cmp.Compare(l.ID, m.ID))
	})
	return all
}

// meet reports whether two gangs share a host.
func meet(some, others []slot.Host) bool {
	return slices.ContainsFunc(some, func(h slot.Host) bool { return slices.Contains(others, h) })
}

// makeWay lets leases that have not begun give way on hosts on which more is
// taken during the span than there is: those that wait are planned anew, accepted
// ones move, or wait until there is room.
func (b *Book) makeWay(hosts []slot.Host, span slot.Span) {
	b.changed = true
	if !b.crowded(hosts, span) {
		return
	}
	b.clearPlans(hosts, span)
	for _, l := range b.accepted(hosts, span) {
		l = b.leases.get(l.ID)
		if l == nil || l.state != Accepted || !b.crowded(l.hosts, l.held) {
			continue
		}
		if l = b.own(l); b.relocate(l) {
			continue
		}
		if from := b.opening(l); from > l.held.Start {
			b.late(l, from)
		}
	}
}

// crowded reports whether more is taken of any of the hosts during the span than
// there is.
func (b *Book) crowded(hosts []slot.Host, span slot.Span) bool {
	var none slot.Amount
	return slices.ContainsFunc(hosts, func(h slot.Host) bool {
		free := b.full.Free(h, span)
		return !none.Fits(&free)
	})
}

// opening returns from when on an accepted lease can have its hosts up to the end
// that was planned; the end, when it cannot at all.
func (b *Book) opening(l *lease) slot.Time {
	from := l.held.Start
	b.lift(l, l.held)
	for _, s := range sums(l.hosts, l.needs()) {
		for {
			taken := b.full.Until(s.host, from, s.need)
			if taken >= l.held.End {
				break
			}
			from = min(b.full.Earliest(s.host, taken, 1, s.need), l.held.End)
		}
	}
	b.lower(l, l.held)
	return from
}

// relocate moves an accepted lease to hosts where what it was promised is kept,
// if there are any. One whose image is being brought stays where it is.
func (b *Book) relocate(l *lease) bool {
	was, held := b.planOf(l), l.held
	b.unpin(l)
	b.give(l, held.Start)
	d := b.elsewhere(l, held)
	if d == nil {
		l.held = held
		b.take(l, held)
		b.pin(l, was)
		return false
	}
	b.commit(l, d)
	b.changed, b.freed = true, true
	return true
}

// elsewhere looks for hosts for an accepted lease that has given its own back.
func (b *Book) elsewhere(l *lease, held slot.Span) *decision {
	switch {
	case l.Kind == Deadline && l.moored:
		return b.again(l)
	case l.Kind == Deadline:
		d, _ := b.fit(l)
		return d
	case held.Start < b.now || l.moored:
		return nil
	}
	d := &decision{hold: held, cut: l.cut}
	if l.firm {
		d = b.admit(l, held)
	} else if d.hosts = b.search(b.full, l).place(held); d.hosts == nil {
		d = nil
	}
	if d == nil || b.stage(l, d, held.Start) == slot.Never {
		return nil
	}
	return d
}

// again looks for a later time for a lease with a deadline on the hosts to which
// its image is being brought.
func (b *Book) again(l *lease) *decision {
	ready := max(b.stage(l, &decision{hosts: l.hosts}, slot.Never), b.now)
	if ready == slot.Never {
		return nil
	}
	when := b.search(b.full, l).stay(ready, b.length(l), l.hosts)
	if when > l.Deadline-l.left()-b.lead(l) {
		return nil
	}
	span := slot.Span{Start: when, End: when + b.length(l)}
	d := &decision{hosts: l.hosts, hold: span, cut: slot.Never}
	b.stage(l, d, slot.Never)
	return d
}

// tardy lets the images that are being brought for the lease arrive at a later
// time, for whoever counts on them.
func (b *Book) tardy(l *lease, until slot.Time) {
	for _, s := range sums(l.hosts, l.needs()) {
		at := place{s.host, l.Image.Name}
		r, known := b.images[at]
		if !known || !r.begun || r.fetch.End < b.now || r.fetch.End >= until || b.link == nil {
			continue
		}
		b.load(r, s.host, false)
		r.fetch.End = until
		b.load(r, s.host, true)
		b.images[at] = r
		for _, id := range r.users {
			b.starve(l, b.leases.get(id), until)
		}
	}
}

// starve lets another lease that counts on a late image begin no sooner than that
// is there.
func (b *Book) starve(l, other *lease, until slot.Time) {
	switch {
	case other.ID == l.ID || other.held.Empty() || other.held.Start >= until:
	case other.waiting():
		b.unplan(b.own(other))
		b.changed = true
	case other.state == Accepted:
		b.late(b.own(other), until)
	}
}
