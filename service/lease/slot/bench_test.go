package slot

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A request is an advance reservation of the generated workload: 1 to 16
// nodes of a quarter, half or whole CPU, 256 to 1,024 MB, 15 minutes to 8 hours.
type request struct {
	span Span
	gang Gang
}

const hour = Time(time.Hour / time.Millisecond)

// workload returns requests that load the pool to the given share of its CPUs.
func workload(hosts, count int, load float64) []request {
	r := rand.New(rand.NewPCG(7, 11))
	const nodes, length, cpu = 8.5, 4.125, 58.3
	hours := nodes * length * cpu / 100 * float64(count) / (float64(hosts) * load)
	all := make([]request, count)
	for i := range all {
		start := Time(r.Float64() * hours * float64(hour))
		end := start + hour/4 + Time(r.Int64N(int64(hour*31/4)))
		need := Amount{}
		need[CPU] = []int32{25, 50, 100}[r.IntN(3)]
		need[Memory] = []int32{256, 512, 1024}[r.IntN(3)]
		all[i] = request{Span{start, end}, Gang{Need: need, Nodes: 1 + r.IntN(16)}}
	}
	return all
}

func pool(n int) []Amount {
	room := make([]Amount, n)
	for i := range room {
		room[i] = Amount{100, 4096, 1 << 20, 1 << 20, 1 << 20}
	}
	return room
}

// bestFit prefers hosts with little left.
func bestFit(_ Host, free Amount) int64 { return int64(free[CPU])<<20 + int64(free[Memory]) }

// BenchmarkReservations takes a pool from empty to full of advance reservations.
func BenchmarkReservations(b *testing.B) {
	for _, c := range []struct {
		hosts, count int
		load         float64
	}{{1000, 10000, .5}, {1000, 100000, .9}, {10000, 100000, .5}, {10000, 100000, .9}} {
		b.Run(fmt.Sprintf("%dx%d at %.0f%%", c.hosts, c.count, c.load*100), func(b *testing.B) {
			all := workload(c.hosts, c.count, c.load)
			times := make([]time.Duration, 0, c.count)
			begun := cpuTime()
			for b.Loop() {
				times = fill(New(pool(c.hosts)), all, times[:0])
			}
			used := cpuTime() - begun
			b.ReportMetric(float64(b.N*c.count)/used.Seconds(), "reservations/CPU-s")
			report(b, times)
		})
	}
}

// report gives the median and the 99th percentile of CPU times.
func report(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-CPU-us")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-CPU-us")
}

// fill takes what fits of the requests and returns what each took of CPU time.
func fill(t *Table, all []request, times []time.Duration) []time.Duration {
	for _, q := range all {
		begun := cpuTime()
		q.gang.Rank, q.gang.Look = bestFit, 8
		for _, h := range t.Place(q.span, q.gang) {
			t.Add(h, q.span, q.gang.Need)
		}
		times = append(times, cpuTime()-begun)
	}
	return times
}

// BenchmarkEarliestGang asks a full pool when a gang could start.
func BenchmarkEarliestGang(b *testing.B) {
	all := workload(10000, 100000, .9)
	t := New(pool(10000))
	fill(t, all, nil)
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		q := all[i%1000]
		begun := cpuTime()
		t.EarliestGang(q.span.Start, q.span.End-q.span.Start, q.gang)
		times = append(times, cpuTime()-begun)
	}
	report(b, times)
}

// BenchmarkWhatIf asks a snapshot of a full pool for room, and takes it there.
func BenchmarkWhatIf(b *testing.B) {
	all := workload(10000, 100000, .9)
	t := New(pool(10000))
	fill(t, all, nil)
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		q := all[i%1000]
		begun := cpuTime()
		fill(t.Snapshot(), []request{q}, nil)
		times = append(times, cpuTime()-begun)
	}
	report(b, times)
}
