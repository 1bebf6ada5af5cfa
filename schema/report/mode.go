package report

import (
	"math"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// PropertyMode is the property of a host that operators may change.
var PropertyMode = p("Mode")

// Mode is what operators want of a host.
type Mode struct {
	Drained bool   // it takes no new leases
	Comment string // why, for people
	Windows []Window
}

// Window is a time in which a host gives no more than Left.
type Window struct {
	Begin, End time.Time
	Rule       string // recurrence rule (RFC 5545, section 3.3.10); empty: once
	Left       Capacity
	Comment    string
}

// Capacity is what leases may have of a host. Of a resource that the host does
// not count, zero says nothing.
type Capacity struct{ CPUs, MemoryMB, DiskMB, NetInKbps, NetOutKbps int }

// The parts of a mode.
var (
	drained = p("Drained")
	comment = p("Comment")
	window  = p("Window")
	rule    = p("Rule")
	left    = p("Left")
)

// capacityNames are the elements of a capacity, in the order of all.
var capacityNames = []xmlstrict.Name{
	PropertyCPUs, PropertyMemoryMB, p("DiskMB"), p("NetInKbps"), p("NetOutKbps"),
}

// all returns the fields in the order of their elements.
func (v *Capacity) all() [5]*int {
	return [...]*int{&v.CPUs, &v.MemoryMB, &v.DiskMB, &v.NetInKbps, &v.NetOutKbps}
}

// Write writes the mode as a PropertyMode element.
func (v *Mode) Write(enc *xmlstrict.Encoder) {
	enc.Start(PropertyMode)
	enc.Element(drained, strconv.FormatBool(v.Drained))
	writeText(enc, comment, v.Comment)
	for i := range v.Windows {
		v.Windows[i].write(enc)
	}
	enc.End()
}

func (v *Window) write(enc *xmlstrict.Encoder) {
	enc.Start(window)
	enc.Element(begins, wsrf.FormatTime(v.Begin))
	enc.Element(ends, wsrf.FormatTime(v.End))
	writeText(enc, rule, v.Rule)
	if v.Left != (Capacity{}) {
		v.Left.write(enc, left)
	}
	writeText(enc, comment, v.Comment)
	enc.End()
}

// write writes what is not zero of the capacity.
func (v *Capacity) write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	for i, amount := range v.all() {
		if *amount != 0 {
			enc.Element(capacityNames[i], strconv.Itoa(*amount))
		}
	}
	enc.End()
}

// capacity reads what there is of a capacity.
func (r *reader) capacity(v *Capacity) func(*etree.Element) {
	return func(e *etree.Element) {
		var fields []document.Field
		for i, amount := range v.all() {
			fields = append(fields,
				document.Optional(capacityNames[i], r.Int(amount, 0, math.MaxInt32)))
		}
		r.Sequence(e, fields)
	}
}

// maxWindows is how many windows a host may have at a time.
const maxWindows = 64

// DecodeMode reads a PropertyMode element.
func DecodeMode(doc *xmlstrict.Document, e *etree.Element) (*Mode, error) {
	return decode(doc, e, (*reader).mode, PropertyMode)
}

func (r *reader) mode(e *etree.Element, v *Mode) {
	r.Sequence(e, []document.Field{
		document.One(drained, r.Bool(&v.Drained)),
		document.Optional(comment, r.Word(&v.Comment)),
		document.Many(0, window, document.Each(r.window, &v.Windows)).Most(maxWindows),
	})
}

func (r *reader) window(e *etree.Element, v *Window) {
	r.Sequence(e, []document.Field{
		document.One(begins, r.Time(&v.Begin)),
		document.One(ends, r.Time(&v.End)),
		document.Optional(rule, r.Word(&v.Rule)),
		document.Optional(left, r.capacity(&v.Left)),
		document.Optional(comment, r.Word(&v.Comment)),
	})
	if !r.Failed() && !v.End.After(v.Begin) {
		r.Fail(xmlstrict.Child(e, ends), "a time after Begin", "",
			"the window ends before it begins")
	}
}
