package wsrf

import (
	"time"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

var (
	requestedTerminationTime = lifetime("RequestedTerminationTime")
	newTerminationTime       = lifetime("NewTerminationTime")
)

// WriteDestroy writes the request to destroy the addressed resource.
func WriteDestroy(enc *xmlstrict.Encoder) { enc.Element(Destroy, "") }

// WriteDestroyResponse writes the answer.
func WriteDestroyResponse(enc *xmlstrict.Encoder) { enc.Element(DestroyResponse, "") }

// ParseSetTerminationTime reads the time that is asked for; zero means never
// (xsi:nil). It fails with a *xmlstrict.ContentError.
func ParseSetTerminationTime(doc *xmlstrict.Document, e *element) (time.Time, error) {
	at, err := doc.Only(e, requestedTerminationTime)
	if err != nil {
		return time.Time{}, err
	}
	if at == nil {
		return time.Time{}, doc.Errorf(e, "RequestedTerminationTime", "no time is asked for")
	}
	return TimeOrNil(doc, at)
}

// TimeOrNil reads an element that is a nillable dateTime; zero stands for nil.
// It fails with a *xmlstrict.ContentError.
func TimeOrNil(doc *xmlstrict.Document, e *element) (time.Time, error) {
	if xmlstrict.IsNil(e) {
		return time.Time{}, nil
	}
	t, err := ParseTime(xmlstrict.Text(e))
	if err != nil {
		return t, doc.Errorf(e, "", "%w", err)
	}
	return t, nil
}

// WriteSetTerminationTime writes the request to end the resource at a time;
// zero means never.
func WriteSetTerminationTime(enc *xmlstrict.Encoder, at time.Time) {
	enc.Start(SetTerminationTime)
	writeTime(enc, requestedTerminationTime, at)
	enc.End()
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

// Write writes the response.
func (n NewTermination) Write(enc *xmlstrict.Encoder) {
	enc.Start(SetTerminationTimeResponse)
	writeTime(enc, newTerminationTime, n.At)
	enc.Element(CurrentTime, FormatTime(n.Now))
	enc.End()
}

// ParseSetTerminationTimeResponse reads the response. It fails with a
// *xmlstrict.ContentError.
func ParseSetTerminationTimeResponse(doc *xmlstrict.Document, e *element) (NewTermination, error) {
	var n NewTermination
	if err := expect(doc, e, SetTerminationTimeResponse); err != nil {
		return n, err
	}
	at, now := xmlstrict.Child(e, newTerminationTime), xmlstrict.Child(e, CurrentTime)
	if at == nil || now == nil {
		return n, doc.Errorf(e, "NewTerminationTime and CurrentTime", "the answer is incomplete")
	}
	var err error
	if n.At, err = TimeOrNil(doc, at); err != nil {
		return n, err
	}
	n.Now, err = TimeOrNil(doc, now)
	return n, err
}
