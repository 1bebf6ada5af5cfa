package chart

import (
	"cmp"
	"slices"
)

// A seat is where in its row a bar is drawn: rows on which several bars lie at
// one time are divided.
type seat struct{ lane, of int }

// lanes gives each bar of the chart a seat, so that no two of a row overlap.
func (g *Gantt) lanes() []seat {
	seats := make([]seat, len(g.Bars))
	order := make([]int, len(g.Bars))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := &g.Bars[i], &g.Bars[j]
		return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.From, b.From))
	})
	for first := 0; first < len(order); {
		last := g.cluster(order[first:], seats)
		first += last
	}
	return seats
}

// cluster seats the bars of one row that hang together in time, and returns
// how many there are.
func (g *Gantt) cluster(order []int, seats []seat) int {
	row, n := g.Bars[order[0]].Row, 0
	var ends []int64 // of each lane
	var until int64
	for ; n < len(order); n++ {
		b := &g.Bars[order[n]]
		if b.Row != row || n > 0 && b.From >= until {
			break
		}
		until = max(until, b.To)
		lane := slices.IndexFunc(ends, func(end int64) bool { return end <= b.From })
		if lane < 0 {
			lane = len(ends)
			ends = append(ends, 0)
		}
		ends[lane] = b.To
		seats[order[n]].lane = lane
	}
	for _, i := range order[:n] {
		seats[i].of = len(ends)
	}
	return n
}
