package book

import (
	"fmt"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// audit adds up from now on what the Book's tables ought to say, from its leases,
// transfers and windows one by one, and holds the tables against it.
func (w *world) audit() {
	w.t.Helper()
	b := w.book
	full, firm := b.empty.Snapshot(), b.empty.Snapshot()
	enter := func(hard bool, h slot.Host, s slot.Span, a slot.Amount) {
		s.Start = max(s.Start, b.now)
		if full.Add(h, s, a); hard {
			firm.Add(h, s, a)
		}
	}
	for _, l := range b.leases.all() {
		for i, need := range l.needs() {
			if !l.held.Empty() {
				enter(l.firm, l.hosts[i], l.held, need)
			}
			if len(l.leaving) > 0 && l.leaving[i] != l.hosts[i] {
				enter(true, l.leaving[i], slot.Span{Start: b.now, End: l.arrived}, need)
			}
		}
		for _, x := range l.streams {
			enter(true, x.host, common(l.held, l.supply()), x.load)
		}
		for _, x := range l.ways {
			enter(true, x.host, slot.Span{Start: b.now, End: l.arrived}, x.load)
		}
	}
	for at, r := range b.images {
		enter(true, at.host, r.fetch, r.load)
	}
	for h, all := range b.site.withheld {
		for _, x := range all {
			enter(true, h, x.span, x.amount)
		}
	}
	w.same("full", b.full, full)
	if b.firm != b.full {
		w.same("firm", b.firm, firm)
	}
}

// same holds that two tables say the same from now on.
func (w *world) same(name string, is, ought *slot.Table) {
	w.t.Helper()
	for h := range slot.Host(is.Len()) {
		var texts [2]string
		for i, table := range []*slot.Table{is, ought} {
			span := slot.Span{Start: w.book.now, End: slot.Never}
			table.Steps(h, span, func(s slot.Span, a slot.Amount) {
				texts[i] += fmt.Sprintf("%v %v ", s, a)
			})
		}
		if texts[0] != texts[1] {
			w.t.Fatalf("at %d the %s table has of host %d\n%s, not\n%s\n%s", w.now, name, h,
				texts[0], texts[1], w.story())
		}
	}
}
