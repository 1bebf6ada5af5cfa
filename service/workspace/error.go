package workspace

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what sort of failure an Error is. Kinds cross the wire (as typed
// faults) and process exits (as exit codes): the list is append-only.
type Kind uint8

// The kinds of failure.
const (
	Internal    Kind = iota // a defect or an unexpected answer from below
	Invalid                 // what the caller sent is wrong; repeating it is useless
	NotFound                // no such resource, or not this caller's
	Conflict                // the resource's state does not allow it
	Denied                  // policy forbids it
	Quota                   // a limit of the owner is reached
	NoResource              // the pool cannot hold it now, or ever
	Busy                    // another operation is under way
	Transient               // it failed, the same again may succeed
	Unavailable             // a host, repository or store cannot be reached
)

var kindNames = [...]string{
	"internal", "invalid", "not found", "conflict", "denied", "quota",
	"no resource", "busy", "transient", "unavailable",
}

// String returns the kind in lower-case words.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + fmt.Sprint(uint8(k))
}

// Error is the one error type of the project. Its text reads
// "cannot OP ID: cause", with the place in the document when there is one.
type Error struct {
	Op    string // what could not be done, as an infinitive; empty: whoever wraps it says
	Kind  Kind
	ID    string // the thing's name or key, may be empty
	Where *Where // the place in a document, for bad input
	Err   error  // the cause, may be nil
}

// Where is a place in a document that someone handed in, and what belongs there.
type Where struct {
	Document string // "deployment request", "workspace metadata", a file's name
	Path     string // element path, such as /WorkspaceDeployment/NodeNumber
	Line     int    // 1-based; 0 when unknown
	Expected string // what was expected there, may be empty
	Hint     string // what to do about it, may be empty
}

// Error returns the text: "cannot OP ID: PLACE: cause (expected ...)".
func (e *Error) Error() string {
	if e.Op == "" && e.Err != nil {
		return e.Err.Error()
	}
	var b strings.Builder
	b.WriteString("cannot " + e.Op)
	if e.ID != "" {
		fmt.Fprintf(&b, " %q", clip(e.ID))
	}
	if e.Where != nil {
		b.WriteString(": " + e.Where.String())
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Where != nil && e.Where.Expected != "" {
		b.WriteString(", expected " + e.Where.Expected)
	}
	if e.Where != nil && e.Where.Hint != "" {
		b.WriteString("; " + e.Where.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// String returns the place as "DOCUMENT PATH (line N)".
func (w *Where) String() string {
	s := strings.TrimSpace(w.Document + " " + w.Path)
	if w.Line > 0 {
		s += fmt.Sprintf(" (line %d)", w.Line)
	}
	return s
}

// ErrMessageIDUsed is why a create request is refused that has the message ID of
// another one: it is meant to stand for one request.
var ErrMessageIDUsed = errors.New(
	"its message ID was used for another request; give each its own")

// KindOf returns the kind of the outermost *Error in err's chain, Internal
// when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Errorf makes an Error of the kind with a formatted cause; %w wraps.
func Errorf(kind Kind, op, id, format string, args ...any) *Error {
	return &Error{Op: op, Kind: kind, ID: id, Err: fmt.Errorf(format, args...)}
}

// Refuse makes the cause of an Error, with its kind and no more: whoever wraps
// it says what could not be done.
func Refuse(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// Lack is what a host has no means for at all, as a program that is not installed there:
// trying again is of no use, but there may be another way. A host that was lost is none.
type Lack struct{ Err error }

// Error returns what is lacking.
func (l *Lack) Error() string { return l.Err.Error() }

// Unwrap returns the cause.
func (l *Lack) Unwrap() error { return l.Err }

// Lacks refuses, with kind Unavailable, what the host has no means for.
func Lacks(format string, args ...any) *Error {
	return &Error{Kind: Unavailable, Err: &Lack{fmt.Errorf(format, args...)}}
}

// Lacking reports whether the host has no means for it.
func Lacking(err error) bool {
	var l *Lack
	return errors.As(err, &l)
}

// Refusal is the structured reason why the scheduler refused a request, or why
// a lease waits. It is the cause inside an Error of kind NoResource.
type Refusal struct {
	Code      string // the one reason that dominates, such as "taken" (book.Code)
	Shortages []Shortage
	Blocking  []LeaseID // some leases in the way, the soonest to end first
	Earliest  time.Time // from when it would fit; zero when never on this pool
	Offers    []Offer   // that would be accepted as things stand, the smallest change first
}

// Shortage is one resource that did not suffice, on the host that came closest.
type Shortage struct {
	Resource string // "memory", "cpu", "disk", "address", "host"
	Unit     string // "MB", "CPUs", "addresses"; may be empty
	Wanted   int64
	Free     int64
	Where    string // host or association that came closest
}

// Error returns the reason in a sentence.
func (r *Refusal) Error() string {
	var parts []string
	for _, s := range r.Shortages {
		parts = append(parts, fmt.Sprintf("%s: wanted %d %s, %s has %d free",
			s.Resource, s.Wanted, s.Unit, s.Where, s.Free))
	}
	text := strings.Join(parts, "; ")
	if r.Earliest.IsZero() {
		return text + "; it would never fit on this pool"
	}
	return text + "; it would fit from " + r.Earliest.UTC().Format(time.RFC3339)
}
