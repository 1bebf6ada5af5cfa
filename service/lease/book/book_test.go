package book

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"pgregory.net/rapid"
)

func one(id ID, k Kind, nodes int, length slot.Time) Terms {
	return Terms{
		ID: id, Kind: k, Parts: []Part{{nodes, cpus(1)}}, Duration: length, Preemptible: true,
	}
}

// TestBackfilling runs the textbook case: a short narrow lease overtakes a wide
// one that waits where the policy lets it, and a long one does not.
func TestBackfilling(t *testing.T) {
	for _, c := range []struct {
		policy      Backfill
		short, long slot.Time // when the narrow leases run
	}{{NoBackfill, 150, 150}, {EASY, 0, 150}, {Conservative, 0, 150}} {
		w := newWorld(t, hosts(4, 1), Policy{Backfill: c.policy})
		w.submit(one(1, BestEffort, 3, 100), 0)
		w.submit(one(2, BestEffort, 4, 50), 0)
		w.submit(one(3, BestEffort, 1, 101), 0)
		w.submit(one(4, BestEffort, 1, 100), 0)
		w.until(slot.Never)
		if w.first[2] != 100 || w.first[4] != c.short || w.first[3] != c.long {
			t.Errorf("policy %d: wide at %d, short at %d, long at %d; want 100, %d, %d",
				c.policy, w.first[2], w.first[4], w.first[3], c.short, c.long)
		}
	}
}

// TestReservationSuspendsAndResumes follows one lease through a reservation.
func TestReservationSuspendsAndResumes(t *testing.T) {
	p := Policy{
		Preemption: []Means{BySuspension}, Boot: 5, Shutdown: 3,
		SuspendRate: 100000, ResumeRate: 50000, // 10 ms and 20 ms for 1,000 MB
	}
	w := newWorld(t, hosts(1, 1), p)
	w.submit(one(1, BestEffort, 1, 100), 0)
	w.until(20)
	r := one(2, Reservation, 1, 50)
	r.Start = 60
	if a := w.submit(r, 0); a.State != Accepted || !slices.Equal(a.Preempts, []ID{1}) {
		t.Fatalf("the reservation is %+v", a)
	}
	w.until(slot.Never)
	var got []string
	for _, line := range w.log {
		if line[len(line)-1] != ']' {
			got = append(got, line)
		}
	}
	want := []string{
		"0: boot 1 on [0] until 5", "5: run 1 on [0] until 105",
		"45: suspend 1 on [0] until 55", "55: boot 2 on [0] until 60", "60: run 2 on [0] until 110",
		"110: shutdown 2 on [0] until 113", "113: end 2 on [0] until 113",
		"113: resume 1 on [0] until 133", "133: run 1 on [0] until 193",
		"193: shutdown 1 on [0] until 196", "196: end 1 on [0] until 196",
	}
	if !slices.Equal(got, want) {
		t.Errorf("what happened:\n%s", w.story())
	}
}

// TestOrderOfMeans holds that a lease is killed only where it cannot be saved.
func TestOrderOfMeans(t *testing.T) {
	for _, c := range []struct {
		notice slot.Time
		killed int
	}{{10, 0}, {9, 1}} {
		p := Policy{Preemption: []Means{BySuspension, ByKilling}, SuspendRate: 100000}
		w := newWorld(t, hosts(1, 1), p)
		w.submit(one(1, BestEffort, 1, 100), 0)
		w.until(20)
		r := one(2, Reservation, 1, 50)
		r.Start = 20 + c.notice
		w.submit(r, 0)
		w.until(slot.Never)
		if w.killed[1] != c.killed || w.first[2] != r.Start {
			t.Errorf("with %d ms notice: killed %d times, want %d", c.notice, w.killed[1], c.killed)
		}
	}
}

// TestMigrationMakesRoom moves a running lease off a host that a reservation
// needs all of, and lets it run on without a pause.
func TestMigrationMakesRoom(t *testing.T) {
	p := Policy{Preemption: []Means{ByMigration}, Choice: Pack, MigrateRate: 100000}
	w := newWorld(t, hosts(2, 2), p)
	w.submit(one(1, BestEffort, 1, 100), 0)
	w.submit(one(2, BestEffort, 1, 5), 0)
	w.submit(one(3, BestEffort, 1, 100), 0)
	w.until(10)
	r := one(4, Reservation, 1, 50)
	r.Start, r.Parts[0].Need = 20, cpus(2)
	w.submit(r, 0)
	w.until(slot.Never)
	if w.ended[1] != 100 || w.ended[3] != 100 || w.first[4] != 20 {
		t.Errorf("ended %v, first %v\n%s", w.ended, w.first, w.story())
	}
}

// TestBadTerms are refused with an error and change nothing.
func TestBadTerms(t *testing.T) {
	b := New(hosts(2, 2), Policy{})
	b.Advance(1000)
	for name, spoil := range map[string]func(*Terms){
		"no nodes":       func(x *Terms) { x.Parts = nil },
		"a part of none": func(x *Terms) { x.Parts[0].Nodes = 0 },
		"absurd count":   func(x *Terms) { x.Parts[0].Nodes = 1 << 40 },
		"negative need":  func(x *Terms) { x.Parts[0].Need[slot.CPU] = -1 },
		"no time":        func(x *Terms) { x.Duration = 0 },
		"negative time":  func(x *Terms) { x.Duration = -5 },
		"endless":        func(x *Terms) { x.Duration = slot.Never },
		"start in past":  func(x *Terms) { x.Start = 999 },
		"deadline too soon": func(x *Terms) {
			x.Kind, x.Deadline = Deadline, x.Start+x.Duration-1
		},
		"unknown kind": func(x *Terms) { x.Kind = 9 },
	} {
		x := one(1, Reservation, 1, 50)
		x.Start = 2000
		spoil(&x)
		if _, err := b.Submit(1000, x); err == nil || b.leases.len() != 0 {
			t.Errorf("%s: no error", name)
		}
	}
}

// play submits drawn leases to a world and lets it run, until before.
func play(t *rapid.T, policy Policy, most int) *world {
	size := int32(rapid.IntRange(1, 3).Draw(t, "size"))
	w := newWorld(t, hosts(rapid.IntRange(1, 4).Draw(t, "hosts"), size), policy)
	for id := range ID(rapid.IntRange(1, most).Draw(t, "leases")) {
		w.until(w.now + slot.Time(rapid.IntRange(0, 15).Draw(t, "pause")))
		x := drawTerms(t, id+1, w.now)
		w.submit(x, slot.Time(rapid.IntRange(1, int(x.Duration)).Draw(t, "actual")))
		if rapid.IntRange(0, 5).Draw(t, "rank") == 0 {
			w.book.SetRank(w.now, x.Owner, slot.Time(rapid.IntRange(-9, 9).Draw(t, "behind")))
		}
		for rapid.IntRange(0, 2).Draw(t, "change") == 0 {
			w.change(t, ID(rapid.IntRange(1, int(id+1)).Draw(t, "whom")))
		}
	}
	return w
}

// take takes an offer of other terms for a lease, in a snapshot, when it is for.
func (w *world) take(id ID, o *Offer) (Answer, error) {
	b := w.book.Snapshot()
	if b.policy.Confirm = 0; o.At > 0 { // all goes as planned
		b.Advance(o.At)
	}
	return b.Change(max(o.At, w.now), id, o.Terms)
}

// change renegotiates a lease. What is offered in place of a refusal is taken.
func (w *world) change(t *rapid.T, id ID) {
	t.Helper()
	old := w.book.leases.get(id)
	if old == nil {
		return
	}
	x := old.terms()
	x.Duration = slot.Time(rapid.IntRange(1, 60).Draw(t, "new duration"))
	x.Parts = slices.Clone(x.Parts)
	x.Parts[0].Need = cpus(int32(rapid.IntRange(1, 2).Draw(t, "new need")))
	x.Start, x.Deadline = max(x.Start, w.now), max(x.Deadline, w.now+x.Duration)
	a, err := w.book.Change(w.now, id, x)
	if err != nil {
		return
	}
	if a.State == Refused {
		if a.Reason == nil {
			t.Fatalf("no reason why %+v is refused", x)
		}
		for _, o := range a.Reason.Offers {
			again, err := w.take(id, &o)
			if err != nil || again.State == Refused || !slices.Equal(again.Preempts, o.Preempts) {
				t.Fatalf("offered %s of %+v at %d, but then: %+v %v\n%s", o.Change, x, o.At, again,
					err, w.story())
			}
		}
		now := slices.DeleteFunc(a.Reason.Offers, func(o Offer) bool { return o.At > 0 })
		if len(now) == 0 {
			return
		}
		x = now[0].Terms
		if a, err = w.book.Change(w.now, id, x); err != nil {
			t.Fatal(err)
		}
	}
	w.log = append(w.log, fmt.Sprintf("%d: lease %d changed to %+v: %s", w.now, id, x, a.State))
	w.terms[id] = w.book.leases.get(id).terms()
	w.actual[id] = min(w.actual[id], x.Duration)
}

// TestLiveLeasesGrow makes a running lease larger and longer: at the cost of a
// best-effort lease, and up to the next reservation.
func TestLiveLeasesGrow(t *testing.T) {
	w := newWorld(t, hosts(1, 3), Policy{Preemption: []Means{BySuspension, ByKilling}})
	w.submit(one(1, Immediate, 1, 100), 0)
	w.submit(one(2, BestEffort, 1, 100), 0)
	next := one(3, Reservation, 2, 50)
	next.Start = 150
	w.submit(next, 0)
	w.until(10)
	x := one(1, Immediate, 1, 100)
	x.Parts[0].Need = cpus(3)
	if a, err := w.book.Change(10, 1, x); err != nil || !slices.Equal(a.Preempts, []ID{2}) {
		t.Fatalf("larger: %+v %v", a, err)
	}
	x.Duration = 200
	a, err := w.book.Change(10, 1, x)
	if err != nil || a.State != Refused || !slices.Equal(a.Reason.Blocking, []ID{3}) {
		t.Fatalf("longer: %+v %v", a, err)
	}
	for _, o := range a.Reason.Offers {
		if o.Change == Shorter && o.Terms.Duration != 150 {
			t.Errorf("offers %d ms, though 150 fit", o.Terms.Duration)
		}
		if cpu := o.Terms.Parts[0].Need[slot.CPU]; o.Change == Smaller && cpu != 100 {
			t.Errorf("offers %d hundredths of a CPU, though 100 fit", cpu)
		}
		if again, err := w.book.Snapshot().Change(10, 1, o.Terms); err != nil ||
			again.State != Running {
			t.Errorf("offer %s: %+v %v", o.Change, again, err)
		}
	}
	if len(a.Reason.Offers) != 1 { // its need is the old one, so only its time can give
		t.Errorf("%d offers", len(a.Reason.Offers))
	}
}

// TestReasonsHold submits again what a refusal offers, and at the earliest time
// that it names: all of it is accepted, by a snapshot, and the Book unchanged.
func TestReasonsHold(t *testing.T) {
	refusals, offers := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := play(t, drawPolicy(t), 15)
		x := drawTerms(t, 100, w.now)
		x.Duration += 20
		x.Deadline += 20
		before := fmt.Sprint(w.book.Plan(slot.Span{Start: 0, End: slot.Never}))
		a, err := w.book.Snapshot().Submit(w.now, x)
		if err != nil || a.State != Refused {
			return
		}
		refusals++
		if a.Reason == nil || a.Reason.String() == "" || a.Reason.Free > a.Reason.Wanted {
			t.Fatalf("refused for %+v", a.Reason)
		}
		if a.Reason.Code == Taken && len(a.Reason.Offers) == 0 {
			t.Fatalf("no offer in place of %+v: %+v\n%s", x, a.Reason, w.story())
		}
		for _, o := range a.Reason.Offers {
			offers++
			again, err := w.book.Snapshot().Submit(w.now, o.Terms)
			if err != nil || again.State == Refused || !slices.Equal(again.Preempts, o.Preempts) {
				t.Fatalf("offered %s, but then: %+v %v\n%s", o.Change, again, err, w.story())
			}
			if o.Change == Later && again.Start > a.Reason.Earliest {
				t.Fatalf("earliest %d, but then %d", a.Reason.Earliest, again.Start)
			}
		}
		after := fmt.Sprint(w.book.Plan(slot.Span{Start: 0, End: slot.Never}))
		if before != after {
			t.Fatalf("what-if changed the plan\n%s\n%s", before, after)
		}
	})
	if refusals == 0 || offers < refusals {
		t.Errorf("%d refusals with %d offers", refusals, offers)
	}
}

// TestSameCallsSameSchedule plays the same twice, once through a snapshot.
func TestSameCallsSameSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := drawPolicy(t)
		w := play(t, policy, 15)
		v := *w
		v.images = maps.Clone(w.images)
		v.load = slices.Clone(w.load)
		v.book = w.book.Snapshot()
		v.log = slices.Clone(w.log)
		for _, m := range []*map[ID]slot.Time{&v.since, &v.ran, &v.first, &v.ended} {
			*m = maps.Clone(*m)
		}
		v.terms, v.actual = maps.Clone(w.terms), maps.Clone(w.actual)
		v.on, v.killed = maps.Clone(w.on), maps.Clone(w.killed)
		w.until(slot.Never)
		v.until(slot.Never)
		if !reflect.DeepEqual(w.log, v.log) {
			t.Fatalf("two schedules:\n%s\n%s", w.story(), v.story())
		}
	})
}

// TestPlanShowsWhatHappens holds that a plan asks of no host more than it has,
// and that what runs as long as it asked for ends as was drawn.
func TestPlanShowsWhatHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := play(t, drawPolicy(t), 15)
		bars := w.book.Plan(slot.Span{Start: w.now, End: slot.Never})
		for _, now := range bars {
			var use slot.Amount
			for _, bar := range bars {
				at := now.Span.Start
				if bar.Host != now.Host || bar.Span.Start > at || bar.Span.End <= at {
					continue
				}
				l := w.book.leases.get(bar.Lease)
				for _, s := range sums(l.hosts, l.needs()) {
					if s.host == bar.Host {
						use = use.Plus(s.need)
					}
				}
			}
			if !use.Fits(&w.pool.Hosts[now.Host]) {
				t.Fatalf("host %d is to bear %v at %d: %+v\n%s", now.Host, use, now.Span.Start,
					bars, w.story())
			}
		}
		for _, bar := range bars {
			l := w.book.leases.get(bar.Lease)
			if bar.Phase == Runs && bar.Span.End > l.done() {
				t.Fatalf("%+v is drawn beyond %d", bar, l.done())
			}
			if !slices.Contains(l.hosts, bar.Host) || bar.Nodes == 0 {
				t.Fatalf("%+v is drawn where lease %d is not: %v", bar, l.ID, l.hosts)
			}
		}
	})
}

// TestWideLeasesDoNotStarve floods a pool with narrow leases behind a wide one:
// it runs no later than was promised when it came.
func TestWideLeasesDoNotStarve(t *testing.T) {
	for _, policy := range []Backfill{EASY, Conservative} {
		rapid.Check(t, func(t *rapid.T) {
			w := newWorld(t, hosts(4, 1), Policy{Backfill: policy})
			id := ID(0)
			narrow := func() {
				id++
				x := one(id, BestEffort, rapid.IntRange(1, 2).Draw(t, "nodes"),
					slot.Time(rapid.IntRange(1, 50).Draw(t, "duration")))
				x.Submitted = w.now
				w.submit(x, slot.Time(rapid.IntRange(1, int(x.Duration)).Draw(t, "actual")))
			}
			for range 4 {
				narrow()
			}
			wide := one(1000, BestEffort, 4, 20)
			wide.Submitted = w.now
			w.submit(wide, 0)
			w.until(w.now + 1) // behind those that came before, EASY may promise nothing yet
			promised := w.book.Lease(1000).Start
			for range 40 {
				w.until(w.now + slot.Time(rapid.IntRange(0, 4).Draw(t, "pause")))
				narrow()
				if promised == slot.Never {
					promised = w.book.Lease(1000).Start
				}
			}
			w.until(slot.Never)
			if w.first[1000] > promised {
				t.Fatalf("the wide lease runs at %d, promised for %d\n%s", w.first[1000], promised,
					w.story())
			}
		})
	}
}

// TestReservationsAgainstOracle accepts a reservation exactly when the firm
// leases leave room for it in every moment, where others can always be killed.
func TestReservationsAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const nodes, horizon = 3, 200
		w := newWorld(t, hosts(nodes, 1), Policy{
			Backfill: EASY, Preemption: []Means{BySuspension, ByKilling}, Boot: 2, Shutdown: 1,
		})
		var taken [nodes][horizon]bool // hosts have room for one node
		for id := range ID(rapid.IntRange(1, 20).Draw(t, "leases")) {
			x := one(id+1, Reservation, rapid.IntRange(1, nodes).Draw(t, "nodes"),
				slot.Time(rapid.IntRange(1, 30).Draw(t, "duration")))
			x.Start = slot.Time(rapid.IntRange(2, 150).Draw(t, "start"))
			if rapid.IntRange(0, 3).Draw(t, "best effort") == 0 {
				x.Kind = BestEffort
				w.submit(x, 0)
				continue
			}
			free := 0
			for h := range taken {
				if !slices.Contains(taken[h][x.Start-2:x.Start+x.Duration+1], true) {
					free++
				}
			}
			a := w.submit(x, 0)
			if (a.State == Accepted) != (free >= x.Parts[0].Nodes) {
				t.Fatalf("%+v is %s with %d hosts free\n%s", x, a.State, free, w.story())
			}
			for _, h := range a.Hosts {
				for i := x.Start - 2; i < x.Start+x.Duration+1; i++ {
					taken[h][i] = true
				}
			}
		}
		w.until(slot.Never)
	})
}
