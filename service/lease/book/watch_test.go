package book

import (
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// TestLeave gives a gang's hosts back node by node: what is free afterwards is
// what the others leave.
func TestLeave(t *testing.T) {
	b := New(Pool{Hosts: []slot.Amount{{200, 1000}, {200, 1000}}}, Policy{})
	b.Watch()
	need := slot.Amount{100, 400}
	a, err := b.Submit(0, Terms{ID: 1, Kind: Immediate, Duration: 100, Parts: []Part{{3, need}}})
	if err != nil || a.State != Accepted {
		t.Fatalf("Submit = %+v, %v", a, err)
	}
	b.Advance(0)
	if got := b.Touched(); !slices.Equal(got, []ID{1}) {
		t.Errorf("touched %v, want lease 1", got)
	}
	for node := range 3 {
		b.Leave(10, 1, node)
		var taken slot.Amount
		for h := range 2 {
			free := b.Free(slot.Host(h), slot.Span{Start: 10, End: 100})
			taken = taken.Plus(slot.Amount{200, 1000}.Minus(free))
		}
		left := int32(2 - node)
		if want := (slot.Amount{100 * left, 400 * left}); taken != want {
			t.Errorf("after node %d left %v is taken, want %v", node, taken, want)
		}
	}
	r, _ := b.Record(1)
	if len(r.Terms.Parts) != 3 || len(r.Hosts) != 3 {
		t.Errorf("record is %+v, want three nodes that need nothing", r)
	}
	if got := b.Touched(); !slices.Equal(got, []ID{1}) || b.Touched() != nil {
		t.Errorf("touched %v, want lease 1 once", got)
	}
}
