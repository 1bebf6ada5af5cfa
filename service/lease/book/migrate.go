package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// evade looks for hosts to which the nodes of a running lease can move now, so
// that they are off the decision's hosts when it begins. It returns a host for
// each node, or nil. Nodes elsewhere stay where they are.
func (b *Book) evade(v *lease, d *decision) []slot.Host {
	late := b.now+b.migration(v, d.hosts) > d.hold.Start
	if v.state != Running || v.Stays || late || len(v.leaving) > 0 {
		return nil
	}
	moved := v.copy()
	var stay []slot.Host
	node := 0
	for i := range moved.Parts {
		p := &moved.Parts[i]
		for range v.Parts[i].Nodes {
			if !slices.Contains(d.hosts, v.hosts[node]) {
				p.Nodes--
				stay = append(stay, v.hosts[node])
			}
			node++
		}
	}
	moved.Parts = slices.DeleteFunc(moved.Parts, func(p Part) bool { return p.Nodes == 0 })
	s := b.search(b.full, moved)
	s.avoid = slices.Concat(d.hosts, b.vacating())
	if s.alone {
		s.avoid = append(s.avoid, stay...)
	}
	s.join(stay)
	targets := s.place(slot.Span{Start: b.now, End: v.held.End})
	if targets == nil {
		return nil
	}
	hosts := slices.Clone(v.hosts)
	for i, h := range hosts {
		if slices.Contains(d.hosts, h) {
			hosts[i], targets = targets[0], targets[1:]
		}
	}
	span := slot.Span{Start: b.now, End: b.now + b.migration(v, d.hosts)}
	if v.cut != slot.Never && v.cut-b.suspension(v, hosts) <= max(span.End, v.since) {
		return nil // it is to be saved, which takes longer where more of its nodes are
	}
	if !span.Empty() && !b.bears(b.streams(v.hosts, hosts), nil, nil, span) {
		return nil
	}
	return hosts
}

// movable reports whether a lease whose memory is saved may go on elsewhere.
func (b *Book) movable(l *lease) bool { return b.policy.Movable && !l.Stays }

// Stay has a lease go on on the hosts that it has alone, or lets it move again. What
// was decided for it meanwhile is thought over.
func (b *Book) Stay(now slot.Time, id ID, stays bool) {
	b.now = max(b.now, now)
	l := b.leases.get(id)
	if l == nil || l.over || l.Stays == stays {
		return
	}
	b.own(l).Stays = stays
	b.changed = true
	b.review()
}

// migration returns how long the nodes on the hosts take to move: those of one
// host go one after the other.
func (b *Book) migration(v *lease, hosts []slot.Host) slot.Time {
	needs := v.needs()
	return b.moving(v.hosts, nil, func(node int) int64 {
		if !slices.Contains(hosts, v.hosts[node]) {
			return 0
		}
		return int64(needs[node][slot.Memory])
	})
}

// move lets a running lease go on on other hosts. It holds those that it leaves
// until its nodes are gone.
func (b *Book) move(l *lease, hosts []slot.Host) {
	var left []slot.Host
	for i, h := range l.hosts {
		if hosts[i] != h {
			left = append(left, h)
		}
	}
	arrived := b.now + b.migration(l, left)
	b.unpin(l)
	held := l.held
	b.give(l, b.now)
	if arrived > b.now {
		l.leaving, l.arrived, l.ways = l.hosts, arrived, b.streams(l.hosts, hosts)
	}
	l.hosts, l.held = hosts, held
	b.leave(l)
	b.take(l, slot.Span{Start: b.now, End: held.End})
	l.steps = []step{{b.now, arrived, Migrate}}
	b.prompt(l) // what was to become of it, its end by force included
	b.schedule(l)
}

// leave enters into the tables that the nodes of a lease are still on the hosts
// that they leave.
func (b *Book) leave(l *lease) {
	if len(l.leaving) == 0 {
		return
	}
	b.due.push(event{l.arrived, land, l.ID, ""})
	b.hang(l, slot.Span{Start: b.now, End: l.arrived}, (*slot.Table).Add)
}

// arrive ends that now.
func (b *Book) arrive(l *lease) {
	rest := slot.Span{Start: b.now, End: l.arrived}
	b.hang(l, rest, (*slot.Table).Remove)
	if len(l.leaving) > 0 && !rest.Empty() {
		b.changed, b.freed = true, true
	}
	l.leaving, l.arrived, l.ways = nil, 0, nil
}

// dawdle lets it go on for longer.
func (b *Book) dawdle(l *lease, until slot.Time) {
	more := slot.Span{Start: max(l.arrived, b.now), End: until}
	b.hang(l, more, (*slot.Table).Add)
	l.arrived = until
	b.due.push(event{until, land, l.ID, ""})
	b.makeWay(l.leaving, more)
}

// hang adds to the tables what the lease's nodes take of the hosts that they
// leave, or removes it.
func (b *Book) hang(
	l *lease, span slot.Span, change func(*slot.Table, slot.Host, slot.Span, slot.Amount),
) {
	if len(l.leaving) == 0 {
		return
	}
	b.flow(l.ways, span, change)
	l.each(func(i int, need *slot.Amount) {
		if l.leaving[i] == l.hosts[i] {
			return
		}
		change(b.full, l.leaving[i], span, *need)
		if b.firm != b.full {
			change(b.firm, l.leaving[i], span, *need)
		}
	})
}
