package book

import (
	"maps"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Book is the book of leases of one pool.
type Book struct {
	policy Policy
	// full says what is taken by anyone, plans of those that wait included;
	// firm what is taken by those to whom nobody is preferred. They are one
	// table where nobody is interrupted.
	full, firm *slot.Table
	empty      *slot.Table // of the same hosts, with nothing taken
	leases     shelf
	named      map[ID][]ID // who has to be apart from a lease, by its ID
	link       *slot.Table // of the repository, one row; nil: images are everywhere
	images     map[place]replica
	idle       []slot.Host          // where images may be out of use
	downlink   int32                // the least that any host's link takes in, in kbit/s
	token      *byte                // marks the leases that this Book may write
	touched    map[ID]bool          // leases that changed; nil: nobody asks
	queue      []ID                 // those that wait, in order
	ranks      map[string]slot.Time // how far owners stand back in the queue
	soft       []ID                 // those that hold hosts and may lose them, by ID
	due        due
	now        slot.Time
	changed    bool // something has ended or begun since the queue was looked at
	freed      bool // something ended sooner than was planned
	forgotten  slot.Time
	site       site // what is told of hosts
	terse      bool // makes no offers, see Try
}

// New returns the empty Book of a pool.
func New(pool Pool, policy Policy) *Book {
	b := &Book{
		policy: policy, full: slot.New(pool.Hosts), empty: slot.New(pool.Hosts),
		leases: newShelf(), token: new(byte), images: map[place]replica{},
		downlink: narrowest(pool.Hosts), ranks: map[string]slot.Time{}, named: map[ID][]ID{},
	}
	if pool.Repository > 0 {
		b.link = slot.New([]slot.Amount{{slot.NetOut: pool.Repository}})
	}
	b.firm = b.full
	if len(policy.Preemption) > 0 {
		b.firm = slot.New(pool.Hosts)
	}
	return b
}

// Submit asks for a lease. The answer says whether it is accepted, waits, or is
// refused and why; what there is to do comes with the next Advance. An error,
// of kind Invalid or Conflict, tells that the terms make no sense.
func (b *Book) Submit(now slot.Time, t Terms) (Answer, error) {
	b.now = max(b.now, now)
	if err := t.check(b.now); err != nil {
		return Answer{}, err
	}
	if b.leases.get(t.ID) != nil {
		return Answer{}, workspace.Refuse(workspace.Conflict, "lease %d is known", t.ID)
	}
	if err := b.checkAffinity(&t); err != nil {
		return Answer{}, err
	}
	l := b.lease(t)
	if l.Kind == BestEffort {
		if reason := b.impossible(l); reason != nil {
			return refused(reason), nil
		}
		b.enter(l)
		b.enqueue(l)
		b.changed = true
		b.review()
		return b.Lease(l.ID), nil
	}
	d, reason := b.decide(l)
	if d == nil {
		return refused(reason), nil
	}
	b.enter(l)
	b.commit(l, d)
	b.changed = true
	b.review()
	a := b.Lease(l.ID)
	a.Preempts = d.whom()
	return a, nil
}

// lease returns a lease of the terms that waits, in no list yet.
func (b *Book) lease(t Terms) *lease {
	t.Parts, t.Least = slices.Clone(t.Parts), slices.Clone(t.Least)
	return &lease{
		Terms: t, book: b.token, state: Queued, cut: slot.Never, runs: slot.Never,
		since: slot.Never, firm: t.Kind != BestEffort, turn: t.Submitted + b.ranks[t.Owner],
	}
}

func refused(r *Reason) Answer {
	return Answer{
		State: Refused, Start: slot.Never, End: slot.Never, Cut: slot.Never, Reason: r,
	}
}

// Lease says how the lease stands; its state is Refused when the Book does not
// know it, or no longer.
func (b *Book) Lease(id ID) Answer {
	l := b.leases.get(id)
	if l == nil {
		return refused(nil)
	}
	a := Answer{State: l.state, Start: l.runs, End: slot.Never, Cut: l.cut, Hosts: l.hosts,
		Parts: l.Parts}
	if l.runs != slot.Never {
		a.End = l.done()
	}
	return a
}

// Ended tells that a lease's nodes stopped before their time: they had no more
// to do, or failed, even to boot, to resume or to be saved. They shut down. Of a
// lease that does so already it tells that they have; one that waits or has not
// begun is not ended, but taken back with Cancel, and nothing changes.
func (b *Book) Ended(now slot.Time, id ID) {
	b.now = max(b.now, now)
	l := b.leases.get(id)
	if l == nil {
		return
	}
	switch l.state {
	case Booting, Resuming, Running, Suspending:
		if !l.over {
			b.finish(b.own(l))
		}
	case Ending:
		b.complete(b.own(l))
	}
	b.review()
}

// finish ends the running time of a lease now.
func (b *Book) finish(l *lease) {
	if b.policy.Confirm > 0 && l.held.End <= b.now { // it should be off its hosts, and is not
		b.linger(l, b.now+max(b.shutdown(l), b.policy.Confirm))
	}
	over := min(b.now+b.shutdown(l), l.held.End) // others may count on the hosts then
	b.give(l, over)
	l.cut = slot.Never
	l.steps = []step{{b.now, over, Shutdown}, {over, over, End}}
	l.over = true
	b.schedule(l)
	b.changed, b.freed = true, true
}

// Cancel takes a lease back, whatever it does; one that has begun shuts down,
// unless it does so already. An error of kind NotFound tells that there is none.
func (b *Book) Cancel(now slot.Time, id ID) error {
	b.now = max(b.now, now)
	l := b.leases.get(id)
	if l == nil {
		return workspace.Refuse(workspace.NotFound, "no lease %d", id)
	}
	l = b.own(l)
	switch l.state {
	case Running, Booting, Resuming, Suspending:
		if !l.over {
			b.finish(l)
		}
	case Ending:
	default:
		b.remove(l)
		b.changed, b.freed = true, true
	}
	b.review()
	return nil
}

// Next returns when something is due: Advance is to be called then. Never, when
// nothing is planned.
func (b *Book) Next() slot.Time {
	for b.due.len() > 0 {
		if top := b.due.top(); b.valid(top) {
			return top.at
		}
		b.due.pop()
	}
	return slot.Never
}

// valid reports whether what was due is still so.
func (b *Book) valid(e event) bool {
	if e.verb == Transfer {
		r, known := b.images[place{slot.Host(e.id), e.image}]
		return known && !r.begun && r.fetch.Start == e.at
	}
	l := b.leases.get(e.id)
	if e.verb == land {
		return l != nil && len(l.leaving) > 0 && l.arrived == e.at
	}
	return l != nil && len(l.steps) > 0 && l.steps[0].at == e.at && l.steps[0].verb == e.verb
}

// Advance returns what is to be done by now, in order.
func (b *Book) Advance(now slot.Time) []Action {
	var actions []Action
	for {
		for b.Next() <= now {
			e := b.due.pop()
			b.now = max(b.now, e.at)
			actions = b.attend(actions, e, now)
			if b.Next() > e.at {
				b.review() // all of the moment is done: who waits may begin
			}
		}
		b.now = max(b.now, now)
		b.review()
		if b.Next() > now {
			b.tidy()
			return actions
		}
	}
}

// attend does what is due, or lets it be late.
func (b *Book) attend(actions []Action, e event, now slot.Time) []Action {
	if e.verb == Transfer {
		return b.begin(actions, e)
	}
	l := b.own(b.leases.get(e.id))
	switch {
	case e.verb == land && b.policy.Confirm <= 0:
		b.arrive(l)
	case e.verb == land:
		b.dawdle(l, b.patient(l, now))
	case b.wait(l):
		b.delay(l, b.patient(l, now))
	default:
		return b.perform(actions, l)
	}
	return actions
}

// perform does the lease's next step.
func (b *Book) perform(actions []Action, l *lease) []Action {
	s := l.steps[0]
	if l.waiting() {
		b.start(l)
	}
	if s.verb != park {
		actions = append(actions, Action{
			At: s.at, Verb: s.verb, Lease: l.ID, Hosts: l.hosts, Until: s.until,
		})
	}
	l.steps = l.steps[1:]
	l.enter(s)
	switch s.verb {
	case Boot:
		l.state = Booting
	case Resume:
		l.state, l.saved = Resuming, false
	case Run:
		l.state, l.since = Running, s.at
	case Suspend:
		l.state, l.ran, l.since = Suspending, l.ran+s.at-l.since, slot.Never
	case Shutdown:
		l.state, l.since = Ending, slot.Never
	case park:
		l.saved = true
		b.requeue(l, Suspended)
	case Kill:
		l.ran, l.since, l.saved = 0, slot.Never, false
		b.requeue(l, Queued)
	case End:
		b.remove(l)
		b.changed = true
	}
	if len(l.steps) > 0 {
		b.schedule(l)
	}
	return actions
}

// own returns the lease for writing: a copy, when a snapshot shares it.
func (b *Book) own(l *lease) *lease {
	b.note(l.ID)
	if l.book != b.token {
		mine := *l
		mine.book = b.token
		mine.steps = slices.Clone(l.steps)
		b.leases.put(&mine)
		return &mine
	}
	return l
}

// tidy lets the tables forget what is over, now and then.
func (b *Book) tidy() {
	const often = 6 * 3600 * 1000 // milliseconds
	if b.now-b.forgotten > often {
		b.forgotten = b.now
		b.full.Forget(b.now)
		if b.link != nil {
			b.link.Forget(b.now)
		}
		if b.site.alone != nil {
			b.site.alone.Forget(b.now)
		}
		if b.firm != b.full {
			b.firm.Forget(b.now)
		}
	}
}

// Snapshot returns a Book that says the same. What is done to either does not
// show in the other: what-if questions are asked of snapshots.
func (b *Book) Snapshot() *Book {
	c := *b
	c.full = b.full.Snapshot()
	c.firm = c.full
	if b.firm != b.full {
		c.firm = b.firm.Snapshot()
	}
	if b.link != nil {
		c.link = b.link.Snapshot()
	}
	c.leases, c.images = b.leases.share(), maps.Clone(b.images)
	c.named = maps.Clone(b.named)
	c.touched = maps.Clone(b.touched)
	c.site = b.site.clone()
	c.idle, c.ranks = slices.Clone(b.idle), maps.Clone(b.ranks)
	c.queue, c.soft, c.due = slices.Clone(b.queue), slices.Clone(b.soft), b.share()
	c.empty = b.empty.Snapshot()
	b.token, c.token = new(byte), new(byte)
	return &c
}

// Try answers as Submit would, and takes nothing. Of a refusal it says no more than
// when the lease could run: most of the time goes in the rest.
func (b *Book) Try(now slot.Time, t Terms) (Answer, error) {
	c := b.Snapshot()
	c.terse = true
	return c.Submit(now, t)
}
