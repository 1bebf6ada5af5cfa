package soap

import (
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Problem says what is wrong with an envelope.
type Problem uint8

// The problems of envelopes.
const (
	NotEnvelope   Problem = iota // the root element is no SOAP envelope
	WrongVersion                 // it is an envelope of an unknown version
	BadStructure                 // Header and Body are not what they must be
	EmptyBody                    // the Body holds no element
	SeveralBodies                // the Body holds more than one element
	NotUnderstood                // a block that must be understood is unknown
	Attachment                   // the content refers to data outside the envelope
)

// Error is an envelope that is well-formed XML and yet no acceptable message.
type Error struct {
	Problem Problem
	xmlstrict.ContentError
}

// Unwrap returns the place and cause.
func (e *Error) Unwrap() error { return &e.ContentError }

// Code returns the SOAP 1.1 fault code for the problem.
func (e *Error) Code() string {
	switch e.Problem {
	case WrongVersion:
		return CodeVersionMismatch
	case NotUnderstood:
		return CodeMustUnderstand
	}
	return CodeClient
}

// fail returns an Error at an element.
func (m *Message) fail(p Problem, at *etree.Element, text, expected string) error {
	return &Error{p, *m.Doc.Errorf(at, expected, "%s", text)}
}
