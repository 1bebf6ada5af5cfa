package book

import (
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// A transit is that the nodes of a lease are on hosts that they leave as well.
type transit struct {
	from  []slot.Host
	until slot.Time // as planned
}

// depart notes that nodes begin to move.
func (w *world) depart(a Action) {
	if a.Until > a.At {
		w.moving[a.Lease] = transit{w.on[a.Lease], a.Until}
	}
	w.on[a.Lease] = a.Hosts
	w.moves++
}

// done tells the Book that a lease is done with what it is at.
func (w *world) done(id ID) {
	delete(w.moving, id)
	w.book.Done(w.now, id)
}

// transits adds up what nodes that move still use of the hosts that they leave.
func (w *world) transits(use []slot.Amount) {
	for id, m := range w.moving {
		on, there := w.on[id]
		if !there || (w.book.policy.Confirm == 0 && m.until <= w.now) {
			delete(w.moving, id)
			continue
		}
		for i, need := range w.book.leases.get(id).needs() {
			if h := m.from[i]; h != on[i] {
				use[h] = use[h].Plus(need)
			}
		}
	}
}

// only allows some hosts.
func only(hosts ...slot.Host) func(slot.Host) bool {
	return func(h slot.Host) bool {
		for _, other := range hosts {
			if h == other {
				return true
			}
		}
		return false
	}
}

// sized is a lease of one node, of the kind and so many CPUs, that runs on some hosts.
func sized(id ID, kind Kind, cpu int32, duration slot.Time, on ...slot.Host) Terms {
	x := one(id, kind, 1, duration)
	x.Parts[0].Need, x.Preemptible, x.Hosts = cpus(cpu), true, only(on...)
	return x
}

// TestNobodyMovesOntoHostsThatOthersAreLateToLeave lets two leases be saved for
// reservations by one moment, and both be late. The reservation of the first is
// given the room of a running lease instead, which is not to move where the
// second still is.
func TestNobodyMovesOntoHostsThatOthersAreLateToLeave(t *testing.T) {
	pool := Pool{Hosts: []slot.Amount{cpus(2), cpus(1), cpus(2)}}
	w := newWorld(t, pool, Policy{
		Backfill: EASY, Preemption: []Means{BySuspension, ByMigration}, SuspendRate: 500000,
		ResumeRate: 500000, Confirm: 5,
	})
	w.late = func() slot.Time { return 3 }
	w.submit(sized(3, BestEffort, 1, 1000, 1), 0)
	w.submit(sized(2, BestEffort, 2, 1000, 0), 0)
	w.until(1)
	w.submit(sized(1, BestEffort, 1, 1000, 1, 2), 0)
	w.until(50)
	for id, on := range map[ID]slot.Host{2: 0, 3: 1, 1: 2} {
		if a := w.book.Lease(id); a.State != Running || a.Hosts[0] != on {
			t.Fatalf("lease %d: %+v", id, a)
		}
	}
	reserve := func(x Terms) {
		x.Start = 100
		if a := w.submit(x, 0); a.State != Accepted {
			t.Fatalf("lease %d: %+v", x.ID, a)
		}
	}
	reserve(sized(4, Reservation, 1, 100, 1))
	reserve(sized(5, Reservation, 2, 100, 0, 2))
	w.until(99)
	w.cancel(4)
	w.until(slot.Never)
	w.over()
}

// TestWhoMovesIsStillKilled lets a lease that is to be killed for one reservation
// move out of the way of another that begins sooner.
func TestWhoMovesIsStillKilled(t *testing.T) {
	pool := Pool{Hosts: []slot.Amount{cpus(1), cpus(1)}}
	w := newWorld(t, pool, Policy{Backfill: EASY, Preemption: []Means{ByMigration, ByKilling}})
	w.submit(sized(1, BestEffort, 1, 1000, 0, 1), 0)
	w.submit(sized(2, BestEffort, 1, 40, 0, 1), 0)
	w.until(10)
	for id, start := range []slot.Time{3: 200, 4: 200, 5: 60} {
		if start > 0 {
			x := sized(ID(id), Reservation, 1, 50, 0, 1)
			x.Start = start
			if id == 5 {
				w.until(50)
				x.Hosts = only(w.book.Lease(1).Hosts...)
			}
			if a := w.submit(x, 0); a.State != Accepted {
				t.Fatalf("lease %d: %+v", id, a)
			}
		}
	}
	w.until(slot.Never)
	w.over()
	if w.moves != 1 || w.killed[1] != 1 {
		t.Errorf("%d moves, %v killed\n%s", w.moves, w.killed, w.story())
	}
}

// TestCancelledLate takes a lease back that should be saved by then, before the Book
// was asked what is due: the one after it waits until it is off.
func TestCancelledLate(t *testing.T) {
	w := newWorld(t, hosts(1, 1), Policy{
		Backfill: EASY, Preemption: []Means{BySuspension}, SuspendRate: 100000, Shutdown: 5,
		Confirm: 5,
	})
	w.late, w.jumps = func() slot.Time { return 3 }, true
	w.submit(sized(1, BestEffort, 1, 1000, 0), 0)
	w.until(10)
	x := sized(2, Deadline, 1, 100, 0)
	x.Start, x.Deadline = 100, 1000
	if a := w.submit(x, 0); a.State != Accepted || a.Start != 100 {
		t.Fatalf("%+v", a)
	}
	w.until(99)
	w.now = 101
	w.cancel(1)
	w.until(slot.Never)
	w.over()
}

// TestWhoStaysIsSavedAtHome suspends a lease that is to stay where it would otherwise
// move, and lets it go on at home although another host is free meanwhile.
func TestWhoStaysIsSavedAtHome(t *testing.T) {
	for _, stays := range []bool{false, true} {
		w := newWorld(t, Pool{Hosts: []slot.Amount{cpus(1), cpus(1)}}, Policy{
			Backfill: EASY, Preemption: []Means{ByMigration, BySuspension}, Movable: true,
		})
		w.submit(sized(1, BestEffort, 1, 1000, 0, 1), 0)
		w.until(10)
		home := w.book.Lease(1).Hosts[0]
		w.book.Stay(10, 1, stays)
		x := sized(2, Reservation, 1, 100, home)
		x.Start = 60
		if a := w.submit(x, 0); a.State != Accepted {
			t.Fatalf("the reservation is %+v", a)
		}
		w.until(80)
		if a := w.book.Lease(1); (a.State == Suspended) != stays || (a.State == Running) == stays {
			t.Errorf("stays %v: meanwhile it is %+v", stays, a)
		}
		if _, err := w.book.Shift(80, 1, 0, -1); err == nil {
			t.Errorf("stays %v: it is shifted", stays)
		}
		w.until(200)
		if a := w.book.Lease(1); a.State != Running || (a.Hosts[0] == home) != stays {
			t.Errorf("stays %v: then it is %+v", stays, a)
		}
		w.until(slot.Never)
		w.over()
	}
}

// TestReturn has a lease not come to the host to which it moves: it goes on at home, which it
// has again up to its end, and others have the room that it was to have. Where its home was
// promised to others it has to leave all the same.
func TestReturn(t *testing.T) {
	for promised, policy := range map[bool]Policy{
		false: {Backfill: EASY, MigrateRate: 100000, Confirm: 5},
		true:  {Backfill: EASY, Confirm: 5}, // it is on its way for no time that counts
	} {
		w := newWorld(t, Pool{Hosts: []slot.Amount{cpus(2), cpus(2)}}, policy)
		w.late = func() slot.Time { return 1000 }
		w.submit(sized(1, BestEffort, 2, 5000, 0, 1), 0)
		w.until(10)
		home := w.book.Lease(1).Hosts[0]
		if w.book.Return(10, 1, 0, home) || w.book.Return(10, 2, 0, home) {
			t.Error("what does not move has come back")
		}
		if to, err := w.book.Shift(10, 1, 0, -1); err != nil || to == home {
			t.Fatalf("it moves to %d, %v", to, err)
		}
		if w.book.Return(10, 1, 0, home) {
			t.Error("it came back before it went")
		}
		w.until(20)
		if promised {
			x := sized(2, Reservation, 1, 100, home)
			x.Start = 3000
			if a := w.submit(x, 0); a.State != Accepted {
				t.Fatalf("the reservation is %+v", a)
			}
		}
		if back := w.book.Return(20, 1, 0, home); back == promised {
			t.Errorf("promised %v: it has come back: %v", promised, back)
		}
		w.advance()
		w.audit()
		if on := w.book.Lease(1).Hosts[0]; (on == home) == promised {
			t.Errorf("promised %v: it is on %d, its home is %d", promised, on, home)
		}
		w.done(1)
		x := sized(3, Immediate, 2, 100, 1-home)
		if a := w.submit(x, 0); (a.State == Refused) != promised {
			t.Errorf("promised %v: where it was to go another is %+v", promised, a)
		}
		w.audit()
		w.late = nil
	}
}
