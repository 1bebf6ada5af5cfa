package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// decide looks whether a lease that does not wait can run as its terms say.
// It takes nothing.
func (b *Book) decide(l *lease) (*decision, *Reason) {
	d, code := b.attempt(l)
	if d == nil {
		if r := b.impossible(l); r != nil {
			return nil, r
		}
		return nil, b.why(l, code)
	}
	return d, nil
}

// attempt is decide with the bare code of what is in the way.
func (b *Book) attempt(l *lease) (d *decision, code Code) {
	d = grant(l, func(c *lease) *decision {
		d, why := b.fit(c)
		code = why
		return d
	})
	return d, code
}

// patience is how often a search is repeated with what the last one taught.
const patience = 8

// fit is attempt for what the lease's Parts say.
func (b *Book) fit(l *lease) (*decision, Code) {
	begin := l.Start - b.lead(l)
	switch {
	case l.Kind == Immediate:
		return b.atOnce(l)
	case l.Kind == Deadline:
		return b.inTime(l)
	case begin < b.now:
		return nil, TooSoon
	}
	d := b.admit(l, slot.Span{Start: begin, End: begin + b.length(l)})
	if d == nil {
		return nil, Taken
	}
	if b.stage(l, d, begin) == slot.Never {
		return nil, LinkBusy
	}
	return d, 0
}

// atOnce lets the lease begin now, or as soon as its image can be there.
func (b *Book) atOnce(l *lease) (*decision, Code) {
	when := b.now
	for range patience {
		d := b.admit(l, slot.Span{Start: when, End: when + b.length(l)})
		if d == nil {
			return nil, Taken
		}
		ready := b.stage(l, d, slot.Never)
		if ready <= when {
			return d, 0
		}
		if when = ready; when == slot.Never {
			break
		}
	}
	return nil, LinkBusy
}

// inTime looks for the earliest run that is over by the deadline: without a
// change to anyone else if there is one.
func (b *Book) inTime(l *lease) (*decision, Code) {
	length, lead := b.length(l), b.lead(l)
	from, last := max(b.now, l.Start-lead), l.Deadline-l.Duration-lead
	code := TooLate
	for range patience {
		when, _ := b.searchBy(last, b.full, l).earliest(from, length)
		if when > last {
			when, _ = b.searchBy(last, b.firm, l).earliest(from, length)
		}
		if when > last {
			break
		}
		d := b.admit(l, slot.Span{Start: when, End: when + length})
		if d == nil {
			break
		}
		if b.stage(l, d, when) != slot.Never {
			return d, 0
		}
		code = LinkBusy
		if from = b.stage(l, d, slot.Never); from <= when {
			from = when + 1
		}
	}
	return nil, code
}

// searchBy is the search for a lease that has to begin by a time.
func (b *Book) searchBy(last slot.Time, t *slot.Table, l *lease) *search {
	s := b.search(t, l)
	s.last = last
	return s
}

// admit looks for hosts during the span: free ones, or else ones that are
// planned for leases that wait, or else ones of leases that can be interrupted.
func (b *Book) admit(l *lease, span slot.Span) *decision {
	d := &decision{hold: span, cut: slot.Never}
	if d.hosts = b.search(b.full, l).place(span); d.hosts != nil {
		return d
	}
	plans := b.plans()
	if len(plans) > 0 {
		b.without(plans, span, func() { d.hosts = b.search(b.full, l).place(span) })
		if d.hosts != nil {
			d.victims, _ = b.victims(l, d)
			return d
		}
	}
	if b.firm == b.full || l.Kind == Immediate {
		return nil
	}
	return b.interrupt(l, d)
}

// plans returns those that wait and hold hosts.
func (b *Book) plans() []*lease {
	var all []*lease
	for _, id := range b.queue {
		if l := b.leases.get(id); !l.held.Empty() {
			all = append(all, l)
		}
	}
	return all
}

// without calls f while the leases hold nothing during the span.
func (b *Book) without(leases []*lease, span slot.Span, f func()) {
	for _, l := range leases {
		b.lift(l, span)
	}
	f()
	for _, l := range leases {
		b.lower(l, span)
	}
}

// lift takes what the lease holds in the span out of the full table, lower
// puts it back. In between nothing else may happen.
func (b *Book) lift(l *lease, span slot.Span) {
	span = common(l.held, span)
	l.each(func(i int, need *slot.Amount) { b.full.Remove(l.hosts[i], span, *need) })
}

func (b *Book) lower(l *lease, span slot.Span) {
	span = common(l.held, span)
	l.each(func(i int, need *slot.Amount) { b.full.Add(l.hosts[i], span, *need) })
}

func common(a, b slot.Span) slot.Span {
	return slot.Span{Start: max(a.Start, b.Start), End: min(a.End, b.End)}
}

// A victim is a lease that loses its hosts to another.
type victim struct {
	id    ID
	means Means       // of one that has begun
	hosts []slot.Host // to which it moves by migration
}

// interrupt looks for hosts that leases can be made to give up, first of all
// for hosts where that is not needed.
func (b *Book) interrupt(l *lease, d *decision) *decision {
	s := b.search(b.firm, l)
	choice := s.rank
	s.look = 0
	s.rank = func(h slot.Host, free, need *slot.Amount) int64 {
		rank := int64(0)
		if choice != nil {
			rank = choice(h, free, need)
		}
		if !b.full.Fits(h, d.hold, *need) {
			rank += 1 << 62
		}
		return rank
	}
	for range patience {
		if d.hosts = s.place(d.hold); d.hosts == nil {
			return nil
		}
		var stubborn *lease
		if d.victims, stubborn = b.victims(l, d); stubborn == nil {
			return d
		}
		s.avoid = append(s.avoid, stubborn.hosts...)
	}
	return nil
}

// victims returns who has to go for the decision: those that wait before those
// that run, the last of the queue's order first, and none that need not; or one
// that is in the way and cannot be made to go.
func (b *Book) victims(l *lease, d *decision) (all []victim, stubborn *lease) {
	shares := sums(d.hosts, l.needs())
	fits := func() bool {
		return !slices.ContainsFunc(shares, func(s share) bool {
			return !b.full.Fits(s.host, d.hold, s.need)
		})
	}
	var gone []*lease
	for _, v := range b.candidates(shares, d.hold) {
		if fits() {
			break
		}
		b.lift(v, d.hold)
		gone = append(gone, v)
	}
	for i := 0; i < len(gone); i++ {
		b.lower(gone[i], d.hold)
		if fits() {
			gone = slices.Delete(gone, i, i+1)
			i--
			continue
		}
		b.lift(gone[i], d.hold)
	}
	for _, v := range gone {
		b.lower(v, d.hold)
	}
	for _, v := range gone {
		x := victim{id: v.ID}
		if !b.means(&x, d, slices.ContainsFunc(all, victim.moves)) {
			stubborn = v
		}
		all = append(all, x)
	}
	return all, stubborn
}

// candidates returns the leases that may lose hosts and hold one of the shares
// during the span, in the order in which they go.
func (b *Book) candidates(shares []share, span slot.Span) []*lease {
	var all []*lease
	for _, id := range b.soft {
		v := b.leases.get(id)
		if common(v.held, span).Empty() || !touches(v.hosts, shares) {
			continue
		}
		all = append(all, v)
	}
	slices.SortStableFunc(all, func(v, w *lease) int {
		switch {
		case v.waiting() != w.waiting():
			if v.waiting() {
				return -1
			}
			return 1
		case w.before(v):
			return -1
		}
		return 1
	})
	return all
}

func touches(hosts []slot.Host, shares []share) bool {
	return slices.ContainsFunc(hosts, func(h slot.Host) bool {
		_, found := slices.BinarySearchFunc(shares, h, func(s share, h slot.Host) int {
			return int(s.host) - int(h)
		})
		return found
	})
}

func (v victim) moves() bool { return v.hosts != nil }

// means settles how a victim is made to give its hosts back for a decision, and
// reports whether there is a way. Two that would move could meet, so only one does.
func (b *Book) means(x *victim, d *decision, moves bool) bool {
	v, by := b.leases.get(x.id), d.hold.Start
	if v.waiting() || v.over {
		return v.waiting() // what is over goes as fast as it can
	}
	if x.means = ByKilling; b.policy.has(ByKilling) && v.state != Ending && v.done() <= by {
		return true // its running time is over by then: only its shutdown is cut short
	}
	if v.state == Accepted && by <= v.held.Start {
		return true // it has not begun and would have nothing of its hosts
	}
	for _, m := range b.policy.Preemption {
		x.means = m
		switch {
		case v.state == Ending:
			return false // it goes as fast as it can
		case m == ByKilling:
			return true
		case v.state == Suspending:
			continue
		case m == ByMigration:
			if !moves {
				x.hosts = b.evade(v, d)
			}
			if x.hosts != nil {
				return true
			}
			continue
		}
		begin := b.now
		if !v.begun() {
			begin = max(b.now, v.runs+1) // it runs before it is saved
		}
		if min(by-b.suspension(v, v.hosts), v.done()-1) >= begin {
			return true
		}
	}
	x.means = ByKilling
	return v.state == Accepted // it has not begun
}
