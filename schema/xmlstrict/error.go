package xmlstrict

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// SyntaxError says why Parse refused a document and where: the input is not
// well-formed, uses something that is not accepted here, or exceeds a limit.
type SyntaxError struct {
	Line   int    // 1-based
	Column int    // 1-based, in characters
	Path   string // elements open at that place, /a/b/c by local names; "/" outside the root
	Reason string // lower case, one sentence without a full stop
}

// Error returns "line L, column C, in PATH: reason".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d, in %s: %s", e.Line, e.Column, e.Path, e.Reason)
}

// ContentError says that a well-formed document does not hold what belongs in
// it. It is the error of every message codec below schema/.
type ContentError struct {
	Document string // what was being read, "Subscribe message"; may be empty
	Path     string // element path with [n] for repeated siblings
	Line     int    // 1-based; 0 when unknown
	Expected string // what belongs there; may be empty
	Hint     string // what to do about it; may be empty
	Err      error  // what is wrong
}

// Error returns "DOCUMENT: line L, PATH: cause (expected ...)".
func (e *ContentError) Error() string {
	var b strings.Builder
	if e.Document != "" {
		b.WriteString(e.Document + ": ")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d, ", e.Line)
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	}
	if e.Expected != "" {
		b.WriteString(" (expected " + e.Expected + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *ContentError) Unwrap() error { return e.Err }

// Clip shortens a text that someone else chose, for an error message.
func Clip(text string) string {
	const longest = 64
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "..."
}

// Only returns the one child of e with that name, or nil when there is none.
// It fails with a *ContentError when there are several: which one counts must
// not depend on the reader. The document may be nil.
func (d *Document) Only(e *etree.Element, name Name) (*etree.Element, error) {
	var only *etree.Element
	for child := range Children(e) {
		if !Is(child, name) {
			continue
		}
		if only != nil {
			return nil, d.Errorf(child, "one "+name.Local, "a second %s", name.Local)
		}
		only = child
	}
	return only, nil
}

// Errorf returns a ContentError at element e whose cause is the formatted
// text; %w works as in fmt.Errorf. Expected may be empty. The document may be
// nil, for trees that were not parsed: the line is then unknown.
func (d *Document) Errorf(e *etree.Element, expected, format string, args ...any) *ContentError {
	return &ContentError{
		Path:     d.Path(e),
		Line:     d.Line(e),
		Expected: expected,
		Err:      fmt.Errorf(format, args...),
	}
}
