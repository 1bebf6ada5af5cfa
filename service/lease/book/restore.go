package book

import (
	"cmp"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Record is all of a lease that has to survive its Book: Restore makes the same
// promises of it again. Times that are unknown are Never.
type Record struct {
	Terms Terms // with less than was asked for, once less is granted
	State State
	Hosts []slot.Host // of each node; empty: it holds none
	From  slot.Time   // when it has its hosts
	Runs  slot.Time   // when its nodes run
	Until slot.Time   // when it gives its hosts back
	Cut   slot.Time   // when it gives them back suspended
	Since slot.Time   // when its nodes began to run last, while they do
	Ran   slot.Time   // how much of its running time is over up to Since
	Saved bool        // its memory is saved
	Home  []slot.Host // on these hosts, by node; when it is not: was saved last
	// Left are the hosts that nodes of a running lease leave for Hosts, and
	// Arrived is when that is complete; none, when none do.
	Left    []slot.Host
	Arrived slot.Time
	// Moored tells that its image is being brought to its hosts on its account,
	// before it begins: it does not go to others.
	Moored bool
	// Aside tells that it could not resume, and waits for Retry.
	Aside bool
	// Granted is less than Terms ask for, which is planned for a lease that waits
	// and may be granted yet; nil, otherwise.
	Granted []Part
}

// Record returns the record of a lease; false, when the Book does not know it.
func (b *Book) Record(id ID) (Record, bool) {
	l := b.leases.get(id)
	if l == nil {
		return Record{}, false
	}
	r := Record{
		Terms: l.terms(), State: l.state, Hosts: l.hosts, From: slot.Never, Runs: l.runs,
		Until: slot.Never, Cut: l.cut, Since: l.since, Ran: l.ran, Saved: l.saved, Home: l.home,
		Arrived: slot.Never, Moored: l.moored, Aside: l.aside,
	}
	if l.over {
		r.State, r.Since, r.Cut = Ending, slot.Never, slot.Never
	}
	if l.asked != nil {
		r.Granted = l.Parts
	}
	if len(l.hosts) > 0 {
		r.From, r.Until = l.held.Start, l.held.End
	}
	if l.held.Empty() && len(l.hosts) > 0 { // what is left to do is to be done now
		r.From, r.Until = b.now, b.now
	}
	if len(l.leaving) > 0 {
		r.Left, r.Arrived = l.leaving, l.arrived
	}
	return r, true
}

// Records returns the records of all leases, by ID.
func (b *Book) Records() []Record {
	all := make([]Record, 0, b.leases.len())
	for _, id := range slices.Sorted(b.leases.ids()) {
		r, _ := b.Record(id)
		all = append(all, r)
	}
	return all
}

// Restore enters the leases of an earlier Book of the same pool into one that
// has none. What has begun goes on, what was promised stays promised, and who
// waited waits in the same place. What should have begun meanwhile is late, as
// Overdue has it; what should have ended comes with the next Advance. Windows,
// closed hosts, rates, ranks and images are told before. An error, of kind
// Invalid, names the first record that makes no sense; the Book has no lease
// then.
func (b *Book) Restore(now slot.Time, records []Record) error {
	b.now = max(b.now, now)
	all := make([]*lease, 0, len(records))
	for i := range records {
		l, err := b.revive(&records[i])
		if err != nil {
			return err
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(l, m *lease) int { return cmp.Compare(l.ID, m.ID) })
	for i, l := range all {
		if b.leases.get(l.ID) != nil || (i > 0 && all[i-1].ID == l.ID) {
			return workspace.Refuse(workspace.Invalid, "lease %d is recorded twice", l.ID)
		}
	}
	for _, l := range all {
		b.enter(l)
		if l.waiting() {
			b.queue = append(b.queue, l.ID)
		}
		if !l.held.Empty() {
			b.take(l, l.held)
		}
		b.leave(l)
	}
	b.reorder()
	b.goOn(all)
	b.changed = true
	b.review()
	return nil
}

// revive returns the lease of a record, with what it is to do, outside the Book.
func (b *Book) revive(r *Record) (*lease, error) {
	if err := b.sensible(r); err != nil {
		return nil, err
	}
	t := r.Terms
	t.Parts = slices.Clone(t.Parts)
	l := &lease{
		Terms: t, book: b.token, state: r.State, turn: t.Submitted + b.ranks[t.Owner],
		runs: slot.Never, since: slot.Never, cut: slot.Never, ran: r.Ran, saved: r.Saved,
		home: slices.Clone(r.Home), aside: r.Aside,
	}
	l.firm = t.Kind != BestEffort || (!t.Preemptible && !l.waiting())
	if len(r.Hosts) == 0 {
		return l, nil
	}
	l.hosts, l.held = slices.Clone(r.Hosts), slot.Span{Start: r.From, End: r.Until}
	l.runs, l.since, l.cut = r.Runs, r.Since, r.Cut
	if len(r.Granted) == len(t.Parts) && l.waiting() {
		l.asked, l.Parts = t.Parts, slices.Clone(r.Granted)
	}
	b.supplied(l)
	l.moored = r.Moored
	if l.entered = r.From; l.state != Booting && l.state != Resuming {
		l.entered = min(b.now, r.Until)
	}
	b.prompt(l)
	if len(r.Left) > 0 && (r.Arrived > b.now || b.policy.Confirm > 0) {
		l.leaving, l.arrived = slices.Clone(r.Left), r.Arrived
		l.ways = b.streams(l.leaving, l.hosts)
		if l.begun() {
			l.steps = append([]step{{b.now, max(l.arrived, b.now), Migrate}}, l.steps...)
		}
	}
	return l, nil
}

// prompt fills in the steps of a lease that has hosts, from what else is known
// of it.
func (b *Book) prompt(l *lease) {
	end, moves := l.held.End, len(l.steps) > 0 && l.steps[0].verb == Migrate
	if l.held.Empty() {
		end = b.now
	}
	switch l.state {
	case Queued, Accepted, Suspended:
		l.steps = append([]step{{l.held.Start, l.runs, l.opener()}}, b.ending(l, false)...)
		if l.held.Empty() {
			l.steps = []step{{b.now, b.now, End}}
		}
	case Suspending:
		l.steps = []step{{end, end, Kill}}
		if l.cut != slot.Never {
			l.steps = []step{{end, end, park}}
		}
	case Ending:
		l.steps = []step{{end, end, End}}
	default:
		l.steps = b.ending(l, l.begun())
		if l.cut == slot.Never && end < l.done()+b.shutdown(l) {
			l.steps = l.killing(end)
		}
		if moves {
			l.steps = append([]step{{b.now, max(l.arrived, b.now), Migrate}}, l.steps...)
		}
	}
}

// sensible returns what is wrong with a record.
func (b *Book) sensible(r *Record) error {
	refuse := func(what string) error {
		return workspace.Refuse(workspace.Invalid, "the record of lease %d: %s", r.Terms.ID, what)
	}
	t := r.Terms
	t.Kind = Immediate // its times are past
	if t.check(b.now) != nil || b.checkAffinity(&t) != nil || r.Terms.Kind > Deadline {
		return refuse("its terms make no sense")
	}
	for _, hosts := range [][]slot.Host{r.Hosts, r.Home, r.Left} {
		if len(hosts) > 0 && len(hosts) != t.nodes() {
			return refuse("it has not as many hosts as nodes")
		}
		if slices.ContainsFunc(hosts, func(h slot.Host) bool {
			return h < 0 || int(h) >= b.full.Len()
		}) {
			return refuse("it names a host that the pool has not")
		}
	}
	waits := r.State == Queued || r.State == Suspended
	times := r.From <= r.Until && r.From <= r.Runs && max(r.Until, r.Runs) < slot.Never
	switch {
	case r.State == Refused || r.State > Ending:
		return refuse("no state has its number")
	case len(r.Hosts) == 0 && !waits:
		return refuse("it is " + r.State.String() + " and has no hosts")
	case len(r.Hosts) > 0 && !times:
		return refuse("its times are not in order")
	case (r.State == Running) != (r.Since != slot.Never) || r.Ran < 0 || r.Ran >= t.Duration:
		return refuse("its running time makes no sense")
	case (r.State == Suspended) != r.Saved || (r.Saved && len(r.Home) == 0):
		return refuse("its memory is nowhere")
	}
	return nil
}

// goOn lets what is in the Book again go on: images are counted on where they
// are, what can be late is, and all is due.
func (b *Book) goOn(all []*lease) {
	held := slices.DeleteFunc(all, func(l *lease) bool { return len(l.hosts) == 0 })
	slices.SortStableFunc(held, func(l, m *lease) int {
		return cmp.Or(cmp.Compare(l.held.Start, m.held.Start), cmp.Compare(l.ID, m.ID))
	})
	for _, l := range held {
		switch {
		case !l.waiting() && l.state != Accepted:
			b.schedule(l)
			b.count(l)
		case l.held.Start < b.now && l.waiting():
			b.unplan(l)
		default:
			b.schedule(l)
			b.bring(l)
		}
	}
	for at, r := range b.images {
		if len(r.users) == 0 && !r.begun {
			b.load(r, at.host, false)
			delete(b.images, at)
		}
	}
}

// bring plans how the image comes to the hosts of a lease that has not begun.
func (b *Book) bring(l *lease) {
	d := &decision{hosts: l.hosts, hold: l.held}
	ready := b.stage(l, d, l.held.Start)
	if ready == slot.Never {
		ready = b.stage(l, d, slot.Never)
	}
	switch {
	case l.held.Empty():
	case ready <= l.held.Start || (ready < slot.Never && !l.waiting()):
		b.pin(l, d)
		if from := max(ready, b.now); from > l.held.Start {
			b.late(l, from)
		}
	default:
		b.unplan(l)
	}
}
