package book

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// Code is why a lease is refused or waits: the one reason that dominates.
type Code uint8

// The codes. A change of the pool alone helps with the first two.
const (
	TooLarge Code = iota // the whole pool, empty, is too small
	NoHost               // too few hosts will do, whatever they have free
	TooSoon              // there is no time to start the nodes before Start
	Taken                // others have the hosts at that time
	TooLate              // the hosts are free too late for the Deadline
	LinkBusy             // the image cannot be brought to the hosts in time
	Behind               // its turn has not come: those before it may not be delayed
	Ruled                // the hosts that have room are ruled out by its Affinity
	Shut                 // hosts are closed, or give less for a time
)

// String returns the code as messages and documents have it.
func (c Code) String() string {
	return [...]string{
		"too-large", "no-host", "too-soon", "taken", "too-late", "link-busy", "behind",
		"affinity", "closed",
	}[c]
}

// Reason explains why a lease is refused or waits.
type Reason struct {
	Code     Code
	Resource slot.Resource // that is shortest
	Wanted   int           // nodes
	Free     int           // nodes that would fit, of these
	Blocking []ID          // some leases that are in the way, the soonest to end first
	// Earliest is when the same lease could run, as things stand; Never when
	// it cannot.
	Earliest slot.Time
	// Offers are terms that would be accepted in place of those refused, as
	// things stand, the smallest change first.
	Offers []Offer
}

// Change is in what an offer differs from what was asked for.
type Change uint8

// The changes.
const (
	Later   Change = iota // another time
	Fewer                 // fewer nodes
	Shorter               // less time
	Smaller               // nodes with less
	Looser                // conditions of affinity become wishes
)

// String returns the change in one word.
func (c Change) String() string {
	return [...]string{"later", "fewer", "shorter", "smaller", "looser"}[c]
}

// Offer is a set of terms that would be accepted.
type Offer struct {
	Change Change
	Terms  Terms
	// At is when to ask for the Terms, of a running lease that can have all that
	// it asks for Later; else zero: now.
	At       slot.Time
	Preempts []ID    // leases that would lose their hosts for it
	size     float64 // of the change: shares of what was asked for
}

// String says the reason in one sentence without times, which are the caller's
// to write.
func (r *Reason) String() string {
	switch r.Code {
	case TooLarge:
		return fmt.Sprintf("the empty pool has room for %d of %d nodes, for want of %s",
			r.Free, r.Wanted, r.Resource)
	case NoHost:
		return fmt.Sprintf("no host that will do can take any of %d nodes", r.Wanted)
	case TooSoon:
		return "the nodes cannot be started in so short a time"
	case TooLate:
		return fmt.Sprintf("%d nodes are free together too late for the deadline", r.Wanted)
	case LinkBusy:
		return "the image cannot be brought to the hosts in time"
	case Ruled:
		return fmt.Sprintf("the affinity of %d nodes rules out the hosts that have room", r.Wanted)
	case Shut:
		return fmt.Sprintf("too few hosts for %d nodes are open at that time", r.Wanted)
	case Behind:
		return "starting it now would delay leases that came before it"
	default:
		return fmt.Sprintf("room for %d of %d nodes, for want of %s", r.Free, r.Wanted, r.Resource)
	}
}

// moment is any time for the empty table, which says the same of all.
var moment = slot.Span{Start: 0, End: 1}

// possible reports whether the empty pool would do for the lease.
func (b *Book) possible(l *lease) bool {
	return b.bare(l).place(moment) != nil
}

// impossible returns why no time will ever do for the lease; nil if one would.
func (b *Book) impossible(l *lease) *Reason {
	if b.possible(l) {
		return nil
	}
	r := &Reason{Code: TooLarge, Wanted: l.nodes(), Earliest: slot.Never}
	r.Resource, r.Free = b.bare(l).shortage(moment)
	if len(l.Affinity) > 0 && b.possible(l.loose()) {
		r.Code = Ruled
	} else if r.Free == 0 && l.Hosts != nil {
		anywhere := l.copy()
		if anywhere.Hosts = nil; b.possible(anywhere) {
			r.Code = NoHost
		}
	}
	r.Offers = b.offers(l, r)
	return r
}

// copy returns a lease of no Book with the same terms, to try changes on.
func (l *lease) copy() *lease {
	c := *l
	c.book = nil
	c.Parts = slices.Clone(l.Parts)
	return &c
}

// shortage returns the resource of which alone the fewest nodes fit during the
// span, and how many nodes of the gang fit in all.
func (s *search) shortage(span slot.Span) (slot.Resource, int) {
	worst, least := slot.CPU, s.lease.nodes()+1
	for r := range slot.Resource(slot.Resources) {
		alone := *s
		alone.lease = s.lease.copy()
		for i := range alone.lease.Parts {
			var need slot.Amount
			need[r] = alone.lease.Parts[i].Need[r]
			alone.lease.Parts[i].Need = need
		}
		if n := alone.most(span); n < least {
			worst, least = r, n
		}
	}
	return worst, s.most(span)
}

// most returns how many nodes of the gang fit during the span, when nodes are
// left out from its end.
func (s *search) most(span slot.Span) int {
	low, high := 0, s.lease.nodes()
	for low < high {
		n := (low + high + 1) / 2
		fewer := *s
		fewer.lease = s.lease.first(n)
		if fewer.place(span) != nil {
			low = n
		} else {
			high = n - 1
		}
	}
	return low
}

// first returns the lease with its first n nodes.
func (l *lease) first(n int) *lease {
	c := l.copy()
	c.Parts = c.Parts[:0:0]
	for _, p := range l.Parts {
		p.Nodes = min(p.Nodes, n)
		if n -= p.Nodes; p.Nodes > 0 {
			c.Parts = append(c.Parts, p)
		}
	}
	c.Least = c.Least[:min(len(c.Least), len(c.Parts))]
	c.Grain = c.Grain[:min(len(c.Grain), len(c.Parts))]
	return c
}

// room returns the search that decides about the lease in the end: among firm
// leases alone, where it may interrupt the others.
func (b *Book) room(l *lease) *search {
	if l.Kind == Immediate || l.Kind == BestEffort {
		return b.search(b.full, l)
	}
	return b.search(b.firm, l)
}

// soonest returns when the lease could run, or Never. A reservation for then
// would be accepted.
func (b *Book) soonest(l *lease) slot.Time {
	if when := b.soonestIn(b.room(l), l); when != slot.Never || b.firm == b.full {
		return when
	}
	return b.soonestIn(b.search(b.full, l), l) // without an interruption, which may be impossible
}

// soonestIn looks for that time by the search.
func (b *Book) soonestIn(s *search, l *lease) slot.Time {
	lead := b.lead(l)
	from := max(b.now, l.wish()-lead)
	c := l.copy()
	if c.Kind == Immediate {
		c.Kind = Reservation
	}
	for range patience {
		when, hosts := s.earliest(from, b.length(l))
		if when == slot.Never {
			return when
		}
		c.Start, c.Deadline = when+lead, when+lead+c.Duration
		if b.accepts(c) {
			return c.Start
		}
		if from = b.stage(l, &decision{hosts: hosts}, slot.Never); from <= when {
			from = when + max(c.Duration/patience, 1)
		}
	}
	return slot.Never
}

// wish returns when the lease would like to run.
func (l *lease) wish() slot.Time {
	if l.Kind == Reservation || l.Kind == Deadline {
		return l.Start
	}
	return 0
}

// why returns what keeps a lease from running as its terms say.
func (b *Book) why(l *lease, code Code) *Reason {
	least := l.lowest()
	r := &Reason{Code: code, Wanted: l.nodes(), Earliest: b.soonest(least)}
	if b.terse {
		return r
	}
	begin := max(b.now, l.wish()-b.lead(l))
	span := slot.Span{Start: begin, End: begin + b.length(l)}
	r.Resource, r.Free = b.room(least).shortage(span)
	if code == Taken || code == TooLate {
		r.Blocking = b.blocking(l, span)
	}
	if (code == Taken || code == TooLate) && b.locked(least, span) {
		r.Code = Shut
	} else if (code == Taken || code == TooLate) && len(l.Affinity) > 0 && b.accepts(l.loose()) {
		r.Code = Ruled
	}
	r.Offers = b.offers(l, r)
	return r
}

// loose returns the lease with its conditions of affinity as wishes.
func (l *lease) loose() *lease {
	c := l.copy()
	c.Affinity = slices.Clone(c.Affinity)
	for i := range c.Affinity {
		c.Affinity[i].Soft = true
	}
	return c
}

// blocking returns leases that hold hosts during the span, and have a say.
func (b *Book) blocking(l *lease, span slot.Span) []ID {
	const some = 8
	var all []*lease
	for _, other := range b.leases.all() {
		in := common(other.held, span)
		timed := l.Kind != BestEffort && l.Kind != Immediate
		if in.Empty() || other.ID == l.ID || (timed && !other.firm) {
			continue
		}
		if l.Hosts == nil || slices.ContainsFunc(other.hosts, l.Hosts) {
			all = append(all, other)
		}
	}
	slices.SortFunc(all, func(v, w *lease) int {
		return cmp.Or(cmp.Compare(v.held.End, w.held.End), cmp.Compare(v.ID, w.ID))
	})
	var ids []ID
	for _, v := range all[:min(some, len(all))] {
		ids = append(ids, v.ID)
	}
	return ids
}

// Explain says why a lease waits; nil, when it does not wait or has a plan that
// begins now. It makes no offers: the lease has not been refused.
func (b *Book) Explain(id ID) *Reason {
	l := b.leases.get(id)
	if l == nil || !l.waiting() || l.runs <= b.now+b.lead(l) {
		return nil
	}
	length := b.length(l)
	s := b.search(b.full, l.lowest())
	span := slot.Span{Start: b.now, End: b.now + length}
	r := &Reason{Code: Taken, Wanted: l.nodes(), Earliest: l.runs}
	if r.Earliest == slot.Never {
		if when, _ := s.earliest(b.now, length); when != slot.Never {
			r.Earliest = when + b.lead(l)
		}
	}
	r.Resource, r.Free = s.shortage(span)
	r.Blocking = b.blocking(l, span)
	var fits bool
	b.without(b.plans(), span, func() { fits = s.place(span) != nil })
	loose := b.search(b.full, l.lowest().loose())
	if b.locked(l.lowest(), span) {
		r.Code = Shut
	} else if fits {
		r.Code = Behind
	} else if len(l.Affinity) > 0 && loose.place(span) != nil {
		r.Code = Ruled
	}
	return r
}
