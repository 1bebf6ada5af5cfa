package book

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"pgregory.net/rapid"
)

// ready returns when the next lease is really done with what it is at.
func (w *world) ready() slot.Time {
	first := slot.Never
	for _, at := range w.busy {
		first = min(first, at)
	}
	return first
}

// confirm tells the Book who is done now.
func (w *world) confirm() {
	for _, id := range slices.Sorted(maps.Keys(w.busy)) {
		if w.busy[id] <= w.now {
			delete(w.busy, id)
			w.log = append(w.log, fmt.Sprintf("%d: lease %d is done", w.now, id))
			w.done(id)
		}
	}
}

// begin draws how long it really takes what the action begins.
func (w *world) begin(a Action) {
	delete(w.busy, a.Lease)
	if w.late == nil || w.book.policy.Confirm == 0 {
		return
	}
	switch a.Verb {
	case Boot, Resume:
		if a.Until == a.At {
			return // it runs already
		}
	case Suspend, Shutdown:
	case Migrate:
		if a.Until == a.At {
			return
		}
	default:
		return
	}
	w.busy[a.Lease] = max(a.At, a.Until+w.late())
}

// TestNothingIsGivenTwiceWhateverIsLate lets everything that takes time take
// another time than planned. The Book hears of it when it is over: no host ever
// really bears more than it has, no reservation runs before its start or beyond
// its end, no deadline is passed, and all comes to an end.
func TestNothingIsGivenTwiceWhateverIsLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := drawPolicy(t)
		policy.Confirm = slot.Time(rapid.IntRange(1, 4).Draw(t, "confirm"))
		w := newWorld(t, drawHosts(t), policy)
		w.late = func() slot.Time { return slot.Time(rapid.IntRange(-3, 12).Draw(t, "late")) }
		for id := range ID(rapid.IntRange(1, 20).Draw(t, "leases")) {
			w.until(w.now + slot.Time(rapid.IntRange(0, 15).Draw(t, "pause")))
			x := drawTerms(t, id+1, w.now)
			x.Image = Image{}
			w.submit(x, slot.Time(rapid.IntRange(1, int(x.Duration)).Draw(t, "actual")))
			if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
				w.restart()
			}
			if rapid.IntRange(0, 5).Draw(t, "cancel") == 0 {
				w.cancel(ID(rapid.IntRange(1, int(id+1)).Draw(t, "whom")))
			}
		}
		w.until(slot.Never)
		w.over()
	})
}

// cancel takes a lease back.
func (w *world) cancel(id ID) {
	if w.book.leases.get(id) == nil {
		return
	}
	end := min(w.now, w.book.Lease(id).End) // which the Book may not have told of yet
	w.log = append(w.log, fmt.Sprintf("%d: cancel %d", w.now, id))
	if err := w.book.Cancel(w.now, id); err != nil {
		w.t.Fatal(err)
	}
	if w.book.leases.get(id) == nil {
		w.ended[id] = w.now
	}
	w.stop(id, end)
	w.actual[id] = w.ran[id]
	w.advance()
}

// TestOverdue tells a Book that completes all by itself that leases are late.
func TestOverdue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := drawPolicy(t)
		p := drawHosts(t)
		if rapid.Bool().Draw(t, "images") {
			p.Repository, policy.Transfer = 4000000, 2000000
		}
		w := newWorld(t, p, policy)
		w.late = func() slot.Time { return 0 }
		for id := range ID(rapid.IntRange(1, 20).Draw(t, "leases")) {
			w.until(w.now + slot.Time(rapid.IntRange(0, 15).Draw(t, "pause")))
			x := drawTerms(t, id+1, w.now)
			w.submit(x, slot.Time(rapid.IntRange(1, int(x.Duration)).Draw(t, "actual")))
			for rapid.Bool().Draw(t, "again") {
				whom := ID(rapid.IntRange(1, int(id+1)).Draw(t, "whom"))
				until := w.now + slot.Time(rapid.IntRange(-5, 30).Draw(t, "until"))
				w.log = append(w.log, fmt.Sprintf("%d: %d is late: %d", w.now, whom, until))
				w.book.Overdue(w.now, whom, until)
				w.advance()
			}
		}
		w.until(slot.Never)
		w.over()
	})
}

func drawHosts(t *rapid.T) Pool {
	return hosts(rapid.IntRange(1, 4).Draw(t, "hosts"), int32(rapid.IntRange(1, 3).Draw(t, "size")))
}
