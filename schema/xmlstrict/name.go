package xmlstrict

import (
	"fmt"
	"iter"
	"strings"

	"github.com/beevik/etree"
)

// The namespaces that XML itself and XML Schema own.
const (
	XMLSpace   = "http://www.w3.org/XML/1998/namespace"
	XMLNSSpace = "http://www.w3.org/2000/xmlns/"
	XSISpace   = "http://www.w3.org/2001/XMLSchema-instance"
	XSDSpace   = "http://www.w3.org/2001/XMLSchema"
)

// The attributes of XML Schema instances.
var (
	XSINil  = Name{XSISpace, "nil"}
	XSIType = Name{XSISpace, "type"}
)

// Name is an expanded name: a namespace URI, which may be empty, and a local
// name. Two names are the same when both parts are; prefixes play no part.
type Name struct {
	Space, Local string
}

// String returns the name as {namespace}local, or local alone.
func (n Name) String() string {
	if n.Space == "" {
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}

// In returns what makes the names of one namespace.
func In(space string) func(local string) Name {
	return func(local string) Name { return Name{space, local} }
}

// NameOf returns the element's expanded name; the zero Name for nil.
func NameOf(e *etree.Element) Name {
	if e == nil {
		return Name{}
	}
	if e.Space == "xml" {
		return Name{XMLSpace, e.Tag}
	}
	return Name{e.NamespaceURI(), e.Tag}
}

// AttrName returns the expanded name of an attribute of element e. An
// unprefixed attribute is in no namespace; declarations are in XMLNSSpace.
func AttrName(e *etree.Element, a *etree.Attr) Name {
	switch {
	case a.Space == "xmlns", a.Space == "" && a.Key == "xmlns":
		return Name{XMLNSSpace, a.Key}
	case a.Space == "":
		return Name{"", a.Key}
	case a.Space == "xml":
		return Name{XMLSpace, a.Key}
	}
	space, _ := lookup(e, a.Space)
	return Name{space, a.Key}
}

// Attr returns the value of the attribute with the given expanded name.
func Attr(e *etree.Element, name Name) (string, bool) {
	for i := range e.Attr {
		a := &e.Attr[i]
		if a.Key == name.Local && AttrName(e, a) == name {
			return a.Value, true
		}
	}
	return "", false
}

// IsNil tells whether the element carries xsi:nil with a true value (XML
// Schema part 1, 2.6.2).
func IsNil(e *etree.Element) bool {
	v, ok := Attr(e, XSINil)
	v = Trim(v)
	return ok && (v == "true" || v == "1")
}

// Is tells whether the element has the given expanded name.
func Is(e *etree.Element, name Name) bool {
	return e != nil && e.Tag == name.Local && NameOf(e) == name
}

// Children yields the child elements in document order.
func Children(e *etree.Element) iter.Seq[*etree.Element] {
	return func(yield func(*etree.Element) bool) {
		if e == nil {
			return
		}
		for _, t := range e.Child {
			if c, ok := t.(*etree.Element); ok && !yield(c) {
				return
			}
		}
	}
}

// Child returns the first child element with the given expanded name, or nil.
func Child(e *etree.Element, name Name) *etree.Element {
	for c := range Children(e) {
		if Is(c, name) {
			return c
		}
	}
	return nil
}

// Text returns the element's own text with white space trimmed at both ends,
// whether or not child elements stand between its parts.
func Text(e *etree.Element) string { return Trim(RawText(e)) }

// RawText returns the element's own text as it stands.
func RawText(e *etree.Element) string {
	if e == nil {
		return ""
	}
	text, joined := "", false
	var b strings.Builder
	for _, t := range e.Child {
		c, ok := t.(*etree.CharData)
		switch {
		case !ok:
		case text == "" && !joined:
			text = c.Data
		default:
			if !joined {
				b.WriteString(text)
				joined = true
			}
			b.WriteString(c.Data)
		}
	}
	if joined {
		return b.String()
	}
	return text
}

// Trim cuts XML white space (and no other) from both ends.
func Trim(s string) string { return strings.Trim(s, " \t\r\n") }

// ResolveQName reads text as an xs:QName in the scope of element at, its own
// declarations included. An unprefixed name is in the default namespace, as
// XML Schema part 2, 3.2.18 has it.
func ResolveQName(at *etree.Element, text string) (Name, error) {
	text = Trim(text)
	prefix, local, prefixed := strings.Cut(text, ":")
	if !prefixed {
		prefix, local = "", text
	}
	if !isNCName(local) || prefixed && !isNCName(prefix) {
		return Name{}, fmt.Errorf("%q is not a qualified name", Clip(text))
	}
	space, ok := lookup(at, prefix)
	if !ok && prefixed {
		return Name{}, fmt.Errorf("prefix %q of %q is not declared here", Clip(prefix), Clip(text))
	}
	return Name{space, local}, nil
}

// LookupPrefix returns the namespace that a prefix is bound to at element at;
// the empty prefix asks for the default namespace.
func LookupPrefix(at *etree.Element, prefix string) (string, bool) { return lookup(at, prefix) }

// lookup walks up from at to the nearest declaration of the prefix.
func lookup(at *etree.Element, prefix string) (string, bool) {
	if prefix == "xml" {
		return XMLSpace, true
	}
	space, key := "xmlns", prefix
	if prefix == "" {
		space, key = "", "xmlns"
	}
	for e := at; e != nil; e = e.Parent() {
		for i := range e.Attr {
			if a := &e.Attr[i]; a.Key == key && a.Space == space {
				return a.Value, true
			}
		}
	}
	return "", false
}
