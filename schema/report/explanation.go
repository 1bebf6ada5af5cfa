package report

import (
	"math"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Explanation is why a lease waits, or why a request was refused.
type Explanation struct {
	Code      string // the one reason that dominates; may be empty
	Text      string // the same in a sentence
	Shortages []Shortage
	Blocking  []int64   // numbers of leases in the way
	Earliest  time.Time // from when it would fit; zero: never
	Offers    []Offer   // changes that would be accepted, the smallest first
}

// Shortage is one resource that did not suffice.
type Shortage struct {
	Resource, Unit string
	Wanted, Free   int64
	Where          string // host or network that came closest
}

// Offer is a change of what was asked for that would be accepted. What it does
// not say stays as it was asked for.
type Offer struct {
	Change   string // "later", "fewer", "shorter", "smaller"
	Begin    time.Time
	Deadline time.Time
	Nodes    int
	Duration time.Duration
	Demand   deployment.Amounts
	Preempts []int64 // numbers of leases that would lose their hosts
}

// The parts of an explanation.
var (
	code       = p("Code")
	sentence   = p("Text")
	shortage   = p("Shortage")
	resource   = p("Resource")
	unit       = p("Unit")
	wanted     = p("Wanted")
	free       = p("Free")
	where      = p("Where")
	blocking   = p("Blocking")
	earliest   = p("Earliest")
	offer      = p("Offer")
	change     = p("Change")
	nodeNumber = p("Nodes")
	length     = p("Duration")
	demand     = p("Demand")
	preempts   = p("Preempts")
)

// Write writes the explanation as a PropertyExplanation element.
func (v *Explanation) Write(enc *xmlstrict.Encoder) {
	enc.Start(PropertyExplanation)
	writeText(enc, code, v.Code)
	enc.Element(sentence, v.Text)
	for i := range v.Shortages {
		v.Shortages[i].write(enc)
	}
	writeLongs(enc, blocking, v.Blocking)
	writeMoment(enc, earliest, v.Earliest)
	for i := range v.Offers {
		v.Offers[i].write(enc)
	}
	enc.End()
}

func (v *Shortage) write(enc *xmlstrict.Encoder) {
	enc.Start(shortage)
	enc.Element(resource, v.Resource)
	writeText(enc, unit, v.Unit)
	enc.Element(wanted, strconv.FormatInt(v.Wanted, 10))
	enc.Element(free, strconv.FormatInt(v.Free, 10))
	writeText(enc, where, v.Where)
	enc.End()
}

func (v *Offer) write(enc *xmlstrict.Encoder) {
	enc.Start(offer)
	enc.Element(change, v.Change)
	writeMoment(enc, begins, v.Begin)
	writeMoment(enc, deadline, v.Deadline)
	if v.Nodes > 0 {
		enc.Element(nodeNumber, strconv.Itoa(v.Nodes))
	}
	writeSpan(enc, length, v.Duration)
	v.Demand.Write(enc, demand)
	writeLongs(enc, preempts, v.Preempts)
	enc.End()
}

// writeText writes a text unless it is empty.
func writeText(enc *xmlstrict.Encoder, name xmlstrict.Name, text string) {
	if text != "" {
		enc.Element(name, text)
	}
}

func writeLongs(enc *xmlstrict.Encoder, name xmlstrict.Name, all []int64) {
	for _, v := range all {
		enc.Element(name, strconv.FormatInt(v, 10))
	}
}

// DecodeExplanation reads a PropertyExplanation element, as it stands among the
// properties of a workspace and in faults.
func DecodeExplanation(doc *xmlstrict.Document, e *etree.Element) (*Explanation, error) {
	return decode(doc, e, (*reader).explanation, PropertyExplanation)
}

func (r *reader) explanation(e *etree.Element, v *Explanation) {
	r.Sequence(e, []document.Field{
		document.Optional(code, r.Word(&v.Code)),
		document.One(sentence, r.Text(&v.Text)),
		document.Many(0, shortage, document.Each(r.shortage, &v.Shortages)),
		document.Many(0, blocking, r.longs(&v.Blocking)),
		document.Optional(earliest, r.Time(&v.Earliest)),
		document.Many(0, offer, document.Each(r.offer, &v.Offers)),
	})
}

func (r *reader) shortage(e *etree.Element, v *Shortage) {
	r.Sequence(e, []document.Field{
		document.One(resource, r.Word(&v.Resource)),
		document.Optional(unit, r.Word(&v.Unit)),
		document.One(wanted, r.long(&v.Wanted)),
		document.One(free, r.long(&v.Free)),
		document.Optional(where, r.Word(&v.Where)),
	})
}

func (r *reader) offer(e *etree.Element, v *Offer) {
	r.Sequence(e, []document.Field{
		document.One(change, r.Word(&v.Change)),
		document.Optional(begins, r.Time(&v.Begin)),
		document.Optional(deadline, r.Time(&v.Deadline)),
		document.Optional(nodeNumber, r.Int(&v.Nodes, math.MinInt32, math.MaxInt32)),
		document.Optional(length, r.Duration(&v.Duration, true)),
		document.Optional(demand, deployment.ReadAmounts(r.Reader, &v.Demand)),
		document.Many(0, preempts, r.longs(&v.Preempts)),
	})
}
