package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/simulate/workload"
	"github.com/philoxenia/philoxenia/tests/daemon"
)

// A shape is so many reservations on so many hosts, on which Haizea 1.1 was
// measured: its median CPU time for one request, and the share that it accepts.
type shape struct {
	hosts, leases int
	haizea        time.Duration
	accepted      float64
}

// The baseline: CPython 3.11, requests of the shape of workload.Reservations
// with half of the pool asked for, all before the first starts.
var shapes = []shape{
	{32, 400, 25700 * time.Microsecond, 369. / 400},
	{128, 200, 37 * time.Millisecond, 196. / 200},
	{512, 100, 116 * time.Millisecond, 1},
}

// leaseSeed is what the requests are drawn from.
const leaseSeed = 1

// fewer is how many times less CPU than Haizea's a request is to cost.
const fewer = 1000

// The figures of the scheduler in large pools.
var (
	thousandRate  = goal{"1,000 hosts, 10,000 reservations", "/CPU-s", 50000, true}
	largeRate     = goal{"10,000 hosts, 100,000 reservations", "/CPU-s", 5000, true}
	largeTail     = goal{"there, one reservation, p99", "ms CPU", 5, false}
	largeMemory   = goal{"there, resident", "MiB", 500, false}
	whatIf        = goal{"there, a what-if, p99", "ms CPU", 50, false}
	earliest      = goal{"there, earliest start of a gang, p99", "ms CPU", 20, false}
	earliestWhole = goal{"there, of a gang of 1 to 4,096 nodes, p99", "ms CPU", 20, false}
)

// leases plays the scene of the scheduler. No request comes in over a wire: the
// Book is asked as fast as it answers.
func leases(ctx context.Context, o options, s scene) error {
	for _, x := range shapes {
		if err := s.baseline(x, o.runs); err != nil {
			return err
		}
	}
	if err := s.thousand(); err != nil || ctx.Err() != nil {
		return err
	}
	return s.large()
}

// baseline measures one of Haizea's shapes; what is accepted comes first.
func (s scene) baseline(x shape, runs int) error {
	requests, err := reservations(x.hosts, x.leases)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("reserve, %d hosts, %d leases", x.hosts, x.leases)
	for range runs {
		b := newBook(x.hosts)
		times, accepted := ask(b, requests)
		share := goal{name + ", accepted", "of 1", float64(plainly(x.hosts, requests)) /
			float64(len(requests)), true}
		s.table.add(share, float64(accepted)/float64(len(requests)))
		median := goal{name + ", p50", "us CPU", inMicroseconds(x.haizea) / fewer, false}
		s.table.add(median, inMicroseconds(rank(times, .5)))
		if s.run == 0 {
			s.table.addBare(share, x.accepted)
			s.table.addBare(median, inMicroseconds(x.haizea))
		}
	}
	return nil
}

// reservations returns the requests of one shape as a file tells them: they are
// written and read again.
func reservations(hosts, count int) ([]book.Terms, error) {
	w, err := workload.Generate(workload.Recipe{
		Shape: workload.Reservations, Leases: count, Hosts: hosts, Load: .5, Seed: leaseSeed,
		Ahead: true,
	})
	if err != nil {
		return nil, err
	}
	if w, err = workload.Read("generated", w.WriteLWF(), workload.Options{}); err != nil {
		return nil, err
	}
	all := make([]book.Terms, len(w.Requests))
	for i := range w.Requests {
		all[i] = w.Requests[i].Terms
	}
	return all, nil
}

// room is what a host of the measured pools has.
var room = slot.Amount{workload.WholeCPU, 4096, 1 << 30, 1 << 30, 1 << 30}

func newBook(hosts int) *book.Book {
	pool := make([]slot.Amount, hosts)
	for i := range pool {
		pool[i] = room
	}
	return book.New(book.Pool{Hosts: pool}, book.Policy{
		Backfill: book.EASY, Preemption: []book.Means{book.BySuspension, book.ByKilling},
	})
}

// ask submits all, and returns what each took of CPU time and how many were
// accepted.
func ask(b *book.Book, all []book.Terms) (times []time.Duration, accepted int) {
	times = make([]time.Duration, 0, len(all))
	for _, t := range all {
		begun := cpuTime()
		answer, err := b.Submit(t.Submitted, t)
		times = append(times, cpuTime()-begun)
		if err == nil && answer.State != book.Refused {
			accepted++
		}
	}
	return times, accepted
}

// plainly returns how many of the requests a scheduler accepts that knows no
// more than a list for each host and takes the first hosts that are free: what
// speed must not cost.
func plainly(hosts int, all []book.Terms) (accepted int) {
	type piece struct {
		span slot.Span
		need slot.Amount
	}
	held := make([][]piece, hosts)
	fits := func(host int, span slot.Span, need slot.Amount) bool {
		moments := []slot.Time{span.Start}
		for _, p := range held[host] {
			if p.span.Start > span.Start && p.span.Start < span.End {
				moments = append(moments, p.span.Start)
			}
		}
		for _, at := range moments {
			sum := need
			for _, p := range held[host] {
				if p.span.Start <= at && at < p.span.End {
					sum = sum.Plus(p.need)
				}
			}
			if !sum.Fits(&room) {
				return false
			}
		}
		return true
	}
	for _, t := range all {
		span := slot.Span{Start: t.Start, End: t.Start + t.Duration}
		part := t.Parts[0]
		var on []int
		for h := range hosts {
			if len(on) < part.Nodes && fits(h, span, part.Need) {
				on = append(on, h)
			}
		}
		if len(on) < part.Nodes {
			continue
		}
		accepted++
		for _, h := range on {
			held[h] = append(held[h], piece{span, part.Need})
		}
	}
	return accepted
}

// thousand fills a pool of 1,000 hosts.
func (s scene) thousand() error {
	requests, err := reservations(1000, 10000)
	if err != nil {
		return err
	}
	times, _ := ask(newBook(1000), requests)
	s.table.add(thousandRate, rate(times))
	return nil
}

// large fills a pool of 10,000 hosts, then asks it what could be.
func (s scene) large() error {
	requests, err := reservations(10000, 100000)
	if err != nil {
		return err
	}
	runtime.GC()
	before, err := daemon.Resident(os.Getpid())
	if err != nil {
		return err
	}
	b := newBook(10000)
	times, _ := ask(b, requests)
	after, err := daemon.Resident(os.Getpid())
	if err != nil {
		return err
	}
	s.table.add(largeRate, rate(times))
	s.table.add(largeTail, inMilliseconds(rank(times, .99)))
	s.table.add(largeMemory, float64(after-min(before, after))/(1<<20))
	s.questions(b, requests)
	return nil
}

// questions asks a full Book what could be: on a snapshot, as a user does who
// wants to know, and in itself, where nothing but the search is paid for.
func (s scene) questions(b *book.Book, requests []book.Terms) {
	const count = 500
	id := book.ID(len(requests))
	put := func(g goal, change func(i int, t *book.Terms), submit func(book.Terms)) {
		times := make([]time.Duration, count)
		for i := range times {
			id++
			t := requests[i*len(requests)/count]
			t.ID = id
			change(i, &t)
			begun := cpuTime()
			submit(t)
			times[i] = cpuTime() - begun
			_ = b.Cancel(t.Submitted, t.ID) // there is none where a snapshot was asked
		}
		s.table.add(g, inMilliseconds(rank(times, .99)))
	}
	aside := func(t book.Terms) { _, _ = b.Snapshot().Submit(t.Submitted, t) }
	itself := func(t book.Terms) { _, _ = b.Submit(t.Submitted, t) }
	put(whatIf, func(int, *book.Terms) {}, aside)
	soon := func(_ int, t *book.Terms) {
		t.Kind, t.Deadline = book.Deadline, t.Start+1000*workload.Day
	}
	put(earliest, soon, itself)
	put(earliestWhole, func(i int, t *book.Terms) {
		soon(i, t)
		const sizes = 13
		t.Parts = []book.Part{{Nodes: 1 << (i % sizes), Need: t.Parts[0].Need}}
	}, itself)
}

// cpuTime is how much CPU time the process has had, all its threads together.
func cpuTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

// rank returns the value below which that part of the times is.
func rank(times []time.Duration, part float64) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[int(part*float64(len(sorted)))]
}

// rate returns how many there are for each second that all took together.
func rate(times []time.Duration) float64 {
	var sum time.Duration
	for _, t := range times {
		sum += t
	}
	return float64(len(times)) / sum.Seconds()
}

func inMicroseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
