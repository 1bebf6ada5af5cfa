package book

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// TestShelvesAreApart plays on shelves that share layers, and on a plain map for
// each: they say the same.
func TestShelvesAreApart(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	shelves, plain := []shelf{newShelf()}, []map[ID]*lease{{}}
	layers := 0
	for n := range 40000 {
		i := r.IntN(len(shelves))
		s, p := &shelves[i], plain[i]
		switch id := ID(r.IntN(1000)); {
		case n%100 == 0:
			to := r.IntN(6)
			copied, same := s.share(), maps.Clone(p)
			if s.base != nil {
				layers++
			}
			if to < len(shelves) {
				shelves[to], plain[to] = copied, same
			} else {
				shelves, plain = append(shelves, copied), append(plain, same)
			}
		case r.IntN(3) > 0:
			l := &lease{Terms: Terms{ID: id}}
			s.put(l)
			p[id] = l
		default:
			s.drop(id)
			delete(p, id)
		}
		s, p = &shelves[i], plain[i]
		id := ID(r.IntN(1000))
		if s.get(id) != p[id] || s.len() != len(p) {
			t.Fatalf("after %d operations %d leases instead of %d, or another", n, s.len(), len(p))
		}
	}
	for i := range shelves {
		if !maps.Equal(maps.Collect(shelves[i].all()), plain[i]) {
			t.Errorf("shelf %d says %d leases, not the %d that it has", i, shelves[i].len(),
				len(plain[i]))
		}
	}
	if layers == 0 {
		t.Error("no two shelves shared anything")
	}
}

// TestSnapshotsTakeNoPart holds that a Book of which snapshots are taken, and in
// whose place they go on, says what another does that is left alone.
func TestSnapshotsTakeNoPart(t *testing.T) {
	all := reservations(40, 600)
	book := New(wide(40), Policy{Preemption: []Means{BySuspension}})
	alone := New(wide(40), Policy{Preemption: []Means{BySuspension}})
	var last slot.Time
	for i, x := range all {
		a, err := book.Submit(0, x)
		same, _ := alone.Submit(0, x)
		if err != nil || !reflect.DeepEqual(a, same) {
			t.Fatalf("lease %d: %v instead of %v, %v", x.ID, a, same, err)
		}
		if last = max(last, x.Start+x.Duration); i%20 == 0 {
			book = book.Snapshot()
		}
	}
	aside, hour := book.Snapshot(), slot.Time(3600000)
	if len(aside.due.sorted) == 0 || aside.leases.base == nil {
		t.Error("nothing is shared")
	}
	var done, other []Action
	for now := slot.Time(0); now < last+hour; now += hour / 2 {
		if book.Snapshot().Advance(now + hour); now%hour == 0 {
			book = book.Snapshot()
		}
		done = append(done, book.Advance(now)...)
		other = append(other, alone.Advance(now)...)
	}
	if len(done) < 1000 || !reflect.DeepEqual(done, other) ||
		!reflect.DeepEqual(done, aside.Advance(last+hour)) {
		t.Errorf("%d actions, %d alone: they differ", len(done), len(other))
	}
}

// TestTryAgrees holds that what is only tried is answered as if it were asked.
func TestTryAgrees(t *testing.T) {
	book := New(wide(10), Policy{Preemption: []Means{BySuspension}})
	refusals := 0
	for _, x := range reservations(5, 200) {
		tried, err := book.Try(0, x)
		a, _ := book.Submit(0, x)
		if err != nil || tried.State != a.State || tried.Start != a.Start {
			t.Fatalf("lease %d: %v when tried, %v when asked, %v", x.ID, tried, a, err)
		}
		if a.State != Refused {
			continue
		}
		if refusals++; tried.Reason.Earliest != a.Reason.Earliest {
			t.Errorf("lease %d: from %d when tried, %d when asked", x.ID,
				tried.Reason.Earliest, a.Reason.Earliest)
		}
	}
	if refusals == 0 {
		t.Error("nothing was refused")
	}
}
