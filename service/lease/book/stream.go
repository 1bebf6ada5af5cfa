package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// A stream is what memory on its way to another host takes of a host's link.
type stream struct {
	host slot.Host
	load slot.Amount
}

// kbits is how many kbit/s a MB/s is, and how many kbit a MB.
const kbits = 8000

// uplink returns how fast memory leaves a host, in kbit/s: as fast as the links
// bear, those of the slowest host to which it may go included; 0: no time.
func (b *Book) uplink(h slot.Host) int64 {
	rate := b.pace(h).Migrate * kbits
	if rate == 0 {
		return 0
	}
	if out := int64(b.full.Capacity(h)[slot.NetOut]); out > 0 {
		rate = min(rate, out)
	}
	if b.downlink > 0 {
		rate = min(rate, int64(b.downlink))
	}
	return rate
}

// narrowest returns the least that any host's link takes in; 0 where none has a
// bound.
func narrowest(hosts []slot.Amount) int32 {
	var least int32
	for _, room := range hosts {
		if in := room[slot.NetIn]; in > 0 && (least == 0 || in < least) {
			least = in
		}
	}
	return least
}

// moving returns how long nodes take that move from one set of hosts to another,
// each of so many MB: those of one host go one after the other.
func (b *Book) moving(from, to []slot.Host, size func(node int) int64) slot.Time {
	var most slot.Time
	for i, h := range from {
		if slices.Contains(from[:i], h) {
			continue
		}
		var sum int64
		for k := i; k < len(from); k++ {
			if from[k] == h && (to == nil || to[k] != h) {
				sum += size(k)
			}
		}
		most = max(most, over(sum*kbits, b.uplink(h)))
	}
	return most
}

// streams returns what nodes that move from one set of hosts to another take of
// the links of both, by host.
func (b *Book) streams(from, to []slot.Host) []stream {
	type way struct{ from, to slot.Host }
	var ways []way
	var hosts []slot.Host
	var loads []slot.Amount
	carry := func(h slot.Host, r slot.Resource, rate int64) {
		if b.full.Capacity(h)[r] > 0 {
			var load slot.Amount
			load[r] = int32(min(rate, 1<<30))
			hosts, loads = append(hosts, h), append(loads, load)
		}
	}
	for i, h := range from {
		rate := b.uplink(h)
		if to[i] == h || rate == 0 || slices.Contains(ways, way{h, to[i]}) {
			continue
		}
		if !slices.ContainsFunc(ways, func(w way) bool { return w.from == h }) {
			carry(h, slot.NetOut, rate)
		}
		ways = append(ways, way{h, to[i]})
		carry(to[i], slot.NetIn, rate)
	}
	var all []stream
	for _, s := range sums(hosts, loads) {
		all = append(all, stream{s.host, s.need})
	}
	return all
}

// bears reports whether the links bear the streams during the span, beside what
// the nodes of a lease take of its new hosts then.
func (b *Book) bears(streams []stream, hosts []slot.Host, needs []slot.Amount, s slot.Span) bool {
	taken := sums(hosts, needs)
	return !slices.ContainsFunc(streams, func(x stream) bool {
		need := x.load
		for _, t := range taken {
			if t.host == x.host {
				need = need.Plus(t.need)
			}
		}
		return !b.full.Fits(x.host, s, need)
	})
}

// flow adds streams to the tables, or removes them.
func (b *Book) flow(
	streams []stream, s slot.Span, change func(*slot.Table, slot.Host, slot.Span, slot.Amount),
) {
	if s.Empty() {
		return
	}
	for _, x := range streams {
		change(b.full, x.host, s, x.load)
		if b.firm != b.full {
			change(b.firm, x.host, s, x.load)
		}
	}
}

// size returns what of a node whose memory is saved has to be moved: that and its
// disk, in MB.
func (l *lease) size(node int) int64 {
	return int64(l.needs()[node][slot.Memory]) + l.Image.SizeMB
}

// supply returns when what a lease resumes from is brought from its home.
func (l *lease) supply() slot.Span {
	return slot.Span{Start: l.held.Start, End: l.held.Start + l.bringing}
}

// supplied fills in what it takes to bring the memory of a lease that resumes, or
// is to, from its home to the hosts that it has.
func (b *Book) supplied(l *lease) {
	if (l.saved || l.state == Resuming) && len(l.home) > 0 && !slices.Equal(l.home, l.hosts) {
		l.bringing, l.streams = b.moving(l.home, nil, l.size), b.streams(l.home, l.hosts)
	}
}

// seekSaved is seek for a lease whose memory is saved: on the hosts where that is,
// if it can have them as soon as any others, since nothing has to be moved then.
func (b *Book) seekSaved(l *lease, onlyNow bool) *decision {
	if away := b.seekOther(l); away != nil {
		return away
	}
	home := b.resumeOn(l, l.home, b.now)
	if home != nil && onlyNow && home.hold.Start > b.now {
		home = nil
	}
	if !b.movable(l) || (home != nil && home.hold.Start == b.now) {
		return home
	}
	away := b.seekAway(l, onlyNow)
	if away == nil || (home != nil && home.hold.Start <= away.hold.Start+away.bringing) {
		return home
	}
	span := slot.Span{Start: away.hold.Start, End: away.hold.Start + away.bringing}
	if !span.Empty() && !b.bears(away.streams, away.hosts, l.needs(), span) {
		return home
	}
	return away
}

// seekAway looks where a lease can go on for which all is brought from its home.
func (b *Book) seekAway(l *lease, onlyNow bool) *decision {
	c := l.copy()
	c.bringing = b.moving(l.home, nil, l.size)
	away := b.seekHosts(c, onlyNow)
	if away != nil {
		away.bringing = c.bringing
		away.streams = b.streams(l.home, away.hosts)
	}
	return away
}

// seekOther looks for hosts on which a lease that could not go on at home, of
// late, can do so now.
func (b *Book) seekOther(l *lease) *decision {
	if !b.movable(l) || !meet(l.shun, l.home) {
		return nil
	}
	c := l.copy()
	c.avoid = l.shun
	away := b.seekAway(c, true)
	if away == nil {
		return nil
	}
	span := slot.Span{Start: away.hold.Start, End: away.hold.Start + away.bringing}
	if !span.Empty() && !b.bears(away.streams, away.hosts, l.needs(), span) {
		return nil
	}
	return away
}
