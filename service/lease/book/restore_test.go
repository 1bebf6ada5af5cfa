package book

import (
	"reflect"
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
	"pgregory.net/rapid"
)

// fresh returns an empty Book of which is told what the Book was told of its hosts.
func (b *Book) fresh(pool Pool) *Book {
	c := New(pool, b.policy)
	c.now = b.now
	for h := range b.site.rates {
		c.SetRates(slot.Host(h), b.site.rates[h])
	}
	for h := range slot.Host(len(pool.Hosts)) {
		var all []Window
		for _, x := range b.site.withheld[h] {
			all = append(all, Window{x.span, pool.Hosts[h].Minus(x.amount)})
		}
		c.Windows(b.now, h, all)
		if b.site.lost != nil && b.site.lost[h] {
			c.Lost(b.now, h)
		}
		c.Open(b.now, h, b.site.closed == nil || !b.site.closed[h])
	}
	for owner, rank := range b.ranks {
		c.SetRank(b.now, owner, rank)
	}
	for _, k := range b.Images() {
		c.Keep(b.now, k)
	}
	return c
}

// restart puts another Book in place of the world's, made from the records, and
// holds that it promises the same.
func (w *world) restart() {
	w.t.Helper()
	old := w.book
	w.book = old.fresh(w.pool)
	if err := w.book.Restore(w.now, old.Records()); err != nil {
		w.t.Fatalf("Restore: %v\n%s", err, w.story())
	}
	again := old.Snapshot()
	again.changed = true
	again.review() // as Restore does: a plan for one who waits is worth what its policy says
	for id := range old.leases.all() {
		if was, is := again.Lease(id), w.book.Lease(id); !reflect.DeepEqual(was, is) {
			w.t.Fatalf("lease %d was %+v, is %+v\n%s", id, was, is, w.story())
		}
	}
	span := slot.Span{Start: w.now, End: slot.Never}
	for _, bar := range old.Plan(span) {
		if bar.Phase != Bringing && !old.leases.get(bar.Lease).waiting() &&
			!slices.Contains(w.book.Plan(span), bar) {
			w.t.Fatalf("%+v is not planned any more: %+v\n%s", bar, w.book.Plan(span), w.story())
		}
	}
	w.log = append(w.log, "restart")
}

// TestRestore makes a Book again at any moment from its records: they are the
// same, and nothing else happens than without it.
func TestRestore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := drawPolicy(t)
		policy.Backfill = rapid.SampledFrom([]Backfill{EASY, Conservative}).Draw(t, "backfill")
		w := play(t, policy, 20)
		records := w.book.Records()
		w.restart()
		for i, r := range w.book.Records() {
			was := records[i]
			if was.State != Queued && was.State != Suspended && !reflect.DeepEqual(was, r) {
				t.Fatalf("the record was %+v, is %+v\n%s", was, r, w.story())
			}
		}
		w.until(slot.Never)
	})
}

// TestBadRecords are refused, and leave the Book empty.
func TestBadRecords(t *testing.T) {
	good := Record{
		Terms: one(1, BestEffort, 1, 100), State: Running, Hosts: []slot.Host{0}, From: 10,
		Runs: 20, Since: 20, Until: 120, Cut: slot.Never,
	}
	if err := New(hosts(2, 1), Policy{}).Restore(50, []Record{good}); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Record){
		"no nodes":           func(r *Record) { r.Terms.Parts = nil },
		"unknown kind":       func(r *Record) { r.Terms.Kind = 9 },
		"no state":           func(r *Record) { r.State = Refused },
		"unknown state":      func(r *Record) { r.State = 77 },
		"no hosts":           func(r *Record) { r.Hosts = nil },
		"too many hosts":     func(r *Record) { r.Hosts = []slot.Host{0, 1} },
		"no such host":       func(r *Record) { r.Hosts = []slot.Host{2} },
		"host below zero":    func(r *Record) { r.Hosts = []slot.Host{-1} },
		"ends before":        func(r *Record) { r.Until = 5 },
		"runs before":        func(r *Record) { r.Runs = 5 },
		"never ends":         func(r *Record) { r.Until = slot.Never },
		"runs, but not when": func(r *Record) { r.Since = slot.Never },
		"ran too long":       func(r *Record) { r.Ran = 100 },
		"saved while running": func(r *Record) {
			r.Saved, r.Home = true, []slot.Host{0}
		},
		"saved nowhere": func(r *Record) { r.State, r.Saved = Suspended, true },
	} {
		bad := good
		bad.Terms.ID = 2
		spoil(&bad)
		b := New(hosts(2, 1), Policy{})
		err := b.Restore(50, []Record{good, bad})
		if workspace.KindOf(err) != workspace.Invalid || b.leases.len() != 0 {
			t.Errorf("%s: %v, %d leases", name, err, b.leases.len())
		}
	}
	b := New(hosts(2, 1), Policy{})
	if err := b.Restore(50, []Record{good, good}); workspace.KindOf(err) != workspace.Invalid {
		t.Errorf("the same twice: %v", err)
	}
}
