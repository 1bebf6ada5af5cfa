package wsa

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// EPR is an endpoint reference: where a resource's service is, and the
// properties (2004/03) or parameters (2005/08) that name the resource there.
type EPR struct {
	Address    string
	Properties []*etree.Element // each travels as a header block of its own

	// Metadata are the children of the Metadata (2005/08), Extensions elements
	// of other namespaces beside the standard's own (core, 2.1). Both are kept
	// as they came and written back.
	Metadata, Extensions []*etree.Element
	// More writes further extension elements; may be nil.
	More func(*xmlstrict.Encoder)
}

// NewEPR returns the reference to the resource with that key.
func NewEPR(address string, key xmlstrict.Name, value string) EPR {
	e := &etree.Element{Tag: key.Local}
	if key.Space != "" {
		e.Space = "k"
		e.CreateAttr("xmlns:k", key.Space)
	}
	e.CreateText(value)
	return EPR{Address: address, Properties: []*etree.Element{e}}
}

// Key returns the value of the property of that name.
func (r EPR) Key(name xmlstrict.Name) (string, bool) {
	for _, p := range r.Properties {
		if xmlstrict.Is(p, name) {
			return xmlstrict.Text(p), true
		}
	}
	return "", false
}

// CheckProperties fails with a *xmlstrict.ContentError when one of the properties
// would pass for a header block that says something of the message itself: its
// addressing, the envelope, or security. Properties come from strangers, and in
// 2004/03 nothing marks them in the messages they travel in (WS-Addressing 1.0,
// SOAP binding, section 7, has the warning). Doc may be nil.
func (r EPR) CheckProperties(doc *xmlstrict.Document) error {
	for _, p := range r.Properties {
		if space := xmlstrict.NameOf(p).Space; speaks(space) {
			return doc.Errorf(p, "properties of other namespaces",
				"%s of %s would pass for a header of ours", xmlstrict.Clip(p.Tag),
				xmlstrict.Clip(space))
		}
	}
	return nil
}

// speaks tells whether header blocks of a namespace speak of messages.
func speaks(space string) bool {
	switch space {
	case Space200403, Space200508, soap.Space11, soap.Space12:
		return true
	}
	early := strings.HasPrefix(space, "http://schemas.xmlsoap.org/ws/")
	return strings.HasPrefix(space, "http://docs.oasis-open.org/wss/") ||
		early && (strings.HasSuffix(space, "/addressing") || strings.HasSuffix(space, "/secext") ||
			strings.HasSuffix(space, "/utility"))
}

// references are the shapes of endpoint references and of their wrappers, by
// version (WS-Addressing 2004/03, 2.1; 1.0 core, 2.2).
var references = [...]struct{ epr, wrapper xmlstrict.Shape }{
	V200403: {epr: referenceShape(V200403, "Address", "ReferenceProperties", "ReferenceParameters",
		"PortType", "ServiceName"), wrapper: xmlstrict.Shape{Parts: anything}},
	V200508: {epr: referenceShape(V200508, "Address", "ReferenceParameters", "Metadata"),
		wrapper: xmlstrict.Shape{Parts: anything, Foreign: Space200508}},
}

// anything is any element, how often it may be.
var anything = []xmlstrict.Part{{Many: true}}

// referenceShape returns the shape of a reference with those parts and extensions.
func referenceShape(v Version, parts ...string) xmlstrict.Shape {
	s := xmlstrict.Shape{Foreign: v.Space()}
	for _, local := range parts {
		s.Parts = append(s.Parts, xmlstrict.Part{Name: v.name(local)})
	}
	s.Parts = append(s.Parts, xmlstrict.Part{Name: v.name(""), Many: true})
	return s
}

// ParseEPR reads an element of the type EndpointReferenceType of either
// version. It fails with a *xmlstrict.ContentError, and then tells the address
// at most; doc may be nil. Properties, metadata and extensions stay part of the
// document's tree.
func ParseEPR(doc *xmlstrict.Document, e *etree.Element) (EPR, error) {
	var r EPR
	if e == nil {
		return r, doc.Errorf(e, "an endpoint reference", "the endpoint reference is missing")
	}
	v := V200403
	if xmlstrict.Child(e, V200508.name("Address")) != nil {
		v = V200508
	}
	r.Address = xmlstrict.Text(xmlstrict.Child(e, v.name("Address")))
	if err := doc.Fits(e, references[v].epr); err != nil {
		return r, err
	}
	for part := range xmlstrict.Children(e) {
		if err := r.read(doc, part, v); err != nil {
			return r, err
		}
	}
	if r.Address == "" {
		return r, doc.Errorf(e, "an Address with a URI", "the endpoint reference has no address")
	}
	return r, nil
}

// read reads one part.
func (r *EPR) read(doc *xmlstrict.Document, part *etree.Element, v Version) error {
	if xmlstrict.NameOf(part).Space != v.Space() {
		r.Extensions = append(r.Extensions, part)
		return nil
	}
	switch part.Tag {
	case "Address", "PortType", "ServiceName":
		return r.word(doc, part, v)
	}
	if err := doc.Fits(part, references[v].wrapper); err != nil {
		return err
	}
	r.keep(part)
	return nil
}

// word reads a part that is text: the address, and names of WSDL, which are of
// no use here.
func (r *EPR) word(doc *xmlstrict.Document, part *etree.Element, v Version) error {
	s := xmlstrict.Shape{Content: xmlstrict.Words, Foreign: v.Space()}
	if part.Tag == "ServiceName" {
		s.Attributes = []xmlstrict.Name{{Local: "PortName"}}
	}
	if err := doc.Fits(part, s); err != nil {
		return err
	}
	text := xmlstrict.Text(part)
	if part.Tag != "Address" {
		port, given := xmlstrict.Attr(part, xmlstrict.Name{Local: "PortName"})
		if given && !xmlstrict.IsNCName(xmlstrict.Trim(port)) {
			return doc.Errorf(part, "a name", "PortName is %q", xmlstrict.Clip(port))
		}
		if _, err := xmlstrict.ResolveQName(part, text); err != nil {
			return doc.Errorf(part, "a qualified name", "%w", err)
		}
		return nil
	}
	if !xmlstrict.IsURI(text) {
		return doc.Errorf(part, "a URI", "%q is not a URI", xmlstrict.Clip(text))
	}
	return nil
}

// keep keeps the children of the standard's wrappers.
func (r *EPR) keep(part *etree.Element) {
	switch part.Tag {
	case "ReferenceProperties", "ReferenceParameters":
		for p := range xmlstrict.Children(part) {
			r.Properties = append(r.Properties, p)
		}
	case "Metadata":
		for m := range xmlstrict.Children(part) {
			r.Metadata = append(r.Metadata, m)
		}
	}
}

// Write writes the reference as an element of that name: in 2004/03 with
// ReferenceProperties and an empty ReferenceParameters, in 2005/08 with
// ReferenceParameters and Metadata.
func (r EPR) Write(enc *xmlstrict.Encoder, name xmlstrict.Name, v Version) {
	enc.Start(name)
	enc.Declare(v.Space())
	r.target(enc, v)
	if v == V200403 {
		enc.Element(v.name("ReferenceParameters"), "")
	}
	r.extras(enc, v)
	enc.End()
}

// target writes the address and the properties.
func (r EPR) target(enc *xmlstrict.Encoder, v Version) {
	enc.Element(v.name("Address"), r.Address)
	if v == V200403 {
		wrap(enc, v.name("ReferenceProperties"), r.Properties)
	} else {
		wrap(enc, v.name("ReferenceParameters"), r.Properties)
	}
}

// extras writes what stands behind the properties.
func (r EPR) extras(enc *xmlstrict.Encoder, v Version) {
	if v == V200508 {
		wrap(enc, v.name("Metadata"), r.Metadata)
	}
	for _, e := range r.Extensions {
		enc.Tree(e)
	}
	if r.More != nil {
		r.More(enc)
	}
}

// wrap writes an element around others, if there are any.
func wrap(enc *xmlstrict.Encoder, wrapper xmlstrict.Name, all []*etree.Element) {
	if len(all) == 0 {
		return
	}
	enc.Start(wrapper)
	for _, e := range all {
		enc.Tree(e)
	}
	enc.End()
}
