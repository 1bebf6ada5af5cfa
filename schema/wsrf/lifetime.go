package wsrf

import (
	"time"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// WriteDestroy writes the request to destroy the addressed resource.
func (e Edition) WriteDestroy(enc *xmlstrict.Encoder) { enc.Element(names[e].Destroy, "") }

// WriteDestroyResponse writes the answer.
func (e Edition) WriteDestroyResponse(enc *xmlstrict.Encoder) {
	enc.Element(names[e].DestroyResponse, "")
}

// ParseSetTerminationTime reads the end that is asked for: a time, never
// (xsi:nil) or, in the final edition, a duration from now. It fails with a
// *xmlstrict.ContentError.
func (e Edition) ParseSetTerminationTime(doc *xmlstrict.Document, body *element) (End, error) {
	n := names[e]
	parts := []xmlstrict.Part{{Name: n.requestedTime}}
	if e == Final {
		parts = append(parts, xmlstrict.Part{Name: n.requestedDuration})
	}
	if err := doc.Fits(body, xmlstrict.Shape{Parts: parts}); err != nil {
		return End{}, err
	}
	at := xmlstrict.Child(body, n.requestedTime)
	lasting := xmlstrict.Child(body, n.requestedDuration)
	switch {
	case at != nil && lasting != nil:
		return End{}, doc.Errorf(lasting, "one of RequestedTerminationTime and "+
			"RequestedLifetimeDuration", "%s does not belong here", lasting.Tag)
	case lasting != nil:
		return parseSpan(doc, lasting)
	case at == nil:
		return End{}, doc.Errorf(body, n.requestedTime.Local, "no time is asked for")
	}
	t, err := TimeOrNil(doc, at)
	return EndAt(t), err
}

// WriteSetTerminationTime writes the request to end the resource. The drafts
// know no durations.
func (e Edition) WriteSetTerminationTime(enc *xmlstrict.Encoder, end End) {
	enc.Start(names[e].SetTerminationTime)
	if end.Kind == Lasting {
		enc.Element(names[e].requestedDuration, end.span())
	} else {
		writeTime(enc, names[e].requestedTime, end.At)
	}
	enc.End()
}

// TimeOrNil reads an element that is a nillable dateTime; zero stands for nil,
// and cannot be written otherwise: a moment long past must not mean never.
// It fails with a *xmlstrict.ContentError.
func TimeOrNil(doc *xmlstrict.Document, e *element) (time.Time, error) {
	nillable := xmlstrict.Shape{Content: xmlstrict.Words, Nillable: true}
	if err := doc.Fits(e, nillable); err != nil || xmlstrict.IsNil(e) {
		return time.Time{}, err
	}
	t, err := ParseTime(xmlstrict.Text(e))
	if err == nil && t.IsZero() {
		err = badTime(xmlstrict.Text(e))
	}
	if err != nil {
		return t, doc.Errorf(e, "", "%w", err)
	}
	return t, nil
}

// WriteTimeOrNil writes a nillable dateTime; zero stands for nil.
func WriteTimeOrNil(enc *xmlstrict.Encoder, name xmlstrict.Name, at time.Time) {
	writeTime(enc, name, at)
}

// writeTime writes a nillable dateTime; zero stands for nil.
func writeTime(enc *xmlstrict.Encoder, name xmlstrict.Name, at time.Time) {
	if at.IsZero() {
		enc.Nil(name)
		return
	}
	enc.Element(name, FormatTime(at))
}

// NewTermination is what a SetTerminationTimeResponse says.
type NewTermination struct {
	At  time.Time // when the resource now ends; zero means never
	Now time.Time // the server's clock
}

// Write writes the response of the drafts.
func (n NewTermination) Write(enc *xmlstrict.Encoder) { n.WriteIn(enc, Draft) }

// WriteIn writes the response of an edition.
func (n NewTermination) WriteIn(enc *xmlstrict.Encoder, e Edition) {
	enc.Start(names[e].SetTerminationTimeResponse)
	writeTime(enc, names[e].newTime, n.At)
	enc.Element(names[e].CurrentTime, FormatTime(n.Now))
	enc.End()
}

// ParseSetTerminationTimeResponse reads the response. It fails with a
// *xmlstrict.ContentError.
func (e Edition) ParseSetTerminationTimeResponse(
	doc *xmlstrict.Document, body *element,
) (NewTermination, error) {
	var n NewTermination
	if err := expect(doc, body, names[e].SetTerminationTimeResponse); err != nil {
		return n, err
	}
	answer := xmlstrict.Shape{
		Parts: []xmlstrict.Part{{Name: names[e].newTime}, {Name: names[e].CurrentTime}},
	}
	if err := doc.Fits(body, answer); err != nil {
		return n, err
	}
	at := xmlstrict.Child(body, names[e].newTime)
	now := xmlstrict.Child(body, names[e].CurrentTime)
	if at == nil || now == nil {
		return n, doc.Errorf(body, "NewTerminationTime and CurrentTime",
			"the answer is incomplete")
	}
	var err error
	if n.At, err = TimeOrNil(doc, at); err != nil {
		return n, err
	}
	if n.Now, err = TimeOrNil(doc, now); err == nil && n.Now.IsZero() {
		err = doc.Errorf(now, "a dateTime", "the current time is nil")
	}
	return n, err
}
