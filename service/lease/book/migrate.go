package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// evade looks for hosts to which the nodes of a running lease can move now, so
// that they are off the decision's hosts when it begins. It returns a host for
// each node, or nil. Nodes elsewhere stay where they are.
func (b *Book) evade(v *lease, d *decision) []slot.Host {
	if v.state != Running || b.now+b.migration(v, d.hosts) > d.hold.Start {
		return nil
	}
	moved := v.copy()
	node := 0
	for i := range moved.Parts {
		p := &moved.Parts[i]
		for range v.Parts[i].Nodes {
			if !slices.Contains(d.hosts, v.hosts[node]) {
				p.Nodes--
			}
			node++
		}
	}
	moved.Parts = slices.DeleteFunc(moved.Parts, func(p Part) bool { return p.Nodes == 0 })
	s := b.search(b.full, moved)
	s.avoid = d.hosts
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
	return hosts
}

// migration returns how long the nodes on the hosts take to move: those of one
// host go one after the other.
func (b *Book) migration(v *lease, hosts []slot.Host) slot.Time {
	var most slot.Time
	for _, s := range sums(v.hosts, v.needs()) {
		if slices.Contains(hosts, s.host) {
			most = max(most, over(int64(s.need[slot.Memory]), b.pace(s.host).Migrate))
		}
	}
	return most
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
	l.each(func(i int, need *slot.Amount) {
		if hosts[i] == l.hosts[i] {
			return
		}
		rest := slot.Span{Start: b.now, End: arrived}
		b.full.Add(l.hosts[i], rest, *need)
		if b.firm != b.full {
			b.firm.Add(l.hosts[i], rest, *need)
		}
	})
	l.hosts, l.held = hosts, held
	b.take(l, slot.Span{Start: b.now, End: held.End})
	l.steps = append([]step{{b.now, arrived, Migrate}}, b.ending(l, true)...)
	b.schedule(l)
}
