package book

import (
	"maps"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// A site is what the Book is told of hosts beyond their capacity.
type site struct {
	rates  []Rates // by host; nil: the policy's
	closed []bool  // by host: drained; nil: none is
	lost   []bool  // by host: not to be reached; nil: all are
	// withheld is what windows take of hosts. It stands in both tables of the
	// Book and, alone, in a table of its own; nil: there are no windows.
	withheld map[slot.Host][]withheld
	alone    *slot.Table
}

// withheld is what a host does not give for a time.
type withheld struct {
	span   slot.Span
	amount slot.Amount
}

// clone returns a copy that shares nothing.
func (s *site) clone() site {
	c := site{
		rates: slices.Clone(s.rates), closed: slices.Clone(s.closed), lost: slices.Clone(s.lost),
		withheld: maps.Clone(s.withheld),
	}
	if s.alone != nil {
		c.alone = s.alone.Snapshot()
	}
	return c
}

// open reports whether the host takes leases.
func (s *site) open(h slot.Host) bool {
	return (s.closed == nil || !s.closed[h]) && (s.lost == nil || !s.lost[h])
}

// shut reports whether any host may be closed or lost.
func (s *site) shut() bool { return s.closed != nil || s.lost != nil }

// cutOff reports whether any of the hosts is lost.
func (s *site) cutOff(hosts []slot.Host) bool {
	return s.lost != nil && slices.ContainsFunc(hosts, func(h slot.Host) bool { return s.lost[h] })
}

// Window is a time in which a host gives leases no more than Left.
type Window struct {
	Span slot.Span
	Left slot.Amount
}

// Windows sets the windows of a host, in place of those that it had. They may
// overlap: the least that any of them leaves counts. Leases that wait are planned
// anew, those that can be interrupted make room, as soon as they can, and
// accepted ones that have not begun move to other hosts where they start as
// promised. Returned are, by ID, those that stay in the way for want of that:
// nothing is done to them.
func (b *Book) Windows(now slot.Time, h slot.Host, windows []Window) []ID {
	b.now = max(b.now, now)
	for _, w := range b.site.withheld[h] {
		w.span.Start = max(w.span.Start, b.now) // what is past is past
		b.withhold(h, w, (*slot.Table).Remove)
	}
	delete(b.site.withheld, h)
	all := flatten(windows, b.full.Capacity(h), b.now)
	if len(all) > 0 && b.site.withheld == nil {
		b.site.withheld, b.site.alone = map[slot.Host][]withheld{}, b.empty.Snapshot()
	}
	for _, w := range all {
		b.withhold(h, w, (*slot.Table).Add)
	}
	if len(all) > 0 {
		b.site.withheld[h] = all
	}
	b.changed, b.freed = true, true
	going := map[ID]bool{}
	for _, w := range all {
		b.vacate(h, w.span, going)
	}
	b.review()
	return slices.DeleteFunc(b.inTheWay(h, all), func(id ID) bool { return going[id] })
}

// withhold enters into the tables what a window takes, or removes it.
func (b *Book) withhold(
	h slot.Host, w withheld, change func(*slot.Table, slot.Host, slot.Span, slot.Amount),
) {
	change(b.full, h, w.span, w.amount)
	change(b.site.alone, h, w.span, w.amount)
	if b.firm != b.full {
		change(b.firm, h, w.span, w.amount)
	}
}

// flatten returns what the windows take of the room together, from now on, piece
// by piece in order.
func flatten(windows []Window, room slot.Amount, now slot.Time) []withheld {
	var times []slot.Time
	for _, w := range windows {
		if w.Span.Start = max(w.Span.Start, now); !w.Span.Empty() {
			times = append(times, w.Span.Start, w.Span.End)
		}
	}
	slices.Sort(times)
	var all []withheld
	for i := 1; i < len(times); i++ {
		piece := withheld{span: slot.Span{Start: times[i-1], End: times[i]}}
		for _, w := range windows {
			if w.Span.Start <= piece.span.Start && piece.span.End <= w.Span.End {
				piece.amount = most(piece.amount, room, w.Left)
			}
		}
		if !piece.span.Empty() && piece.amount != (slot.Amount{}) {
			all = append(all, piece)
		}
	}
	return all
}

// most returns what is withheld when only left is given of the room, or more,
// where more is withheld already.
func most(already, room, left slot.Amount) slot.Amount {
	for r := range already {
		already[r] = max(already[r], room[r]-max(min(left[r], room[r]), 0))
	}
	return already
}

// vacate lets leases give way on a host on which more is taken during the span
// than there is: those that wait, those that can be interrupted, and those that
// can start as promised elsewhere. Of leases that have begun it notes who goes.
func (b *Book) vacate(h slot.Host, span slot.Span, going map[ID]bool) {
	hosts := []slot.Host{h}
	if !b.crowded(hosts, span) {
		return
	}
	b.clearPlans(hosts, span)
	b.interruptFor(h, span, going)
	for _, l := range b.accepted(hosts, span) {
		if !b.crowded(hosts, span) {
			return
		}
		if l = b.leases.get(l.ID); l != nil && l.state == Accepted && slices.Contains(l.hosts, h) {
			b.relocate(b.own(l))
		}
	}
}

// interruptFor lets leases that can be interrupted give up what they take too
// much of a host during the span: saved by its start, if there is time for that.
func (b *Book) interruptFor(h slot.Host, span slot.Span, going map[ID]bool) {
	if b.firm == b.full {
		return
	}
	nobody := &lease{Terms: Terms{Parts: []Part{{Nodes: 1}}}}
	shares := []share{{host: h}}
	notice := slot.Time(0)
	for _, v := range b.candidates(shares, span) {
		notice = max(notice, max(b.now, v.runs)-b.now+b.suspension(v, v.hosts)+1)
	}
	span.Start = max(span.Start, b.now+notice)
	if span.Empty() {
		return
	}
	d := &decision{hosts: []slot.Host{h}, hold: span, cut: slot.Never}
	victims, _ := b.victims(nobody, d)
	for _, v := range victims {
		l := b.own(b.leases.get(v.id))
		if c := *d; v.moves() || b.means(&v, &c, true) {
			b.oust(l, v, span.Start)
			going[v.id] = true
		}
	}
}

// inTheWay returns the leases on the host that are in the way of what is withheld.
func (b *Book) inTheWay(h slot.Host, all []withheld) []ID {
	hosts := []slot.Host{h}
	var ids []ID
	for _, w := range all {
		if !b.crowded(hosts, w.span) {
			continue
		}
		for id, l := range b.leases.all() {
			if b.on(l, h, w.span) {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// on reports whether the lease is on the host during the span, or still leaves it.
func (b *Book) on(l *lease, h slot.Host, span slot.Span) bool {
	going := slot.Span{Start: b.now, End: l.arrived}
	return (slices.Contains(l.hosts, h) && !common(l.held, span).Empty()) ||
		(slices.Contains(l.leaving, h) && !common(going, span).Empty())
}

// Open says whether a host takes leases. One that is closed keeps those that
// have begun; accepted ones move to other hosts where they start as promised.
// Returned are, by ID, those that are still on it or to be.
func (b *Book) Open(now slot.Time, h slot.Host, open bool) []ID {
	b.now = max(b.now, now)
	b.site.closed = b.mark(b.site.closed, h, !open)
	return b.evacuate(h)
}

// Lost tells that a host is not to be reached: it takes no leases, as if it were
// closed, and memory saved on it cannot be moved away. What has become of leases
// that ran there is told with Ended. Returned are those that are on it or to be.
func (b *Book) Lost(now slot.Time, h slot.Host) []ID {
	b.now = max(b.now, now)
	b.site.lost = b.mark(b.site.lost, h, true)
	return b.evacuate(h)
}

// Found tells that a lost host is there again.
func (b *Book) Found(now slot.Time, h slot.Host) {
	b.now = max(b.now, now)
	b.site.lost = b.mark(b.site.lost, h, false)
	b.evacuate(h)
}

// mark sets a host's mark, and returns nil when none is marked.
func (b *Book) mark(marks []bool, h slot.Host, on bool) []bool {
	if marks == nil && on {
		marks = make([]bool, b.full.Len())
	}
	if marks != nil {
		marks[h] = on
	}
	if !slices.Contains(marks, true) {
		return nil
	}
	return marks
}

// evacuate looks again at who is to be on a host that is open or closed now, and
// returns who is, when it is closed.
func (b *Book) evacuate(h slot.Host) []ID {
	b.changed, b.freed = true, true
	hosts, ever := []slot.Host{h}, slot.Span{Start: b.now, End: slot.Never}
	if !b.site.open(h) {
		b.clearPlans(hosts, ever)
		for _, l := range b.accepted(hosts, ever) {
			l = b.leases.get(l.ID)
			if l != nil && l.state == Accepted && slices.Contains(l.hosts, h) {
				b.relocate(b.own(l))
			}
		}
	}
	b.review()
	if b.site.open(h) {
		return nil
	}
	var ids []ID
	for id, l := range b.leases.all() {
		if b.on(l, h, ever) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// locked reports whether closed hosts and windows alone keep the lease from
// running during the span.
func (b *Book) locked(l *lease, span slot.Span) bool {
	if b.site.alone == nil && !b.site.shut() {
		return false
	}
	table := b.site.alone
	if table == nil {
		table = b.empty
	}
	return b.search(table, l).place(span) == nil
}
