package workload

import (
	"reflect"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// same compares workloads by what a file can tell.
func same(a, b *Workload) bool {
	return a.Name == b.Name && reflect.DeepEqual(a.Site, b.Site) &&
		reflect.DeepEqual(a.Requests, b.Requests)
}

func TestWrittenLWFIsReadAgain(t *testing.T) {
	read, err := Read("x.lwf", []byte(lwfFile), Options{})
	if err != nil {
		t.Fatal(err)
	}
	read.Name = `four <kinds> & "more"`
	reserved, err := Generate(Recipe{
		Shape: Reservations, Leases: 50, Hosts: 32, Load: .5, Seed: 1, Ahead: true, ImageMB: 600,
	})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := Generate(Recipe{Shape: Batch, Leases: 50, Hosts: 32, Load: .5, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []*Workload{read, reserved, batch} {
		again, err := Read("x.lwf", w.WriteLWF(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Broken) > 0 || !same(w, again) {
			t.Errorf("%s: read again it is\n%+v\nbroken %v, expected\n%+v", w.Name, again.Requests,
				again.Broken, w.Requests)
		}
	}
}

func TestClockOfLWF(t *testing.T) {
	for at, want := range map[slot.Time]string{
		0: "00:00:00.00", 90 * Minute: "01:30:00.00", Day + 12345: "1:00:00:12.345",
	} {
		if got := lwfClock(at); got != want {
			t.Errorf("%d ms is %q, expected %q", at, got, want)
		}
	}
}

func TestAheadAllAskBeforeTheFirstStarts(t *testing.T) {
	w, err := Generate(Recipe{
		Shape: Reservations, Leases: 200, Hosts: 32, Load: .5, Seed: 1, Ahead: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	last, first, inOrder := slot.Time(0), slot.Never, 0
	for i, r := range w.Requests {
		last, first = max(last, r.Terms.Submitted), min(first, r.Terms.Start)
		if i > 0 && r.Terms.Start > w.Requests[i-1].Terms.Start {
			inOrder++
		}
	}
	if last >= first || inOrder < 60 || inOrder > 140 {
		t.Errorf("the last arrives at %d, the first starts at %d, %d of 199 follow in order", last,
			first, inOrder)
	}
}
