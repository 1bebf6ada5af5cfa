package book

import (
	"cmp"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// whyNot returns why a lease whose hosts are given back cannot have the new
// terms, and terms between the old and the new ones that it can have.
func (b *Book) whyNot(l *lease, t Terms) *Reason {
	r := &Reason{Code: Taken, Wanted: l.nodes(), Free: l.nodes(), Earliest: slot.Never}
	span := slot.Span{Start: b.now, End: b.lasts(l, &t)}
	c := l.copy()
	c.Parts = t.Parts
	for _, s := range sums(l.hosts, c.needs()) {
		free := b.full.Free(s.host, span)
		for k := range s.need {
			if s.need[k] > free[k] {
				r.Resource, r.Free = slot.Resource(k), 0
			}
			if s.need[k] > b.empty.Capacity(s.host)[k] {
				r.Code = TooLarge
			}
		}
	}
	r.Blocking = b.blocking(l, span)
	b.offerShorter(l, t, r)
	b.offerSmaller(l, t, r)
	if len(r.Offers) == 0 { // neither alone will do
		longer, larger := t, t
		longer.Parts, larger.Duration = l.Parts, l.Duration
		b.offerShorter(l, longer, r)
		b.offerSmaller(l, larger, r)
	}
	return r
}

// lasts returns until when a lease that has its hosts would hold them.
func (b *Book) lasts(l *lease, t *Terms) slot.Time {
	return l.done() - l.Duration + t.Duration + b.shutdown(l)
}

// offer adds an offer in its place: the smallest change first.
func (r *Reason) offer(o Offer) {
	r.Offers = append(r.Offers, o)
	slices.SortStableFunc(r.Offers, func(a, b Offer) int { return cmp.Compare(a.size, b.size) })
}

// paces is in how many steps a lease goes from old terms to new ones: so many
// that an offer is the most there is of anything that a host has less of.
const paces = 1 << 20

// stride returns the part of the way from a value to another after k paces, in
// whole steps of a grain.
func stride(k, from, to, grain int64) int64 {
	grain = max(grain, 1)
	if k == paces {
		return to
	}
	return from + (to-from)*k/paces/grain*grain
}

// offerShorter offers the new terms with a time between the old and the new one.
func (b *Book) offerShorter(l *lease, t Terms, r *Reason) {
	at := func(k int64) Terms {
		x := t
		x.Duration = slot.Time(stride(k, int64(l.Duration), int64(t.Duration), 1))
		return x
	}
	if k := b.furthest(l, at, paces-1); k >= 0 {
		b.offerTo(l, Offer{Change: Shorter, Terms: at(k), size: 1 - float64(k)/paces}, r)
	}
}

// offerSmaller offers the new time with as much as there is: of all resources
// alike, and then of each.
func (b *Book) offerSmaller(l *lease, t Terms, r *Reason) {
	var have [slot.Resources]int64
	at := func(k int64, chosen func(r int) bool) Terms {
		x := t
		x.Parts = slices.Clone(t.Parts)
		for i, p := range l.Parts {
			for n, was := range p.Need {
				grain, paces := int64(1), have[n]
				if t.Grain != nil {
					grain = int64(t.Grain[i][n])
				}
				if chosen(n) {
					paces = max(paces, k)
				}
				need := &x.Parts[i].Need[n]
				*need = int32(stride(paces, int64(was), int64(*need), grain))
			}
		}
		return x
	}
	all := func(int) bool { return true }
	together := b.furthest(l, func(k int64) Terms { return at(k, all) }, paces-1)
	if together < 0 {
		return
	}
	var sum float64
	for n := range have {
		have[n] = together
	}
	for n := range have {
		this := func(r int) bool { return r == n }
		have[n] = max(together, b.furthest(l, func(k int64) Terms { return at(k, this) }, paces))
		sum += 1 - float64(have[n])/paces
	}
	b.offerTo(l, Offer{Change: Smaller, Terms: at(0, all), size: sum / slot.Resources}, r)
}

// offerTo adds an offer to a lease whose hosts are given back, with what it costs
// others, if it holds.
func (b *Book) offerTo(l *lease, o Offer, r *Reason) {
	if d := b.extend(l, o.Terms); d != nil {
		o.Preempts = d.whom()
		r.offer(o)
	}
}

// furthest returns how far towards the new terms a lease can go, in paces up to
// the most; -1 for not at all.
func (b *Book) furthest(l *lease, terms func(k int64) Terms, most int64) int64 {
	low, high := int64(-1), most
	for low < high {
		k := (low + high + 1) / 2
		if b.extend(l, terms(k)) != nil {
			low = k
		} else {
			high = k - 1
		}
	}
	return low
}

// inTimeToCome offers a lease that runs all that it asks for at the earliest
// time from which it can have it, if everything goes as planned until then.
func (b *Book) inTimeToCome(l *lease, t Terms) (Offer, bool) {
	if l.state != Running {
		return Offer{}, false
	}
	c := l.copy()
	c.Parts = t.Parts
	s := b.Snapshot()
	s.uphold(l.ID)
	tables := []*slot.Table{s.firm}
	if s.firm != s.full {
		tables = append(tables, s.full)
	}
	for _, table := range tables {
		at := clears(table, c, slot.Span{Start: b.now, End: b.lasts(l, &t)})
		if at <= b.now || at >= l.done() {
			continue
		}
		if d := b.then(l.ID, t, at); d != nil {
			size := float64(at-b.now) / float64(l.Duration)
			return Offer{Change: Later, Terms: t, At: at, Preempts: d.whom(), size: size}, true
		}
	}
	return Offer{}, false
}

// clears returns from when on the lease fits on its hosts up to the end of the
// span; the end, if it does not.
func clears(table *slot.Table, l *lease, span slot.Span) slot.Time {
	at := span.Start
	for _, s := range sums(l.hosts, l.needs()) {
		room := table.Capacity(s.host)
		table.Steps(s.host, span, func(step slot.Span, use slot.Amount) {
			if free := room.Minus(use); !s.need.Fits(&free) {
				at = max(at, step.End)
			}
		})
	}
	return at
}

// then decides upon new terms of a lease at a time to come, of which no more is
// known than what is planned.
func (b *Book) then(id ID, t Terms, at slot.Time) *decision {
	s := b.Snapshot()
	s.policy.Confirm = 0
	s.Advance(at)
	l := s.leases.get(id)
	if l == nil || l.state != Running {
		return nil
	}
	if err := l.comparable(&t, at); err != nil {
		return nil
	}
	l, _ = s.uphold(id)
	return s.extend(l, t)
}

// whom returns who loses hosts for the decision.
func (d *decision) whom() (all []ID) {
	for _, v := range d.victims {
		all = append(all, v.id)
	}
	return all
}
