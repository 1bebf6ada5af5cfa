package wsrf

import (
	"time"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// ParseGetResourceProperty is Draft's.
func ParseGetResourceProperty(doc *xmlstrict.Document, body *element) (xmlstrict.Name, error) {
	return Draft.ParseGetResourceProperty(doc, body)
}

// WriteGetResourceProperty is Draft's.
func WriteGetResourceProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	Draft.WriteGetResourceProperty(enc, name)
}

// ParseGetMultipleResourceProperties is Draft's.
func ParseGetMultipleResourceProperties(
	doc *xmlstrict.Document, body *element,
) ([]xmlstrict.Name, error) {
	return Draft.ParseGetMultipleResourceProperties(doc, body)
}

// WriteGetMultipleResourceProperties is Draft's.
func WriteGetMultipleResourceProperties(enc *xmlstrict.Encoder, properties ...xmlstrict.Name) {
	Draft.WriteGetMultipleResourceProperties(enc, properties...)
}

// ParseQuery is Draft's.
func ParseQuery(doc *xmlstrict.Document, body *element) (Query, error) {
	return Draft.ParseQuery(doc, body)
}

// WriteQuery is Draft's.
func WriteQuery(enc *xmlstrict.Encoder, expression string, spaces map[string]string) {
	Draft.WriteQuery(enc, expression, spaces)
}

// WriteDestroy is Draft's.
func WriteDestroy(enc *xmlstrict.Encoder) { Draft.WriteDestroy(enc) }

// WriteDestroyResponse is Draft's.
func WriteDestroyResponse(enc *xmlstrict.Encoder) { Draft.WriteDestroyResponse(enc) }

// ParseSetTerminationTime is Draft's; zero means never.
func ParseSetTerminationTime(doc *xmlstrict.Document, body *element) (time.Time, error) {
	end, err := Draft.ParseSetTerminationTime(doc, body)
	return end.At, err
}

// WriteSetTerminationTime is Draft's; zero means never.
func WriteSetTerminationTime(enc *xmlstrict.Encoder, at time.Time) {
	Draft.WriteSetTerminationTime(enc, EndAt(at))
}

// ParseSetTerminationTimeResponse is Draft's.
func ParseSetTerminationTimeResponse(
	doc *xmlstrict.Document, body *element,
) (NewTermination, error) {
	return Draft.ParseSetTerminationTimeResponse(doc, body)
}

// ParseBaseFault reads a fault of either edition: the one whose parts it has.
func ParseBaseFault(doc *xmlstrict.Document, at *element) (BaseFault, error) {
	if xmlstrict.Child(at, names[Final].faultTimestamp) != nil {
		return Final.ParseBaseFault(doc, at)
	}
	return Draft.ParseBaseFault(doc, at)
}
