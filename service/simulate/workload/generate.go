package workload

import (
	"fmt"
	"math"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// The shapes of generated workloads.
const (
	// Batch is best-effort work as a parallel machine sees it: most jobs short
	// and narrow, widths powers of two, arrivals that follow the day.
	Batch = "batch"
	// Sessions is best-effort work as SDSC Blue Horizon saw it in the month of
	// HPDC 2008: users submit much the same job over and over.
	Sessions = "sessions"
	// Reservations is advance reservations alone, of 1 to 16 nodes with a
	// quarter, half or whole CPU, 15 minutes to 8 hours.
	Reservations = "reservations"
)

// Shapes are the words for the shapes.
func Shapes() []string { return []string{Batch, Sessions, Reservations} }

// A Recipe says what to generate.
type Recipe struct {
	Shape  string
	Leases int
	Hosts  int     // of the pool that is to be loaded, with one CPU each
	Load   float64 // share of the pool's CPUs that the leases take together
	Seed   uint64
	Notice slot.Time // how long before their start reservations arrive, at most
	// Ahead: all reservations arrive before the first starts, one a second, in no
	// order of their starts; Notice does not matter then. So many stand side by
	// side that finding room for the next is as hard as it gets.
	Ahead bool
	// ImageMB is the size of the images; 0: none. There are four of them.
	ImageMB int64
}

// Generate makes the workload of a recipe.
func Generate(r Recipe) (*Workload, error) {
	if r.Leases < 1 || r.Leases > mostNodes || r.Hosts < 1 || r.Hosts > mostNodes ||
		!(r.Load > 0 && r.Load <= 100) {
		return nil, fmt.Errorf("cannot generate %d leases for %d hosts at a load of %g",
			r.Leases, r.Hosts, r.Load)
	}
	w := &Workload{
		Name: fmt.Sprintf("%s, %d leases, seed %d", r.Shape, r.Leases, r.Seed),
		Site: []Hosts{{Count: r.Hosts}},
	}
	d := &draws{r.Seed}
	var lease func(*draws, *Recipe) Request
	switch r.Shape {
	case Sessions:
		w.generateSessions(d, &r)
		return w, nil
	case Batch:
		lease = batchLease
	case Reservations:
		lease = reservationLease
	default:
		return nil, fmt.Errorf("cannot generate %q: the shapes are %v", r.Shape, Shapes())
	}
	work := 0.0
	for i := range r.Leases {
		q := lease(d, &r)
		q.Terms.ID = book.ID(i + 1)
		if r.ImageMB > 0 {
			q.Terms.Image = book.Image{
				Name: fmt.Sprintf("image-%d", d.pick(1, 4)), SizeMB: r.ImageMB,
			}
		}
		work += float64(q.CPUs()) * float64(q.Work())
		w.Requests = append(w.Requests, q)
	}
	w.spread(d, &r, work/(WholeCPU*float64(r.Hosts)*r.Load))
	return w, nil
}

// batchLease draws the lease of a batch job. Users ask for more than they
// need, by up to eight times and in round figures, but seldom the most.
func batchLease(d *draws, r *Recipe) Request {
	real := d.logBetween(30, 12*3600)
	asked := math.Min(real*d.logBetween(1, 8), 18*3600)
	asked = math.Ceil(asked/600) * 600
	widest := max(0, int(math.Log2(float64(r.Hosts)))-1)
	// The lesser of two draws: narrow jobs are the more frequent.
	width := 1 << min(d.pick(0, widest), d.pick(0, widest))
	return Request{
		Real: slot.Time(real) * Second,
		Terms: book.Terms{
			Kind: book.BestEffort, Preemptible: true,
			Owner: fmt.Sprintf("user-%d", d.pick(1, 50)),
			Parts: []book.Part{{
				Nodes: width, Need: slot.Amount{slot.CPU: WholeCPU, slot.Memory: 1024},
			}},
			Duration: slot.Time(asked) * Second,
		},
	}
}

// reservationLease draws an advance reservation.
func reservationLease(d *draws, r *Recipe) Request {
	length := slot.Time(d.pick(15, 8*60)) * Minute
	need := slot.Amount{
		slot.CPU:    []int32{25, 50, 100}[d.pick(0, 2)],
		slot.Memory: []int32{256, 512, 1024}[d.pick(0, 2)],
	}
	return Request{
		Real: length,
		Terms: book.Terms{
			Kind:     book.Reservation,
			Parts:    []book.Part{{Nodes: d.pick(1, min(16, r.Hosts)), Need: need}},
			Duration: length,
		},
	}
}

// spread gives the leases their times in the span over which they make up the
// load, in order.
func (w *Workload) spread(d *draws, r *Recipe, span float64) {
	at := make([]slot.Time, len(w.Requests))
	for i := range at {
		when := d.part() * span
		for r.Shape == Batch && d.part() > daily(when) {
			when = d.part() * span
		}
		at[i] = slot.Time(when) / Second * Second
	}
	if !r.Ahead {
		slices.Sort(at)
	}
	for i := range w.Requests {
		t := &w.Requests[i].Terms
		t.Submitted = at[i]
		if t.Kind == book.Reservation && r.Ahead {
			t.Submitted = slot.Time(i) * Second
			t.Start = at[i] + slot.Time(r.Leases)*Second
			continue
		}
		if t.Kind == book.Reservation {
			notice := slot.Time(d.part()*float64(r.Notice)) / Second * Second
			t.Start, t.Submitted = at[i], max(0, at[i]-notice)
		}
	}
	w.sort()
}

// daily is how likely an arrival is at a time of the day, as a share of the
// busiest: most in the early afternoon, a fifth of that in the small hours. So
// many uniform draws thinned by it are a Poisson process of that intensity.
func daily(ms float64) float64 {
	hour := math.Mod(ms, float64(Day)) / float64(Hour)
	return 0.6 + 0.4*math.Cos((hour-14)/24*2*math.Pi)
}
