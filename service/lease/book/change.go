package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Change renegotiates a lease: from now on these are its terms. One that has
// not begun may change in all but its ID; of one that runs the Duration and the
// needs of its nodes may, on the hosts that it has; of one that is being saved, or
// waits with its memory saved, the Duration alone. The answer is as Submit's:
// where it is Refused, the old terms stand and the Offers would be accepted in
// place of the new ones. An error is of kind Invalid, NotFound, or, while the
// lease shuts down or its nodes move, Busy.
func (b *Book) Change(now slot.Time, id ID, t Terms) (Answer, error) {
	b.now = max(b.now, now)
	l := b.leases.get(id)
	if l == nil {
		return Answer{}, workspace.Refuse(workspace.NotFound, "no lease %d", id)
	}
	t.ID, t.Parts = id, slices.Clone(t.Parts)
	if l.over {
		return Answer{}, workspace.Refuse(workspace.Busy, "lease %d is %s", id, Ending)
	}
	switch l.state {
	case Queued, Accepted:
		return b.replace(l, t)
	case Booting, Resuming, Running:
		if len(l.leaving) > 0 && !l.sameNeeds(&t) {
			return Answer{}, workspace.Refuse(workspace.Busy, "lease %d moves to other hosts", id)
		}
		return b.renew(l, t)
	case Suspending, Suspended:
		if l.sameNeeds(&t) {
			return b.remain(l, t)
		}
	}
	return Answer{}, workspace.Refuse(workspace.Busy, "lease %d is %s", id, l.state)
}

// replace submits the new terms of a lease that has not begun in place of the
// old, all or nothing.
func (b *Book) replace(l *lease, t Terms) (Answer, error) {
	c := b.Snapshot()
	c.remove(c.own(l))
	a, err := c.Submit(b.now, t)
	if err != nil || a.State == Refused {
		return a, err
	}
	c.freed, c.changed = true, true
	c.review()
	preempts := a.Preempts
	*b = *c
	a = b.Lease(l.ID)
	a.Preempts = preempts
	return a, nil
}

// renew changes a lease that has its hosts.
func (b *Book) renew(old *lease, t Terms) (Answer, error) {
	if err := old.comparable(&t, b.now); err != nil {
		return Answer{}, err
	}
	c := b.Snapshot()
	l, moving := c.uphold(old.ID)
	d := c.extend(l, t)
	if d == nil {
		r := c.whyNot(l, t)
		if o, ok := b.inTimeToCome(l, t); ok {
			r.offer(o)
		}
		return refused(r), nil
	}
	for _, v := range d.victims {
		c.oust(c.own(c.leases.get(v.id)), v, d.hold.Start)
	}
	l.Parts, l.Duration, l.cut, l.held.End = t.Parts, t.Duration, d.cut, d.hold.End
	l.clip()
	c.part(l)
	c.take(l, slot.Span{Start: b.now, End: d.hold.End})
	c.hang(l, moving, (*slot.Table).Add)
	c.prompt(l)
	c.schedule(l)
	c.changed, c.freed = true, true
	c.review()
	*b = *c
	a := b.Lease(l.ID)
	a.Preempts = d.whom()
	return a, nil
}

// uphold gives back for the time from now on what a lease that has its hosts
// holds, which it still has in its own books: it is not in its own way. Until
// when it moves, if it does, is returned with it.
func (b *Book) uphold(id ID) (l *lease, moving slot.Span) {
	l = b.own(b.leases.get(id))
	held := l.held
	moving = slot.Span{Start: b.now, End: l.arrived}
	b.hang(l, moving, (*slot.Table).Remove)
	b.give(l, b.now)
	b.weak(l, false)
	l.held = held
	return l, moving
}

// remain changes how long a lease is to run whose memory is saved.
func (b *Book) remain(l *lease, t Terms) (Answer, error) {
	check := l.Terms
	check.Kind, check.Duration = Immediate, t.Duration // its start is past
	if err := check.check(b.now); err != nil {
		return Answer{}, err
	}
	if t.Duration <= l.ran {
		return Answer{}, workspace.Refuse(workspace.Invalid, "lease %d has run as long already",
			l.ID)
	}
	l = b.own(l)
	if l.waiting() && !l.held.Empty() {
		b.unplan(l)
	}
	l.Duration, b.changed = t.Duration, true
	b.review()
	return b.Lease(l.ID), nil
}

// comparable returns what keeps terms from taking the place of the lease's
// while it runs.
func (l *lease) comparable(t *Terms, now slot.Time) error {
	t.Kind, t.Start, t.Deadline = l.Kind, l.Start, l.Deadline
	t.Least, t.Affinity = nil, l.Affinity // what it has is settled
	t.Submitted, t.Image, t.Preemptible, t.Hosts = l.Submitted, l.Image, l.Preemptible, l.Hosts
	t.Stays = l.Stays
	check := *t
	check.Kind = Immediate // its start is past, and its deadline is looked at here
	if err := check.check(now); err != nil {
		return err
	}
	same := slices.EqualFunc(l.Parts, t.Parts, func(p, q Part) bool { return p.Nodes == q.Nodes })
	if !same {
		return workspace.Refuse(workspace.Invalid, "lease %d runs: its nodes stay as many", l.ID)
	}
	done := l.done() - l.Duration + t.Duration
	if done <= now || t.Duration <= l.ran {
		return workspace.Refuse(workspace.Invalid, "lease %d has run as long already", l.ID)
	}
	if l.Kind == Deadline && done > l.Deadline {
		return workspace.Refuse(workspace.Invalid, "an end %d ms after the deadline",
			done-l.Deadline)
	}
	return nil
}

// extend looks whether a lease whose hosts are given back for the time from now
// on can have them under the new terms. It takes nothing.
func (b *Book) extend(l *lease, t Terms) *decision {
	c := l.copy()
	c.Parts = t.Parts
	end := l.done() - l.Duration + t.Duration + b.shutdown(l)
	d := &decision{hosts: l.hosts, hold: slot.Span{Start: b.now, End: end}, cut: slot.Never}
	if !l.gives(&t) && meet(l.hosts, b.vacating()) {
		return nil // what it would grow into is still used
	}
	until, forced := b.reach(c, l.hosts, b.now)
	if until >= end || (l.cut == slot.Never && end <= l.held.End && l.gives(&t)) {
		return d // what takes no more is never refused, whatever else a host bears
	}
	if l.cut != slot.Never && l.gives(&t) { // it is interrupted as it was to be
		d.cut, d.hold.End = l.cut, l.held.End
		return d
	}
	if !l.firm && forced && b.least(l) < b.length(l) &&
		until-b.suspension(c, l.hosts) > max(b.now, l.runs) {
		d.cut, d.hold.End = until, until
		return d
	}
	if at, _ := b.barred(l, l.hosts, b.now); at < end {
		return nil
	}
	if !l.firm || (b.firm != b.full && !b.fitsOn(b.firm, c, d)) {
		return nil
	}
	if l.sameNeeds(&t) && l.held.End < end {
		return b.prolong(l, d)
	}
	return b.clear(c, d)
}

// gives reports whether the terms need nothing that the lease has not.
func (l *lease) gives(t *Terms) bool {
	return slices.EqualFunc(l.Parts, t.Parts, func(p, q Part) bool { return q.Need.Fits(&p.Need) })
}

// sameNeeds reports whether only the time of the lease changes.
func (l *lease) sameNeeds(t *Terms) bool {
	return slices.EqualFunc(l.Parts, t.Parts, func(p, q Part) bool { return q.Need == p.Need })
}

// prolong makes room from the lease's end on: whoever is there has more time to
// make room than if it were to be now.
func (b *Book) prolong(l *lease, d *decision) *decision {
	rest := slot.Span{Start: b.now, End: l.held.End}
	l.each(func(i int, need *slot.Amount) { b.full.Add(l.hosts[i], rest, *need) })
	d.hold.Start = l.held.End
	d = b.clear(l, d)
	l.each(func(i int, need *slot.Amount) { b.full.Remove(l.hosts[i], rest, *need) })
	return d
}

// clear names the victims of a decision; nil, when they cannot be made to go.
func (b *Book) clear(l *lease, d *decision) *decision {
	var stubborn *lease
	if d.victims, stubborn = b.victims(l, d); stubborn != nil {
		return nil
	}
	running := slices.ContainsFunc(d.victims, func(v victim) bool {
		return !b.leases.get(v.id).waiting()
	})
	if b.firm == b.full && (running || !b.afterwards(l, d)) {
		return nil
	}
	return d
}

// afterwards reports whether the decision fits once its victims are gone.
func (b *Book) afterwards(l *lease, d *decision) (fits bool) {
	var gone []*lease
	for _, v := range d.victims {
		gone = append(gone, b.leases.get(v.id))
	}
	b.without(gone, d.hold, func() { fits = b.fitsOn(b.full, l, d) })
	return fits
}

// fitsOn reports whether the lease fits on the decision's hosts in the table.
func (b *Book) fitsOn(t *slot.Table, l *lease, d *decision) bool {
	return !slices.ContainsFunc(sums(d.hosts, l.needs()), func(s share) bool {
		return !t.Fits(s.host, d.hold, s.need)
	})
}
