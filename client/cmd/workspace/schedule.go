package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/service/simulate/chart"
)

// A scheduleCmd is the command schedule.
type scheduleCmd struct {
	Hosts []string `arg:"" optional:"" name:"host" help:"Only these hosts."`
	From  string   `placeholder:"WHEN" help:"From then on, such as tomorrow 09:00; now."`
	Until string   `placeholder:"WHEN" help:"Up to then; as far as anything is planned, a day at most."`
	For   string   `placeholder:"TIME" help:"So long, such as 6h, instead of --until."`
	Rows  int      `default:"64" placeholder:"N" help:"How many lines to draw; 64."`
	SVG   string   `name:"svg" placeholder:"FILE" help:"Draw it into the file too."`
}

// A scheduleView is a schedule as it is shown.
type scheduleView struct {
	Now   time.Time `json:"now"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	Bars  []barView `json:"bars"`

	rows, columns int
	later         bool // something is planned after Until, and nobody chose Until
}

// A period is from one time to another; a zero time is open.
type period struct{ from, until time.Time }

// period reads the options.
func (c *scheduleCmd) period(now time.Time) (p period, err error) {
	const op = "cannot show the schedule: "
	if c.Rows < 1 {
		return p, usagef("", op+"--rows: %d is not a number of lines to draw", c.Rows)
	}
	p.from = now.UTC()
	if c.From != "" {
		if p.from, err = parseMoment(c.From, now); err != nil {
			return p, usagef("", op+"--from: %w", err)
		}
	}
	switch {
	case c.Until != "" && c.For != "":
		return p, usagef("leave out one of them", op+"both --until and --for say where it ends")
	case c.Until != "":
		if p.until, err = parseEnd(c.Until, p.from, now); err != nil {
			return p, usagef("", op+"--until: %w", err)
		}
	case c.For != "":
		d, err := parseSpan(c.For)
		if err != nil {
			return p, usagef("", op+"--for: %w", err)
		}
		p.until = p.from.Add(d)
	}
	if !p.until.IsZero() && !p.until.After(p.from) {
		return p, usagef("", op+"--until: %s is not after its beginning, %s", c.Until,
			moment(&p.from))
	}
	return p, nil
}

// longest is what is drawn when nobody says how long.
const longest = 24 * time.Hour

// view makes the view of bars that the service told. It ends where the last of
// them does when the period is open.
func (c *scheduleCmd) view(p period, now time.Time, bars []barView) scheduleView {
	v := scheduleView{
		Now: now.UTC().Truncate(time.Second), From: p.from, Until: p.until, Bars: []barView{},
		rows: c.Rows,
	}
	for _, b := range bars {
		if len(c.Hosts) == 0 || slices.Contains(c.Hosts, b.Host) {
			v.Bars = append(v.Bars, b)
		}
	}
	if !p.until.IsZero() {
		return v
	}
	for _, b := range v.Bars {
		if b.End.After(v.Until) {
			v.Until = b.End
		}
	}
	if v.Until.IsZero() {
		v.Until = v.From.Add(time.Hour)
	}
	if most := v.From.Add(longest); v.Until.After(most) {
		v.Until, v.later = most, true
	}
	return v
}

// absent returns the hosts asked for of which there is nothing to draw.
func (c *scheduleCmd) absent(v scheduleView) []string {
	return slices.DeleteFunc(slices.Clone(c.Hosts), func(name string) bool {
		return slices.ContainsFunc(v.Bars, func(b barView) bool { return b.Host == name })
	})
}

// draw writes the file of --svg.
func (c *scheduleCmd) draw(v scheduleView) error {
	if c.SVG == "" {
		return nil
	}
	text := chart.SVG("Schedule of hosts", v.gantt(c.Rows))
	if err := os.WriteFile(c.SVG, []byte(text), 0o600); err != nil {
		return failf(exitError, "", "cannot write the drawing %q: %w", c.SVG, bare(err))
	}
	return nil
}

// names returns the numbers of the leases.
func (v scheduleView) names() []string {
	var names []string
	for _, b := range v.Bars {
		if b.Lease != "" {
			names = append(names, b.Lease)
		}
	}
	slices.SortFunc(names, compareKeys)
	return slices.Compact(names)
}

// write draws the chart; wide tells each bar too.
func (v scheduleView) write(w io.Writer, p *printer) error {
	if len(v.Bars) == 0 {
		_, err := fmt.Fprintf(w, "Nothing is planned from %s to %s.\n", moment(&v.From),
			moment(&v.Until))
		return err
	}
	var b strings.Builder
	b.WriteString(v.gantt(v.rows).Text(cmp.Or(v.columns, plainWidth)))
	if all := len(lines(v.Bars)); all > v.rows {
		fmt.Fprintf(&b, "%d of %d lines are shown; --rows %d shows all.\n", v.rows, all, all)
	}
	if v.later {
		b.WriteString("More is planned after that; --until or --for shows it.\n")
	}
	if p.wide() {
		b.WriteByte('\n')
		if err := v.table().write(&b, p.headers); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table lists the bars.
func (v scheduleView) table() *table {
	t := &table{headers: []string{
		"HOST", "LEASE", "PHASE", "FROM", "UNTIL", "NODES", "CPUS", "MEMORY",
	}}
	for _, line := range lines(v.Bars) {
		for _, b := range line.bars {
			t.add(b.Host, cmp.Or(b.Lease, "-"), b.Phase, moment(&b.Start), moment(&b.End),
				amount(int64(b.Nodes), ""), amount(b.CPUs, ""), amount(b.MemoryMB, " MB"))
		}
	}
	return t
}

// plainWidth is how many columns a drawing has where nobody says how many
// there are.
const plainWidth = 100

// columns returns the width of the terminal that the output goes to, or the
// one that the environment tells.
func columns(out *os.File) int {
	if width, _, err := term.GetSize(int(out.Fd())); err == nil && width > 0 {
		return width
	}
	if width, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && width > 0 {
		return min(width, 1000)
	}
	return plainWidth
}

// Run draws the schedule.
func (c *scheduleCmd) Run(ctx context.Context, a *app) error {
	now := time.Now()
	p, err := c.period(now)
	if err != nil {
		return err
	}
	bars, err := a.client.Schedule(ctx, p.from, p.until)
	if err != nil {
		return err
	}
	a.keep()
	v := c.view(p, now, barViews(bars))
	if _, err := a.find(ctx, c.absent(v)); err != nil {
		return err
	}
	v.columns = columns(os.Stdout)
	if err := c.draw(v); err != nil {
		return err
	}
	return a.print(v)
}

// barViews makes the views of bars.
func barViews(bars []report.Bar) []barView {
	all := make([]barView, 0, len(bars))
	for _, b := range bars {
		v := barView{
			Host: b.Host, Phase: b.Phase, Start: b.Begin.UTC(), End: b.End.UTC(), Nodes: b.Nodes,
			CPUs: int64(b.CPUs), MemoryMB: int64(b.MemoryMB), Firm: b.Firm, Begun: b.Begun,
		}
		if b.Lease != 0 {
			v.Lease = strconv.FormatInt(b.Lease, 10)
		}
		all = append(all, v)
	}
	return all
}
