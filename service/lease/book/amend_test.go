package book

import (
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// TestCounterOffers asks more for a running lease than there is: it is offered
// the most that there is now, of each resource, and all from when that is free.
func TestCounterOffers(t *testing.T) {
	w := newWorld(t, hosts(1, 4), Policy{Preemption: []Means{BySuspension, ByKilling}})
	w.submit(one(1, Immediate, 1, 100), 0)
	w.submit(one(2, Immediate, 1, 60), 0)
	w.submit(one(3, BestEffort, 1, 500), 0)
	w.until(10)
	x := one(1, Immediate, 1, 100)
	x.Parts[0].Need = slot.Amount{slot.CPU: 400, slot.Memory: 2000}
	x.Grain = []slot.Amount{{slot.CPU: 100}}
	a, err := w.book.Change(10, 1, x)
	if err != nil || a.State != Refused || len(a.Reason.Offers) != 2 {
		t.Fatalf("%+v %+v %v", a, a.Reason, err)
	}
	for _, o := range a.Reason.Offers {
		need := o.Terms.Parts[0].Need
		switch o.Change {
		case Smaller:
			if need != (slot.Amount{slot.CPU: 300, slot.Memory: 2000}) || o.At != 0 {
				t.Errorf("now there is %+v", o)
			}
		case Later:
			if need != x.Parts[0].Need || o.At != 60 {
				t.Errorf("later there is %+v", o)
			}
		default:
			t.Errorf("offers %+v", o)
		}
		again, err := w.take(1, &o)
		if err != nil || again.State != Running || !slices.Equal(again.Preempts, []ID{3}) ||
			!slices.Equal(o.Preempts, []ID{3}) {
			t.Errorf("%+v is answered by %+v %v", o, again, err)
		}
	}
}
