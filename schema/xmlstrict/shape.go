package xmlstrict

import (
	"net/url"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// Content is what may stand between an element's tags.
type Content uint8

// The kinds of content.
const (
	Parts Content = iota // the parts of a shape, nothing else
	Words                // text alone
	Mixed                // anything
)

// Shape is what may be in an element. It says nothing of what must be: whoever
// reads the element knows what it is missing.
type Shape struct {
	Content    Content
	Parts      []Part
	Attributes []Name // beside those of XML itself and of XML Schema instances
	Foreign    string // attributes of namespaces other than this one are admitted; empty: none
	Loose      bool   // all attributes are admitted
	Nillable   bool   // it may be nil by xsi:nil, and is empty then
}

// Part is a child in its place among the parts of a shape.
type Part struct {
	Name Name // without a local name: any of another namespace; zero: any at all
	Many bool // it may be repeated
}

// instance are the attributes of XML Schema instances (XML Schema part 1, 2.6).
var instance = []string{"type", "nil", "schemaLocation", "noNamespaceSchemaLocation"}

// Fits checks that there is nothing in e that its shape does not have, and that
// its parts are in their order. It fails with a *ContentError at what does not
// belong there. The document may be nil.
func (d *Document) Fits(e *etree.Element, s Shape) error {
	if err := d.attributesFit(e, &s); err != nil {
		return err
	}
	if IsNil(e) {
		switch {
		case !s.Nillable:
			return d.Errorf(e, "", "%s is nil", e.Tag)
		case len(e.Child) > 0:
			return d.Errorf(e, "no content", "%s is nil and has content", e.Tag)
		}
		return nil
	}
	if s.Content == Parts && Text(e) != "" {
		return d.Errorf(e, s.expected(e), "there is text")
	}
	at := 0
	for kid := range Children(e) {
		switch {
		case s.Content == Words:
			return d.Errorf(kid, "text only", "element %s does not belong here", Clip(kid.Tag))
		case s.Content == Mixed:
			continue
		}
		next, err := d.place(kid, &s, at)
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

// place finds the part that a child is, from number at on, and returns which
// part may come behind it.
func (d *Document) place(kid *etree.Element, s *Shape, at int) (int, error) {
	for i, p := range s.Parts {
		switch {
		case !p.is(kid) || i < at && p.Name.Local == "":
			continue
		case i < at && i == at-1:
			return 0, d.Errorf(kid, "one "+kid.Tag, "a second %s", kid.Tag)
		case i < at:
			return 0, d.Errorf(kid, "it further ahead", "%s is out of order", kid.Tag)
		case p.Many:
			return i, nil
		}
		return i + 1, nil
	}
	return 0, d.Errorf(kid, s.expected(kid.Parent()), "element %s does not belong here",
		Clip(kid.Tag))
}

// expected says what may be in an element, as far as that is short.
func (s *Shape) expected(e *etree.Element) string {
	if len(s.Parts) == 0 {
		return "nothing inside " + e.Tag
	}
	return "elements that are known here"
}

// is tells whether an element is the part.
func (p Part) is(e *etree.Element) bool {
	if p.Name.Local != "" {
		return Is(e, p.Name)
	}
	space := NameOf(e).Space
	return p.Name.Space == "" || space != "" && space != p.Name.Space
}

// attributesFit checks the attributes.
func (d *Document) attributesFit(e *etree.Element, s *Shape) error {
	for i := range e.Attr {
		name := AttrName(e, &e.Attr[i])
		known := slices.Contains(s.Attributes, name)
		switch name.Space {
		case XMLNSSpace, XMLSpace:
			continue
		case XSISpace:
			known = slices.Contains(instance, name.Local)
			if v := Trim(e.Attr[i].Value); name == XSINil && !IsBool(v) {
				return d.Errorf(e, "true or false", "xsi:nil is %q", Clip(v))
			}
		case "":
			known = known || s.Loose
		default:
			known = known || s.Loose || s.Foreign != "" && name.Space != s.Foreign
		}
		if !known {
			return d.Errorf(e, "", "attribute %s does not belong here",
				Name{Clip(name.Space), Clip(name.Local)})
		}
	}
	return nil
}

// IsBool reports whether text is one of the words of xs:boolean (XML Schema
// part 2, 3.2.2).
func IsBool(text string) bool {
	return text == "true" || text == "false" || text == "1" || text == "0"
}

// IsURI reports whether text is a URI reference, absolute or not (XML Schema
// part 2, 3.2.17). The parser of Go leaves some characters where RFC 3986,
// section 2.2, does not.
func IsURI(text string) bool {
	u, err := url.Parse(text)
	return err == nil && !strings.ContainsAny(u.Path, "[]") && !strings.Contains(u.Fragment, "#")
}
