package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/simulate/chart"
)

// A barView is what a host does for a lease at a time, as it is shown. Its JSON
// keys are a contract with scripts: they are only ever added to.
type barView struct {
	Host     string    `json:"host"`
	Phase    string    `json:"phase"`
	Lease    string    `json:"lease"` // number of its first workspace; empty: another's, or none
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Nodes    int       `json:"nodes"`
	CPUs     int64     `json:"cpus"`
	MemoryMB int64     `json:"memoryMB"`
	Firm     bool      `json:"firm"`  // nobody takes it away any more
	Begun    bool      `json:"begun"` // it is no plan any more
}

// The phases of a schedule.
const (
	phaseTransfer = "transfer"
	phaseBoot     = "boot"
	phaseRun      = "run"
	phaseSuspend  = "suspend"
	phaseResume   = "resume"
	phaseShutdown = "shutdown"
	phaseClosed   = "closed"
)

// The ways of drawing, by their places in drawn.
const (
	drawnRun = iota
	drawnPromise
	drawnPlan
	drawnOther
	drawnTransfer
	drawnBoot
	drawnSuspend
	drawnResume
	drawnShutdown
	drawnClosed
)

// drawn are the ways in which bars are drawn.
var drawn = []chart.Kind{
	{Name: "runs", Sign: '=', Colour: "#4477aa"},
	{Name: "promised", Sign: '#', Colour: "#cc3311"},
	{Name: "planned", Sign: '~', Colour: "#99bbdd"},
	{Name: "another's", Sign: ':', Colour: "#cccccc"},
	{Name: "image on its way", Sign: '>', Colour: "#aa3377"},
	{Name: "boots", Sign: '+', Colour: "#ccbb44"},
	{Name: "is suspended", Sign: 'v', Colour: "#ee7733"},
	{Name: "is resumed", Sign: '^', Colour: "#66ccee"},
	{Name: "shuts down", Sign: '-', Colour: "#999999"},
	{Name: "closed", Sign: 'x', Colour: "#555555"},
}

// kind returns how the bar is drawn.
func (v barView) kind() int {
	switch v.Phase {
	case phaseClosed:
		return drawnClosed
	case phaseTransfer:
		return drawnTransfer
	}
	if v.Lease == "" {
		return drawnOther
	}
	switch v.Phase {
	case phaseBoot:
		return drawnBoot
	case phaseSuspend:
		return drawnSuspend
	case phaseResume:
		return drawnResume
	case phaseShutdown:
		return drawnShutdown
	}
	switch {
	case v.Begun:
		return drawnRun
	case v.Firm:
		return drawnPromise
	}
	return drawnPlan
}

// title tells of the bar, for who points at it.
func (v barView) title() string {
	whose := "lease " + v.Lease
	if v.Lease == "" {
		whose = "another's"
	}
	if v.Phase == phaseClosed {
		whose = "no lease"
	}
	return fmt.Sprintf("%s: %s, %s, %s to %s", v.Host, whose, v.Phase, moment(&v.Start),
		moment(&v.End))
}

// label is what is written into the bar: whose it is, and how many of its nodes
// are there. Only what lasts has room for it.
func (v barView) label() string {
	if v.Phase != phaseRun || v.Lease == "" {
		return ""
	}
	if v.Nodes > 1 {
		return fmt.Sprintf("%sx%d", v.Lease, v.Nodes)
	}
	return v.Lease
}

// A ganttLine is a line of the drawing: what of a host's bars comes one after
// the other.
type ganttLine struct {
	host string
	bars []barView
}

// lines sorts bars into lines: as few for each host as its bars allow, and what
// follows at once for the same lease on the same line. Hosts are in order of
// their names.
func lines(bars []barView) []ganttLine {
	bars = slices.Clone(bars)
	slices.SortStableFunc(bars, func(a, b barView) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), a.Start.Compare(b.Start),
			compareKeys(a.Lease, b.Lease))
	})
	var all []ganttLine
	for len(bars) > 0 {
		n := 1
		for n < len(bars) && bars[n].Host == bars[0].Host {
			n++
		}
		all = append(all, linesOf(bars[:n])...)
		bars = bars[n:]
	}
	return all
}

// linesOf is lines for the bars of one host, by rising start.
func linesOf(bars []barView) []ganttLine {
	var all []ganttLine
	for _, run := range runsOf(bars) {
		i := slices.IndexFunc(all, func(l ganttLine) bool {
			return !l.bars[len(l.bars)-1].End.After(run[0].Start)
		})
		if i < 0 {
			i = len(all)
			all = append(all, ganttLine{host: run[0].Host})
		}
		all[i].bars = append(all[i].bars, run...)
	}
	return all
}

// runsOf puts bars of one lease that follow each other at once together.
func runsOf(bars []barView) [][]barView {
	var all [][]barView
	for _, b := range bars {
		i := slices.IndexFunc(all, func(run []barView) bool {
			last := run[len(run)-1]
			return b.Lease != "" && last.Lease == b.Lease && last.End.Equal(b.Start)
		})
		if i < 0 {
			all = append(all, []barView{b})
		} else {
			all[i] = append(all[i], b)
		}
	}
	return all
}

// gantt draws the schedule; most is how many lines it has at most.
func (v scheduleView) gantt(most int) *chart.Gantt {
	origin := midnight(v.From)
	since := func(at time.Time) int64 { return at.Sub(origin).Milliseconds() }
	g := &chart.Gantt{
		Title: "Schedule of hosts, " + moment(&v.From) + " to " + moment(&v.Until),
		Kinds: drawn, From: since(v.From), To: since(v.Until),
		Clock: func(ms int64) string { return dial(origin, ms) },
	}
	if v.Now.After(v.From) && v.Now.Before(v.Until) {
		g.Marks = []chart.Mark{{At: since(v.Now), Name: "now"}}
	}
	all := lines(v.Bars)
	for i, l := range all[:min(most, len(all))] {
		name := l.host
		if i > 0 && all[i-1].host == name {
			name = "" // it is above
		}
		g.Rows = append(g.Rows, name)
		for _, b := range l.bars {
			g.Bars = append(g.Bars, chart.Bar{
				Row: i, From: since(b.Start), To: since(b.End), Kind: b.kind(),
				Label: b.label(), Title: b.title(),
			})
		}
	}
	return g
}

// midnight returns the last midnight before a time, in local time.
func midnight(at time.Time) time.Time {
	local := at.Local()
	return time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())
}

// dial writes the time so many milliseconds after a midnight for an axis: of
// another day, with the day's name.
func dial(origin time.Time, ms int64) string {
	at := origin.Add(time.Duration(ms) * time.Millisecond)
	layout := "15:04"
	if at.Second() != 0 {
		layout += ":05"
	}
	switch days := at.Sub(origin); {
	case days >= 7*24*time.Hour:
		layout = "02 Jan"
	case midnight(at) != origin:
		layout = "Mon " + layout
	}
	return at.Format(layout)
}
