package report

import (
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Departure is what becomes of one workspace on a host that is to be empty.
type Departure struct {
	Workspace string // its key
	Fate      string // "moves", "waits" or "stays"
	Host      string // to which it moves
	Text      string // why it does not
}

// fates are what may become of it.
var fates = []string{"moves", "waits", "stays"}

// The parts of departures.
var (
	departure = p("Departure")
	fate      = p("Fate")
)

// WriteDepartures writes an EvacuateResponse element.
func WriteDepartures(enc *xmlstrict.Encoder, all []Departure) {
	enc.Start(EvacuateResponse)
	for _, d := range all {
		enc.Start(departure)
		enc.Element(givenUp, d.Workspace)
		enc.Element(fate, d.Fate)
		writeText(enc, toHost, d.Host)
		writeText(enc, says, d.Text)
		enc.End()
	}
	enc.End()
}

// DecodeDepartures reads an EvacuateResponse element.
func DecodeDepartures(doc *xmlstrict.Document, e *etree.Element) ([]Departure, error) {
	all, err := decode(doc, e, func(r *reader, e *etree.Element, v *[]Departure) {
		r.Sequence(e, []document.Field{document.Many(0, departure, func(e *etree.Element) {
			var d Departure
			r.Sequence(e, []document.Field{
				document.One(givenUp, r.Word(&d.Workspace)),
				document.One(fate, r.OneOf(&d.Fate, "fate", fates...)),
				document.Optional(toHost, r.Word(&d.Host)),
				document.Optional(says, r.Text(&d.Text)),
			})
			*v = append(*v, d)
		})})
	}, EvacuateResponse)
	if err != nil {
		return nil, err
	}
	return *all, nil
}
