package book

import (
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"pgregory.net/rapid"
)

// between asks for a node of at least and at most so many CPUs.
func between(id ID, k Kind, low, high int32) Terms {
	x := one(id, k, 1, 100)
	x.Parts[0].Need, x.Least = cpus(high), []slot.Amount{cpus(low)}
	x.Grain = []slot.Amount{{slot.CPU: 100, slot.Memory: 1000}}
	return x
}

// TestAsMuchAsThereIs asks for one to four CPUs of a host of which a part is taken.
func TestAsMuchAsThereIs(t *testing.T) {
	for taken, want := range map[int32]int32{0: 400, 1: 300, 3: 100} {
		w := newWorld(t, hosts(1, 4), Policy{})
		if taken > 0 {
			x := one(1, Immediate, 1, 50)
			x.Parts[0].Need = cpus(taken)
			w.submit(x, 0)
		}
		a := w.submit(between(2, Immediate, 1, 4), 0)
		if a.State == Refused || a.Parts[0].Need[slot.CPU] != want {
			t.Errorf("with %d of 4 taken: %+v, want %d", taken, a, want)
		}
		w.until(slot.Never)
	}
}

// TestLessBeatsWaiting lets a lease that waits begin with its least, and plans
// one that has to wait even for that with as much as there will be.
func TestLessBeatsWaiting(t *testing.T) {
	for _, policy := range []Backfill{NoBackfill, EASY, Conservative} {
		w := newWorld(t, hosts(1, 4), Policy{Backfill: policy})
		x := one(1, Immediate, 1, 50)
		x.Parts[0].Need = cpus(3)
		w.submit(x, 0)
		w.submit(between(2, BestEffort, 1, 4), 0)
		a := w.submit(between(3, BestEffort, 2, 4), 0)
		if a.State != Queued || a.Start != 50 || a.Parts[0].Need[slot.CPU] != 300 {
			t.Errorf("policy %d: planned as %+v", policy, a)
		}
		w.until(50)
		if got := w.book.Lease(3); got.State != Running || got.Parts[0].Need[slot.CPU] != 300 {
			t.Errorf("policy %d: %+v", policy, got)
		}
		w.until(slot.Never)
	}
}

// TestNoMoreIsLeft holds that nothing can be added to what is granted: one
// more step of any resource is refused.
func TestNoMoreIsLeft(t *testing.T) {
	less := 0
	rapid.Check(t, func(t *rapid.T) {
		w := play(t, drawPolicy(t), 12)
		x := drawTerms(t, 100, w.now)
		if x.Kind == BestEffort {
			x.Kind = Immediate
		}
		y := between(100, Immediate, 1, 8)
		x.Parts, x.Least, x.Grain = y.Parts, y.Least, y.Grain
		a, err := w.book.Snapshot().Submit(w.now, x)
		if err != nil || a.State == Refused {
			return
		}
		for r := range slot.Resources {
			y := x
			y.Parts, y.Least = slices.Clone(a.Parts), nil
			if y.Parts[0].Need[r] == x.Parts[0].Need[r] {
				continue
			}
			less++
			y.Parts[0].Need[r] += x.Grain[0][r]
			more, err := w.book.Snapshot().Submit(w.now, y)
			if err != nil || more.State != Refused {
				t.Fatalf("%+v is granted %+v, though %+v is accepted: %v\n%s", x, a.Parts, y, err,
					w.story())
			}
		}
	})
	if less == 0 {
		t.Error("all had all that they asked for")
	}
}

// TestLeastThatIsNotThere refuses, and offers what there is.
func TestLeastThatIsNotThere(t *testing.T) {
	w := newWorld(t, hosts(1, 4), Policy{})
	x := one(1, Immediate, 1, 50)
	x.Parts[0].Need = cpus(3)
	w.submit(x, 0)
	a := w.submit(between(2, Immediate, 2, 4), 0)
	if a.State != Refused || a.Reason.Code != Taken || a.Reason.Earliest != 50 {
		t.Fatalf("%+v", a)
	}
	for _, o := range a.Reason.Offers {
		b, err := w.book.Snapshot().Submit(0, o.Terms)
		if err != nil || b.State == Refused {
			t.Errorf("offer %s: %+v %v", o.Change, b, err)
		}
		if o.Change == Later && b.Parts[0].Need != cpus(4) {
			t.Errorf("later is %+v", b)
		}
	}
}

// TestBadBounds are refused.
func TestBadBounds(t *testing.T) {
	b := New(hosts(2, 2), Policy{})
	for name, spoil := range map[string]func(*Terms){
		"above":         func(x *Terms) { x.Least[0][slot.CPU] = 301 },
		"negative":      func(x *Terms) { x.Least[0][slot.CPU] = -1 },
		"too many":      func(x *Terms) { x.Least = append(x.Least, slot.Amount{}) },
		"negative step": func(x *Terms) { x.Grain[0][slot.CPU] = -1 },
		"step too many": func(x *Terms) { x.Grain = append(x.Grain, slot.Amount{}) },
	} {
		x := between(1, Immediate, 1, 2)
		spoil(&x)
		if _, err := b.Submit(0, x); err == nil || b.leases.len() != 0 {
			t.Errorf("%s: no error", name)
		}
	}
}
