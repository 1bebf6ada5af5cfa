package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Kind is a way of drawing bars.
type Kind struct {
	Name   string // for the legend
	Sign   byte   // in text
	Colour string // in SVG, such as "#4477aa"
}

// A Bar is what happens on a row from one time to another.
type Bar struct {
	Row      int
	From, To int64
	Kind     int    // by its place in the chart
	Label    string // drawn into the bar where there is room
	Title    string // shown by SVG viewers when pointed at
}

// A Mark is a time that is pointed at, such as the present.
type Mark struct {
	At   int64
	Name string
}

// A Gantt is hosts, or whatever the rows are, against time. Bars of one row
// may lie side by side.
type Gantt struct {
	Title    string
	Rows     []string
	Kinds    []Kind
	Bars     []Bar
	Marks    []Mark
	From, To int64
	Clock    func(int64) string // how times are written; nil: Clock
}

// clock writes a time.
func (g *Gantt) clock(at int64) string {
	if g.Clock == nil {
		return Clock(at)
	}
	return g.Clock(at)
}

// Text draws the chart in so many columns, at least 40. A cell shows the kind
// that takes most of its time.
func (g *Gantt) Text(columns int) string {
	margin := 0
	for _, row := range g.Rows {
		margin = max(margin, len(row))
	}
	width := max(columns, 40) - margin - 2
	var b strings.Builder
	if g.Title != "" {
		b.WriteString(g.Title + "\n")
	}
	cells := g.cells(width)
	for i, row := range g.Rows {
		fmt.Fprintf(&b, "%-*s |%s\n", margin, row, strings.TrimRight(string(cells[i]), " "))
	}
	b.WriteString(strings.Repeat(" ", margin+1) + g.axis(width) + "\n")
	for _, m := range g.Marks {
		b.WriteString(strings.Repeat(" ", margin+2) + g.mark(m, width) + "\n")
	}
	b.WriteString(g.legend(max(columns, 40)))
	return b.String()
}

// legend names the signs in use, on as many lines as they take.
func (g *Gantt) legend(columns int) string {
	var b strings.Builder
	width := 0
	for i, k := range g.used() {
		entry := fmt.Sprintf("%c %s", k.Sign, k.Name)
		switch {
		case i > 0 && width+2+len(entry) > columns:
			b.WriteByte('\n')
			width = 0
		case i > 0:
			b.WriteString("  ")
			width += 2
		}
		b.WriteString(entry)
		width += len(entry)
	}
	b.WriteByte('\n')
	return b.String()
}

// used returns the kinds of which there are bars.
func (g *Gantt) used() []Kind {
	seen := make([]bool, len(g.Kinds))
	for _, b := range g.Bars {
		seen[b.Kind] = true
	}
	var kinds []Kind
	for i, k := range g.Kinds {
		if seen[i] {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// cells fills the rows of text.
func (g *Gantt) cells(width int) [][]byte {
	rows := make([][]byte, len(g.Rows))
	for i := range rows {
		rows[i] = slices.Repeat([]byte{' '}, width)
	}
	if g.To <= g.From {
		return rows
	}
	byRow := make([][]Bar, len(g.Rows))
	for _, b := range g.Bars {
		if b.Row < len(g.Rows) {
			byRow[b.Row] = append(byRow[b.Row], b)
		}
	}
	for i, bars := range byRow {
		g.fill(rows[i], bars)
	}
	return rows
}

// fill draws the bars of one row, then their labels.
func (g *Gantt) fill(row []byte, bars []Bar) {
	slices.SortStableFunc(bars, func(a, b Bar) int { return cmp.Compare(a.From, b.From) })
	owner := make([]int, len(row)) // the bar that has the cell, from 1
	most := make([]int64, len(row))
	for k, b := range bars {
		for i := g.cell(b.From, len(row)); i < len(row); i++ {
			from, to := g.edge(i, len(row)), g.edge(i+1, len(row))
			if from >= b.To {
				break
			}
			if part := min(to, b.To) - max(from, b.From); part > most[i] {
				most[i], owner[i], row[i] = part, k+1, g.Kinds[b.Kind].Sign
			}
		}
	}
	for i := 0; i < len(row); {
		end := i + 1
		for end < len(row) && owner[end] == owner[i] {
			end++
		}
		if owner[i] > 0 {
			if label := bars[owner[i]-1].Label; label != "" && end-i >= len(label)+2 {
				copy(row[i+1:], label)
			}
		}
		i = end
	}
}

// cell returns the cell of a time.
func (g *Gantt) cell(at int64, width int) int {
	if at <= g.From {
		return 0
	}
	return int(float64(at-g.From) / float64(g.To-g.From) * float64(width))
}

// edge returns the time at which a cell begins.
func (g *Gantt) edge(cell, width int) int64 {
	return g.From + int64(float64(g.To-g.From)*float64(cell)/float64(width))
}

// axis marks times below the rows.
func (g *Gantt) axis(width int) string {
	line := slices.Repeat([]byte{' '}, width)
	free := 0
	for _, at := range ticks(g.From, g.To, max(2, width/14)) {
		i, mark := g.cell(at, width), "|"+g.clock(at)
		if i >= free && i+len(mark) <= width {
			copy(line[i:], mark)
			free = i + len(mark) + 1
		}
	}
	return strings.TrimRight(string(line), " ")
}

// mark points at a time from below the axis.
func (g *Gantt) mark(m Mark, width int) string {
	i := min(g.cell(m.At, width), width-1)
	if before := i - len(m.Name) - 1; i+2+len(m.Name) > width && before >= 0 {
		return strings.Repeat(" ", before) + m.Name + " ^"
	}
	return strings.Repeat(" ", i) + "^ " + m.Name
}

// steps are the distances of marks on an axis of time, in seconds.
var steps = []int64{
	1, 5, 15, 60, 300, 900, 1800, 3600, 2 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400,
	5 * 86400, 10 * 86400, 30 * 86400, 100 * 86400, 365 * 86400,
}

// ticks returns times to be marked, about so many.
func ticks(from, to int64, count int) []int64 {
	if to <= from {
		return []int64{from}
	}
	step := steps[len(steps)-1] * 1000
	for _, s := range steps {
		if (to-from)/(s*1000) <= int64(count) {
			step = s * 1000
			break
		}
	}
	for (to-from)/step > int64(count) {
		step *= 10
	}
	var all []int64
	for at := (from + step - 1) / step * step; at <= to; at += step {
		all = append(all, at)
	}
	return all
}

// Clock writes a time as days and hours: "3d 04:30", "04:30", or with seconds
// where they matter.
func Clock(ms int64) string {
	s := ms / 1000
	text := fmt.Sprintf("%02d:%02d", s/3600%24, s/60%60)
	if s%60 != 0 {
		text += fmt.Sprintf(":%02d", s%60)
	}
	if days := s / 86400; days > 0 {
		text = fmt.Sprintf("%dd %s", days, text)
	}
	return text
}
