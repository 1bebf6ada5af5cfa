package xmlstrict

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Document is a parsed document. Its tree may be read by many goroutines.
type Document struct {
	// Root is the document's element. It has no parent.
	Root *etree.Element

	source string
	nodes  [][]node
}

// node is an element as Parse allocates it, with the place of its start tag.
// Keeping the offset costs nothing; the line is counted when someone asks.
type node struct {
	etree.Element
	offset int
}

// Line returns the 1-based line of the element's start tag, or 0 for an
// element that Parse did not build for this document. It searches: it is
// meant for error messages, not for every element of a document.
func (d *Document) Line(e *etree.Element) int {
	if d == nil || e == nil {
		return 0
	}
	for _, chunk := range d.nodes {
		for i := range chunk {
			if &chunk[i].Element == e {
				line, _ := position(d.source, chunk[i].offset)
				return line
			}
		}
	}
	return 0
}

// Path returns the element's path by local names, with [n] where siblings of
// the same name exist: /Envelope/Body/create/nic[2]. It works on any tree and
// on a nil document.
func (d *Document) Path(e *etree.Element) string {
	if e == nil {
		return "/"
	}
	var steps []string
	for ; e != nil && e.Tag != ""; e = e.Parent() {
		steps = append(steps, step(e))
	}
	var b strings.Builder
	for i := len(steps) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(steps[i])
	}
	return b.String()
}

// step is one element's part of a path.
func step(e *etree.Element) string {
	if e.Parent() == nil {
		return e.Tag
	}
	place, total := 0, 0
	for _, sibling := range e.Parent().Child {
		s, ok := sibling.(*etree.Element)
		if !ok || s.Tag != e.Tag {
			continue
		}
		total++
		if s == e {
			place = total
		}
	}
	if total < 2 {
		return e.Tag
	}
	return fmt.Sprintf("%s[%d]", e.Tag, place)
}

// position returns the 1-based line and column of an offset. Lines end with
// LF, CRLF or a lone CR; columns count characters.
func position(source string, offset int) (line, column int) {
	offset = min(offset, len(source))
	line, start := 1, 0
	for i := 0; i < offset; i++ {
		c := source[i]
		lone := c == '\r' && (i+1 == len(source) || source[i+1] != '\n')
		if c == '\n' || lone {
			line++
			start = i + 1
		}
	}
	return line, 1 + utf8.RuneCountInString(source[start:offset])
}
