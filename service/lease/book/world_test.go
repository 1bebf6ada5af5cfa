package book

import (
	"fmt"
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"pgregory.net/rapid"
)

// world drives a Book as a service would and keeps books of its own, from the
// actions alone: what each host bears, and how long each lease ran.
type world struct {
	t      rapid.TB
	book   *Book
	pool   Pool
	now    slot.Time
	terms  map[ID]Terms
	actual map[ID]slot.Time // how long the lease really runs
	on     map[ID][]slot.Host
	since  map[ID]slot.Time
	ran    map[ID]slot.Time
	first  map[ID]slot.Time // when it ran first
	ended  map[ID]slot.Time
	killed map[ID]int
	moved  int // leases that went on on other hosts
	log    []string
	images map[place]slot.Time // since when a host has an image, or will have
	load   []slot.Span         // of the repository's link
	late   func() slot.Time    // how much longer than planned things take; nil: none do
	busy   map[ID]slot.Time    // when what leases are at is really complete
	stuck  map[slot.Host]bool  // hosts on which leases are in the way of windows
	closed map[slot.Host][]ID  // hosts that are closed, and who may begin there yet
	moving map[ID]transit      // leases whose nodes are on two hosts each
	moves  int                 // of running leases
	jumps  bool                // the Book is asked before it has done what is due
}

func newWorld(t rapid.TB, pool Pool, p Policy) *world {
	return &world{
		t: t, book: New(pool, p), pool: pool, terms: map[ID]Terms{}, actual: map[ID]slot.Time{},
		on: map[ID][]slot.Host{}, since: map[ID]slot.Time{}, ran: map[ID]slot.Time{},
		first: map[ID]slot.Time{}, ended: map[ID]slot.Time{}, killed: map[ID]int{},
		images: map[place]slot.Time{}, busy: map[ID]slot.Time{},
		stuck: map[slot.Host]bool{}, closed: map[slot.Host][]ID{}, moving: map[ID]transit{},
	}
}

// submit asks for a lease that really runs for a time; 0: as long as it asks for.
func (w *world) submit(x Terms, actual slot.Time) Answer {
	w.t.Helper()
	a, err := w.book.Submit(w.now, x)
	if err != nil {
		w.t.Fatalf("Submit(%d, %+v): %v", w.now, x, err)
	}
	w.log = append(w.log, fmt.Sprintf("%d: lease %d %s: %s at %d on %v", w.now, x.ID, x.Kind,
		a.State, a.Start, a.Hosts))
	if a.State != Refused {
		w.terms[x.ID] = x
		if w.actual[x.ID] = actual; actual == 0 {
			w.actual[x.ID] = x.Duration
		}
	}
	return a
}

// until lets time pass up to a moment; Never: until nothing is left to do.
func (w *world) until(end slot.Time) {
	w.t.Helper()
	for n := 0; ; n++ {
		if n > 100000 {
			w.t.Fatalf("no end of events\n%s", w.story())
		}
		next := w.book.Next()
		early, at := ID(0), slot.Never
		for id, since := range w.since {
			stop := since + w.actual[id] - w.ran[id]
			if stop < at || (stop == at && id < early) {
				early, at = id, stop
			}
		}
		ready := w.ready()
		if first := min(next, at, ready); first > end || first == slot.Never {
			break
		}
		w.now = max(w.now, min(next, at, ready))
		if ready <= min(next, at) {
			w.confirm()
		} else if at < next {
			w.book.Ended(w.now, early)
			w.stop(early, w.now)
		}
		w.advance()
	}
	if end != slot.Never {
		w.now = max(w.now, end)
		w.advance()
	}
}

func (w *world) advance() {
	w.t.Helper()
	for _, a := range w.book.Advance(w.now) {
		w.log = append(w.log, fmt.Sprintf("%d: %s %d on %v until %d", a.At, a.Verb, a.Lease,
			a.Hosts, a.Until))
		w.do(a)
	}
	w.weigh()
	w.obey()
}

func (w *world) do(a Action) {
	w.t.Helper()
	if a.At > w.now || (a.At < w.now && !w.jumps) {
		w.t.Fatalf("%s of %d was due at %d, not %d\n%s", a.Verb, a.Lease, a.At, w.now, w.story())
	}
	w.begin(a)
	w.admitted(a)
	if a.Verb == Boot || a.Verb == Resume {
		delete(w.moving, a.Lease) // it was killed or saved since
	}
	switch a.Verb {
	case Migrate:
		w.depart(a)
	case Transfer:
		w.images[place{a.Hosts[0], a.Image}] = a.Until
		w.load = append(w.load, slot.Span{Start: a.At, End: a.Until})
	case Boot:
		w.on[a.Lease] = a.Hosts
		w.arrived(a)
	case Resume:
		if !slices.Equal(w.book.leases.get(a.Lease).home, a.Hosts) {
			w.moved++
		}
		w.on[a.Lease] = a.Hosts
	case Run:
		w.run(a)
	case Suspend, Shutdown:
		w.stop(a.Lease, a.At)
	case Kill:
		delete(w.since, a.Lease)
		delete(w.on, a.Lease)
		w.ran[a.Lease] = 0
		w.killed[a.Lease]++
	case End:
		delete(w.on, a.Lease)
		w.ended[a.Lease] = a.At
		if w.late == nil && w.ran[a.Lease] != w.actual[a.Lease] {
			w.t.Fatalf("lease %d ran %d ms, not %d\n%s", a.Lease, w.ran[a.Lease],
				w.actual[a.Lease], w.story())
		}
	}
}

// arrived holds that the lease's image is on its hosts, and was meant to stay.
func (w *world) arrived(a Action) {
	w.t.Helper()
	x := w.terms[a.Lease]
	if x.Image.Name == "" || w.pool.Repository == 0 {
		return
	}
	for _, h := range a.Hosts {
		at := place{h, x.Image.Name}
		since, there := w.images[at]
		if _, known := w.book.images[at]; !there || since > a.At || !known {
			w.t.Fatalf("lease %d boots on %d at %d, its image is there at %d\n%s", a.Lease, h, a.At,
				since, w.story())
		}
	}
}

// links holds that no more images were transferred at a time than the link bears.
func (w *world) links(most int) {
	w.t.Helper()
	for _, s := range w.load {
		n := 0
		for _, other := range w.load {
			if other.Start <= s.Start && s.Start < other.End {
				n++
			}
		}
		if n > most {
			w.t.Fatalf("%d transfers at %d\n%s", n, s.Start, w.story())
		}
	}
}

func (w *world) run(a Action) {
	w.t.Helper()
	w.since[a.Lease] = a.At
	if _, again := w.first[a.Lease]; !again {
		w.first[a.Lease] = a.At
	}
	x := w.terms[a.Lease]
	w.granted(a.Lease, x)
	if x.Kind == Reservation && a.At != x.Start && (w.late == nil || a.At < x.Start) {
		w.t.Fatalf("reservation %d runs at %d, not %d\n%s", a.Lease, a.At, x.Start, w.story())
	}
}

// granted holds that a lease that runs has what it asked for, within its bounds.
func (w *world) granted(id ID, x Terms) {
	w.t.Helper()
	for i, p := range w.book.Lease(id).Parts {
		for r, need := range p.Need {
			most := x.Parts[i].Need[r]
			if x.Least == nil && need == most {
				continue
			}
			if x.Least == nil || need < x.Least[i][r] || need > most {
				w.t.Fatalf("lease %d has %v, asked for %+v\n%s", id, p, x, w.story())
			}
		}
	}
}

func (w *world) stop(id ID, at slot.Time) {
	since, ran := w.since[id]
	if !ran {
		return
	}
	w.ran[id] += at - since
	delete(w.since, id)
	x := w.terms[id]
	early := at // where the Book is asked late, it tells of it late
	if w.jumps {
		early -= jump
	}
	late := x.Kind == Deadline && early > x.Deadline
	if late || (x.Kind == Reservation && early > x.Start+x.Duration) {
		w.t.Fatalf("lease %d is done at %d, after the end of %+v\n%s", id, at, x, w.story())
	}
}

// weigh adds up what is on every host, by the actions, and by the Book's tables.
func (w *world) weigh() {
	w.t.Helper()
	use := make([]slot.Amount, len(w.pool.Hosts))
	for id, hosts := range w.on {
		l := w.book.leases.get(id)
		if l == nil || l.state == Suspended {
			delete(w.on, id) // its suspension is complete
			continue
		}
		for i, need := range l.needs() {
			use[hosts[i]] = use[hosts[i]].Plus(need)
		}
	}
	w.transits(use)
	for h := range use {
		if !use[h].Fits(&w.pool.Hosts[h]) {
			w.t.Fatalf("at %d host %d bears %v of %v:\n%s\n%s", w.now, h, use[h], w.pool.Hosts[h],
				w.bearing(slot.Host(h)), w.story())
		}
		free := w.book.full.Free(slot.Host(h), slot.Span{Start: w.now, End: slot.Never})
		for r := range free {
			if free[r] < 0 && !w.stuck[slot.Host(h)] {
				w.t.Fatalf("at %d host %d is promised over: %v\n%s", w.now, h, free, w.story())
			}
		}
	}
}

// bearing names the leases on a host, as the Book has them.
func (w *world) bearing(h slot.Host) (s string) {
	for id, hosts := range w.on {
		m := w.moving[id]
		if slices.Contains(hosts, h) || slices.Contains(m.from, h) {
			r, _ := w.book.Record(id)
			s += fmt.Sprintf("%d on %v, from %v: %+v\n", id, hosts, m.from, r)
		}
	}
	return s
}

// story is what happened so far.
func (w *world) story() string {
	s := ""
	for _, line := range w.log[max(0, len(w.log)-80):] {
		s += line + "\n"
	}
	return s
}

func cpus(n int32) slot.Amount {
	var a slot.Amount
	a[slot.CPU], a[slot.Memory] = 100*n, 1000*n
	return a
}

func hosts(n int, each int32) Pool {
	p := Pool{Hosts: make([]slot.Amount, n)}
	for i := range p.Hosts {
		p.Hosts[i] = cpus(each)
	}
	return p
}

func drawPolicy(t *rapid.T) Policy {
	p := Policy{
		Backfill: rapid.SampledFrom([]Backfill{NoBackfill, EASY, Conservative}).Draw(t, "backfill"),
		Choice:   rapid.SampledFrom([]Choice{BestFit, Spread, Pack}).Draw(t, "choice"),
		Preemption: rapid.SampledFrom([][]Means{
			nil, {BySuspension}, {ByKilling}, {BySuspension, ByKilling}, {ByMigration},
			{ByMigration, BySuspension, ByKilling}, {BySuspension, ByMigration, ByKilling},
		}).Draw(t, "preemption"),
		Movable:   rapid.Bool().Draw(t, "movable"),
		Boot:      slot.Time(rapid.IntRange(0, 3).Draw(t, "boot")),
		Shutdown:  slot.Time(rapid.IntRange(0, 2).Draw(t, "shutdown")),
		Threshold: rapid.Int64Range(0, 2).Draw(t, "threshold"),
	}
	if rapid.Bool().Draw(t, "slow") {
		p.SuspendRate, p.ResumeRate = 500000, 250000 // 2 and 4 ms for a CPU's memory
		p.MigrateRate = 1000000
	}
	return p
}

func drawTerms(t *rapid.T, id ID, now slot.Time) Terms {
	x := Terms{
		ID: id, Submitted: now, Owner: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "owner"),
		Kind: rapid.SampledFrom([]Kind{
			BestEffort, BestEffort, BestEffort, Reservation, Reservation, Immediate, Deadline,
		}).Draw(t, "kind"),
		Duration:    slot.Time(rapid.IntRange(1, 40).Draw(t, "duration")),
		Preemptible: rapid.IntRange(0, 3).Draw(t, "preemptible") > 0,
	}
	for range rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(t, "parts") {
		x.Parts = append(x.Parts, Part{rapid.IntRange(1, 4).Draw(t, "nodes"),
			cpus(int32(rapid.IntRange(1, 2).Draw(t, "need")))})
	}
	if rapid.IntRange(0, 2).Draw(t, "flexible") == 0 {
		for _, p := range x.Parts {
			least := p.Need
			for r, n := range map[slot.Resource]int32{slot.CPU: 100, slot.Memory: 1000} {
				least[r] = int32(rapid.IntRange(1, int(p.Need[r]/n)).Draw(t, "least")) * n
			}
			x.Least = append(x.Least, least)
			x.Grain = append(x.Grain, slot.Amount{slot.CPU: 100})
		}
	}
	if image := rapid.IntRange(0, 3).Draw(t, "image"); image > 0 {
		x.Image = Image{string(rune('a' + image)), int64(image)}
	}
	x.Boot = slot.Time(rapid.IntRange(-1, 2).Draw(t, "own boot"))
	x.Shutdown = slot.Time(rapid.IntRange(-1, 2).Draw(t, "own shutdown"))
	x.Start = now + slot.Time(rapid.IntRange(0, 60).Draw(t, "notice"))
	x.Deadline = x.Start + x.Duration + slot.Time(rapid.IntRange(0, 60).Draw(t, "slack"))
	return x
}

// TestPromisesAreKept drives Books of any policy with any leases: no host is
// ever promised twice, reservations run at their start, deadlines hold, every
// lease has all its running time, and nobody waits for ever.
func TestPromisesAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := int32(rapid.IntRange(1, 3).Draw(t, "size"))
		p := hosts(rapid.IntRange(1, 4).Draw(t, "hosts"), size)
		policy := drawPolicy(t)
		if rapid.Bool().Draw(t, "images") { // two at a time, 4 ms for an MB
			p.Repository, policy.Transfer = 4000000, 2000000
			policy.CacheMB = rapid.Int64Range(0, 4).Draw(t, "cache")
		}
		w := newWorld(t, p, policy)
		w.now = 1000
		for h := range p.Hosts {
			w.book.SetRates(slot.Host(h), Rates{
				Suspend: rapid.Int64Range(0, 3).Draw(t, "suspend") * 250000,
				Resume:  rapid.Int64Range(0, 3).Draw(t, "resume") * 125000,
			})
		}
		for id := range ID(rapid.IntRange(1, 25).Draw(t, "leases")) {
			w.until(w.now + slot.Time(rapid.IntRange(0, 15).Draw(t, "pause")))
			if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
				w.restart()
			}
			x := drawTerms(t, id+1, w.now)
			actual := x.Duration
			if rapid.IntRange(0, 2).Draw(t, "early") == 0 {
				actual = slot.Time(rapid.IntRange(1, int(x.Duration)).Draw(t, "actual"))
			}
			w.submit(x, actual)
		}
		w.until(slot.Never)
		w.links(2)
		w.over()
	})
}

// over holds that all leases have ended and left nothing behind.
func (w *world) over() {
	w.t.Helper()
	for id := range w.terms {
		if _, ok := w.ended[id]; !ok {
			w.t.Fatalf("lease %d never ended\n%s", id, w.story())
		}
	}
	if w.book.leases.len() != 0 || len(w.book.queue) != 0 || len(w.book.soft) != 0 {
		w.t.Fatalf("the Book is not empty: %v %v", w.book.queue, w.book.soft)
	}
	for h, room := range w.pool.Hosts {
		span := slot.Span{Start: w.now, End: slot.Never}
		if w.book.full.Free(slot.Host(h), span) != room ||
			w.book.firm.Free(slot.Host(h), span) != room {
			w.t.Fatalf("host %d is not free at the end\n%s", h, w.story())
		}
	}
}
