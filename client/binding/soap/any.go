package soap

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"

	"github.com/philoxenia/philoxenia/schema"
)

// Any is an element that a schema's wildcard admits. Names keep their
// namespaces; prefixes that stand in text are only kept where they are declared
// within the element. The zero value writes nothing.
type Any struct{ tokens []xml.Token }

// Element makes an element of a value as package encoding/xml writes it.
func Element(v any) (Any, error) {
	text, err := xml.Marshal(v)
	if err != nil {
		return Any{}, err
	}
	var a Any
	err = xml.NewDecoder(bytes.NewReader(text)).Decode(&a)
	return a, err
}

// Name returns the name of the element.
func (a Any) Name() xml.Name {
	if len(a.tokens) == 0 {
		return xml.Name{}
	}
	return a.tokens[0].(xml.StartElement).Name
}

// Decode reads the element into a value as package encoding/xml does.
func (a Any) Decode(v any) error {
	return xml.NewTokenDecoder(&replay{a.tokens}).Decode(v)
}

// UnmarshalXML keeps an element with all that is in it.
func (a *Any) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	a.tokens = []xml.Token{start.Copy()}
	for depth := 1; depth > 0; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.Comment:
			continue
		}
		a.tokens = append(a.tokens, xml.CopyToken(token))
	}
	return nil
}

// MarshalXML writes the element under its own name.
func (a Any) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	for _, token := range a.tokens {
		if start, ok := token.(xml.StartElement); ok {
			start.Attr = slices.DeleteFunc(slices.Clone(start.Attr), declares)
			token = start
		}
		if err := e.EncodeToken(token); err != nil {
			return err
		}
	}
	return nil
}

// declares reports whether an attribute is a namespace declaration: the encoder
// writes its own.
func declares(a xml.Attr) bool {
	return a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns"
}

// Parameter returns the element as a header block that repeats a reference
// parameter (WS-Addressing 1.0, SOAP Binding, section 3.3).
func (a Any) Parameter() Any {
	if len(a.tokens) == 0 {
		return a
	}
	start := a.tokens[0].(xml.StartElement).Copy()
	start.Attr = append(start.Attr, xml.Attr{
		Name:  xml.Name{Space: schema.Addressing2005, Local: "IsReferenceParameter"},
		Value: "true",
	})
	return Any{append([]xml.Token{start}, a.tokens[1:]...)}
}

// replay gives kept tokens to a decoder.
type replay struct{ tokens []xml.Token }

// Token returns the next one.
func (r *replay) Token() (xml.Token, error) {
	if len(r.tokens) == 0 {
		return nil, io.EOF
	}
	token := r.tokens[0]
	r.tokens = r.tokens[1:]
	return token, nil
}
