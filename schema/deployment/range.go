package deployment

import (
	"fmt"
	"math"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Range is a jsdl:RangeValue_Type (JSDL 1.0, section 5.2.4): an amount fits
// when any of its parts admits it.
type Range struct {
	Upper, Lower *Boundary
	Exact        []Exact
	Intervals    []Interval
}

// Boundary is one end of a range.
type Boundary struct {
	Value     float64
	Exclusive bool
}

// Exact is one admitted value, give or take Epsilon.
type Exact struct{ Value, Epsilon float64 }

// Interval is a range with both ends.
type Interval struct{ Lower, Upper Boundary }

// Exactly returns the range that admits one value.
func Exactly(value float64) *Range { return &Range{Exact: []Exact{{Value: value}}} }

// Amount returns the whole amount to grant for the range: the first exact
// value, cut to a whole number as the original did, else the least that the
// first interval or the lower bound admits, else the most below the upper
// bound. It is false for a nil or empty range.
func (r *Range) Amount() (int64, bool) {
	switch {
	case r == nil:
		return 0, false
	case len(r.Exact) > 0:
		return whole(math.Trunc(r.Exact[0].Value)), true
	case len(r.Intervals) > 0:
		return r.Intervals[0].Lower.least(), true
	case r.Lower != nil:
		return r.Lower.least(), true
	case r.Upper != nil:
		return r.Upper.most(), true
	}
	return 0, false
}

// least is the smallest whole number above a lower bound.
func (b Boundary) least() int64 {
	f := math.Ceil(b.Value)
	if b.Exclusive && f == b.Value {
		f++
	}
	return whole(f)
}

// most is the largest whole number below an upper bound.
func (b Boundary) most() int64 {
	f := math.Floor(b.Value)
	if b.Exclusive && f == b.Value {
		f--
	}
	return whole(f)
}

// whole converts a finite number, and keeps it within what an int64 holds.
func whole(f float64) int64 {
	const edge = 1 << 62
	return int64(max(-edge, min(edge, f)))
}

// rangeValue returns what reads a range of a countable unit, up to maxAmount.
func (r *reader) rangeValue(to **Range, unit string) func(*etree.Element) {
	return r.limited(to, unit, maxAmount)
}

// rate returns what reads a range of hertz or bits a second, up to maxRate.
func (r *reader) rate(to **Range, unit string) func(*etree.Element) {
	return r.limited(to, unit, maxRate)
}

// limited returns what reads a range of 1 to most; errors name the unit.
func (r *reader) limited(to **Range, unit string, most int64) func(*etree.Element) {
	return func(e *etree.Element) {
		v := new(Range)
		r.Sequence(e, []document.Field{
			document.Optional(j("UpperBoundedRange"), func(e *etree.Element) {
				v.Upper = new(Boundary)
				r.boundary(v.Upper)(e)
			}),
			document.Optional(j("LowerBoundedRange"), func(e *etree.Element) {
				v.Lower = new(Boundary)
				r.boundary(v.Lower)(e)
			}),
			document.Many(0, j("Exact"), func(e *etree.Element) { r.exact(e, v) }).
				Most(maxParts),
			document.Many(0, j("Range"), func(e *etree.Element) { r.interval(e, v) }).
				Most(maxParts),
		})
		r.checkAmount(e, v, unit, most)
		*to = v
	}
}

// checkAmount refuses what is no amount: nothing, less than one, or absurd.
func (r *reader) checkAmount(e *etree.Element, v *Range, unit string, most int64) {
	if r.Failed() {
		return
	}
	amount, ok := v.Amount()
	at := e
	for kid := range xmlstrict.Children(e) {
		at = kid
		break
	}
	switch {
	case !ok:
		r.Fail(e, "an element Exact with a number of "+unit, "", "%s has no amount", e.Tag)
	case amount < 1:
		r.Fail(at, "at least 1 "+unit, "", "%s is less than one", e.Tag)
	case amount > most:
		r.Fail(at, fmt.Sprintf("at most %d %s", most, unit), "", "%s is absurdly large", e.Tag)
	}
}

func (r *reader) exact(e *etree.Element, v *Range) {
	var x Exact
	r.Double(&x.Value, "epsilon")(e)
	if text, ok := xmlstrict.Attr(e, xmlstrict.Name{Local: "epsilon"}); ok && !r.Failed() {
		f, err := document.ParseDouble(xmlstrict.Trim(text))
		if err != nil {
			r.Fail(e, "a number", "", "epsilon is %.40q", text)
		}
		x.Epsilon = f
	}
	v.Exact = append(v.Exact, x)
}

func (r *reader) interval(e *etree.Element, v *Range) {
	var i Interval
	r.Sequence(e, []document.Field{
		document.One(j("LowerBound"), r.boundary(&i.Lower)),
		document.One(j("UpperBound"), r.boundary(&i.Upper)),
	})
	if !r.Failed() && i.Upper.most() < i.Lower.least() {
		r.Fail(e, "an upper bound above the lower one", "", "nothing is in the range")
	}
	v.Intervals = append(v.Intervals, i)
}

func (r *reader) boundary(b *Boundary) func(*etree.Element) {
	return func(e *etree.Element) {
		r.Double(&b.Value, "exclusiveBound")(e)
		text, given := xmlstrict.Attr(e, xmlstrict.Name{Local: "exclusiveBound"})
		if text = xmlstrict.Trim(text); given && !xmlstrict.IsBool(text) {
			r.Fail(e, "true or false", "", "exclusiveBound is %.40q", text)
		}
		b.Exclusive = text == "true" || text == "1"
	}
}

// write writes the range under a name, nothing when it is nil.
func (r *Range) write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	if r == nil {
		return
	}
	enc.Start(name)
	if r.Upper != nil {
		r.Upper.write(enc, j("UpperBoundedRange"))
	}
	if r.Lower != nil {
		r.Lower.write(enc, j("LowerBoundedRange"))
	}
	for _, x := range r.Exact {
		enc.Start(j("Exact"))
		if x.Epsilon != 0 {
			enc.Attr(xmlstrict.Name{Local: "epsilon"}, document.FormatDouble(x.Epsilon))
		}
		enc.Text(document.FormatDouble(x.Value))
		enc.End()
	}
	for _, i := range r.Intervals {
		enc.Start(j("Range"))
		i.Lower.write(enc, j("LowerBound"))
		i.Upper.write(enc, j("UpperBound"))
		enc.End()
	}
	enc.End()
}

func (b Boundary) write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	if b.Exclusive {
		enc.Attr(xmlstrict.Name{Local: "exclusiveBound"}, "true")
	}
	enc.Text(document.FormatDouble(b.Value))
	enc.End()
}
