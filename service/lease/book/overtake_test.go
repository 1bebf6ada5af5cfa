package book

import (
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// TestWhoOvertakesMakesRoom lets a long lease that may be interrupted overtake
// one that waits for more hosts than are free: it begins at once, is saved when
// the other begins as promised, and goes on after that. One that may not be
// interrupted waits.
func TestWhoOvertakesMakesRoom(t *testing.T) {
	for _, policy := range []Backfill{EASY, Conservative} {
		for _, preemptible := range []bool{true, false} {
			w := newWorld(t, hosts(2, 1), Policy{Backfill: policy,
				Preemption: []Means{BySuspension}, SuspendRate: 1e6, ResumeRate: 1e6})
			w.submit(one(1, BestEffort, 1, 100), 0)
			wide := one(2, BestEffort, 2, 50)
			w.submit(wide, 0)
			long := one(3, BestEffort, 1, 200)
			long.Preemptible = preemptible
			w.submit(long, 0)
			w.until(slot.Never)
			want := slot.Time(0)
			if !preemptible {
				want = 150
			}
			if w.first[2] != 100 || w.first[3] != want || w.ran[3] != 200 {
				t.Errorf("policy %d, preemptible %t: the wide lease ran at %d, the long one at %d "+
					"for %d\n%s", policy, preemptible, w.first[2], w.first[3], w.ran[3], w.story())
			}
		}
	}
}

// TestWhoOvertookRunsOn lets the lease that was overtaken go away: nobody is
// saved for it then.
func TestWhoOvertookRunsOn(t *testing.T) {
	w := newWorld(t, hosts(2, 1), Policy{Backfill: EASY,
		Preemption: []Means{BySuspension}, SuspendRate: 1e6, ResumeRate: 1e6})
	w.submit(one(1, BestEffort, 1, 100), 0)
	w.submit(one(2, BestEffort, 2, 50), 0)
	long := one(3, BestEffort, 1, 200)
	long.Preemptible = true
	w.submit(long, 0)
	w.until(50)
	if cut := w.book.Lease(3).Cut; cut != 100 {
		t.Errorf("it is to be suspended by %d", cut)
	}
	if err := w.book.Cancel(w.now, 2); err != nil {
		t.Fatal(err)
	}
	if a := w.book.Lease(3); a.Cut != slot.Never || a.End != 200 {
		t.Errorf("it runs until %d, to be suspended by %d", a.End, a.Cut)
	}
}
