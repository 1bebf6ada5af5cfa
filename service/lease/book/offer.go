package book

import (
	"cmp"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// offers returns terms that would be accepted in place of the lease's. Each
// has been decided upon as a request would be.
func (b *Book) offers(l *lease, r *Reason) []Offer {
	if b.terse {
		return nil
	}
	var all []Offer
	for _, propose := range []func(*lease, *Reason) (Offer, bool){
		b.later, b.fewer, b.shorter, b.smaller, b.looser,
	} {
		if o, ok := propose(l, r); ok {
			o.Preempts = b.cost(l, &o)
			all = append(all, o)
		}
	}
	if len(all) == 0 {
		all = b.compromise(l)
	}
	slices.SortStableFunc(all, func(a, b Offer) int { return cmp.Compare(a.size, b.size) })
	return all
}

// compromise offers, where no change of one kind will do, another that would do
// in the empty pool, at the earliest time for it.
func (b *Book) compromise(l *lease) []Offer {
	nodes := b.bare(l).most(moment)
	fewer := l.first(max(nodes, 1))
	var tries []Offer
	if len(l.Affinity) > 0 {
		tries = append(tries, Offer{Change: Looser, Terms: l.loose().Terms, size: looseSize})
	}
	tries = append(tries, Offer{
		Change: Fewer, Terms: fewer.Terms, size: 1 - float64(nodes)/float64(l.nodes()),
	})
	if len(l.Affinity) > 0 {
		tries = append(tries, Offer{Change: Looser, Terms: fewer.loose().Terms,
			size: looseSize + 1 - float64(nodes)/float64(l.nodes())})
	}
	for _, gang := range []*lease{l, l.first(1)} {
		for n := int64(smallest - 1); nodes == 0 && n > 0; n-- {
			size := 1 - float64(n)/smallest*float64(gang.nodes())/float64(l.nodes())
			x := gang.less(n, func(slot.Resource) bool { return true })
			tries = append(tries, Offer{Change: Smaller, Terms: x.Terms, size: size})
		}
	}
	for _, o := range tries {
		c := l.copy()
		c.Terms = o.Terms
		if !b.possible(c) {
			continue
		}
		at := b.soonest(c.lowest())
		if at == slot.Never {
			continue
		}
		if c.Kind == Deadline {
			c.Deadline = max(c.Deadline, at+c.Duration)
		} else if at > b.now {
			c.Kind, c.Start = Reservation, at
		}
		if b.accepts(c) {
			o.Terms = c.Terms
			o.size += float64(max(at-max(b.now, l.wish()), 0)) / float64(l.Duration)
			o.Preempts = b.cost(l, &o)
			return []Offer{o}
		}
	}
	return nil
}

// accepts reports whether the lease would be accepted, without looking why not.
func (b *Book) accepts(l *lease) bool {
	if l.Kind == BestEffort || !b.possible(l) {
		return b.possible(l)
	}
	d, _ := b.fit(l.lowest())
	return d != nil
}

// cost returns who would lose hosts for an offer in place of the lease.
func (b *Book) cost(l *lease, o *Offer) []ID {
	c := l.copy()
	c.Terms = o.Terms
	if c.Kind == BestEffort {
		return nil
	}
	if d, _ := b.attempt(c); d != nil {
		return d.whom()
	}
	return nil
}

// later offers the same at the earliest time: a reservation, or a later deadline.
func (b *Book) later(l *lease, r *Reason) (Offer, bool) {
	if r.Earliest == slot.Never {
		return Offer{}, false
	}
	c := l.copy()
	wish := max(b.now, l.wish())
	if c.Kind == Deadline {
		wish, c.Deadline = l.Deadline, r.Earliest+l.Duration
	} else {
		c.Kind, c.Start = Reservation, r.Earliest
	}
	moved := max(r.Earliest-wish, 1)
	if c.Kind == Deadline {
		moved = max(c.Deadline-l.Deadline, 1)
	}
	share := float64(moved) / float64(l.Duration)
	return Offer{Change: Later, Terms: c.Terms, size: share}, b.accepts(c)
}

// looser offers the same with its conditions of affinity as wishes.
func (b *Book) looser(l *lease, r *Reason) (Offer, bool) {
	if r.Code != Ruled {
		return Offer{}, false
	}
	c := l.loose()
	return Offer{Change: Looser, Terms: c.Terms, size: looseSize}, b.accepts(c)
}

// looseSize is how large a change it is to do without conditions of affinity,
// as a share of what is asked for.
const looseSize = .5

// fewer offers the first nodes of the gang, as many as fit.
func (b *Book) fewer(l *lease, _ *Reason) (Offer, bool) {
	low, high := 0, l.nodes()-1
	for low < high {
		n := (low + high + 1) / 2
		if b.accepts(l.first(n)) {
			low = n
		} else {
			high = n - 1
		}
	}
	if low == 0 {
		return Offer{}, false
	}
	c := l.first(low)
	share := 1 - float64(low)/float64(l.nodes())
	return Offer{Change: Fewer, Terms: c.Terms, size: share}, b.accepts(c)
}

// shorter offers the longest time that fits: to the second, or to a thousandth
// of what was asked for where that is less.
func (b *Book) shorter(l *lease, r *Reason) (Offer, bool) {
	unit := max(min(1000, l.Duration/1000), 1)
	c := l.copy()
	low, high := slot.Time(0), (l.Duration-1)/unit
	if r.Code == TooLarge || r.Code == NoHost {
		high = 0 // time is not what is short
	}
	for low < high {
		n := (low + high + 1) / 2
		if c.Duration = n * unit; b.accepts(c) {
			low = n
		} else {
			high = n - 1
		}
	}
	if low == 0 {
		return Offer{}, false
	}
	c.Duration = low * unit
	share := 1 - float64(c.Duration)/float64(l.Duration)
	return Offer{Change: Shorter, Terms: c.Terms, size: share}, b.accepts(c)
}

// smaller offers nodes with less of the resource that is shortest, or with less
// of all where that does not help, to 1/64.
func (b *Book) smaller(l *lease, r *Reason) (Offer, bool) {
	if o, ok := b.scaled(l, func(k slot.Resource) bool { return k == r.Resource }); ok {
		return o, true
	}
	return b.scaled(l, func(slot.Resource) bool { return true })
}

// smallest is the share of nodes to which they are made smaller at most.
const smallest = 64

// less returns the lease with so many of the shares of the chosen resources.
func (l *lease) less(n int64, chosen func(slot.Resource) bool) *lease {
	c := l.lowest().copy()
	for i := range c.Parts {
		for k := range c.Parts[i].Need {
			if need := &c.Parts[i].Need[k]; chosen(slot.Resource(k)) {
				*need = int32(int64(*need) * n / smallest)
				if l.Grain != nil {
					*need -= *need % max(l.Grain[i][k], 1)
				}
			}
		}
	}
	return c
}

// scaled offers the most of the chosen resources.
func (b *Book) scaled(l *lease, chosen func(slot.Resource) bool) (Offer, bool) {
	low, high := int64(0), int64(smallest-1)
	for low < high {
		n := (low + high + 1) / 2
		if b.accepts(l.less(n, chosen)) {
			low = n
		} else {
			high = n - 1
		}
	}
	if low == 0 {
		return Offer{}, false
	}
	c := l.less(low, chosen)
	return Offer{Change: Smaller, Terms: c.Terms, size: 1 - float64(low)/smallest}, b.accepts(c)
}
