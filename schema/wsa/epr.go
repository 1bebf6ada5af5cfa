package wsa

import (
	"github.com/beevik/etree"

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

// ParseEPR reads an element of the type EndpointReferenceType of either
// version. It fails with a *xmlstrict.ContentError; doc may be nil. Properties,
// metadata and extensions stay part of the document's tree.
func ParseEPR(doc *xmlstrict.Document, e *etree.Element) (EPR, error) {
	var r EPR
	if e == nil {
		return r, doc.Errorf(e, "an endpoint reference", "the endpoint reference is missing")
	}
	for part := range xmlstrict.Children(e) {
		name := xmlstrict.NameOf(part)
		switch {
		case name.Space != Space200403 && name.Space != Space200508:
			r.Extensions = append(r.Extensions, part)
		case name.Local == "Address" && r.Address != "":
			return r, doc.Errorf(part, "one Address", "a second Address")
		case name.Local == "Address":
			r.Address = xmlstrict.Text(part)
		default:
			r.keep(part)
		}
	}
	if r.Address == "" {
		return r, doc.Errorf(e, "an Address with a URI", "the endpoint reference has no address")
	}
	return r, nil
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
