package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Shift has a node of a running lease move to another host now: to the one given
// or, where that is less than zero, to the one that suits best. It holds both until
// Done says that it has moved; the next Advance tells to begin. Where the nodes of the
// lease are to be on one host, all of them move. The error is of kind
// NotFound, Busy (the lease does not run, or moves already), Conflict (it is to stay), or
// NoResource.
func (b *Book) Shift(now slot.Time, id ID, node int, to slot.Host) (slot.Host, error) {
	b.now = max(b.now, now)
	l := b.leases.get(id)
	switch {
	case l == nil || node < 0 || node >= len(l.hosts):
		return 0, workspace.Refuse(workspace.NotFound, "no lease %d with node %d", id, node)
	case l.over || l.state != Running:
		return 0, workspace.Refuse(workspace.Busy, "lease %d is %s", id, l.state)
	case len(l.leaving) > 0:
		return 0, workspace.Refuse(workspace.Busy, "lease %d moves to other hosts", id)
	case l.hosts[node] == to:
		return to, nil
	case l.Stays:
		return 0, workspace.Refuse(workspace.Conflict, "lease %d stays on its hosts", id)
	}
	hosts := b.roomFor(l, node, to)
	if hosts == nil {
		reach := ""
		switch {
		case slices.ContainsFunc(l.Affinity, func(a Affinity) bool { return a.Zone != nil }):
			reach = ", from which it reaches the other nodes of its group"
		case len(l.hosts) > 1 && b.search(b.full, l).one:
			reach = ", and for the other nodes of its group, which are to be on the same host"
		}
		return 0, workspace.Refuse(workspace.NoResource,
			"there is no host with room for it up to the end of its lease%s", reach)
	}
	c := b.Snapshot()
	c.move(c.own(c.leases.get(id)), hosts)
	c.changed, c.freed = true, true
	c.review()
	*b = *c
	return hosts[node], nil
}

// roomFor finds hosts for a lease of which a node leaves its own: the others stay, or
// come along where all have to be together. It returns nil where there are none.
func (b *Book) roomFor(l *lease, node int, to slot.Host) []slot.Host {
	needs, moved := l.needs(), l.copy()
	first, end := node, node+1
	if b.search(b.full, l).one {
		first, end = 0, len(needs)
	}
	moved.Parts = nil
	for _, need := range needs[first:end] {
		moved.Parts = append(moved.Parts, Part{Nodes: 1, Need: need})
	}
	s := b.search(b.full, moved)
	s.avoid = append(b.vacating(), l.hosts[node])
	stay := slices.Concat(l.hosts[:first], l.hosts[end:])
	if s.alone {
		s.avoid = append(s.avoid, stay...)
	}
	s.join(stay)
	for h := range b.Hosts() {
		if to >= 0 && slot.Host(h) != to {
			s.avoid = append(s.avoid, slot.Host(h))
		}
	}
	found := s.place(slot.Span{Start: b.now, End: l.held.End})
	if found == nil {
		return nil
	}
	return slices.Concat(l.hosts[:first], found, l.hosts[end:])
}

// Return tells that a node of a lease cannot move to where it is on its way, and reports
// whether it goes on at home, which it was to leave: it has its room there again up to the end
// of its lease, and what it was to have elsewhere is free. Action Migrate tells of it, and Done
// is to. Where others have been given the room since, where other nodes of the lease move as
// well, or where it depends on other leases which hosts it may have, nothing changes, and the
// node has to leave in another way.
func (b *Book) Return(now slot.Time, id ID, node int, home slot.Host) bool {
	b.now = max(b.now, now)
	l := b.leases.get(id)
	if l == nil || l.over || l.state != Running || node < 0 || node >= len(l.hosts) ||
		l.hosts[node] == home || l.steps[0].verb == Migrate || b.ruled(l) {
		return false
	}
	hosts := slices.Clone(l.hosts)
	hosts[node] = home
	if len(l.leaving) > 0 && !slices.Equal(hosts, l.leaving) {
		return false
	}
	c := b.Snapshot()
	l = c.own(c.leases.get(id))
	c.arrive(l)
	if !c.full.Fits(home, slot.Span{Start: c.now, End: l.held.End}, l.needs()[node]) {
		return false
	}
	c.move(l, hosts)
	c.changed, c.freed = true, true
	c.review()
	*b = *c
	return true
}
