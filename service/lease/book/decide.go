package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// A decision is where and when a lease is to run.
type decision struct {
	hosts   []slot.Host // of each node
	hold    slot.Span   // of the hosts: with what comes before and after running
	cut     slot.Time   // when it is to give the hosts back, suspended; Never
	victims []victim
	fetches []fetch
	parts   []Part // as granted, where that is less than was asked for; else nil
	// What a lease whose memory is saved resumes from is brought from its home
	// for so long, and takes so much of the links.
	bringing slot.Time
	streams  []stream
	prompt   bool // of one that waits: it begins now, or as soon as its image is there
}

// A ranking orders hosts for a node, the lowest first; free is what is left
// there before the node.
type ranking func(h slot.Host, free, need *slot.Amount) int64

// A search is a question to a table: where a lease fits.
type search struct {
	table *slot.Table
	lease *lease
	rank  ranking
	look  int // hosts compared; 0: all
	each  int // nodes on one host at most; 0: any number
	avoid []slot.Host
	open  func(slot.Host) bool // which hosts take leases; nil: all
	last  slot.Time            // after which no time is looked for
	rules
}

// gang returns the part of the search's lease as the table asks for it.
func (s *search) gang(p *Part) slot.Gang {
	g := slot.Gang{Need: p.Need, Nodes: p.Nodes, May: s.lease.Hosts, Look: s.look, Each: s.each}
	if s.alone {
		g.Each = 1
	}
	if len(s.avoid) > 0 || len(s.may) > 0 {
		g.May = s.allows
	}
	if s.wish != nil || s.gather || len(s.used) > 0 {
		g.Look = 0
		g.Rank = func(h slot.Host, free slot.Amount) int64 {
			rank := s.against(h, &free, &p.Need) * wishWeight
			if s.rank != nil {
				rank += s.rank(h, &free, &p.Need)
			}
			return rank
		}
	} else if s.rank != nil {
		g.Rank = func(h slot.Host, free slot.Amount) int64 { return s.rank(h, &free, &p.Need) }
	}
	return g
}

// pack returns hosts for each of the search's shapes during the span, or nil. Of
// several shapes the largest are placed first; as with any packing it may miss
// a place that only another order finds.
func (s *search) pack(span slot.Span) []slot.Host {
	parts := s.shapes()
	if len(parts) == 1 {
		return s.table.Place(span, s.gang(&parts[0]))
	}
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return -compare(&parts[i].Need, &parts[j].Need)
	})
	placed := make([][]slot.Host, len(parts))
	complete := true
	next := *s
	for _, i := range order {
		p := &parts[i]
		if placed[i] = next.table.Place(span, next.gang(p)); placed[i] == nil {
			complete = false
			break
		}
		s.lend(placed[i], span, p.Need)
		next.mind(placed[i])
	}
	for i, hosts := range placed {
		s.lend(hosts, span, slot.Amount{}.Minus(parts[i].Need))
	}
	if !complete {
		return nil
	}
	return slices.Concat(placed...)
}

// lend takes so much for each of the hosts while the search goes on, those that
// are named in a row at once.
func (s *search) lend(hosts []slot.Host, span slot.Span, need slot.Amount) {
	for i := 0; i < len(hosts); {
		var sum slot.Amount
		h := hosts[i]
		for ; i < len(hosts) && hosts[i] == h; i++ {
			sum = sum.Plus(need)
		}
		s.table.Lend(h, span, sum)
	}
}

// compare orders needs by their CPUs, then by their memory and the rest.
func compare(a, b *slot.Amount) int { return slices.Compare(a[:], b[:]) }

// thorough is how many shapes of a gang are tried at one time or another before
// the search takes larger steps: on hosts whose time is in pieces there are
// thousands of times, and everybody waits for the answer.
const thorough = 512

// earliest returns the first time not before from at which the whole gang fits
// for the length, with hosts; Never when there is none, or none in time for the
// search. Of several shapes it may be a later one.
func (s *search) earliest(from, length slot.Time) (slot.Time, []slot.Host) {
	defer s.guard()()
	first, best := slot.Never, []slot.Host(nil)
	for _, way := range s.ways() {
		if when, hosts := way.soonest(from, length); when < first {
			first, best = when, hosts
		}
	}
	return first, best
}

// soonest is earliest in one of the ways.
func (s *search) soonest(from, length slot.Time) (slot.Time, []slot.Host) {
	parts := s.shapes()
	if len(parts) == 1 {
		when, hosts := s.table.EarliestGang(from, length, s.gang(&parts[0]))
		if when != slot.Never && (s.spread || s.gather) {
			return when, s.place(slot.Span{Start: when, End: when + length})
		}
		return when, s.hosts(hosts)
	}
	tries := -max(thorough/len(parts), 8)
	for when := from; when != slot.Never && when <= s.last; tries++ {
		bound := when
		for i := range parts {
			next, _ := s.table.EarliestGang(when, length, s.gang(&parts[i]))
			bound = max(bound, next)
		}
		if bound == slot.Never || bound > s.last {
			break
		}
		if hosts := s.place(slot.Span{Start: bound, End: bound + length}); hosts != nil {
			return bound, hosts
		}
		when = s.step(bound, length, tries)
	}
	return slot.Never, nil
}

// step returns what to try after a time that will not do: the next at which
// anything changes, and after too many tries one that lies farther and farther.
func (s *search) step(from, length slot.Time, tooMany int) slot.Time {
	if tooMany < 0 {
		return s.table.Change(from)
	}
	far := max(length/thorough, 1) << min(tooMany, 16)
	when := s.table.Change(from + far)
	if last := s.table.Last(); when == slot.Never && last > from {
		return last
	}
	return when
}

// stay answers as earliest does for a lease that can only run where it was.
func (s *search) stay(from, length slot.Time, home []slot.Host) slot.Time {
	defer s.guard()()
	if s.open != nil && slices.ContainsFunc(home, func(h slot.Host) bool { return !s.open(h) }) {
		return slot.Never
	}
	shares := sums(home, s.lease.needs())
	for when := from; ; {
		next := when
		for _, h := range shares {
			next = max(next, s.table.Earliest(h.host, next, length, h.need))
			if next == slot.Never {
				return slot.Never
			}
		}
		if next == when {
			return when
		}
		when = next
	}
}

// choice ranks hosts by policy.
func (b *Book) choice() ranking {
	switch b.policy.Choice {
	case Spread:
		return func(_ slot.Host, free, _ *slot.Amount) int64 { return -fullness(free) }
	case Pack:
		return nil
	default:
		return func(_ slot.Host, free, _ *slot.Amount) int64 { return fullness(free) }
	}
}

// near prefers hosts that have the lease's image.
func (b *Book) near(l *lease, then ranking) ranking {
	return func(h slot.Host, free, need *slot.Amount) int64 {
		var rank int64
		if then != nil {
			rank = then(h, free, need)
		}
		if b.here(l, h) {
			rank -= wishWeight / 2
		}
		return rank
	}
}

// back prefers hosts where the memory of some of the nodes is.
func back(l *lease, then ranking) ranking {
	return func(h slot.Host, free, need *slot.Amount) int64 {
		var rank int64
		if then != nil {
			rank = then(h, free, need)
		}
		if slices.Contains(l.home, h) {
			rank -= wishWeight / 2
		}
		return rank
	}
}

// fullness is small where little is left.
func fullness(free *slot.Amount) int64 {
	return int64(free[slot.CPU])<<30 + int64(free[slot.Memory])
}

// compared is how many hosts with room are compared before the best are taken.
// On generated loads of 50 to 120 % more comparisons let no more leases in.
const compared = 8

func (b *Book) search(t *slot.Table, l *lease) *search {
	s := &search{table: t, lease: l, rank: b.choice(), look: compared, last: slot.Never}
	if l.by != 0 {
		s.last = l.by
	}
	if b.fetches(l) {
		s.rank, s.look = b.near(l, s.rank), 0
	}
	s.avoid = l.avoid
	if l.saved {
		s.each, s.look = crowd(l.home), 0
		s.rank = back(l, s.rank)
	}
	if b.ruled(l) {
		s.obey()
		b.relate(s)
	}
	if b.site.shut() {
		s.open = b.site.open
		s.may = append(s.may, s.open)
	}
	return s
}

// seekAs is seek for a lease with what its Parts say.
func (b *Book) seekAs(l *lease, onlyNow bool) *decision {
	var d *decision
	switch {
	case l.saved && b.site.cutOff(l.home):
		return nil
	case l.saved:
		d = b.seekSaved(l, onlyNow)
	default:
		d = b.seekHosts(l, onlyNow)
	}
	if d == nil {
		return nil
	}
	d.prompt = d.hold.Start == b.now
	if !b.fetches(l) || (!d.prompt && b.stage(l, d, d.hold.Start) != slot.Never) {
		return d
	}
	ready := b.stage(l, d, slot.Never)
	if ready <= d.hold.Start || ready == slot.Never {
		if ready == slot.Never {
			return nil
		}
		return d
	}
	then := b.resumeOn(l, d.hosts, ready)
	if then != nil {
		then.fetches, then.prompt = d.fetches, d.prompt
	}
	return then
}

// seekHosts looks for any hosts that will do.
func (b *Book) seekHosts(l *lease, onlyNow bool) *decision {
	length, least := b.length(l), b.least(l)
	s := b.search(b.full, l)
	span := slot.Span{Start: b.now, End: b.now + length}
	if hosts := s.place(span); hosts != nil {
		return &decision{hosts: hosts, hold: span, cut: slot.Never}
	}
	if least < length {
		if d := b.split(l, b.now); d != nil {
			return d
		}
	}
	if onlyNow {
		return nil
	}
	when, hosts := s.earliest(b.now, length)
	if least < length {
		sooner, _ := s.earliest(b.now, least)
		if sooner < when {
			if d := b.split(l, sooner); d != nil {
				return d
			}
		}
	}
	if when == slot.Never {
		return nil
	}
	span = slot.Span{Start: when, End: when + length}
	return &decision{hosts: hosts, hold: span, cut: slot.Never}
}

// resumeOn looks when a lease can run on these hosts, not before a time: where
// its memory or its image is.
func (b *Book) resumeOn(l *lease, hosts []slot.Host, from slot.Time) *decision {
	s := b.search(b.full, l)
	for _, enough := range []slot.Time{b.least(l), b.length(l)} {
		when := s.stay(from, enough, hosts)
		if when == slot.Never {
			return nil
		}
		if d := b.upTo(l, hosts, when); d != nil {
			return d
		}
	}
	return nil
}

// split looks for hosts on which the lease can run from a time on for as long
// as possible before another needs them.
func (b *Book) split(l *lease, when slot.Time) *decision {
	s := b.search(b.full, l)
	s.look = 0
	s.rank = func(h slot.Host, _, need *slot.Amount) int64 {
		return -int64(b.full.Until(h, when, *need))
	}
	hosts := s.place(slot.Span{Start: when, End: when + b.least(l)})
	if hosts == nil {
		return nil
	}
	return b.upTo(l, hosts, when)
}

// upTo lets the lease run on the hosts up to its end, or up to where another
// needs them; nil when that is too short, or they are not free now.
func (b *Book) upTo(l *lease, hosts []slot.Host, when slot.Time) *decision {
	d := &decision{hosts: hosts, hold: slot.Span{Start: when, End: when + b.length(l)},
		cut: slot.Never}
	until, forced := b.reach(l, hosts, when)
	if until >= d.hold.End {
		return d
	}
	if !forced || until-b.suspension(l, hosts) <= when+b.lead(l) || until-when < b.least(l) {
		return nil
	}
	d.cut, d.hold.End = until, until
	return d
}

// reach returns until when the hosts are free for the lease's nodes from a time
// on, and whether it has to be gone then for another: a firm lease that needs
// them or keeps it away, or whoever was promised to begin there later, whom it
// overtakes.
func (b *Book) reach(
	l *lease, hosts []slot.Host, from slot.Time,
) (until slot.Time, forced bool) {
	until, forced = b.barred(l, hosts, from)
	for _, s := range sums(hosts, l.needs()) {
		end := b.full.Until(s.host, from, s.need)
		if end > until || end == slot.Never {
			continue
		}
		needed := end > from || !b.firm.Fits(s.host, slot.Span{Start: end, End: end + 1}, s.need)
		forced = needed || (forced && end == until)
		until = end
	}
	return until, forced
}
