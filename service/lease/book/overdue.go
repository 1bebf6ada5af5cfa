package book

import "github.com/philoxenia/philoxenia/service/lease/slot"

// A progress is how far a lease is with what it is at.
type progress struct {
	entered   slot.Time   // when it began with that
	confirmed bool        // somebody has said that it is complete
	over      bool        // its running time was ended
	moored    bool        // its image is being brought on its account, before it begins
	leaving   []slot.Host // hosts that its nodes leave for those that it has, by node
	arrived   slot.Time   // when they have left
	ways      []stream    // what that takes of links
}

// Overdue tells that what a lease is at (booting, resuming, moving, being saved,
// shutting down, or, before it begins, having its image brought) takes until a
// time that is later than planned. The lease holds on to its hosts. Others that
// were to have them then and have not begun move to hosts where they start as
// promised if there are any, and otherwise wait for these.
//
// Of the running time of a reservation, and of an immediate lease, nothing is
// made up for: it ends as promised. Others run as long as they asked for, as far
// as that breaks no promise. Of a lease that runs, or waits without hosts, it is
// told by mistake, and nothing changes.
func (b *Book) Overdue(now slot.Time, id ID, until slot.Time) {
	b.now = max(b.now, now)
	if l := b.leases.get(id); l != nil && until < slot.Never {
		b.delay(l, max(until, b.now))
		b.review()
	}
}

// delay lets what the lease is at take until a time, if that is later than planned.
func (b *Book) delay(l *lease, until slot.Time) {
	if l.over && l.state != Ending {
		return // it begins to shut down with the next Advance
	}
	switch l.state {
	case Accepted:
		if until > l.held.Start && !l.held.Empty() {
			l = b.own(l)
			b.tardy(l, until)
			b.late(l, until)
		}
	case Booting, Resuming:
		if until > l.runs {
			b.slow(b.own(l), until)
		}
	case Running:
		if len(l.leaving) > 0 && until > l.arrived {
			b.dawdle(b.own(l), until)
		}
	case Suspending, Ending:
		if until > l.held.End {
			b.linger(b.own(l), until)
		}
	}
}

// Done tells that what a lease is at is complete: it has booted, resumed, moved,
// been saved or shut down, sooner than planned or, under a Policy with Confirm,
// at last. What follows comes with the next Advance. A reservation that has
// booted early still runs at its start. Of a lease that has nothing under way it
// is told by mistake, and nothing changes. One that was ended, or taken back, has
// shut down with it.
func (b *Book) Done(now slot.Time, id ID) {
	b.now = max(b.now, now)
	if l := b.leases.get(id); l != nil {
		b.complete(b.own(l))
		b.review()
	}
}

// complete ends what the lease is at now.
func (b *Book) complete(l *lease) {
	switch {
	case l.over || l.state == Suspending || l.state == Ending:
		b.give(l, b.now)
		if l.cut != slot.Never {
			l.cut = b.now
		}
		l.steps = []step{{b.now, b.now, l.steps[len(l.steps)-1].verb}}
		l.confirmed = true
		b.schedule(l)
		b.changed, b.freed = true, true
	case l.state == Running && l.steps[0].verb != Migrate:
		b.arrive(l)
	case (l.state == Booting || l.state == Resuming) && l.steps[0].verb == Run:
		b.ready(l)
	}
}

// ready lets a lease that has booted or resumed run: now, unless it was promised
// to run at a time.
func (b *Book) ready(l *lease) {
	if b.now > l.runs {
		b.slow(l, b.now)
	}
	l.confirmed = true
	if l.Kind == Reservation || l.runs <= b.now || l.steps[0].verb != Run {
		return
	}
	l.runs = b.now
	if end := l.done() + b.shutdown(l); end <= l.held.End {
		b.give(l, end)
		l.cut = slot.Never
		b.changed, b.freed = true, true
		l.steps = b.ending(l, false)
	} else {
		b.curtail(l)
	}
	b.schedule(l)
}

// curtail fills in the steps of a lease that loses its hosts before it is done:
// it is saved by then, or destroyed.
func (b *Book) curtail(l *lease) {
	if l.cut != slot.Never && l.cut-b.suspension(l, l.hosts) > max(l.runs, b.now) {
		l.steps = b.ending(l, l.begun())
		return
	}
	l.cut = slot.Never
	l.steps = l.killing(l.held.End)
}

// wait reports whether the lease's next step is one that somebody has to confirm
// and has not: it is late then.
func (b *Book) wait(l *lease) bool {
	if b.policy.Confirm <= 0 || l.confirmed {
		return false
	}
	switch l.steps[0].verb {
	case Run:
		return l.runs > l.held.Start // booting was to take time
	case park, End:
		return l.state == Suspending || l.state == Ending
	}
	return false
}

// patient returns until when what the lease is at may go on that is late: for half
// as long again as it has taken up to now, so that whoever it is in the way of is
// told now and then, not all the time.
func (b *Book) patient(l *lease, now slot.Time) slot.Time {
	return now + max(b.policy.Confirm, (now-l.entered)/2)
}

// vacating returns the hosts that leases have given back by now in the tables and,
// as far as is known, are still on. Those who have not begun may plan with them,
// and give way again; who runs may not go there.
func (b *Book) vacating() (hosts []slot.Host) {
	if b.policy.Confirm <= 0 {
		return nil
	}
	b.due.by(b.now, func(e event) {
		if e.verb == Transfer || !b.valid(e) {
			return
		}
		l := b.leases.get(e.id)
		switch gone := l.confirmed && (l.steps[0].verb == park || l.steps[0].verb == End); {
		case e.verb == land:
			hosts = append(hosts, l.leaving...)
		case !gone && l.held.End <= b.now && !l.waiting() && l.state != Accepted:
			hosts = append(hosts, l.hosts...)
		}
	})
	return hosts
}

// slow lets a lease that boots or resumes run at a later time.
func (b *Book) slow(l *lease, runs slot.Time) {
	l.confirmed = false
	switch {
	case l.steps[0].verb == Kill: // it never runs
	case runs >= l.done() && (l.Kind == Reservation || l.Kind == Immediate):
		b.finish(l) // its time is over before it has begun
	default:
		b.shift(l, runs)
		b.schedule(l)
	}
}

// late lets an accepted lease have its hosts at a later time.
func (b *Book) late(l *lease, from slot.Time) {
	runs := from + l.runs - l.held.Start
	saved := l.cut == slot.Never || l.cut-b.suspension(l, l.hosts) > runs
	switch {
	case runs < l.done() && from < l.held.End && saved:
		span := slot.Span{Start: from, End: l.held.End}
		b.give(l, l.held.Start)
		l.held = span
		b.take(l, span)
		b.shift(l, runs)
		l.steps = append([]step{{from, l.runs, l.opener()}}, l.steps...)
		b.schedule(l)
	case l.Kind == BestEffort:
		b.requeue(l, l.rest())
	case l.Kind == Deadline && b.relocate(l):
	default:
		b.give(l, l.held.Start)
		l.steps = []step{{b.now, b.now, End}}
		b.schedule(l)
	}
	b.changed, b.freed = true, true
}

// opener returns what the lease does first on its hosts.
func (l *lease) opener() Verb {
	if l.saved {
		return Resume
	}
	return Boot
}

// rest returns how the lease waits when it has lost its hosts.
func (l *lease) rest() State {
	if l.saved {
		return Suspended
	}
	return Queued
}

// shift lets the lease, which holds its hosts, run at a later time, up to the end
// that it may have then.
func (b *Book) shift(l *lease, runs slot.Time) {
	done, late := l.done(), runs-l.runs
	ends := l.cut == slot.Never && l.held.End >= done+b.shutdown(l)
	l.runs = runs
	if !ends {
		b.curtail(l)
		return
	}
	last := done // of its running time
	if l.Kind == BestEffort || l.Kind == Deadline {
		if last = done + late; l.Kind == Deadline {
			last = max(done, min(last, l.Deadline))
		}
		last = max(b.stretch(l, last+b.shutdown(l))-b.shutdown(l), done)
	}
	switch {
	case l.cut != slot.Never || (last <= runs && l.Kind == BestEffort):
		b.curtail(l)
		return
	case last <= runs:
		b.finish(l)
		return
	}
	l.ran += l.done() - last
	l.steps = b.ending(l, l.begun())
}

// stretch lets the lease hold its hosts up to a later end, as far as it can: who
// waits is planned anew, and for a lease that nobody takes hosts from, accepted
// ones that have not begun move elsewhere. It returns up to when it holds them.
func (b *Book) stretch(l *lease, end slot.Time) slot.Time {
	more := slot.Span{Start: l.held.End, End: end}
	if more.Empty() {
		return end
	}
	until, _ := b.reach(l, l.hosts, more.Start)
	if until < end {
		b.clearPlans(l.hosts, more)
		if l.firm {
			b.clearAccepted(l, more)
		}
	}
	until, forced := b.reach(l, l.hosts, more.Start)
	more.End = max(min(until, end), more.Start)
	b.take(l, more)
	l.held.End = more.End
	saving := more.End-b.suspension(l, l.hosts) > max(l.runs, b.now)
	if more.End < end && forced && !l.firm && saving && b.least(l) < b.length(l) {
		l.cut = more.End
	}
	return more.End
}

// linger lets a lease that is saved or shuts down hold on to its hosts.
func (b *Book) linger(l *lease, until slot.Time) {
	more := slot.Span{Start: l.held.End, End: until}
	b.take(l, more)
	l.held.End = until
	if l.cut != slot.Never {
		l.cut = until
	}
	l.steps = []step{{until, until, l.steps[len(l.steps)-1].verb}}
	b.schedule(l)
	b.makeWay(l.hosts, more)
}

// enter notes that the lease begins what takes until the step after.
func (l *lease) enter(s step) {
	switch s.verb {
	case Boot, Resume, Migrate, Suspend, Shutdown:
		l.entered, l.confirmed = s.at, false
	case Run:
		l.confirmed = false
	}
}
