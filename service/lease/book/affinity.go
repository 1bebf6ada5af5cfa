package book

import (
	"cmp"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Affinity says where the nodes of a lease are to lie: with regard to the nodes
// of other leases and to hosts that it names; where it names none, with regard
// to each other.
type Affinity struct {
	Apart bool // on other hosts than those; otherwise near: on one of those
	Soft  bool // a wish that orders the hosts; otherwise a condition
	// Others are nodes of leases. A condition to be near looks at where they
	// are, or are to be, when the lease is decided upon and has not begun. A
	// condition to be apart holds for both, whichever moves. Of a lease that is
	// not in the Book they say nothing.
	Others []Node
	Hosts  []slot.Host
	// Zone says, of a condition that the lease's nodes be near each other, that hosts of
	// one zone do as well as one host; 0 is a host with a zone of its own. Of two hosts
	// it says the same for as long as a node of the lease is on one of them. Nil: one host.
	Zone func(slot.Host) int
}

// Node names a node of a lease.
type Node struct {
	Lease ID
	Node  int // its place in order of the parts; -1: any of them
}

// mostRules bounds the rules of a lease, and what one of them names.
const mostRules = 1 << 10

// checkAffinity returns what is wrong with the rules of the terms.
func (b *Book) checkAffinity(t *Terms) error {
	refuse := func(what string, args ...any) error {
		return workspace.Refuse(workspace.Invalid, what, args...)
	}
	if len(t.Affinity) > mostRules {
		return refuse("%d rules of affinity", len(t.Affinity))
	}
	for i := range t.Affinity {
		rule := &t.Affinity[i]
		if len(rule.Others) > mostRules || len(rule.Hosts) > mostRules {
			return refuse("a rule of affinity that names %d nodes and %d hosts",
				len(rule.Others), len(rule.Hosts))
		}
		for _, n := range rule.Others {
			if n.Lease == t.ID {
				return refuse("affinity of lease %d to itself by its number", t.ID)
			}
		}
		for _, h := range rule.Hosts {
			if h < 0 || int(h) >= b.full.Len() {
				return refuse("affinity to host %d of %d", h, b.full.Len())
			}
		}
	}
	return nil
}

// own reports whether the rule is about the lease's own nodes.
func (a *Affinity) own() bool { return len(a.Others) == 0 && len(a.Hosts) == 0 }

// enter takes the lease into the Book's list.
func (b *Book) enter(l *lease) {
	b.leases.put(l)
	b.note(l.ID)
	l.names(func(id ID) {
		if i, found := slices.BinarySearch(b.named[id], l.ID); !found {
			b.named[id] = slices.Insert(slices.Clone(b.named[id]), i, l.ID)
		}
	})
}

// strike takes it out of the list.
func (b *Book) strike(l *lease) {
	b.leases.drop(l.ID)
	l.names(func(id ID) {
		rest := slices.DeleteFunc(slices.Clone(b.named[id]), func(by ID) bool { return by == l.ID })
		if b.named[id] = rest; len(rest) == 0 {
			delete(b.named, id)
		}
	})
}

// names calls f for the leases from which the lease has to be apart.
func (l *lease) names(f func(ID)) {
	for i := range l.Affinity {
		if rule := &l.Affinity[i]; rule.Apart && !rule.Soft {
			for _, n := range rule.Others {
				f(n.Lease)
			}
		}
	}
}

// ruled reports whether the hosts of the lease depend on others by affinity.
func (b *Book) ruled(l *lease) bool { return len(l.Affinity) > 0 || len(b.named[l.ID]) > 0 }

// foes calls f for each host that keeps the lease away because another that it
// has to be apart from is there, or that has to be apart from it. One that waits
// keeps only those away that wait as well.
func (b *Book) foes(l *lease, f func(other *lease, h slot.Host)) {
	each := func(n Node) {
		other := b.leases.get(n.Lease)
		if other == nil || other.ID == l.ID || other.held.Empty() ||
			(other.waiting() && l.Kind != BestEffort) {
			return
		}
		for i, h := range other.hosts {
			if n.Node < 0 || n.Node == i {
				f(other, h)
			}
		}
		for i, h := range other.leaving {
			if n.Node < 0 || n.Node == i {
				f(other, h)
			}
		}
	}
	for i := range l.Affinity {
		if rule := &l.Affinity[i]; rule.Apart && !rule.Soft {
			for _, n := range rule.Others {
				each(n)
			}
		}
	}
	for _, id := range b.named[l.ID] {
		each(Node{id, -1})
	}
}

// A bar keeps a lease off a host for a time.
type bar struct {
	host slot.Host
	span slot.Span
	firm bool // the lease behind it is not to be moved
}

// bars returns what keeps the lease off hosts, by host and time, none of which
// overlap.
func (b *Book) bars(l *lease) []bar {
	if !b.ruled(l) {
		return nil
	}
	var all []bar
	b.foes(l, func(other *lease, h slot.Host) { all = append(all, bar{h, other.held, other.firm}) })
	slices.SortFunc(all, func(x, y bar) int {
		return cmp.Or(cmp.Compare(x.host, y.host), cmp.Compare(x.span.Start, y.span.Start),
			cmp.Compare(x.span.End, y.span.End))
	})
	n := 0
	for _, x := range all {
		if n > 0 && all[n-1].host == x.host && x.span.Start <= all[n-1].span.End {
			all[n-1].span.End = max(all[n-1].span.End, x.span.End)
			all[n-1].firm = all[n-1].firm || x.firm
			continue
		}
		all[n] = x
		n++
	}
	return all[:n]
}

// barred returns from when on, of a time, one of the hosts is barred to the
// lease, and whether by a lease that is not to be moved; Never for not at all.
func (b *Book) barred(l *lease, hosts []slot.Host, from slot.Time) (at slot.Time, firm bool) {
	at = slot.Never
	for _, x := range b.bars(l) {
		if x.span.End <= from || !slices.Contains(hosts, x.host) {
			continue
		}
		if start := max(x.span.Start, from); start < at {
			at, firm = start, x.firm
		} else if start == at {
			firm = firm || x.firm
		}
	}
	return at, firm
}

// part sends away those that wait and are planned where a lease that has just
// been decided upon has to be apart from them.
func (b *Book) part(l *lease) {
	var gone []ID
	look := func(id ID) {
		other := b.leases.get(id)
		if other == nil || !other.waiting() || common(other.held, l.held).Empty() {
			return
		}
		for _, h := range other.hosts {
			if slices.Contains(l.hosts, h) {
				gone = append(gone, id)
				return
			}
		}
	}
	l.names(look)
	for _, id := range b.named[l.ID] {
		look(id)
	}
	for _, id := range gone {
		if other := b.own(b.leases.get(id)); !other.held.Empty() {
			b.unplan(other)
		}
	}
}
