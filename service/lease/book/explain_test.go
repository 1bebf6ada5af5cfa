package book

import (
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"pgregory.net/rapid"
)

// TestExplain asks of leases that wait why they do.
func TestExplain(t *testing.T) {
	w := newWorld(t, hosts(4, 1), Policy{Backfill: EASY})
	w.submit(one(1, BestEffort, 3, 100), 0)
	w.until(0)
	w.submit(one(2, BestEffort, 4, 50), 0)
	w.submit(one(3, BestEffort, 1, 101), 0)
	wide, behind := w.book.Explain(2), w.book.Explain(3)
	if wide == nil || wide.Code != Taken || wide.Free != 1 || wide.Earliest != 100 ||
		!slices.Equal(wide.Blocking, []ID{1, 2}[:1]) {
		t.Errorf("the wide lease waits for %+v", wide)
	}
	if behind == nil || behind.Code != Behind || behind.Earliest != 150 {
		t.Errorf("the lease behind it waits for %+v", behind)
	}
	if r := w.book.Explain(1); r != nil {
		t.Errorf("a lease that runs waits for %+v", r)
	}
}

// TestExplainedStartsAreKept holds that without other leases, and where all run
// as long as they asked for, none begins later than conservative plans say.
func TestExplainedStartsAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, hosts(3, 2), Policy{Backfill: Conservative, Boot: 1, Shutdown: 2})
		said := map[ID]slot.Time{}
		for id := range ID(rapid.IntRange(1, 15).Draw(t, "leases")) {
			x := drawTerms(t, id+1, w.now)
			x.Kind, x.Image = BestEffort, Image{}
			if w.submit(x, 0).State == Refused {
				continue
			}
			said[x.ID] = w.book.Lease(x.ID).Start
			if r := w.book.Explain(x.ID); r != nil && r.Earliest != said[x.ID] {
				t.Fatalf("lease %d is planned for %d and explained with %+v", x.ID, said[x.ID], r)
			}
			w.until(w.now + slot.Time(rapid.IntRange(0, 9).Draw(t, "pause")))
		}
		w.until(slot.Never)
		for id, at := range said {
			if w.first[id] > at {
				t.Fatalf("lease %d runs at %d, not %d\n%s", id, w.first[id], at, w.story())
			}
		}
	})
}

// TestWhatNoTimeWillDo names what is short of an empty pool.
func TestWhatNoTimeWillDo(t *testing.T) {
	b := New(hosts(4, 2), Policy{Boot: 10})
	for name, c := range map[string]struct {
		terms Terms
		code  Code
		text  string
	}{
		"nodes": {one(1, BestEffort, 9, 50), TooLarge,
			"the empty pool has room for 8 of 9 nodes, for want of cpu"},
		"hosts": {Terms{
			ID: 1, Kind: Immediate, Parts: []Part{{1, cpus(1)}}, Duration: 50,
			Hosts: func(slot.Host) bool { return false },
		}, NoHost, "no host that will do can take any of 1 nodes"},
		"notice": {Terms{
			ID: 1, Kind: Reservation, Parts: []Part{{1, cpus(1)}}, Duration: 50, Start: 9,
		}, TooSoon, "the nodes cannot be started in so short a time"},
	} {
		a, err := b.Submit(0, c.terms)
		if err != nil || a.State != Refused || a.Reason.Code != c.code {
			t.Errorf("%s: %+v %v", name, a, err)
			continue
		}
		if got := a.Reason.String(); got != c.text {
			t.Errorf("%s: %q, want %q", name, got, c.text)
		}
	}
}

// TestCancel takes leases back in every state: what they held is free.
func TestCancel(t *testing.T) {
	w := newWorld(t, hosts(1, 1), Policy{Preemption: []Means{BySuspension}, Shutdown: 2})
	w.submit(one(1, BestEffort, 1, 100), 0)
	w.until(10)
	r := one(2, Reservation, 1, 50)
	r.Start = 50
	w.submit(r, 0)
	w.submit(one(3, BestEffort, 1, 100), 0)
	cancel := func(id ID) {
		if err := w.book.Cancel(w.now, id); err != nil {
			t.Fatal(err)
		}
	}
	cancel(2) // which gives lease 1 its time back
	if a := w.book.Lease(1); a.Cut != slot.Never || a.End != 100 {
		t.Errorf("after the reservation is cancelled: %+v", a)
	}
	w.until(20)
	cancel(1) // which runs, and so shuts down
	w.actual[1] = 20
	w.stop(1, w.now)
	w.until(22)
	if w.first[3] != 22 {
		t.Errorf("the next runs at %d\n%s", w.first[3], w.story())
	}
	if err := w.book.Cancel(w.now, 1); err == nil {
		t.Error("a lease that is over is cancelled")
	}
}
