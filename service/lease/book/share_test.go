package book

import (
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"pgregory.net/rapid"
)

// TestRankIsTime lets an owner's leases stand back for as long as the rank says:
// behind those that came up to then, and before those that came later.
func TestRankIsTime(t *testing.T) {
	for _, policy := range []Backfill{NoBackfill, EASY, Conservative} {
		w := newWorld(t, hosts(1, 1), Policy{Backfill: policy})
		w.submit(one(1, Immediate, 1, 1000), 0)
		for id, owner := range []string{"often", "seldom", "seldom"} {
			x := one(ID(id+2), BestEffort, 1, 10)
			x.Owner, x.Submitted = owner, w.now
			w.submit(x, 0)
			w.until(w.now + 60)
		}
		w.book.SetRank(w.now, "often", 100)
		w.book.SetRank(w.now, "nobody", 5)
		w.until(slot.Never)
		want := []slot.Time{1010, 1000, 1020} // only the first of the others overtakes
		if policy == Conservative {
			want = []slot.Time{1000, 1010, 1020} // it has promised the first its start
		}
		for i, at := range want {
			if w.first[ID(i+2)] != at {
				t.Errorf("policy %d: lease %d runs at %d, not %d\n%s", policy, i+2,
					w.first[ID(i+2)], at, w.story())
			}
		}
	}
}

// TestRanksDoNotStarve floods a pool with leases of owners who stand ahead of
// the one with a wide lease: it runs when those that came while the ranks let
// them overtake are done.
func TestRanksDoNotStarve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := rapid.SampledFrom([]Backfill{NoBackfill, EASY, Conservative}).Draw(t, "policy")
		rank := slot.Time(rapid.IntRange(0, 200).Draw(t, "rank"))
		w := newWorld(t, hosts(4, 1), Policy{Backfill: policy})
		w.book.SetRank(0, "back", rank)
		wide := one(1000, BestEffort, 4, 20)
		wide.Owner = "back"
		w.submit(one(999, Immediate, 1, 10), 0)
		w.submit(wide, 0)
		work := slot.Time(10 * 4)
		for id := ID(1); w.now < 600; id++ {
			x := one(id, BestEffort, rapid.IntRange(1, 3).Draw(t, "nodes"),
				slot.Time(rapid.IntRange(1, 30).Draw(t, "duration")))
			x.Submitted = w.now
			if w.now <= rank { // it may overtake: each on its own, at the worst
				work += x.Duration
			}
			w.submit(x, 0)
			w.until(w.now + slot.Time(rapid.IntRange(1, 20).Draw(t, "pause")))
		}
		w.until(slot.Never)
		if w.first[1000] > rank+work {
			t.Fatalf("the wide lease runs at %d, rank %d, work %d\n%s", w.first[1000], rank, work,
				w.story())
		}
	})
}
