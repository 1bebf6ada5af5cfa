package book

import (
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// TestNobodyOvertakesTheSuspended interrupts a lease for a short reservation.
// What came later and would fit beside the reservation waits, for it would keep
// the interrupted lease from going on.
func TestNobodyOvertakesTheSuspended(t *testing.T) {
	for _, policy := range []Backfill{NoBackfill, EASY, Conservative} {
		for _, movable := range []bool{false, true} {
			w := newWorld(t, hosts(1, 4), Policy{Backfill: policy, Movable: movable,
				Preemption: []Means{BySuspension}, SuspendRate: 1000, ResumeRate: 1000})
			first := one(1, BestEffort, 1, 1000)
			first.Parts[0].Need[slot.CPU] = 300
			first.Preemptible = true
			w.submit(first, 0)
			w.until(50)
			later := one(2, BestEffort, 1, 1000)
			later.Parts[0].Need[slot.CPU], later.Submitted = 200, 50
			w.submit(later, 0)
			short := one(3, Reservation, 1, 10)
			short.Parts[0].Need[slot.CPU], short.Start = 200, 100
			w.submit(short, 0)
			w.until(slot.Never)
			if at := w.first[2]; at < 1000 {
				t.Errorf("policy %d, movable %t: the later lease ran at %d, before the "+
					"interrupted one was done\n%s", policy, movable, at, w.story())
			}
		}
	}
}
