package wsrf

import "github.com/philoxenia/philoxenia/schema/xmlstrict"

// FaultError is an error whose typed fault the standards name, so that
// whoever answers need not guess.
type FaultError struct {
	Fault xmlstrict.Name // the element that goes into the fault's detail
	Err   error
	// More writes what the fault's type adds to the base type; may be nil.
	More func(*xmlstrict.Encoder)
}

// Error returns the cause's text.
func (e *FaultError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *FaultError) Unwrap() error { return e.Err }

// ValueError says why a text is not the value it should be.
type ValueError struct {
	Value    string
	Reason   string // "holds months, whose length differs"
	Expected string // "a duration such as PT2H30M"
	Hint     string // what to write instead; may be empty
}

// Error returns `"VALUE" REASON (expected EXPECTED)`.
func (e *ValueError) Error() string {
	return `"` + e.Value + `" ` + e.Reason + " (expected " + e.Expected + ")"
}
