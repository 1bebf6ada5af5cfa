package xmlstrict

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
)

// Encoder writes XML by appending to one byte slice. Every element has a
// prefix or no namespace at all (it never declares a default namespace), and
// a namespace is declared on the element that first needs it, under the
// prefix of a fixed table where there is one. Once warm it allocates nothing.
//
// Text may be any string: what XML 1.0 cannot carry (control characters,
// broken UTF-8) is written as U+FFFD. Names must be names. Misuse (a name that
// is none, an attribute after content, an end without a start) is remembered
// and told by Err; the output is then worthless.
type Encoder struct {
	buf       []byte
	open      []frame
	scope     []declared
	inTag     bool // the innermost start tag is not closed yet
	generated int  // prefixes made up so far
	inherited int  // bytes of declarations that trees took from above them
	err       error
}

// frame is an open element: where its tag name stands in the output, and what
// was in scope around it.
type frame struct {
	from, to int
	scope    int
}

// declared is a prefix in scope. Prefixes in scope are all different.
type declared struct{ prefix, space string }

var encoders = sync.Pool{New: func() any { return NewEncoder() }}

// NewEncoder returns an empty encoder.
func NewEncoder() *Encoder { return &Encoder{buf: make([]byte, 0, 2048)} }

// Borrow returns an empty encoder from a pool; Release gives it back.
func Borrow() *Encoder { return encoders.Get().(*Encoder) }

// maxKept is the largest buffer that the pool keeps, in bytes.
const maxKept = 256 << 10

// Release empties the encoder and gives it back. What Bytes returned must not
// be used any more.
func (e *Encoder) Release() {
	if cap(e.buf) > maxKept {
		return
	}
	e.Reset()
	encoders.Put(e)
}

// Reset empties the encoder. What Bytes returned must not be used any more.
func (e *Encoder) Reset() {
	clear(e.scope)
	e.buf, e.open, e.scope = e.buf[:0], e.open[:0], e.scope[:0]
	e.inTag, e.generated, e.inherited, e.err = false, 0, 0, nil
}

// Bytes returns what was written. It is the encoder's own memory: valid until
// the next call of any other method.
func (e *Encoder) Bytes() []byte { return e.buf }

// Err returns the first misuse, or an error when elements are still open.
func (e *Encoder) Err() error {
	if e.err == nil && len(e.open) > 0 {
		top := e.open[len(e.open)-1]
		return fmt.Errorf("element %s is still open", e.buf[top.from:top.to])
	}
	return e.err
}

// misuse remembers the first error.
func (e *Encoder) misuse(err error) {
	if e.err == nil {
		e.err = err
	}
}

// Start opens an element.
func (e *Encoder) Start(name Name) {
	e.closeTag()
	scope := len(e.scope)
	prefix, fresh := e.prefix(name.Space)
	e.buf = append(e.buf, '<')
	from := len(e.buf)
	e.qualified(prefix, name.Local)
	e.open = append(e.open, frame{from, len(e.buf), scope})
	e.inTag = true
	if fresh {
		e.declaration(prefix, name.Space)
	}
}

// End closes the innermost element.
func (e *Encoder) End() {
	last := len(e.open) - 1
	if last < 0 {
		e.misuse(errors.New("an end without a start"))
		return
	}
	top := e.open[last]
	e.open, e.scope = e.open[:last], e.scope[:top.scope]
	if e.inTag {
		e.inTag = false
		e.buf = append(e.buf, "/>"...)
		return
	}
	e.buf = append(e.buf, "</"...)
	e.buf = append(e.buf, e.buf[top.from:top.to]...)
	e.buf = append(e.buf, '>')
}

// Element writes an element that holds only text.
func (e *Encoder) Element(name Name, text string) {
	e.Start(name)
	e.Text(text)
	e.End()
}

// Nil writes an empty element marked xsi:nil="true".
func (e *Encoder) Nil(name Name) {
	e.Start(name)
	e.Attr(XSINil, "true")
	e.End()
}

// Attr writes an attribute of the element just started. The same attribute
// must not be written twice.
func (e *Encoder) Attr(name Name, value string) {
	e.attrName(name)
	e.buf = appendValue(e.buf, value)
	e.buf = append(e.buf, '"')
}

// AttrQName writes an attribute whose value is a qualified name, such as
// xsi:type.
func (e *Encoder) AttrQName(name, value Name) {
	prefix := e.ensure(value.Space)
	e.attrName(name)
	e.qualified(prefix, value.Local)
	e.buf = append(e.buf, '"')
}

// attrName writes an attribute up to its opening quote.
func (e *Encoder) attrName(name Name) {
	if !e.inTag {
		e.misuse(fmt.Errorf("attribute %s comes after content", name.Local))
	}
	prefix := e.ensure(name.Space)
	e.buf = append(e.buf, ' ')
	e.qualified(prefix, name.Local)
	e.buf = append(e.buf, '=', '"')
}

// Declare puts namespaces in scope on the element just started, to spare its
// descendants declarations of their own. Behind the element's first content it
// does nothing.
func (e *Encoder) Declare(spaces ...string) {
	for _, space := range spaces {
		if e.inTag {
			e.ensure(space)
		}
	}
}

// Prefix returns the prefix of a namespace for use inside text or an attribute
// value, declaring it on the element just started when it is not in scope yet.
func (e *Encoder) Prefix(space string) string { return e.ensure(space) }

// Text writes character data, escaped.
func (e *Encoder) Text(text string) {
	if text == "" {
		return
	}
	e.closeTag()
	e.buf = appendText(e.buf, text)
}

// QName writes a qualified name as text, declaring its prefix on the element
// just started when it is not in scope yet.
func (e *Encoder) QName(name Name) {
	prefix := e.ensure(name.Space)
	e.closeTag()
	e.qualified(prefix, name.Local)
}

// Raw writes markup as it is. It must be well-formed content that declares
// every prefix it uses.
func (e *Encoder) Raw(xml []byte) {
	if len(xml) == 0 {
		return
	}
	e.closeTag()
	e.buf = append(e.buf, xml...)
}

// RawString is Raw for a string. It may be called for pieces of one element in
// turn; then RawDeclaration may stand inside a start tag.
func (e *Encoder) RawString(xml string) {
	e.closeTag()
	e.buf = append(e.buf, xml...)
}

// RawDeclaration writes a namespace declaration between two pieces of a start
// tag that RawString writes; the empty prefix declares the default namespace.
func (e *Encoder) RawDeclaration(prefix, space string) {
	e.buf = append(e.buf, " xmlns"...)
	if prefix != "" {
		e.buf = append(append(e.buf, ':'), prefix...)
	}
	e.buf = appendValue(append(e.buf, '=', '"'), space)
	e.buf = append(e.buf, '"')
}

// closeTag ends a start tag that is still open.
func (e *Encoder) closeTag() {
	if e.inTag {
		e.buf = append(e.buf, '>')
		e.inTag = false
	}
}

// qualified writes prefix:local, or local when there is no prefix.
func (e *Encoder) qualified(prefix, local string) {
	if !isNCName(local) {
		e.misuse(fmt.Errorf("%q is not a name", local))
	}
	if prefix != "" {
		e.buf = append(append(e.buf, prefix...), ':')
	}
	e.buf = append(e.buf, local...)
}

// ensure returns the namespace's prefix, declaring it on the element just
// started if need be.
func (e *Encoder) ensure(space string) string {
	if space == XMLSpace {
		return "xml"
	}
	prefix, fresh := e.prefix(space)
	if fresh {
		if !e.inTag {
			e.misuse(fmt.Errorf("namespace %s is first needed after content", space))
		}
		e.declaration(prefix, space)
	}
	return prefix
}

// declaration writes a namespace declaration.
func (e *Encoder) declaration(prefix, space string) {
	e.buf = append(append(e.buf, " xmlns:"...), prefix...)
	e.buf = appendValue(append(e.buf, '=', '"'), space)
	e.buf = append(e.buf, '"')
}

// prefix finds the prefix for a namespace; a fresh one is put in scope and
// has yet to be declared.
func (e *Encoder) prefix(space string) (prefix string, fresh bool) {
	if space == "" {
		return "", false
	}
	for i := len(e.scope) - 1; i >= 0; i-- {
		if e.scope[i].space == space {
			return e.scope[i].prefix, false
		}
	}
	prefix, ok := prefixes[space]
	for !ok || e.taken(prefix) {
		e.generated++
		prefix, ok = generatedPrefix(e.generated), true
	}
	e.scope = append(e.scope, declared{prefix, space})
	return prefix, true
}

// taken tells whether the prefix is in scope.
func (e *Encoder) taken(prefix string) bool {
	for i := range e.scope {
		if e.scope[i].prefix == prefix {
			return true
		}
	}
	return false
}

// generatedPrefixes are the first made-up prefixes.
var generatedPrefixes = [...]string{"", "ns1", "ns2", "ns3", "ns4", "ns5", "ns6", "ns7", "ns8"}

// generatedPrefix returns the n-th made-up prefix, from 1.
func generatedPrefix(n int) string {
	if n < len(generatedPrefixes) {
		return generatedPrefixes[n]
	}
	return "ns" + strconv.Itoa(n)
}
