package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// The measures of a drawing, in pixels.
const (
	svgWidth   = 960
	svgLeft    = 70
	svgRight   = 20
	svgTop     = 34
	svgBottom  = 44
	plotHeight = 240
	plotWidth  = svgWidth - svgLeft - svgRight
)

// A Drawing is a part of an SVG document: a Gantt chart or a plot.
type Drawing interface {
	height() int
	draw(c *canvas)
}

// SVG puts drawings one below the other into one document.
func SVG(title string, drawings ...Drawing) string {
	c := &canvas{}
	height := 0
	for _, d := range drawings {
		height += d.height()
	}
	fmt.Fprintf(&c.text, `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"
  font-family="sans-serif" font-size="11">
<title>%s</title>
<rect width="100%%" height="100%%" fill="#ffffff"/>
`, svgWidth, height, svgWidth, height, escape(title))
	for _, d := range drawings {
		d.draw(c)
		c.top += d.height()
	}
	c.text.WriteString("</svg>\n")
	return c.text.String()
}

// A canvas is a document that is being written.
type canvas struct {
	text strings.Builder
	top  int // where the current drawing begins
}

// escape writes text so that it stands for itself in XML.
func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return b.String()
}

// number writes a coordinate in as few digits as do.
func number(x float64) string {
	return strconv.FormatFloat(float64(int64(x*100+.5))/100, 'f', -1, 64)
}

// write puts words at a place; anchor is start, middle or end.
func (c *canvas) write(x, y float64, anchor, words string) {
	fmt.Fprintf(&c.text, `<text x="%s" y="%s" text-anchor="%s">%s</text>`+"\n",
		number(x), number(y+float64(c.top)), anchor, escape(words))
}

// A point is a place in a drawing.
type point struct{ x, y float64 }

// line draws a thin line.
func (c *canvas) line(from, to point, colour string) {
	fmt.Fprintf(&c.text, `<line x1="%s" y1="%s" x2="%s" y2="%s" stroke="%s"/>`+"\n",
		number(from.x), number(from.y+float64(c.top)), number(to.x), number(to.y+float64(c.top)),
		colour)
}

// A box is a rectangle.
type box struct{ x, y, width, height float64 }

// fill draws a box, with a title when there is one.
func (c *canvas) fill(b box, colour, title string) {
	fmt.Fprintf(&c.text, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"`,
		number(b.x), number(b.y+float64(c.top)), number(b.width), number(b.height), colour)
	if title == "" {
		c.text.WriteString("/>\n")
		return
	}
	fmt.Fprintf(&c.text, "><title>%s</title></rect>\n", escape(title))
}

const (
	grid    = "#dddddd"
	frame   = "#888888"
	pointer = "#cc3311"
)

// A span is an axis of time.
type span struct {
	from, to int64
	clock    func(int64) string // how times are written
}

// times draws an axis of time below a drawing of the given height.
func (c *canvas) times(s span, bottom float64) {
	for _, at := range ticks(s.from, s.to, 8) {
		x := across(at, s.from, s.to)
		c.line(point{x, svgTop}, point{x, bottom}, grid)
		c.write(x, bottom+14, "middle", s.clock(at))
	}
}

// across returns where a time is.
func across(at, from, to int64) float64 {
	if to <= from {
		return svgLeft
	}
	return svgLeft + plotWidth*float64(at-from)/float64(to-from)
}

// legend names kinds by their colours.
func (c *canvas) legend(y float64, kinds []Kind) {
	x := float64(svgLeft)
	for _, k := range kinds {
		c.fill(box{x, y - 9, 10, 10}, k.Colour, "")
		c.write(x+14, y, "start", k.Name)
		x += 26 + 6.5*float64(len(k.Name))
	}
}

// rowHeight returns the height of a row: less where there are many.
func (g *Gantt) rowHeight() int { return max(3, min(18, 900/max(1, len(g.Rows)))) }

func (g *Gantt) height() int {
	return svgTop + len(g.Rows)*g.rowHeight() + svgBottom
}

// abridged cuts names that the margin has no room for.
func abridged(name string) string {
	const room = 10
	if letters := []rune(name); len(letters) > room {
		return string(letters[:room-1]) + "…"
	}
	return name
}

// finest is the width in pixels below which nothing is drawn.
const finest = 0.02

func (g *Gantt) draw(c *canvas) {
	h := float64(g.rowHeight())
	bottom := svgTop + h*float64(len(g.Rows))
	c.write(svgLeft, 18, "start", g.Title)
	c.times(span{g.From, g.To, g.clock}, bottom)
	every := max(1, int(11/h+.99)) // names that do not fit below each other are left out
	for i, row := range g.Rows {
		if i%every == 0 {
			c.write(svgLeft-6, svgTop+h*float64(i)+min(h, 12), "end", abridged(row))
		}
	}
	lanes := g.lanes()
	for i, b := range g.Bars {
		x, end := across(max(b.From, g.From), g.From, g.To), across(min(b.To, g.To), g.From, g.To)
		if end-x < finest || b.Row >= len(g.Rows) {
			continue
		}
		each := (h - h/9) / float64(lanes[i].of)
		at := box{x, svgTop + h*float64(b.Row) + each*float64(lanes[i].lane), end - x, each}
		c.fill(at, g.Kinds[b.Kind].Colour, b.Title)
		if each >= 11 && at.width > 8+6.5*float64(len(b.Label)) && b.Label != "" {
			c.write(x+at.width/2, at.y+each/2+4, "middle", b.Label)
		}
	}
	c.line(point{svgLeft, bottom}, point{svgLeft + plotWidth, bottom}, frame)
	for _, m := range g.Marks {
		x := across(m.At, g.From, g.To)
		c.line(point{x, svgTop - 4}, point{x, bottom + 4}, pointer)
		c.write(x, svgTop-6, "middle", m.Name)
	}
	c.legend(bottom+34, g.used())
}
