package book

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"golang.org/x/sys/unix"
)

// cpuTime returns how much CPU time the process has had.
func cpuTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

// reservations returns requests that load the pool to half: 1 to 16 nodes of a
// quarter to a whole CPU, 15 minutes to 8 hours.
func reservations(hosts, count int) []Terms {
	const hour, nodes, length, cpu, load = slot.Time(3600000), 8.5, 4.125, .583, .5
	r := rand.New(rand.NewPCG(7, 11))
	hours := nodes * length * cpu * float64(count) / (float64(hosts) * load)
	all := make([]Terms, count)
	for i := range all {
		var need slot.Amount
		need[slot.CPU] = []int32{25, 50, 100}[r.IntN(3)]
		need[slot.Memory] = []int32{256, 512, 1024}[r.IntN(3)]
		all[i] = Terms{
			ID: ID(i + 1), Kind: Reservation, Parts: []Part{{1 + r.IntN(16), need}},
			Start:    hour + slot.Time(r.Float64()*hours*float64(hour)),
			Duration: hour/4 + slot.Time(r.Int64N(int64(hour*31/4))),
		}
	}
	return all
}

func wide(n int) Pool {
	p := Pool{Hosts: make([]slot.Amount, n)}
	for i := range p.Hosts {
		p.Hosts[i] = slot.Amount{100, 4096}
	}
	return p
}

func report(b *testing.B, times []time.Duration) {
	var sum time.Duration
	for _, d := range times {
		sum += d
	}
	slices.Sort(times)
	b.ReportMetric(float64(len(times))/sum.Seconds(), "per-CPU-s")
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-CPU-us")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-CPU-us")
}

// BenchmarkSubmit fills the Book of a pool with reservations.
func BenchmarkSubmit(b *testing.B) {
	for _, c := range []struct{ hosts, count int }{{1000, 10000}, {10000, 100000}} {
		b.Run(fmt.Sprintf("%dx%d", c.hosts, c.count), func(b *testing.B) {
			all := reservations(c.hosts, c.count)
			var times []time.Duration
			for b.Loop() {
				book := New(wide(c.hosts), Policy{Preemption: []Means{BySuspension}})
				times = submit(b, book, all, nil)
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(m.HeapInuse>>20), "heap-MB")
			}
			report(b, times)
		})
	}
}

// BenchmarkBounds asks for leases of half to all of their amounts, with rules.
func BenchmarkBounds(b *testing.B) {
	all := reservations(1000, 10000)
	for i := range all {
		half := all[i].Parts[0].Need
		half[slot.CPU], half[slot.Memory] = half[slot.CPU]/2, half[slot.Memory]/2
		all[i].Least = []slot.Amount{half}
		all[i].Affinity = []Affinity{{Apart: true, Soft: true}}
	}
	var times []time.Duration
	for b.Loop() {
		times = submit(b, New(wide(1000), Policy{Preemption: []Means{BySuspension}}), all, nil)
	}
	report(b, times)
}

func submit(b *testing.B, book *Book, all []Terms, times []time.Duration) []time.Duration {
	for _, x := range all {
		begun := cpuTime()
		if _, err := book.Submit(0, x); err != nil {
			b.Fatal(err)
		}
		times = append(times, cpuTime()-begun)
	}
	return times
}

// BenchmarkWhatIf asks the Book of 10,000 hosts and 100,000 reservations what
// would become of one more.
func BenchmarkWhatIf(b *testing.B) {
	all := reservations(10000, 100001)
	book := New(wide(10000), Policy{Preemption: []Means{BySuspension}})
	submit(b, book, all[:100000], nil)
	var times []time.Duration
	for b.Loop() {
		begun := cpuTime()
		if a, err := book.Snapshot().Submit(0, all[100000]); err != nil || a.State == Refused {
			b.Fatal(a, err)
		}
		times = append(times, cpuTime()-begun)
	}
	report(b, times)
}
