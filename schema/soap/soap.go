package soap

import (
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Version is the version of an envelope.
type Version uint8

// The versions of SOAP.
const (
	V11 Version = iota // SOAP 1.1, W3C note of 2000
	V12                // SOAP 1.2, W3C recommendation of 2003 and 2007
)

// The envelope namespaces.
const (
	Space11 = "http://schemas.xmlsoap.org/soap/envelope/"
	Space12 = "http://www.w3.org/2003/05/soap-envelope"
)

// Space returns the namespace of the version's envelope.
func (v Version) Space() string {
	if v == V12 {
		return Space12
	}
	return Space11
}

// ContentType returns the media type of the version's messages, with charset.
func (v Version) ContentType() string {
	if v == V12 {
		return "application/soap+xml; charset=utf-8"
	}
	return "text/xml; charset=utf-8"
}

// String returns "SOAP 1.1" or "SOAP 1.2".
func (v Version) String() string {
	if v == V12 {
		return "SOAP 1.2"
	}
	return "SOAP 1.1"
}

// name returns a name of the version's envelope namespace.
func (v Version) name(local string) xmlstrict.Name {
	return xmlstrict.Name{Space: v.Space(), Local: local}
}

// Message is a parsed envelope.
type Message struct {
	Version Version
	Doc     *xmlstrict.Document
	Headers []*etree.Element // header blocks in order, none when there is no Header
	Body    *etree.Element   // the element inside Body, nil when Body is empty
}

// Header returns the first header block of that name, or nil.
func (m *Message) Header(name xmlstrict.Name) *etree.Element {
	for _, h := range m.Headers {
		if xmlstrict.Is(h, name) {
			return h
		}
	}
	return nil
}

// Payload returns the body element, or an *Error about its absence: what a
// request and most replies must have.
func (m *Message) Payload() (*etree.Element, error) {
	if m.Body == nil {
		return nil, m.fail(EmptyBody, m.Doc.Root, "the Body is empty",
			"the element of the operation")
	}
	return m.Body, nil
}
