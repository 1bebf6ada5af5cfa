package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Step is the value that holds from a time on.
type Step struct {
	At    int64
	Value float64
}

// Steps is a curve over time that changes in steps, such as the share of a pool
// that is used. Between so many steps that none can be seen their mean is drawn.
type Steps struct {
	Title    string
	Steps    []Step
	From, To int64
	Most     float64 // the upper end of the axis
}

func (s *Steps) height() int { return svgTop + plotHeight + svgBottom }

func (s *Steps) draw(c *canvas) {
	const bottom = svgTop + plotHeight
	c.write(svgLeft, 18, "start", s.Title)
	c.times(span{s.From, s.To, Clock}, bottom)
	for i := range 5 {
		part := float64(i) / 4
		y := bottom - plotHeight*part
		c.line(point{svgLeft, y}, point{svgLeft + plotWidth, y}, grid)
		c.write(svgLeft-6, y+4, "end", short(s.Most*part))
	}
	var path strings.Builder
	fmt.Fprintf(&path, "M%d %s", svgLeft, number(float64(bottom+c.top)))
	for i, v := range s.means(plotWidth) {
		y := float64(bottom+c.top) - plotHeight*min(1, v/s.Most)
		fmt.Fprintf(&path, "V%sH%d", number(y), svgLeft+i+1)
	}
	fmt.Fprintf(&path, "V%sZ", number(float64(bottom+c.top)))
	fmt.Fprintf(&c.text, `<path d="%s" fill="#4477aa" fill-opacity="0.6"/>`+"\n", path.String())
	c.line(point{svgLeft, bottom}, point{svgLeft + plotWidth, bottom}, frame)
}

// means returns the mean of the curve in each of n equal parts of its time.
func (s *Steps) means(n int) []float64 {
	all := make([]float64, n)
	span := float64(s.To - s.From)
	if span <= 0 {
		return all
	}
	for i, step := range s.Steps {
		from, to := float64(max(step.At, s.From)-s.From), span
		if i+1 < len(s.Steps) {
			to = min(span, float64(s.Steps[i+1].At-s.From))
		}
		from, to = from/span*float64(n), to/span*float64(n)
		for k := int(max(0, from)); k < n && float64(k) < to; k++ {
			all[k] += step.Value * (min(to, float64(k+1)) - max(from, float64(k)))
		}
	}
	return all
}

// short writes a number for an axis.
func short(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }

// A Distribution is the share of values that are at most so much, over values
// on a logarithmic axis; what is below Least is drawn at its left end.
type Distribution struct {
	Title  string
	Sorted []float64 // from least to most
	Least  float64   // above 0
	Name   func(float64) string
}

func (d *Distribution) height() int { return svgTop + plotHeight + svgBottom }

func (d *Distribution) draw(c *canvas) {
	const bottom = svgTop + plotHeight
	c.write(svgLeft, 18, "start", d.Title)
	most := d.Least * 10
	if n := len(d.Sorted); n > 0 {
		most = max(most, d.Sorted[n-1])
	}
	decades := math.Ceil(math.Log10(most / d.Least))
	place := func(v float64) float64 {
		return svgLeft + plotWidth*math.Log10(max(v, d.Least)/d.Least)/decades
	}
	for i := range int(decades) + 1 {
		v := d.Least * math.Pow10(i)
		c.line(point{place(v), svgTop}, point{place(v), bottom}, grid)
		c.write(place(v), bottom+14, "middle", d.Name(v))
	}
	for i := range 5 {
		y := bottom - plotHeight*float64(i)/4
		c.line(point{svgLeft, y}, point{svgLeft + plotWidth, y}, grid)
		c.write(svgLeft-6, y+4, "end", fmt.Sprintf("%d %%", i*25))
	}
	c.line(point{svgLeft, bottom}, point{svgLeft + plotWidth, bottom}, frame)
	var path strings.Builder
	fmt.Fprintf(&path, "M%d %s", svgLeft, number(float64(bottom+c.top)))
	last := ""
	for i, v := range d.Sorted {
		part := float64(i+1) / float64(len(d.Sorted))
		x := number(place(v))
		y := number(float64(bottom+c.top) - plotHeight*part)
		if x != last { // of values in one place the last alone is seen
			path.WriteString("H" + x)
			last = x
		}
		path.WriteString("V" + y)
	}
	fmt.Fprintf(&path, "H%d", svgLeft+plotWidth)
	fmt.Fprintf(&c.text, `<path d="%s" fill="none" stroke="#4477aa" stroke-width="1.5"/>`+"\n",
		path.String())
}
