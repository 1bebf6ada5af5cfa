package xmlstrict

import (
	"fmt"
	"strings"
	"sync"

	"github.com/beevik/etree"
)

// Parse reads one document and builds its tree, or returns a *SyntaxError.
// It makes one pass, keeps no reference to data and allocates in proportion
// to the document; a zero Limits means DefaultLimits.
func Parse(data []byte, limits Limits) (*Document, error) {
	limits = limits.withDefaults()
	if len(data) > limits.Bytes {
		reason := fmt.Sprintf("the document is larger than %d bytes", limits.Bytes)
		return nil, &SyntaxError{Line: 1, Column: 1, Path: "/", Reason: reason}
	}
	s := scanners.Get().(*scanner)
	defer s.release()
	s.begin(string(data), limits)
	if err := s.document(); err != nil {
		return nil, err
	}
	return s.doc, nil
}

// scanner is the state of one pass. Its slices are reused from document to
// document; what the tree keeps comes from the arena.
type scanner struct {
	src    string
	pos    int
	limits Limits
	tokens int
	doc    *Document
	arena  arena

	open    []opened      // start tags whose end is still to come
	pending []etree.Token // children of the open elements, not yet handed to them
	scope   []binding     // namespace declarations in force, innermost last
	attrs   []attribute   // of the start tag being read
	carried int           // attributes of all open elements
	run     textRun
}

// opened is an element whose end tag has not been seen.
type opened struct {
	element *etree.Element
	name    string // prefix:local as written
	kids    int    // length of pending before its children
	scope   int    // length of scope before its declarations
}

// binding is one namespace declaration.
type binding struct{ prefix, space string }

var scanners = sync.Pool{New: func() any { return new(scanner) }}

// begin makes the scanner ready for a document.
func (s *scanner) begin(src string, limits Limits) {
	s.src, s.pos, s.limits, s.tokens, s.carried = src, 0, limits, 0, 0
	s.doc = &Document{source: src}
	s.arena.begin(src)
}

// release forgets the document and gives the scanner back.
func (s *scanner) release() {
	clear(s.open)
	clear(s.pending)
	clear(s.scope)
	clear(s.attrs)
	s.open, s.pending = s.open[:0], s.pending[:0]
	s.scope, s.attrs = s.scope[:0], s.attrs[:0]
	s.src, s.doc, s.arena, s.run = "", nil, arena{}, textRun{spill: s.run.spill[:0]}
	scanners.Put(s)
}

// document reads prolog, root element and what may follow it.
func (s *scanner) document() error {
	if err := s.prolog(); err != nil {
		return err
	}
	if err := s.startTag(); err != nil {
		return err
	}
	for len(s.open) > 0 {
		if err := s.content(); err != nil {
			return err
		}
	}
	s.doc.Root = s.pending[0].(*etree.Element)
	return s.epilog()
}

// content reads the next thing inside an element.
func (s *scanner) content() error {
	if s.pos >= len(s.src) {
		return s.fail(s.pos, "the document ends before </%s>", s.open[len(s.open)-1].name)
	}
	if s.src[s.pos] != '<' {
		return s.text()
	}
	switch s.peek(1) {
	case '/':
		return s.endTag()
	case '!':
		return s.section()
	case '?':
		return s.fail(s.pos, "processing instructions are not accepted")
	}
	return s.startTag()
}

// section reads what begins with <! inside an element.
func (s *scanner) section() error {
	switch rest := s.src[s.pos:]; {
	case strings.HasPrefix(rest, "<!--"):
		s.run.comment()
		return s.comment()
	case strings.HasPrefix(rest, "<![CDATA["):
		return s.cdata()
	}
	return s.declaration()
}

// declaration refuses what begins with <! and is neither comment nor CDATA.
func (s *scanner) declaration() error {
	if strings.HasPrefix(s.src[s.pos:], "<!DOCTYPE") {
		return s.fail(s.pos, "a document type declaration is not accepted")
	}
	return s.fail(s.pos, "markup that begins with <! is not accepted")
}

// comment skips a comment (XML 1.0, 2.5).
func (s *scanner) comment() error {
	start := s.pos
	end := strings.Index(s.src[start+4:], "--")
	if end < 0 {
		return s.fail(start, "the comment has no end")
	}
	end += start + 4
	if end+2 >= len(s.src) || s.src[end+2] != '>' {
		return s.fail(end, `"--" inside a comment`)
	}
	s.pos = end + 3
	return s.count(start)
}

// count takes one token off the allowance.
func (s *scanner) count(at int) error {
	s.tokens++
	if s.tokens > s.limits.Tokens {
		return s.fail(at, "the document has more than %d tokens", s.limits.Tokens)
	}
	return nil
}

// endTag reads an end tag and closes the innermost element.
func (s *scanner) endTag() error {
	start, top := s.pos, s.open[len(s.open)-1]
	if err := s.flush(); err != nil {
		return err
	}
	rest := s.src[s.pos+2:]
	if !strings.HasPrefix(rest, top.name) {
		return s.fail(start, "this is not the end tag </%s> that belongs here", top.name)
	}
	s.pos += 2 + len(top.name)
	s.skipSpace()
	if s.peek(0) != '>' {
		return s.fail(start, "this is not the end tag </%s> that belongs here", top.name)
	}
	s.pos++
	if err := s.count(start); err != nil {
		return err
	}
	s.closeElement()
	return nil
}

// closeElement hands the innermost element its children and makes it a child
// of the next.
func (s *scanner) closeElement() {
	last := len(s.open) - 1
	top := s.open[last]
	s.open = s.open[:last]
	s.scope = s.scope[:top.scope]
	s.carried -= len(top.element.Attr)
	kids := s.pending[top.kids:]
	top.element.Child = s.arena.children(len(kids))
	for _, k := range kids {
		top.element.AddChild(k)
	}
	s.pending = append(s.pending[:top.kids], top.element)
}

// peek returns the byte n places ahead, or 0 at the end.
func (s *scanner) peek(n int) byte {
	if s.pos+n < len(s.src) {
		return s.src[s.pos+n]
	}
	return 0
}

// skipSpace moves over white space and tells whether there was any.
func (s *scanner) skipSpace() bool {
	start := s.pos
	for s.pos < len(s.src) && class[s.src[s.pos]]&spaceByte != 0 {
		s.pos++
	}
	return s.pos > start
}

// fail returns the error for the place.
func (s *scanner) fail(at int, format string, args ...any) error {
	line, column := position(s.src, at)
	var path strings.Builder
	for i := range s.open {
		path.WriteString("/" + s.open[i].element.Tag)
	}
	if path.Len() == 0 {
		path.WriteByte('/')
	}
	return &SyntaxError{line, column, path.String(), fmt.Sprintf(format, args...)}
}
