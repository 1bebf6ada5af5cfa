package book

import (
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// TestPlannedTransfersHoldNobodyUp asks, where an image is to come to one host
// for a reservation of much later, for leases of that image that can begin now.
func TestPlannedTransfersHoldNobodyUp(t *testing.T) {
	pool := hosts(2, 4)
	pool.Repository = 1000000
	w := newWorld(t, pool, Policy{Transfer: 1000000, Boot: 3})
	image := Image{"system", 10} // takes 80 ms
	lease := func(id ID, k Kind) Terms {
		x := one(id, k, 1, 100)
		x.Image, x.Preemptible = image, false
		return x
	}
	reservation := lease(1, Reservation)
	reservation.Start = 5000
	if a := w.submit(reservation, 0); a.State != Accepted {
		t.Fatalf("the reservation is %+v", a)
	}
	deadline := lease(3, Deadline)
	deadline.Deadline = 9000
	for _, x := range []Terms{lease(2, BestEffort), deadline} {
		if a := w.submit(x, 0); a.Start > 200 {
			t.Errorf("lease %d, %s, is to run from %d on, the hosts are empty", x.ID, x.Kind,
				a.Start)
		}
	}
	soon := lease(4, Reservation)
	soon.Start = w.now + 1
	if a := w.submit(soon, 0); a.State != Refused || a.Reason.Code != TooSoon ||
		a.Reason.Earliest > 200 {
		t.Errorf("a reservation without time for the image: %+v, %+v", a, a.Reason)
	}
	w.until(slot.Never)
	if w.first[1] != 5000 {
		t.Errorf("the reservation ran at %d", w.first[1])
	}
}

// TestTransfersUnderWayTakeTheLink lets a lease be cancelled while its image comes, and the
// Book be made again: what is on its way takes the link of the repository until it is there.
func TestTransfersUnderWayTakeTheLink(t *testing.T) {
	pool := hosts(2, 4)
	pool.Repository = 1000000
	w := newWorld(t, pool, Policy{Transfer: 1000000}) // one at a time
	lease := func(id ID, image string) Terms {
		x := one(id, BestEffort, 1, 100)
		x.Image = Image{image, 10} // takes 80 ms
		return x
	}
	w.submit(lease(1, "system"), 0)
	w.until(10)
	if err := w.book.Cancel(w.now, 1); err != nil {
		t.Fatal(err)
	}
	w.until(20)
	w.restart()
	w.submit(lease(2, "other"), 0)
	w.until(slot.Never)
	w.links(1)
	if len(w.book.Images()) > 0 {
		t.Errorf("without a cache hosts have %+v", w.book.Images())
	}
}
