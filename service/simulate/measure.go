package simulate

import (
	"math"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/simulate/chart"
	"github.com/philoxenia/philoxenia/service/simulate/workload"
)

// Measures are what came of a simulation. Times are in seconds. The JSON keys
// are a contract with scripts: they are only ever added to.
type Measures struct {
	Workload string `json:"workload"`
	Hosts    int    `json:"hosts"`
	Leases   int    `json:"leases"`
	Broken   int    `json:"brokenLines"`
	Skipped  int    `json:"skippedJobs"`
	// Kinds tells of each kind of lease what became of it.
	Kinds    map[string]Tally `json:"kinds"`
	Refusals map[string]int   `json:"refusals"` // by reason
	// Makespan is when all is over, AllBestEffort when all best-effort work is,
	// both from the beginning of the workload.
	Makespan      float64 `json:"makespan"`
	AllBestEffort float64 `json:"allBestEffort"`
	// Utilisation is the share of the pool's CPU time up to the end of all that
	// leases held; Useful without boots, suspensions, and work lost to kills.
	Utilisation float64 `json:"utilisation"`
	Useful      float64 `json:"useful"`
	// Wait is the time from arrival to the first run, of best-effort leases.
	Wait Spread `json:"wait"`
	// Slowdown is the time from arrival to the end over the time that the lease
	// runs, of which at least ten seconds are counted (Feitelson and Rudolph,
	// JSSPP 1998); SlowdownAsked is over the time that was asked for, as Haizea
	// has it.
	Slowdown      Spread `json:"boundedSlowdown"`
	SlowdownAsked Spread `json:"boundedSlowdownAsked"`
	// Punctuality is the share of accepted reservations that ran from their
	// start on, to the millisecond; Late by how much the worst was late.
	Punctuality float64 `json:"punctuality"`
	Late        float64 `json:"late"`
	// Granted is the share of the time that accepted reservations were to run
	// that they ran.
	Granted     float64 `json:"granted"`
	Suspensions int     `json:"suspensions"`
	Migrations  int     `json:"migrations"` // suspended leases that resumed elsewhere
	Kills       int     `json:"kills"`
	LostHours   float64 `json:"lostNodeHours"` // running time lost to kills

	// Transfers is how many images were brought to hosts. TransfersSaved is how
	// many more there would have been if every lease had brought its own to each
	// of its hosts: the image was there or on its way for another lease.
	Transfers      int     `json:"transfers"`
	TransfersSaved int     `json:"transfersSaved"`
	TransferredGB  float64 `json:"transferredGB"`
	// LinkUse is the share of the repository's link, up to the end of all, that
	// transfers took.
	LinkUse float64 `json:"repositoryLinkUse"`
}

// A Tally is how many leases of a kind there were.
type Tally struct {
	Asked   int `json:"asked"`
	Refused int `json:"refused"`
	Done    int `json:"done"`
}

// A Spread says how values are spread.
type Spread struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	Max  float64 `json:"max"`
}

// bound is the least time over which a slowdown is counted.
const bound = 10 * workload.Second

// Result is a simulation that is over.
type Result struct {
	Measures Measures
	Phases   []Phase // what leases did, by when it ended
	Carried  []Phase // images on their way, by when that began
	Waits    []float64
	closed   []closing
	names    []string // of the hosts
	capacity float64  // CPU in hundredths
}

// Result measures what has happened so far.
func (r *Run) Result() *Result {
	res := &Result{Phases: r.phases, Carried: r.carried, closed: r.closed}
	for i, room := range r.pool {
		res.names = append(res.names, hostName(i, len(r.pool)))
		res.capacity += float64(room[slot.CPU])
	}
	m := &res.Measures
	*m = Measures{
		Workload: r.work.Name, Hosts: len(r.pool), Leases: len(r.order),
		Broken: len(r.work.Broken), Skipped: r.work.Skipped,
		Kinds: map[string]Tally{}, Refusals: map[string]int{}, Punctuality: 1, Granted: 1,
	}
	r.tally(m)
	r.promises(m)
	r.use(m, res.capacity)
	r.transfers(m)
	res.Waits = r.waits(m)
	return res
}

// tally counts what became of the leases.
func (r *Run) tally(m *Measures) {
	for _, l := range r.order {
		t := &l.request.Terms
		kind := m.Kinds[t.Kind.String()]
		kind.Asked++
		if l.refusal != "" {
			kind.Refused++
			m.Refusals[l.refusal]++
		}
		if l.end != slot.Never {
			kind.Done++
			if t.Kind == book.BestEffort {
				m.AllBestEffort = max(m.AllBestEffort, seconds(l.end))
			}
		}
		m.Kinds[t.Kind.String()] = kind
		m.Suspensions += l.suspends
		m.Migrations += l.moves
		m.Kills += l.kills
		m.LostHours += seconds(l.lost) * float64(l.request.Nodes()) / 3600
	}
}

// promises measures how accepted reservations were served.
func (r *Run) promises(m *Measures) {
	accepted, onTime, ran, asked := 0, 0, slot.Time(0), slot.Time(0)
	for _, l := range r.order {
		t := &l.request.Terms
		if t.Kind != book.Reservation || l.refusal != "" {
			continue
		}
		accepted++
		ran, asked = ran+l.ran, asked+l.request.Work()
		if l.first == t.Start {
			onTime++
		} else if l.first != slot.Never {
			m.Late = max(m.Late, seconds(l.first-t.Start))
		}
	}
	if accepted > 0 {
		m.Punctuality = float64(onTime) / float64(accepted)
		m.Granted = float64(ran) / float64(asked)
	}
}

// transfers measures what became of images.
func (r *Run) transfers(m *Measures) {
	m.Transfers = r.images.transfers
	m.TransfersSaved = max(0, r.images.needed-r.images.transfers)
	const mb, kbit = 1024, 8000 // in a GB, in an MB
	m.TransferredGB = float64(r.images.carriedMB) / mb
	if bears := float64(r.settings.RepositoryKbps) * m.Makespan; bears > 0 {
		m.LinkUse = float64(r.images.carriedMB) * kbit / bears
	}
}

// use measures how much of the pool was used.
func (r *Run) use(m *Measures, capacity float64) {
	held, useful := 0.0, 0.0
	for i := range r.phases {
		p := &r.phases[i]
		m.Makespan = max(m.Makespan, seconds(p.To))
		cpu := float64(p.Lease.CPUs()) * seconds(p.To-p.From)
		held += cpu
		if p.Doing == book.Run {
			useful += cpu
		}
	}
	for _, l := range r.order {
		useful -= float64(l.request.CPUs()) * seconds(l.lost)
	}
	if all := capacity * m.Makespan; all > 0 {
		m.Utilisation, m.Useful = held/all, useful/all
	}
}

// waits measures waits and slowdowns of the best-effort leases that are done,
// without the first by arrival that the settings drop, and returns the waits
// from least to most.
func (r *Run) waits(m *Measures) []float64 {
	var all []*lease
	for _, l := range r.order {
		if l.request.Terms.Kind == book.BestEffort && l.end != slot.Never {
			all = append(all, l)
		}
	}
	all = all[int(r.settings.Drop*float64(len(all))):]
	waits, slow, slowAsked := make([]float64, len(all)), make([]float64, len(all)),
		make([]float64, len(all))
	for i, l := range all {
		t := &l.request.Terms
		waits[i] = seconds(l.first - t.Submitted)
		took := float64(l.end - t.Submitted)
		slow[i] = max(1, took/float64(max(bound, l.request.Work())))
		slowAsked[i] = took / float64(max(bound, t.Duration))
	}
	m.Wait, m.Slowdown, m.SlowdownAsked = spread(waits), spread(slow), spread(slowAsked)
	return waits
}

// spread sorts the values and says how they are spread.
func spread(values []float64) (s Spread) {
	if len(values) == 0 {
		return s
	}
	slices.Sort(values)
	for _, v := range values {
		s.Mean += v / float64(len(values))
	}
	at := func(part float64) float64 { // the nearest rank
		return values[max(0, int(math.Ceil(part*float64(len(values))))-1)]
	}
	s.P50, s.P95, s.Max = at(.5), at(.95), at(1)
	return s
}

// seconds is a time in seconds.
func seconds(t slot.Time) float64 { return float64(t) / 1000 }

// Use returns the share of the pool's CPUs that leases hold, over time.
func (r *Result) Use() []chart.Step {
	change := map[slot.Time]int64{}
	for i := range r.Phases {
		p := &r.Phases[i]
		change[p.From] += p.Lease.CPUs()
		change[p.To] -= p.Lease.CPUs()
	}
	times := make([]slot.Time, 0, len(change))
	for at := range change {
		times = append(times, at)
	}
	slices.Sort(times)
	steps := make([]chart.Step, 0, len(times))
	var now int64
	for _, at := range times {
		now += change[at]
		steps = append(steps, chart.Step{At: int64(at), Value: float64(now) / r.capacity})
	}
	return steps
}
