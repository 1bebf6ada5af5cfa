package soap

import (
	"encoding/xml"
	"fmt"
	"time"
)

// XSDDateTime is an instant as xs:dateTime has it (XML Schema 2, section 3.2.7).
// The zero time stands for none: it is not written, and nil elements have it.
type XSDDateTime struct{ time.Time }

// zoneless is the form without a time zone, which is read as UTC.
const zoneless = "2006-01-02T15:04:05.999999999"

// UnmarshalText reads an instant.
func (t *XSDDateTime) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		t.Time = time.Time{}
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		at, err = time.Parse(zoneless, string(text))
	}
	if err != nil {
		return fmt.Errorf("%q is not a date and time", text)
	}
	t.Time = at
	return nil
}

// MarshalText writes an instant in UTC.
func (t XSDDateTime) MarshalText() ([]byte, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.UTC().AppendFormat(nil, time.RFC3339Nano), nil
}

// MarshalXML writes an element with the instant, or none for the zero time.
func (t XSDDateTime) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if t.IsZero() {
		return nil
	}
	return e.EncodeElement(t.UTC().Format(time.RFC3339Nano), start)
}
