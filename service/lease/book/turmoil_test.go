package book

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

var (
	things = flag.Int("things", 3_000, "that happen in TestTurmoil")
	seed   = flag.Uint64("seed", 1, "of TestTurmoil")
)

// A turmoil is a world to which everything happens.
type turmoil struct {
	*world
	rand *rand.Rand
	next ID
	done map[string]int // operations, by name
	// pause is how long nothing is asked at most: short ones fill the pool, and
	// where there is room running leases move.
	pause int
}

func (s *turmoil) between(low, high int) slot.Time {
	return slot.Time(low + s.rand.IntN(high-low+1))
}

// TestTurmoil lets everything happen to one Book that can: leases of all kinds come,
// change, are late, fail and are taken back, hosts close, are lost and found and
// have windows, the Book is asked before it has done what is due, and is made again
// from its records. By what the actions say no host ever bears more than it has,
// and promises are kept throughout. Each seed has a policy of its own. The -things
// are done to as many Books as it takes; see docs/testing.md for a million.
func TestTurmoil(t *testing.T) {
	for n := *things; n > 0; n -= perBook {
		turmoilOf(t, *seed+uint64((*things-n)/perBook), min(n, perBook))
	}
}

// jump is for how long at most the Book is not asked what is due.
const jump = 40

// perBook is how much happens to one Book of TestTurmoil.
const perBook = 20_000

func turmoilOf(t *testing.T, seed uint64, things int) {
	t.Helper()
	s := &turmoil{rand: rand.New(rand.NewPCG(seed, 5)), next: 1, done: map[string]int{}}
	pool, policy := s.setting()
	w := newWorld(t, pool, policy)
	s.world, w.jumps = w, true
	w.late = func() slot.Time { return s.between(-10, 30) }
	for range things {
		w.until(w.now + s.between(0, s.pause))
		s.step()
		w.log = w.log[max(0, len(w.log)-200):]
	}
	for h := range slot.Host(len(pool.Hosts)) {
		w.book.Windows(w.now, h, nil)
		w.book.Open(w.now, h, true)
		w.book.Found(w.now, h)
		delete(w.closed, h)
	}
	w.until(slot.Never)
	w.over()
	t.Logf("seed %d: %d leases in %d ms, of which %d were killed and %d moved; %v", seed,
		len(w.ended), w.now, len(w.killed), w.moves, s.done)
}

// setting draws a pool and how it is leased.
func (s *turmoil) setting() (Pool, Policy) {
	s.pause = 40 << s.rand.IntN(3)
	p := hosts(24, 4)
	p.Repository = 40000000
	policy := Policy{
		Backfill: EASY, Preemption: []Means{BySuspension, ByMigration, ByKilling}, Movable: true,
		Boot: 20, Shutdown: 10, SuspendRate: 100000, ResumeRate: 50000, MigrateRate: 200000,
		Threshold: 1, Transfer: 2000000, CacheMB: 20, Confirm: 5,
	}
	policy.Preemption = [][]Means{
		policy.Preemption, {ByMigration, BySuspension, ByKilling}, {ByMigration, ByKilling},
	}[s.rand.IntN(3)]
	if s.rand.IntN(4) == 0 && s.pause > 40 { // who plans for all plans for long queues for long
		policy.Backfill = Conservative
	}
	policy.MigrateRate /= int64(1 + s.rand.IntN(8))
	policy.Confirm = s.between(1, 60)
	if s.rand.IntN(4) == 0 {
		policy.Confirm = 0
	}
	if s.rand.IntN(2) == 0 { // links that memory on its way fills in part
		for h := range p.Hosts {
			p.Hosts[h][slot.NetIn], p.Hosts[h][slot.NetOut] = 1<<29, 1<<29
		}
	}
	return p, policy
}

// step does one thing.
func (s *turmoil) step() {
	name := "submit"
	if s.rand.IntN(8) == 0 && s.next > 1 { // it is asked before it knows what time it is
		s.now += s.between(0, jump)
	}
	switch n := s.rand.IntN(100); {
	case n < 60:
		s.lease()
	case n < 70:
		name = "change"
		s.vary()
	case n < 76:
		name = "cancel"
		s.cancel(s.any())
	case n < 82:
		name = "overdue"
		s.book.Overdue(s.now, s.any(), s.now+s.between(-20, 100))
	case n < 86:
		name = "done"
		s.world.done(s.any())
	case n < 88:
		name = "ended"
		s.book.Ended(s.now, s.any())
	case n < 93:
		name = "windows"
		s.withdraw()
	case n < 97:
		name = "hosts"
		s.toggle()
	case n < 99:
		name = "what-if"
		if _, err := s.book.Snapshot().Submit(s.now, s.terms()); err != nil {
			s.t.Fatal(err)
		}
	default:
		name = "restart"
		s.advance() // a Book that is made later finds others late
		s.restart()
	}
	s.done[name]++
	s.advance()
	if s.next%16 == 0 {
		s.audit()
	}
}

// any returns a lease that is in the Book, or one that is not.
func (s *turmoil) any() ID {
	ids := slices.Sorted(s.book.leases.ids())
	if len(ids) == 0 || s.rand.IntN(50) == 0 {
		return s.next
	}
	return ids[s.rand.IntN(len(ids))]
}

func (s *turmoil) terms() Terms {
	kinds := []Kind{BestEffort, BestEffort, Reservation, Immediate, Deadline}
	x := Terms{
		ID: s.next, Submitted: s.now, Duration: s.between(20, 800),
		Kind:        kinds[s.rand.IntN(len(kinds))],
		Preemptible: s.rand.IntN(4) > 0, Start: s.now + s.between(30, 1500),
	}
	for range 1 + s.rand.IntN(2) {
		x.Parts = append(x.Parts, Part{1 + s.rand.IntN(4), cpus(int32(1 + s.rand.IntN(3)))})
	}
	if image := s.rand.IntN(8); image > 0 {
		x.Image = Image{string(rune('a' + image)), int64(image)}
	}
	x.Deadline = x.Start + x.Duration + s.between(0, 1000)
	return x
}

// lease submits one more.
func (s *turmoil) lease() {
	x := s.terms()
	s.next++
	actual := x.Duration
	if s.rand.IntN(3) == 0 {
		actual = s.between(1, int(x.Duration))
	}
	s.submit(x, actual)
}

// vary renegotiates a lease.
func (s *turmoil) vary() {
	l := s.book.leases.get(s.any())
	if l == nil {
		return
	}
	id, x := l.ID, l.terms()
	x.Duration, x.Parts = s.between(1, 1000), slices.Clone(x.Parts)
	x.Parts[0].Need = cpus(int32(1 + s.rand.IntN(4)))
	if a, err := s.book.Change(s.now, id, x); err == nil && a.State != Refused {
		s.learn(id)
	}
}

// learn learns the new terms of a lease.
func (s *turmoil) learn(id ID) {
	s.world.terms[id] = s.book.leases.get(id).terms()
	s.actual[id] = min(s.actual[id], s.world.terms[id].Duration)
}

// withdraw gives a host other windows.
func (s *turmoil) withdraw() {
	h := slot.Host(s.rand.IntN(len(s.pool.Hosts)))
	var all []Window
	for range s.rand.IntN(3) {
		start := s.now + s.between(-50, 1500)
		all = append(all, Window{
			slot.Span{Start: start, End: start + s.between(0, 300)}, cpus(int32(s.rand.IntN(4))),
		})
	}
	s.book.Windows(s.now, h, all)
	s.stuck[h] = len(all) > 0 // who is late may be in the way of a window
}

// toggle closes or opens a host.
func (s *turmoil) toggle() {
	h := slot.Host(s.rand.IntN(len(s.pool.Hosts)))
	_, closed := s.closed[h]
	switch {
	case closed:
		delete(s.closed, h)
		s.book.Open(s.now, h, true)
		s.book.Found(s.now, h)
	case len(s.closed) > 4:
	case s.rand.IntN(2) == 0:
		s.closed[h] = s.book.Lost(s.now, h)
	default:
		s.closed[h] = s.book.Open(s.now, h, false)
	}
}
