package book

import (
	"fmt"
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"pgregory.net/rapid"
)

// admitted holds that nobody begins on a closed host but those that were told to
// stay on it.
func (w *world) admitted(a Action) {
	w.t.Helper()
	if a.Verb != Boot && a.Verb != Resume && a.Verb != Migrate {
		return
	}
	for _, h := range a.Hosts {
		if may, closed := w.closed[h]; closed && !slices.Contains(may, a.Lease) {
			w.t.Fatalf("at %d lease %d: %s on host %d, which is closed\n%s", w.now, a.Lease, a.Verb,
				h, w.story())
		}
	}
}

// windows draws windows for a host, or takes away those it has.
func (w *world) windows(t *rapid.T) {
	h := slot.Host(rapid.IntRange(0, len(w.pool.Hosts)-1).Draw(t, "host"))
	var all []Window
	for range rapid.IntRange(0, 3).Draw(t, "windows") {
		start := w.now + slot.Time(rapid.IntRange(-10, 60).Draw(t, "opens"))
		end := start + slot.Time(rapid.IntRange(0, 40).Draw(t, "for"))
		left := cpus(int32(rapid.IntRange(0, 3).Draw(t, "left")))
		all = append(all, Window{slot.Span{Start: start, End: end}, left})
	}
	stay := w.book.Windows(w.now, h, all)
	w.stuck[h] = w.book.crowded([]slot.Host{h}, slot.Span{Start: w.now, End: slot.Never})
	w.log = append(w.log, fmt.Sprintf("%d: windows %v on %d leave %v", w.now, all, h, stay))
	w.advance()
}

// open closes or opens a host.
func (w *world) open(t *rapid.T) {
	h := slot.Host(rapid.IntRange(0, len(w.pool.Hosts)-1).Draw(t, "host"))
	open := rapid.Bool().Draw(t, "open")
	if delete(w.closed, h); open {
		w.book.Open(w.now, h, true)
		w.book.Found(w.now, h)
	} else if rapid.Bool().Draw(t, "lost") {
		w.closed[h] = w.book.Lost(w.now, h)
	} else {
		w.closed[h] = w.book.Open(w.now, h, false)
	}
	w.log = append(w.log, fmt.Sprintf("%d: host %d open %v: %v", w.now, h, open, w.closed[h]))
	w.advance()
}

// TestWindowsAndClosedHosts withdraws hosts, for times and altogether: nothing is
// promised beyond what is left, nobody begins on a closed host, and promises are
// kept all the same.
func TestWindowsAndClosedHosts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := drawPolicy(t)
		p := drawHosts(t)
		if rapid.Bool().Draw(t, "images") {
			p.Repository, policy.Transfer = 4000000, 2000000
		}
		w := newWorld(t, p, policy)
		for id := range ID(rapid.IntRange(1, 20).Draw(t, "leases")) {
			w.until(w.now + slot.Time(rapid.IntRange(0, 15).Draw(t, "pause")))
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1:
				w.windows(t)
			case 2:
				w.open(t)
			case 3:
				w.restart()
			}
			x := drawTerms(t, id+1, w.now)
			w.submit(x, slot.Time(rapid.IntRange(1, int(x.Duration)).Draw(t, "actual")))
		}
		for h := range slot.Host(len(p.Hosts)) {
			w.book.Windows(w.now, h, nil)
			w.book.Open(w.now, h, true)
			w.book.Found(w.now, h)
			delete(w.closed, h)
		}
		w.until(slot.Never)
		w.over()
	})
}

// TestLeasesInTheWay follows a window over a lease that nobody takes hosts from:
// it is reported and stays, may shrink, and may not grow; others go elsewhere.
func TestLeasesInTheWay(t *testing.T) {
	w := newWorld(t, hosts(2, 2), Policy{Preemption: []Means{BySuspension}, Choice: Pack})
	fixed := one(1, Immediate, 1, 100)
	w.submit(fixed, 0)
	later := one(2, Reservation, 1, 50)
	later.Start, later.Parts[0].Need = 60, cpus(2)
	w.submit(later, 0)
	w.submit(one(3, BestEffort, 1, 100), 0)
	w.until(10)
	if a := w.book.Lease(2); !slices.Equal(a.Hosts, []slot.Host{1}) {
		t.Fatalf("the reservation is on %v", a.Hosts)
	}
	shut := []Window{{Span: slot.Span{Start: 50, End: 200}, Left: slot.Amount{}}}
	if stay := w.book.Windows(10, 1, shut); len(stay) != 1 || stay[0] != 2 {
		t.Fatalf("in the way on host 1: %v", stay)
	}
	w.book.Windows(10, 1, nil)
	if stay := w.book.Windows(10, 0, shut); !slices.Equal(stay, []ID{1}) {
		t.Fatalf("in the way on host 0: %v", stay)
	}
	less, more := fixed, fixed
	less.Duration, more.Duration = 90, 101
	if a, err := w.book.Change(10, 1, more); err != nil || a.State != Refused {
		t.Errorf("longer: %+v %v", a, err)
	}
	if a, err := w.book.Change(10, 1, less); err != nil || a.State == Refused {
		t.Errorf("shorter: %+v %v", a, err)
	}
	w.stuck[0], w.actual[1] = true, 90
	again := one(4, Reservation, 2, 10)
	again.Start = 120
	again.Hosts = func(h slot.Host) bool { return h == 0 }
	a, err := w.book.Submit(10, again)
	if err != nil || a.State != Refused || a.Reason.Code != Shut || a.Reason.Earliest != 200 {
		t.Errorf("in a window: %+v %v %+v", a, err, a.Reason)
	}
	w.until(slot.Never)
	if w.first[2] != 60 || w.ended[3] == 0 {
		t.Errorf("first %v, ended %v\n%s", w.first, w.ended, w.story())
	}
}
