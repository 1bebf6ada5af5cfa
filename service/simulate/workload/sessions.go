package workload

import (
	"fmt"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// A habit is how users of a parallel machine work for a while: they submit
// much the same job over and over. The habits and their frequencies were chosen
// by eye so that a month of them has what matters of the month of SDSC Blue
// Horizon that HPDC 2008 used: most jobs end within two minutes whatever they
// asked for, few wide and long ones make up most of the work, now and then a
// hundred jobs come within minutes. No job is copied from any log.
type habit struct {
	often       int // in a hundred sessions
	least, most int // jobs in a session, a long session being seldom
	widths      []int
	asked       []float64 // seconds; users choose round figures
	// A job really takes between these parts of what it asked for, by logarithm,
	// but not less than half a minute; one that would take more is cut off.
	shortest, longest float64
	soonest, latest   float64 // seconds between two jobs, by logarithm
}

var habits = []habit{
	// Trying things out.
	{30, 2, 36, []int{1, 1, 1, 2, 2, 4, 8}, []float64{300, 300, 300, 600, 1200, 3600},
		.05, .35, 5, 900},
	// Starting long work that fails at once.
	{8, 1, 12, []int{4, 4, 16, 32}, []float64{36e3, 57600, 64800}, .0005, .002, 10, 2400},
	// Ordinary work.
	{24, 1, 9, []int{1, 2, 4, 8, 8, 16}, []float64{3600, 7200, 14400, 28800, 36e3},
		.03, 1.1, 10, 7200},
	// Long work.
	{26, 1, 3, []int{4, 8, 8, 8, 16, 16}, []float64{57600, 6e4, 64800}, .5, .85, 30, 2e4},
	// Work on a quarter of the machine, on half of it, or nearly all.
	{10, 1, 3, []int{32, 32, 32, 64, 64, 140}, []float64{2e4, 28800, 36e3}, .1, .5, 1e3, 2e4},
	// A campaign.
	{2, 40, 120, []int{4, 8, 16, 16}, []float64{900, 2700}, .25, 1, 2, 4},
}

// sessionLeases makes the jobs of sessions up to a number, each with the time
// after the session's begin at which it comes.
func sessionLeases(d *draws, r *Recipe) (all []Request, after []slot.Time, sessions []int) {
	for session := 0; len(all) < r.Leases; session++ {
		h := pickHabit(d)
		user := fmt.Sprintf("user-%d", d.pick(1, 60))
		width := min(h.widths[d.pick(0, len(h.widths)-1)], r.Hosts)
		asked := h.asked[d.pick(0, len(h.asked)-1)]
		at := 0.0
		for range int(d.logBetween(float64(h.least), float64(h.most)+.99)) {
			if len(all) == r.Leases {
				break
			}
			real := min(asked, max(30, asked*d.logBetween(h.shortest, h.longest)))
			all = append(all, Request{
				Real: slot.Time(real) * Second,
				Terms: book.Terms{
					Kind: book.BestEffort, Preemptible: true, Owner: user,
					Parts:    []book.Part{{Nodes: width, Need: Node(1024)}},
					Duration: slot.Time(asked) * Second,
				},
			})
			after = append(after, slot.Time(at)*Second)
			sessions = append(sessions, session)
			at += d.logBetween(h.soonest, h.latest)
		}
	}
	return all, after, sessions
}

// pickHabit draws a habit by how often it is.
func pickHabit(d *draws) *habit {
	n := d.pick(1, 100)
	for i := range habits {
		if n -= habits[i].often; n <= 0 {
			return &habits[i]
		}
	}
	return &habits[0]
}

// generateSessions fills a workload with sessions, begun over the span in
// which all their work makes up the load.
func (w *Workload) generateSessions(d *draws, r *Recipe) {
	var after []slot.Time
	var sessions []int
	w.Requests, after, sessions = sessionLeases(d, r)
	work := 0.0
	for i := range w.Requests {
		w.Requests[i].Terms.ID = book.ID(i + 1)
		work += float64(w.Requests[i].CPUs()) * float64(w.Requests[i].Work())
	}
	span := work / (WholeCPU * float64(r.Hosts) * r.Load)
	begins := make([]slot.Time, sessions[len(sessions)-1]+1)
	for i := range begins {
		begins[i] = arrival(d, span)
	}
	for i := range w.Requests {
		w.Requests[i].Terms.Submitted = begins[sessions[i]] + after[i]
	}
	w.sort()
}

// arrival draws a time in the span by how busy the time of the day is.
func arrival(d *draws, span float64) slot.Time {
	when := d.part() * span
	for d.part() > daily(when) {
		when = d.part() * span
	}
	return slot.Time(when) / Second * Second
}
