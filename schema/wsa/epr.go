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
}

// NewEPR returns the reference to the resource with that key.
func NewEPR(address string, key xmlstrict.Name, value string) EPR {
	e := &etree.Element{Tag: key.Local}
	if key.Space != "" {
		e.Space = "k"
		e.CreateAttr("xmlns:k", key.Space)
	}
	e.CreateText(value)
	return EPR{address, []*etree.Element{e}}
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
// version. It fails with a *xmlstrict.ContentError; doc may be nil. The
// properties stay part of the document's tree.
func ParseEPR(doc *xmlstrict.Document, e *etree.Element) (EPR, error) {
	var r EPR
	if e == nil {
		return r, doc.Errorf(e, "an endpoint reference", "the endpoint reference is missing")
	}
	for part := range xmlstrict.Children(e) {
		name := xmlstrict.NameOf(part)
		if name.Space != Space200403 && name.Space != Space200508 {
			continue
		}
		switch name.Local {
		case "Address":
			if r.Address != "" {
				return r, doc.Errorf(part, "one Address", "a second Address")
			}
			r.Address = xmlstrict.Text(part)
		case "ReferenceProperties", "ReferenceParameters":
			for p := range xmlstrict.Children(part) {
				r.Properties = append(r.Properties, p)
			}
		}
	}
	if r.Address == "" {
		return r, doc.Errorf(e, "an Address with a URI", "the endpoint reference has no address")
	}
	return r, nil
}

// Write writes the reference as an element of that name: in 2004/03 with
// ReferenceProperties and an empty ReferenceParameters, in 2005/08 with
// ReferenceParameters.
func (r EPR) Write(enc *xmlstrict.Encoder, name xmlstrict.Name, v Version) {
	enc.Start(name)
	enc.Declare(v.Space())
	r.content(enc, v)
	if v == V200403 {
		enc.Element(v.name("ReferenceParameters"), "")
	}
	enc.End()
}

// content writes the address and the properties.
func (r EPR) content(enc *xmlstrict.Encoder, v Version) {
	enc.Element(v.name("Address"), r.Address)
	if len(r.Properties) == 0 {
		return
	}
	wrapper := "ReferenceProperties"
	if v == V200508 {
		wrapper = "ReferenceParameters"
	}
	enc.Start(v.name(wrapper))
	for _, p := range r.Properties {
		enc.Tree(p)
	}
	enc.End()
}
