package wsrf

import (
	"time"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// BaseFault is a fault of a type that extends BaseFaultType (WS-BaseFaults 1.2
// draft 1, 2.1).
type BaseFault struct {
	Name        xmlstrict.Name // the element; FaultCause for a nested one
	Timestamp   time.Time      // UTC
	Originator  *wsa.EPR       // the resource that raised it; may be nil
	ErrorCode   string         // may be empty
	Dialect     string         // of the error code, a URI
	Description []string       // for people
	Cause       []BaseFault
}

// KindDialect is the dialect of our error codes: the kind of the error in words
// ("no resource", "denied"), for programs. Faults that share a name in the
// contract differ in it.
const KindDialect = "urn:philoxenia:fault-kind"

// FaultCause is the element of a fault's cause.
var FaultCause = baseFault("FaultCause")

var (
	faultTimestamp   = baseFault("Timestamp")
	faultOriginator  = baseFault("Originator")
	faultErrorCode   = baseFault("ErrorCode")
	faultDescription = baseFault("Description")
	faultDialect     = xmlstrict.Name{Local: "dialect"}
)

// Write writes the fault as an entry of a SOAP fault's detail.
func (f BaseFault) Write(enc *xmlstrict.Encoder) {
	enc.Start(f.Name)
	enc.Declare(BaseFaultsSpace)
	enc.Element(faultTimestamp, FormatTime(f.Timestamp))
	if f.Originator != nil {
		f.Originator.Write(enc, faultOriginator, wsa.V200403)
	}
	if f.ErrorCode != "" {
		enc.Start(faultErrorCode)
		enc.Attr(faultDialect, f.Dialect)
		enc.Text(f.ErrorCode)
		enc.End()
	}
	for _, text := range f.Description {
		enc.Element(faultDescription, text)
	}
	for _, cause := range f.Cause {
		if cause.Name == (xmlstrict.Name{}) {
			cause.Name = FaultCause
		}
		cause.Write(enc)
	}
	enc.End()
}

// SOAP returns the SOAP fault that carries f the way the original does: code
// Server.generalException and no text of its own.
func (f BaseFault) SOAP() *soap.Fault {
	return &soap.Fault{Code: soap.CodeTyped, Detail: f.Write}
}

// ParseBaseFault reads a fault element. Parts may stand in any order, since
// peers differ; unknown ones are passed over. It fails with a
// *xmlstrict.ContentError on a malformed time or originator.
func ParseBaseFault(doc *xmlstrict.Document, e *element) (BaseFault, error) {
	f := BaseFault{Name: xmlstrict.NameOf(e)}
	for part := range xmlstrict.Children(e) {
		if xmlstrict.NameOf(part).Space != BaseFaultsSpace {
			continue
		}
		if err := f.parse(doc, part); err != nil {
			return f, err
		}
	}
	return f, nil
}

// parse reads one part.
func (f *BaseFault) parse(doc *xmlstrict.Document, part *element) error {
	var err error
	switch part.Tag {
	case faultTimestamp.Local:
		f.Timestamp, err = TimeOrNil(doc, part)
	case faultOriginator.Local:
		var r wsa.EPR
		if r, err = wsa.ParseEPR(doc, part); err == nil {
			f.Originator = &r
		}
	case faultErrorCode.Local:
		f.ErrorCode = xmlstrict.Text(part)
		f.Dialect, _ = xmlstrict.Attr(part, faultDialect)
	case faultDescription.Local:
		f.Description = append(f.Description, xmlstrict.Text(part))
	case FaultCause.Local:
		var cause BaseFault
		if cause, err = ParseBaseFault(doc, part); err == nil {
			f.Cause = append(f.Cause, cause)
		}
	}
	return err
}

// Typed returns the typed fault in the detail of a SOAP fault that was parsed:
// the first entry that carries a WS-BaseFaults timestamp and can be read.
func Typed(fault *soap.Fault) (BaseFault, bool) {
	for _, entry := range fault.Entries {
		if xmlstrict.Child(entry, faultTimestamp) == nil {
			continue
		}
		if f, err := ParseBaseFault(fault.Doc, entry); err == nil {
			return f, true
		}
	}
	return BaseFault{}, false
}
