package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Shift has a node of a running lease move to another host now: to the one given
// or, where that is less than zero, to the one that suits best. It holds both until
// Done says that it has moved; the next Advance tells to begin. The error is of kind
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
	target, ok := b.roomFor(l, node, to)
	if !ok {
		reach := ""
		if slices.ContainsFunc(l.Affinity, func(a Affinity) bool { return a.Zone != nil }) {
			reach = ", from which it reaches the other nodes of its group"
		}
		return 0, workspace.Refuse(workspace.NoResource,
			"there is no host with room for it up to the end of its lease%s", reach)
	}
	c := b.Snapshot()
	hosts := slices.Clone(l.hosts)
	hosts[node] = target
	c.move(c.own(c.leases.get(id)), hosts)
	c.changed, c.freed = true, true
	c.review()
	*b = *c
	return target, nil
}

// roomFor finds a host for a node that leaves its own.
func (b *Book) roomFor(l *lease, node int, to slot.Host) (slot.Host, bool) {
	alone := l.copy()
	alone.Parts = []Part{{Nodes: 1, Need: l.needs()[node]}}
	s := b.search(b.full, alone)
	s.avoid = append(b.vacating(), l.hosts[node])
	if s.alone {
		s.avoid = append(s.avoid, l.hosts...)
	}
	s.join(slices.Concat(l.hosts[:node], l.hosts[node+1:]))
	for h := range b.Hosts() {
		if to >= 0 && slot.Host(h) != to {
			s.avoid = append(s.avoid, slot.Host(h))
		}
	}
	found := s.place(slot.Span{Start: b.now, End: l.held.End})
	if len(found) == 0 {
		return 0, false
	}
	return found[0], true
}
