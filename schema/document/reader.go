package document

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// unbounded is the maximum of a field that may occur any number of times.
const unbounded = -1

// Field is one element of a sequence: how often it may stand there, and what
// reads it.
type Field struct {
	name     xmlstrict.Name
	min, max int
	read     func(*etree.Element)
	hint     string
}

// One is an element that stands there exactly once.
func One(name xmlstrict.Name, read func(*etree.Element)) Field {
	return Field{name: name, min: 1, max: 1, read: read}
}

// Optional is an element that stands there once or not at all.
func Optional(name xmlstrict.Name, read func(*etree.Element)) Field {
	return Field{name: name, max: 1, read: read}
}

// Many is an element that stands there at least so many times.
func Many(least int, name xmlstrict.Name, read func(*etree.Element)) Field {
	return Field{name: name, min: least, max: unbounded, read: read}
}

// Most returns the field with another maximum.
func (f Field) Most(n int) Field {
	f.max = n
	return f
}

// Hint returns the field with advice for who left it out or repeated it.
func (f Field) Hint(text string) Field {
	f.hint = text
	return f
}

// Reader reads one document. It keeps the first error; after it, every method
// does nothing, so that a decoder asks for Err once, at its end.
type Reader struct {
	doc  *xmlstrict.Document
	name string
	err  *xmlstrict.ContentError
}

// NewReader returns a reader for elements of doc. The name is what errors call
// the document, such as "deployment request".
func NewReader(doc *xmlstrict.Document, name string) *Reader {
	return &Reader{doc: doc, name: name}
}

// Err returns the first error, which is a *xmlstrict.ContentError, or nil.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// Failed reports whether an error was met.
func (r *Reader) Failed() bool { return r.err != nil }

// Document returns the document being read, which may be nil.
func (r *Reader) Document() *xmlstrict.Document { return r.doc }

// Decode reads a document of its own at e, which must bear one of the names.
// The error is a *xmlstrict.ContentError.
func Decode[T any](
	r *Reader, e *etree.Element, read func(*etree.Element, *T), names ...xmlstrict.Name,
) (*T, error) {
	v := new(T)
	if r.Root(e, names...); !r.Failed() {
		read(e, v)
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return v, nil
}

// Empty checks that the message at e, which errors call by that name, holds
// nothing but white space. The error is a *xmlstrict.ContentError.
func Empty(doc *xmlstrict.Document, e *etree.Element, name string) error {
	r := NewReader(doc, name)
	r.Sequence(e, nil)
	return r.Err()
}

// Adopt takes over an error from a codec that reads a part of the document.
// One that knows its place is kept as it is; another is placed at the element.
func (r *Reader) Adopt(at *etree.Element, err error) {
	if err == nil || r.err != nil {
		return
	}
	var placed *xmlstrict.ContentError
	if !errors.As(err, &placed) {
		r.Fail(at, "", "", "%w", err)
		return
	}
	whole := *placed
	if whole.Document == "" {
		whole.Document = r.name
	}
	r.err = &whole
}

// Fail records an error at an element. Expected and hint may be empty.
func (r *Reader) Fail(at *etree.Element, expected, hint, format string, args ...any) {
	if r.err != nil {
		return
	}
	r.err = r.doc.Errorf(at, expected, format, args...)
	r.err.Document, r.err.Hint = r.name, hint
}

// Root checks that e, which may be nil, bears one of the names.
func (r *Reader) Root(e *etree.Element, names ...xmlstrict.Name) {
	if e == nil {
		r.Fail(nil, "the element "+names[0].Local, "", "there is no element")
		return
	}
	found := xmlstrict.NameOf(e)
	for _, n := range names {
		if found == n {
			return
		}
	}
	r.Fail(e, "the element "+names[0].String(),
		"check that this is the right document and that its namespace is declared",
		"the element is %s", brief(found))
}

// Sequence reads the children of e, which must be the fields in their order.
// Attributes other than those named are refused.
func (r *Reader) Sequence(e *etree.Element, fields []Field, attributes ...string) {
	if !r.only(e, attributes) {
		return
	}
	at, count := 0, 0
	for kid := range xmlstrict.Children(e) {
		i := r.place(kid, fields, at, count)
		if r.err != nil || r.lacks(e, kid, fields[at:i], count) {
			return
		}
		if i != at {
			at, count = i, 0
		}
		count++
		fields[i].read(kid)
		if r.err != nil {
			return
		}
	}
	r.lacks(e, nil, fields[min(at, len(fields)):], count)
}

// Set reads those children of e that are among the fields, in whatever order;
// others are passed over. Each field must be there as often as it says.
func (r *Reader) Set(e *etree.Element, fields []Field) {
	if !r.only(e, nil) {
		return
	}
	counts := make([]int, len(fields))
	for kid := range xmlstrict.Children(e) {
		name := xmlstrict.NameOf(kid)
		i := slices.IndexFunc(fields, func(f Field) bool { return f.name == name })
		if i < 0 {
			continue
		}
		if counts[i]++; fields[i].max != unbounded && counts[i] > fields[i].max {
			r.Fail(kid, fmt.Sprintf("at most %d", fields[i].max), fields[i].hint,
				"%s is repeated", name.Local)
		}
		if r.err == nil {
			fields[i].read(kid)
		}
	}
	for i, f := range fields {
		if r.err == nil && counts[i] < f.min {
			r.missing(e, nil, f)
		}
	}
}

// only checks the attributes of e, and that there is no text between elements.
func (r *Reader) only(e *etree.Element, attributes []string) bool {
	if r.open(e, attributes) && xmlstrict.Text(e) != "" {
		r.Fail(e, "elements only", "", "there is text between the elements")
	}
	return r.err == nil
}

// Nillable returns what reads an element that may be nil by xsi:nil: then it
// must be empty, and read is not called.
func (r *Reader) Nillable(read func(*etree.Element)) func(*etree.Element) {
	return func(e *etree.Element) {
		switch {
		case !xmlstrict.IsNil(e):
			read(e)
		case len(e.Child) > 0:
			r.Fail(e, "no content", "leave out xsi:nil, or the content",
				"the element is nil and has content")
		default:
			r.attributes(e, nil)
		}
	}
}

// open checks the attributes of e, which must not be nil by xsi:nil.
func (r *Reader) open(e *etree.Element, attributes []string) bool {
	if r.attributes(e, attributes) && xmlstrict.IsNil(e) {
		r.Fail(e, "", "leave the element out, or give its content", "the element is nil")
	}
	return r.err == nil
}

// attributes checks that the attributes of e are among those known.
func (r *Reader) attributes(e *etree.Element, known []string) bool {
	for i := range e.Attr {
		if r.err == nil {
			r.attribute(e, &e.Attr[i], known)
		}
	}
	return r.err == nil
}

// instance are the attributes of XML Schema instances (XML Schema part 1, 2.6).
var instance = []string{"type", "nil", "schemaLocation", "noNamespaceSchemaLocation"}

// attribute checks that an attribute is one of those known.
func (r *Reader) attribute(e *etree.Element, a *etree.Attr, known []string) {
	name := xmlstrict.AttrName(e, a)
	switch name.Space {
	case xmlstrict.XMLNSSpace, xmlstrict.XMLSpace:
		return
	case xmlstrict.XSISpace:
		if name == xmlstrict.XSINil && !xmlstrict.IsBool(xmlstrict.Trim(a.Value)) {
			r.Fail(e, "true or false", "", "xsi:nil is %q", xmlstrict.Clip(a.Value))
		}
		if slices.Contains(instance, name.Local) {
			return
		}
	case "":
		for _, k := range known {
			if k == name.Local {
				return
			}
		}
	}
	r.Fail(e, listed("the attributes", known), "remove it", "attribute %s is unknown here",
		brief(name))
}

// place finds the field that the child belongs to, given that field number at
// was met count times.
func (r *Reader) place(kid *etree.Element, fields []Field, at, count int) int {
	name := xmlstrict.NameOf(kid)
	for i, f := range fields {
		switch {
		case f.name != name:
			continue
		case i < at:
			r.Fail(kid, "it before "+fields[at].name.Local,
				"the elements have a fixed order", "%s is out of order", name.Local)
		case i == at && f.max != unbounded && count >= f.max:
			r.Fail(kid, fmt.Sprintf("at most %d", f.max), f.hint, "%s is repeated", name.Local)
		}
		return i
	}
	r.unknown(kid, name, fields, at)
	return 0
}

// unknown says that a child belongs to no field.
func (r *Reader) unknown(kid *etree.Element, name xmlstrict.Name, fields []Field, at int) {
	var names []string
	for i, f := range fields {
		if f.name.Local == name.Local {
			r.Fail(kid, "namespace "+f.name.Space, "declare the namespace and use its prefix",
				"%s is in the wrong namespace %q", name.Local, xmlstrict.Clip(name.Space))
			return
		}
		if i >= at {
			names = append(names, f.name.Local)
		}
	}
	r.Fail(kid, listed("", names), "remove it, or mend its name",
		"element %s is unknown here", xmlstrict.Clip(name.Local))
}

// lacks reports whether a field that must be there was passed over; count is
// how often the first of them was met, and next is the child that follows.
func (r *Reader) lacks(parent, next *etree.Element, passed []Field, count int) bool {
	for _, f := range passed {
		if count < f.min {
			r.missing(parent, next, f)
			return true
		}
		count = 0
	}
	return false
}

// missing says that field f is not where it must be.
func (r *Reader) missing(parent, next *etree.Element, f Field) {
	if next != nil && xmlstrict.Child(parent, f.name) != nil {
		r.Fail(next, f.name.Local+" before it", "the elements have a fixed order",
			"%s is out of order", xmlstrict.NameOf(next).Local)
		return
	}
	hint := f.hint
	if hint == "" {
		hint = "add the element " + f.name.Local
	}
	r.Fail(parent, "the element "+f.name.String(), hint, "%s is missing", f.name.Local)
}

// brief is a stranger's name, each part short enough for a message.
func brief(n xmlstrict.Name) string {
	return xmlstrict.Name{Space: xmlstrict.Clip(n.Space), Local: xmlstrict.Clip(n.Local)}.String()
}

// listed joins names for a message.
func listed(what string, names []string) string {
	switch {
	case len(names) == 0 && what == "":
		return "no further element"
	case len(names) == 0:
		return "no attributes"
	case what == "":
		return "one of " + strings.Join(names, ", ")
	}
	return what + " " + strings.Join(names, ", ")
}
