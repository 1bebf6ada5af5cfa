package wsrf

import (
	"time"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// BaseFault is a fault of a type that extends BaseFaultType (WS-BaseFaults 1.2,
// 2.1, of either edition).
type BaseFault struct {
	Edition     Edition
	Name        xmlstrict.Name // the element; a draft's nested one may have none
	Timestamp   time.Time      // UTC
	Originator  *wsa.EPR       // the resource that raised it; may be nil
	ErrorCode   string         // may be empty
	Dialect     string         // of the error code, a URI
	Description []string       // for people
	Lang        string         // language of the descriptions; not in the drafts, may be empty
	Cause       []BaseFault

	// More writes what the fault's own type adds to the base type; may be nil.
	More func(*xmlstrict.Encoder)
	// First writes elements of other namespaces before all parts of the base type,
	// which the final edition has room for; may be nil.
	First func(*xmlstrict.Encoder)
	// Details are the elements of other namespaces in a fault that was parsed:
	// what its type adds, and extensions.
	Details []*element
}

// KindDialect is the dialect of our error codes: the kind of the error in words
// ("no resource", "denied"), for programs. Faults that share a name in the
// contract differ in it.
const KindDialect = "urn:philoxenia:fault-kind"

var (
	faultDialect = xmlstrict.Name{Local: "dialect"}
	lang         = xmlstrict.Name{Space: xmlstrict.XMLSpace, Local: "lang"}
)

// Write writes the fault as an entry of a SOAP fault's detail.
func (f BaseFault) Write(enc *xmlstrict.Encoder) {
	n := names[f.Edition]
	enc.Start(f.Name)
	enc.Declare(n.BaseFault.Space)
	if f.First != nil && f.Edition == Final {
		f.First(enc)
	}
	enc.Element(n.faultTimestamp, FormatTime(f.Timestamp))
	if f.Originator != nil {
		f.Originator.Write(enc, n.faultOriginator, f.Edition.Addressing())
	}
	if f.ErrorCode != "" {
		enc.Start(n.faultErrorCode)
		enc.Attr(faultDialect, f.Dialect)
		enc.Text(f.ErrorCode)
		enc.End()
	}
	f.words(enc)
	if f.Edition == Final {
		f.cause(enc)
	} else {
		f.causes(enc)
	}
	if f.More != nil {
		f.More(enc)
	}
	enc.End()
}

// words writes the descriptions. A cause that the final edition has no element
// for lends its own.
func (f BaseFault) words(enc *xmlstrict.Encoder) {
	for _, text := range f.Description {
		enc.Start(names[f.Edition].faultDescription)
		if f.Edition == Final && f.Lang != "" {
			enc.Attr(lang, f.Lang)
		}
		enc.Text(text)
		enc.End()
	}
	for i, cause := range f.Cause {
		if f.Edition == Final && (i > 0 || !cause.standsAlone()) {
			cause.Edition, cause.Lang = f.Edition, f.Lang
			cause.words(enc)
		}
	}
}

// standsAlone tells whether the fault has an element of its own, outside the
// namespace of base faults.
func (f BaseFault) standsAlone() bool {
	return f.Name.Local != "" && f.Name.Space != "" &&
		f.Name.Space != names[Draft].BaseFault.Space && f.Name.Space != names[Final].BaseFault.Space
}

// cause writes the one cause of the final edition: FaultCause around any
// element of another namespace.
func (f BaseFault) cause(enc *xmlstrict.Encoder) {
	if len(f.Cause) == 0 || !f.Cause[0].standsAlone() {
		return
	}
	enc.Start(names[Final].FaultCause)
	cause := f.Cause[0]
	cause.Edition = Final
	cause.Write(enc)
	enc.End()
}

// causes writes the causes of the drafts: each a FaultCause that is itself of
// the base type.
func (f BaseFault) causes(enc *xmlstrict.Encoder) {
	for _, cause := range f.Cause {
		cause.Edition = Draft
		if cause.Name == (xmlstrict.Name{}) {
			cause.Name = names[Draft].FaultCause
		}
		cause.Write(enc)
	}
}

// SOAP returns the SOAP fault that carries f: for the drafts the way the
// original does, with the code Server.generalException and no text of its own;
// for the final edition with the code Server, and the descriptions as text.
func (f BaseFault) SOAP() *soap.Fault {
	if f.Edition == Draft {
		return &soap.Fault{Code: soap.CodeTyped, Detail: f.Write}
	}
	out := &soap.Fault{Code: soap.CodeServer, Detail: f.Write, String: f.Name.Local}
	if len(f.Description) > 0 {
		out.String = f.Description[0]
	}
	return out
}

// ParseBaseFault reads a fault element. Parts may stand in any order, since
// peers differ; unknown ones are kept as details. It fails with a
// *xmlstrict.ContentError on a malformed time or originator.
func (e Edition) ParseBaseFault(doc *xmlstrict.Document, at *element) (BaseFault, error) {
	f := BaseFault{Edition: e, Name: xmlstrict.NameOf(at)}
	for part := range xmlstrict.Children(at) {
		if err := f.parse(doc, part); err != nil {
			return f, err
		}
	}
	return f, nil
}

// ParseBaseFault reads a fault of either edition: the one whose parts it has.
func ParseBaseFault(doc *xmlstrict.Document, at *element) (BaseFault, error) {
	if xmlstrict.Child(at, names[Final].faultTimestamp) != nil {
		return Final.ParseBaseFault(doc, at)
	}
	return Draft.ParseBaseFault(doc, at)
}

// parse reads one part.
func (f *BaseFault) parse(doc *xmlstrict.Document, part *element) error {
	var err error
	n := names[f.Edition]
	switch xmlstrict.NameOf(part) {
	case n.faultTimestamp:
		if f.Timestamp, err = ParseTime(xmlstrict.Text(part)); err != nil {
			err = doc.Errorf(part, "", "%w", err)
		}
	case n.faultOriginator:
		var r wsa.EPR
		if r, err = wsa.ParseEPR(doc, part); err == nil {
			f.Originator = &r
		}
	case n.faultErrorCode:
		f.ErrorCode = xmlstrict.Text(part)
		f.Dialect, _ = xmlstrict.Attr(part, faultDialect)
	case n.faultDescription:
		f.Description = append(f.Description, xmlstrict.Text(part))
		f.Lang, _ = xmlstrict.Attr(part, lang)
	case n.FaultCause:
		err = f.parseCause(doc, part)
	default:
		f.Details = append(f.Details, part)
	}
	return err
}

// parseCause reads a FaultCause: in the drafts the cause itself, in the final
// edition what holds it.
func (f *BaseFault) parseCause(doc *xmlstrict.Document, part *element) error {
	at := part
	if f.Edition == Final {
		for child := range xmlstrict.Children(part) {
			at = child
			break
		}
	}
	cause, err := f.Edition.ParseBaseFault(doc, at)
	if err == nil {
		f.Cause = append(f.Cause, cause)
	}
	return err
}

// Typed returns the typed fault in the detail of a SOAP fault that was parsed:
// the first entry that carries a timestamp of WS-BaseFaults, of either
// edition, and can be read.
func Typed(fault *soap.Fault) (BaseFault, bool) {
	for _, entry := range fault.Entries {
		for _, e := range []Edition{Draft, Final} {
			if xmlstrict.Child(entry, names[e].faultTimestamp) == nil {
				continue
			}
			if f, err := e.ParseBaseFault(fault.Doc, entry); err == nil {
				return f, true
			}
		}
	}
	return BaseFault{}, false
}
