package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// A place is where an image is, or is to be.
type place struct {
	host  slot.Host
	image string
}

// A replica is an image on a host: there, under way, or planned to be fetched
// from the repository. Values are shared between snapshots: a change makes a
// new one.
type replica struct {
	sizeMB int64
	fetch  slot.Span   // when it is transferred: it is there from the end on
	load   slot.Amount // of the host's link meanwhile; the repository's is the same
	rate   int32       // kbit/s
	begun  bool        // the transfer
	users  []ID        // leases that count on it, by ID
	used   slot.Time   // when it was counted on last
}

// A fetch is a transfer to be planned, or an earlier one in place of one planned.
type fetch struct {
	host slot.Host
	span slot.Span
}

// fetches reports whether the lease needs an image brought to its hosts. A
// saved lease has its disk where its memory is.
func (b *Book) fetches(l *lease) bool {
	return l.Image.Name != "" && l.Image.SizeMB > 0 && b.link != nil && !l.saved
}

// rate returns how fast a host takes an image, in kbit/s.
func (b *Book) rate(h slot.Host) int32 {
	rate := b.link.Capacity(0)[slot.NetOut]
	if b.policy.Transfer > 0 {
		rate = min(rate, b.policy.Transfer)
	}
	if in := b.full.Capacity(h)[slot.NetIn]; in > 0 {
		rate = min(rate, in)
	}
	return rate
}

// carriage returns how long the image takes to the host, and what it takes of
// the two links.
func (b *Book) carriage(l *lease, h slot.Host) (length slot.Time, in, out slot.Amount) {
	rate := b.rate(h)
	out[slot.NetOut] = rate
	if b.full.Capacity(h)[slot.NetIn] > 0 {
		in[slot.NetIn] = rate
	}
	return slot.Time((l.Image.SizeMB*kbits*1000 + int64(rate) - 1) / int64(rate)), in, out
}

// stage plans the transfers that the decision needs: each as late as possible
// for it to be over by a time; or as soon as possible, when by is Never. It
// returns when the last is over; Never, when they cannot be in time. Nothing is
// taken.
func (b *Book) stage(l *lease, d *decision, by slot.Time) slot.Time {
	ready := b.now
	d.fetches = nil
	if !b.fetches(l) {
		return ready
	}
	for _, s := range sums(d.hosts, l.needs()) {
		there, known := b.images[place{s.host, l.Image.Name}]
		if known && there.begun && there.fetch.End > by {
			ready = slot.Never
			break
		}
		if known && (there.begun || (by != slot.Never && there.fetch.End <= by)) {
			ready = max(ready, there.fetch.End)
			continue
		}
		span := b.carry(l, s.host, by)
		if known && by == slot.Never && (span.Empty() || span.End >= there.fetch.End) {
			ready = max(ready, there.fetch.End)
			continue
		}
		if span.Empty() {
			ready = slot.Never
			break
		}
		d.fetches = append(d.fetches, fetch{s.host, span})
		b.bear(l, d.fetches[len(d.fetches)-1], true)
		ready = max(ready, span.End)
	}
	for _, f := range d.fetches {
		b.bear(l, f, false)
	}
	return ready
}

// carry finds when both links are free for a transfer; the empty span for never.
func (b *Book) carry(l *lease, h slot.Host, by slot.Time) slot.Span {
	length, in, out := b.carriage(l, h)
	if by == slot.Never {
		for when := b.now; ; {
			next := b.link.Earliest(0, when, length, out)
			if next != slot.Never {
				next = b.full.Earliest(h, next, length, in)
			}
			if next == slot.Never {
				return slot.Span{}
			}
			if next == when {
				return slot.Span{Start: when, End: when + length}
			}
			when = next
		}
	}
	for end := by; ; {
		last := b.link.Latest(0, slot.Span{Start: b.now, End: end}, length, out)
		if last == slot.Never {
			return slot.Span{}
		}
		before := b.full.Latest(h, slot.Span{Start: b.now, End: last + length}, length, in)
		if before == slot.Never {
			return slot.Span{}
		}
		if before == last {
			return slot.Span{Start: last, End: last + length}
		}
		end = before + length
	}
}

// bear enters a transfer into the tables, or takes it out of them.
func (b *Book) bear(l *lease, f fetch, in bool) {
	_, host, link := b.carriage(l, f.host)
	b.load(replica{fetch: f.span, load: host, rate: link[slot.NetOut]}, f.host, in)
}

// load enters a replica's transfer into the tables, or what is left of it out.
func (b *Book) load(r replica, h slot.Host, in bool) {
	var link slot.Amount
	link[slot.NetOut] = r.rate
	change := (*slot.Table).Add
	if !in {
		change = (*slot.Table).Remove
	}
	change(b.link, 0, r.fetch, link)
	change(b.full, h, r.fetch, r.load)
	if b.firm != b.full {
		change(b.firm, h, r.fetch, r.load)
	}
}

// pin lets the lease count on its image on its hosts, and plans the transfers.
func (b *Book) pin(l *lease, d *decision) {
	if !b.fetches(l) {
		return
	}
	for _, f := range d.fetches {
		_, host, link := b.carriage(l, f.host)
		at := place{f.host, l.Image.Name}
		r := replica{
			sizeMB: l.Image.SizeMB, fetch: f.span, load: host, rate: link[slot.NetOut],
		}
		if old, known := b.images[at]; known { // it has to be there sooner than was planned
			b.load(old, f.host, false)
			r.users = old.users
		}
		b.load(r, f.host, true)
		b.images[at] = r
		b.due.push(event{f.span.Start, Transfer, ID(f.host), l.Image.Name})
	}
	for _, s := range sums(l.hosts, l.needs()) {
		at := place{s.host, l.Image.Name}
		b.images[at] = b.images[at].counted(l.ID, b.now)
	}
	l.pinned = true
}

// unpin ends that: transfers that nobody counts on any more are not begun, and
// images that nobody uses stay as far as the cache goes. That is looked at when
// all is planned again, which may need them.
func (b *Book) unpin(l *lease) {
	if !l.pinned {
		return
	}
	l.pinned = false
	for _, s := range sums(l.hosts, l.needs()) {
		at := place{s.host, l.Image.Name}
		r := b.images[at]
		if i, found := slices.BinarySearch(r.users, l.ID); found {
			r.users = slices.Delete(slices.Clone(r.users), i, i+1)
		}
		r.used = b.now
		b.images[at] = r
		if len(r.users) > 0 {
			continue
		}
		if !r.begun {
			b.load(r, s.host, false)
			delete(b.images, at)
			continue
		}
		b.idle = append(b.idle, s.host)
	}
}

// sweep looks at the hosts on which images may have fallen out of use.
func (b *Book) sweep() {
	slices.Sort(b.idle)
	idle := slices.Compact(b.idle)
	b.idle = nil
	for _, h := range idle {
		b.evict(h)
	}
}

// evict drops images that nobody uses from the host, the one unused longest
// first, until the rest of them fits the cache. One that is on its way yet takes links until
// it has come, and is looked at later.
func (b *Book) evict(h slot.Host) {
	var idle []place
	var size int64
	coming := false
	for at, r := range b.images {
		switch {
		case at.host != h || !r.begun || len(r.users) > 0:
		case r.fetch.End > b.now:
			coming = true
		default:
			idle = append(idle, at)
			size += r.sizeMB
		}
	}
	if coming {
		b.idle = append(b.idle, h)
	}
	slices.SortFunc(idle, func(x, y place) int {
		if d := b.images[x].used - b.images[y].used; d != 0 {
			return int(max(min(d, 1), -1))
		}
		if x.image < y.image {
			return -1
		}
		return 1
	})
	for _, at := range idle {
		if size <= b.policy.CacheMB {
			return
		}
		size -= b.images[at].sizeMB
		delete(b.images, at)
	}
}

// here reports whether a host has the lease's image, or will have.
func (b *Book) here(l *lease, h slot.Host) bool {
	_, known := b.images[place{h, l.Image.Name}]
	return known
}

// begin starts a transfer that is due. Who waits for it gives up no more.
func (b *Book) begin(actions []Action, e event) []Action {
	at := place{slot.Host(e.id), e.image}
	r := b.images[at]
	r.begun = true
	b.images[at] = r
	for i, id := range r.users {
		l := b.own(b.leases.get(id))
		if l.waiting() {
			b.start(l)
			l.state = Accepted
		}
		l.moored = l.moored || i == 0
	}
	return append(actions, Action{
		At: e.at, Verb: Transfer, Lease: r.users[0], Hosts: []slot.Host{at.host},
		Until: r.fetch.End, Image: e.image,
	})
}
