package agenda

import (
	"cmp"
	"context"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// names returns the hosts by name.
func (a *Agenda) names(hosts []slot.Host) []workspace.HostID {
	var all []workspace.HostID
	for _, h := range hosts {
		all = append(all, a.pool[h].ID)
	}
	return all
}

// leases returns the owner's own of the leases: the numbers of others are theirs.
func leases(b *book.Book, owner workspace.Owner, ids []book.ID) []workspace.LeaseID {
	var all []workspace.LeaseID
	for _, id := range ids {
		if r, known := b.Record(id); known && r.Terms.Owner == string(owner) {
			all = append(all, workspace.LeaseID(id))
		}
	}
	return all
}

// refused writes why the Book refused terms.
func (a *Agenda) refused(b *book.Book, d *Draft, t book.Terms, r *book.Reason) error {
	refusal := a.refusal(b, d, t, r)
	if lost := a.outOfReach(); len(lost) > 0 && wouldDo(b, a, t) {
		return &Refused{refusal, lost}
	}
	return &Refused{refusal, nil}
}

// outOfReach names the hosts that would take leases if they answered.
func (a *Agenda) outOfReach() (lost []workspace.HostID) {
	for i := range a.pool {
		if a.lost[i] && a.pool[i].Active {
			lost = append(lost, a.pool[i].ID)
		}
	}
	return lost
}

// wouldDo reports whether the terms were accepted if all hosts were in reach.
func wouldDo(b *book.Book, a *Agenda, t book.Terms) bool {
	c, at := b.Snapshot(), stamp(now())
	for i := range b.Hosts() { // there may be more by now
		if a.lost[i] && a.pool[i].Active {
			c.Found(at, slot.Host(i))
		}
	}
	answer, err := c.Try(at, t)
	return err == nil && answer.State != book.Refused
}

// refusal writes the Book's reason in the words of the domain.
func (a *Agenda) refusal(
	b *book.Book, d *Draft, t book.Terms, r *book.Reason,
) *workspace.Refusal {
	refusal := &workspace.Refusal{
		Code: r.Code.String(), Earliest: moment(r.Earliest),
		Blocking:  leases(b, d.Booking.Owner, r.Blocking),
		Shortages: a.shortages(b, t, r),
	}
	for _, o := range r.Offers {
		if offer, ok := a.offer(b, d, t, o); ok {
			refusal.Offers = append(refusal.Offers, offer)
		}
	}
	return refusal
}

// offer writes an offer of the Book. Later than at once is a reservation, which
// has to boot before: when one would be accepted is asked.
func (a *Agenda) offer(
	b *book.Book, d *Draft, asked book.Terms, o book.Offer,
) (workspace.Offer, bool) {
	t := o.Terms
	offer := workspace.Offer{
		Change: o.Change.String(), Preempts: leases(b, d.Booking.Owner, o.Preempts),
	}
	if immediate(d.Booking.Terms) && o.Change == book.Later && o.At == 0 {
		start := a.soonest(b, d, t)
		if start == slot.Never {
			return offer, false
		}
		t.Start = start
		t.Duration = length(d.Booking.Duration)
	} else if immediate(d.Booking.Terms) {
		t.Duration -= length(d.Grace)
	}
	if t.Duration <= 0 {
		return offer, false
	}
	offer.Duration = span(t.Duration)
	if t.Start != asked.Start {
		offer.Start = moment(t.Start)
	}
	if t.Deadline != asked.Deadline {
		offer.Deadline = moment(t.Deadline)
	}
	if o.At != 0 {
		offer.Start = moment(o.At)
	}
	for _, p := range t.Parts {
		offer.Nodes += p.Nodes
	}
	part := min(d.part, len(t.Parts)-1)
	offer.Demand = granted(share(d.Booking.Parts, part, t.Parts), t.Parts[part].Need)
	return offer, true
}

// share returns the allocation that a part of the Book's was made of.
func share(asked []workspace.Part, part int, parts []book.Part) workspace.Allocation {
	node := 0
	for _, p := range parts[:part] {
		node += p.Nodes
	}
	for _, p := range asked {
		if node < p.Nodes {
			return p.Demand
		}
		node -= p.Nodes
	}
	return workspace.Allocation{}
}

// soonest returns when the lease could run as a reservation of the same.
func (a *Agenda) soonest(b *book.Book, d *Draft, t book.Terms) slot.Time {
	t.Kind, t.Duration = book.Reservation, length(d.Booking.Duration)
	t.Boot = length(a.allow(a.o.Boot, d.Booking.Parts))
	t.Shutdown = length(a.allow(a.o.Shutdown, d.Booking.Parts))
	for range 4 {
		answer, err := b.Try(stamp(now()), t)
		switch {
		case err != nil:
			return slot.Never
		case answer.State != book.Refused:
			return t.Start
		}
		t.Start = max(answer.Reason.Earliest, t.Start+1)
		if answer.Reason.Earliest == slot.Never {
			return slot.Never
		}
	}
	return slot.Never
}

// shortages names what the closest host that would do lacks for one node, or
// what the pool lacks for all when a single node would fit.
func (a *Agenda) shortages(b *book.Book, t book.Terms, r *book.Reason) []workspace.Shortage {
	if own, known := b.Record(t.ID); known && own.State != book.Queued && len(own.Hosts) > 0 {
		return a.missing(b, own, t)
	}
	begin := max(stamp(now()), t.Start)
	free := make([]slot.Amount, len(a.pool))
	var will []slot.Host
	for i := range b.Hosts() { // there may be more by now
		h := slot.Host(i)
		if a.lost[i] || !a.pool[i].Active || (t.Hosts != nil && !t.Hosts(h)) {
			continue
		}
		free[h] = b.Free(h, slot.Span{Start: begin, End: begin + max(t.Duration, 1)})
		will = append(will, h)
	}
	if len(will) == 0 {
		return []workspace.Shortage{{
			Resource: "host", Unit: "active hosts with the asked VMM and networks",
			Wanted: int64(r.Wanted), Where: "the pool",
		}}
	}
	one := t.Parts[0].Need
	for _, p := range t.Parts {
		if slices.Compare(p.Need[:], one[:]) > 0 {
			one = p.Need
		}
	}
	closest := slices.MaxFunc(will, func(x, y slot.Host) int {
		return cmp.Or(cmp.Compare(free[x][slot.Memory], free[y][slot.Memory]),
			cmp.Compare(free[x][slot.CPU], free[y][slot.CPU]), cmp.Compare(y, x))
	})
	if one.Fits(&free[closest]) || slices.ContainsFunc(will, func(h slot.Host) bool {
		return one.Fits(&free[h])
	}) {
		return []workspace.Shortage{{
			Resource: "nodes", Unit: "nodes", Wanted: int64(r.Wanted),
			Free: slots(will, free, one), Where: "the pool",
		}}
	}
	return short(one, free[closest], string(a.pool[closest].ID))
}

// missing names what the hosts of a lease lack for other terms in the place of
// those that it has there: up to its present end what it holds is its own.
func (a *Agenda) missing(
	b *book.Book, own book.Record, t book.Terms,
) (all []workspace.Shortage) {
	has, wants := nodes(own.Terms.Parts), nodes(t.Parts)
	begin := stamp(now())
	end := max(own.Runs, begin) + t.Duration - own.Ran
	for i, h := range own.Hosts {
		if i >= len(wants) {
			break
		}
		free := b.Free(h, slot.Span{Start: begin, End: max(own.Until, begin+1)}).Plus(has[i])
		if end > own.Until {
			later := b.Free(h, slot.Span{Start: own.Until, End: end})
			for r := range free {
				free[r] = min(free[r], later[r])
			}
		}
		all = append(all, short(wants[i], free, string(a.pool[h].ID))...)
	}
	return all
}

// nodes lists what each node takes.
func nodes(parts []book.Part) (all []slot.Amount) {
	for _, p := range parts {
		for range p.Nodes {
			all = append(all, p.Need)
		}
	}
	return all
}

// units are those of the resources, as shortages name them.
var units = [slot.Resources]string{"CPUs", "MB", "MB", "kbit/s", "kbit/s"}

// short names each resource that does not suffice.
func short(want, free slot.Amount, where string) (all []workspace.Shortage) {
	for _, r := range []slot.Resource{slot.Memory, slot.CPU, slot.Disk, slot.NetIn, slot.NetOut} {
		if want[r] <= free[r] {
			continue
		}
		s := workspace.Shortage{
			Resource: r.String(), Unit: units[r], Where: where,
			Wanted: int64(want[r]), Free: int64(free[r]),
		}
		if r == slot.CPU {
			s.Wanted, s.Free = (s.Wanted+percent-1)/percent, s.Free/percent
		}
		all = append(all, s)
	}
	return all
}

// slots counts how many such nodes the hosts take.
func slots(hosts []slot.Host, free []slot.Amount, one slot.Amount) (n int64) {
	for _, h := range hosts {
		fit := int64(most)
		for r := range one {
			if one[r] > 0 {
				fit = min(fit, int64(free[h][r]/one[r]))
			}
		}
		n += max(fit, 0)
	}
	return n
}

// Explain says why a lease waits, and how it stands; nil, when it does not wait,
// and when there is none.
func (a *Agenda) Explain(
	ctx context.Context, store workspace.Store, id workspace.LeaseID,
) (*workspace.Refusal, *workspace.Booking, error) {
	booking, err := store.Booking(ctx, id)
	if err != nil {
		if workspace.KindOf(err) == workspace.NotFound {
			err = nil
		}
		return nil, nil, err
	}
	if booking.Status == workspace.LeaseActive || booking.Status == workspace.LeaseOver {
		return nil, booking, nil // most are asked about while they run: spare the Book
	}
	b, err := a.snapshot(ctx, store)
	if err != nil {
		return nil, nil, err
	}
	r, known := b.Record(book.ID(id))
	reason := b.Explain(book.ID(id))
	if !known || reason == nil {
		return nil, booking, nil
	}
	a.mu.Lock()
	defer a.unlock()
	return a.refusal(b, &Draft{Booking: *booking}, r.Terms, reason), booking, nil
}
