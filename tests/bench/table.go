package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// A figure is one measured quantity over several runs.
type figure struct {
	name   string
	unit   string
	target float64
	least  bool // the target is a floor, not a ceiling
	values []float64
	bare   []float64 // the same of the bare handler, or what else there is beside
}

// A table collects figures in the order in which they were first measured.
type table struct {
	beside  string // what stands beside them
	figures []*figure
	byName  map[string]*figure
}

func newTable(beside string) *table {
	return &table{beside: beside, byName: map[string]*figure{}}
}

// A goal is a figure's name with its unit and what the issue of this project asks for.
type goal struct {
	name   string
	unit   string
	target float64
	least  bool
}

// add records one run's value.
func (t *table) add(g goal, value float64) { f := t.figure(g); f.values = append(f.values, value) }

// addBare records one run's value of the bare handler.
func (t *table) addBare(g goal, value float64) { f := t.figure(g); f.bare = append(f.bare, value) }

// share records what part of the bare handler's a figure is.
func (t *table) share(g, of goal) {
	if f := t.byName[of.name]; f != nil && len(f.values) > 0 && len(f.bare) > 0 {
		t.add(g, median(f.values)/median(f.bare))
	}
}

func (t *table) figure(g goal) *figure {
	f := t.byName[g.name]
	if f == nil {
		f = &figure{name: g.name, unit: g.unit, target: g.target, least: g.least}
		t.byName[g.name] = f
		t.figures = append(t.figures, f)
	}
	return f
}

// print writes the table.
func (t *table) print(w io.Writer) {
	if len(t.figures) == 0 {
		return
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "figure\tmedian\tmin\tmax\tunit\ttarget\t\t%s\tours/its\n", t.beside)
	for _, f := range t.figures {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.name, number(median(f.values)),
			number(slices.Min(f.values)), number(slices.Max(f.values)), f.unit,
			f.goal(), f.verdict(), f.ratio())
	}
	_ = tw.Flush()
}

func (f *figure) goal() string {
	switch {
	case f.target == 0:
		return "-"
	case f.least:
		return ">= " + number(f.target)
	}
	return "<= " + number(f.target)
}

func (f *figure) verdict() string {
	m := median(f.values)
	switch {
	case f.target == 0:
		return "-"
	case f.least && m >= f.target, !f.least && m <= f.target:
		return "ok"
	}
	return "MISSED"
}

// ratio is the bare handler's median and ours divided by it.
func (f *figure) ratio() string {
	if len(f.bare) == 0 {
		return "-\t-"
	}
	b := median(f.bare)
	if of := median(f.values) / b; of < 0.01 {
		return fmt.Sprintf("%s\t1/%.0f", number(b), 1/of)
	}
	return number(b) + "\t" + fmt.Sprintf("%.2f", median(f.values)/b)
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return (s[n/2-1] + s[n/2]) / 2
}

// number prints three digits that matter.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
