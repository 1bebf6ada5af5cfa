package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// enqueue puts the lease into the queue at its place.
func (b *Book) enqueue(l *lease) {
	i, _ := slices.BinarySearchFunc(b.queue, l, func(id ID, l *lease) int {
		if b.leases.get(id).before(l) {
			return -1
		}
		return 1
	})
	b.queue = slices.Insert(b.queue, i, l.ID)
}

// dequeue takes the lease out of the queue, if it is there.
func (b *Book) dequeue(l *lease) {
	if i := slices.Index(b.queue, l.ID); i >= 0 {
		b.queue = slices.Delete(b.queue, i, i+1)
	}
}

// requeue lets the lease wait again: it holds nothing any more.
func (b *Book) requeue(l *lease, s State) {
	b.give(l, l.held.Start)
	b.arrive(l)
	b.unpin(l)
	l.state, l.runs, l.since, l.cut, l.steps = s, slot.Never, slot.Never, slot.Never, nil
	l.home = nil
	if l.saved {
		l.home = l.hosts
	}
	l.hosts, l.firm, l.asked, l.progress = nil, false, nil, progress{}
	l.bringing, l.streams = 0, nil
	b.enqueue(l)
	b.changed = true
}

// start takes the lease out of the queue: its plan comes true.
func (b *Book) start(l *lease) {
	b.dequeue(l)
	b.changed, l.asked = true, nil
	if !l.Preemptible {
		b.harden(l)
	}
}

// unplan takes back what is planned for a lease that waits.
func (b *Book) unplan(l *lease) {
	b.give(l, l.held.Start)
	b.unpin(l)
	l.runs, l.cut, l.steps, l.hosts = slot.Never, slot.Never, nil, nil
	l.unsettle()
	l.bringing, l.streams = 0, nil
}

// review looks at those that wait after something has changed: it begins what
// can begin and plans as far as the policy promises starts.
func (b *Book) review() {
	if !b.changed {
		return
	}
	freed := b.freed
	b.changed, b.freed = false, false
	defer b.sweep()
	if freed {
		b.heal() // while starts that were promised are in the tables: up to them
	}
	if b.policy.Backfill == Conservative {
		b.compress(freed)
		return
	}
	for _, id := range b.queue {
		if l := b.leases.get(id); !l.held.Empty() {
			b.unplan(b.own(l))
		}
	}
	b.backfill()
}

// compress plans everyone who waits, in order; when something ended early,
// those who have a plan may get an earlier one, never a later one.
func (b *Book) compress(freed bool) {
	back := b.returning()
	var held []standIn
	defer func() { b.withdraw(held) }()
	for _, id := range b.queue {
		l := b.leases.get(id)
		for ; len(back) > 0 && back[0].before(l); back = back[1:] {
			held = append(held, b.standFor(back[0]))
		}
		planned := !l.held.Empty()
		if l.aside || (planned && !freed) {
			continue
		}
		l = b.own(l)
		old := b.planOf(l)
		if planned {
			b.unplan(l)
		}
		d := b.seek(l, false)
		if planned && (d == nil || d.hold.Start >= old.hold.Start) {
			d = old
		}
		if d != nil {
			b.plan(l, d)
		}
	}
}

// backfill begins what can begin, in order, and plans the first that cannot. One
// that is about to be suspended has its place in that order already.
func (b *Book) backfill() {
	promised := false
	back := b.returning()
	var vain []shape
	for _, id := range b.queue {
		l := b.leases.get(id)
		if !promised && len(back) > 0 && back[0].before(l) {
			if promised = true; b.policy.Backfill == NoBackfill {
				return
			}
			defer b.withdraw([]standIn{b.standFor(back[0])})
		}
		this := b.shape(l.lowest())
		if l.aside || (promised && this.hopeless(vain)) {
			continue
		}
		d := b.seek(l, promised)
		if d == nil {
			if promised {
				vain = this.add(vain)
			}
			continue
		}
		b.plan(b.own(l), d)
		if !d.prompt {
			if promised = true; b.policy.Backfill == NoBackfill {
				return
			}
		}
	}
}

// planOf returns the plan of a lease that waits as a decision.
func (b *Book) planOf(l *lease) *decision {
	d := &decision{
		hosts: l.hosts, hold: l.held, cut: l.cut, bringing: l.bringing, streams: l.streams,
	}
	if l.asked != nil {
		d.parts = l.Parts
	}
	if l.pinned {
		for _, s := range sums(l.hosts, l.needs()) {
			r := b.images[place{s.host, l.Image.Name}]
			if !r.begun && len(r.users) == 1 { // its own, which goes with its plan
				d.fetches = append(d.fetches, fetch{s.host, r.fetch})
			}
		}
	}
	return d
}

// A shape is what a lease needs to begin now. What is in vain for one shape
// is in vain for all that need no less, since beginnings only take room.
type shape struct {
	nodes  int // 0: not comparable
	need   slot.Amount
	length slot.Time // when nothing interrupts it
	least  slot.Time // for a start to be worth it
}

func (b *Book) shape(l *lease) shape {
	if len(l.Parts) != 1 || l.Hosts != nil || l.saved || b.ruled(l) {
		return shape{}
	}
	return shape{l.Parts[0].Nodes, l.Parts[0].Need, b.length(l), b.least(l)}
}

func (s *shape) hopeless(vain []shape) bool {
	for i := range vain {
		v := &vain[i]
		longer := s.length >= v.length && s.least >= v.least
		if longer && s.nodes >= v.nodes && v.need.Fits(&s.need) {
			return true
		}
	}
	return false
}

func (s *shape) add(vain []shape) []shape {
	const most = 16
	if s.nodes > 0 && len(vain) < most {
		return append(vain, *s)
	}
	return vain
}

// plan takes hosts for a lease that waits. It may lose them again until it begins.
func (b *Book) plan(l *lease, d *decision) {
	b.script(l, d)
	b.take(l, l.held)
	b.pin(l, d)
	b.schedule(l)
}

// heal lets leases that run until a planned suspension run on where what they
// were to make room for is gone.
func (b *Book) heal() {
	for _, id := range slices.Clone(b.soft) {
		l := b.leases.get(id)
		if l.cut == slot.Never || l.waiting() || l.state == Suspending {
			continue
		}
		end := l.done() + b.shutdown(l)
		until, forced := b.reach(l, l.hosts, l.cut)
		if until <= l.cut || (until < end && !forced) {
			continue
		}
		l = b.own(l)
		b.take(l, slot.Span{Start: l.held.End, End: min(until, end)})
		l.held.End = min(until, end)
		if l.cut = until; until >= end {
			l.cut = slot.Never
		}
		b.prompt(l)
		b.schedule(l)
	}
}
