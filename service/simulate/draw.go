package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/simulate/chart"
	"github.com/philoxenia/philoxenia/service/simulate/workload"
)

// kinds are the ways of drawing phases: by what a lease does, and running by
// the kind of lease.
var kinds = []chart.Kind{
	{Name: "best effort", Sign: '=', Colour: "#4477aa"},
	{Name: "reservation", Sign: '#', Colour: "#cc3311"},
	{Name: "immediate", Sign: '%', Colour: "#228833"},
	{Name: "deadline", Sign: '$', Colour: "#aa3377"},
	{Name: "boot", Sign: '+', Colour: "#ccbb44"},
	{Name: "suspend", Sign: 'v', Colour: "#ee7733"},
	{Name: "resume", Sign: '^', Colour: "#66ccee"},
	{Name: "shut down", Sign: '-', Colour: "#bbbbbb"},
	{Name: "transfer", Sign: '>', Colour: "#ddaa88"},
	{Name: "closed", Sign: 'x', Colour: "#666666"},
}

// kindOf returns how a phase is drawn.
func kindOf(p *Phase) int {
	switch p.Doing {
	case book.Boot:
		return 4
	case book.Suspend:
		return 5
	case book.Resume:
		return 6
	case book.Shutdown:
		return 7
	case book.Transfer:
		return 8
	}
	switch p.Lease.Terms.Kind {
	case book.Reservation:
		return 1
	case book.Immediate:
		return 2
	case book.Deadline:
		return 3
	}
	return 0
}

// hostName names a host by its place, as wide as the last one's name.
func hostName(i, of int) string {
	return fmt.Sprintf("%0*d", len(strconv.Itoa(of)), i+1)
}

// Gantt draws the hosts against time, all of them up to the given number.
func (r *Result) Gantt(most int) *chart.Gantt {
	g := &chart.Gantt{
		Title: "Hosts", Rows: r.names, Kinds: kinds,
		To: int64(r.Measures.Makespan * 1000),
	}
	if len(g.Rows) > most {
		g.Title = fmt.Sprintf("The first %d of %d hosts", most, len(r.names))
		g.Rows = g.Rows[:most]
	}
	for _, p := range slices.Concat(r.Phases, r.Carried) {
		b := chart.Bar{
			From: int64(p.From), To: int64(p.To), Kind: kindOf(&p),
			Title: fmt.Sprintf("lease %d, %s, %s to %s", p.Lease.Terms.ID, p.Doing,
				chart.Clock(int64(p.From)), chart.Clock(int64(p.To))),
		}
		if p.Doing == book.Run {
			b.Label = strconv.FormatInt(int64(p.Lease.Terms.ID), 10)
		}
		hosts := slices.Clone(p.Hosts)
		slices.Sort(hosts)
		for _, h := range slices.Compact(hosts) {
			if b.Row = int(h); b.Row < len(g.Rows) {
				g.Bars = append(g.Bars, b)
			}
		}
	}
	for _, c := range r.closed {
		b := chart.Bar{
			From: int64(c.span.Start), To: min(int64(c.span.End), g.To), Kind: len(kinds) - 1,
			Title: fmt.Sprintf("closed %s to %s", chart.Clock(int64(c.span.Start)),
				chart.Clock(int64(c.span.End))),
		}
		for b.Row = c.first; b.Row < min(c.last, len(g.Rows)) && b.From < g.To; b.Row++ {
			g.Bars = append(g.Bars, b)
		}
	}
	slices.SortStableFunc(g.Bars, func(a, b chart.Bar) int {
		return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.From, b.From))
	})
	return g
}

// Plots draws the use of the pool over time and how long work waited.
func (r *Result) Plots() []chart.Drawing {
	return []chart.Drawing{
		&chart.Steps{
			Title: fmt.Sprintf("CPUs held, as a share of the pool: %.1f %% in all",
				100*r.Measures.Utilisation),
			Steps: r.Use(), To: int64(r.Measures.Makespan * 1000), Most: 1,
		},
		&chart.Distribution{
			Title:  "Share of best-effort leases that waited at most so long",
			Sorted: r.Waits, Least: 1, Name: spanName,
		},
	}
}

// spanName writes seconds for an axis.
func spanName(s float64) string {
	switch at := slot.Time(s * 1000); {
	case at >= workload.Day:
		return fmt.Sprintf("%.3g d", float64(at)/float64(workload.Day))
	case at >= workload.Hour:
		return fmt.Sprintf("%.3g h", float64(at)/float64(workload.Hour))
	}
	return fmt.Sprintf("%g s", s)
}
