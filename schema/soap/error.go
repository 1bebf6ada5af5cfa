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
	// Block is the header block that is not understood.
	Block xmlstrict.Name
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

// Blocks returns what writes the header blocks that a fault about the problem
// carries in a version of SOAP; nil for none. In SOAP 1.2 those are Upgrade
// (part 1, 5.4.7), in 1.1 too, and NotUnderstood (part 1, 5.4.8).
func (e *Error) Blocks(v Version) func(*xmlstrict.Encoder) {
	switch {
	case e.Problem == WrongVersion:
		return writeUpgrade
	case e.Problem == NotUnderstood && v == V12:
		return func(enc *xmlstrict.Encoder) {
			enc.Start(V12.name("NotUnderstood"))
			enc.AttrQName(local("qname"), e.Block)
			enc.End()
		}
	}
	return nil
}

// writeUpgrade writes which versions are spoken here.
func writeUpgrade(enc *xmlstrict.Encoder) {
	enc.Start(V12.name("Upgrade"))
	for _, v := range []Version{V12, V11} {
		enc.Start(V12.name("SupportedEnvelope"))
		enc.AttrQName(local("qname"), v.name("Envelope"))
		enc.End()
	}
	enc.End()
}

// fail returns an Error at an element.
func (m *Message) fail(p Problem, at *etree.Element, text, expected string) error {
	return &Error{Problem: p, ContentError: *m.Doc.Errorf(at, expected, "%s", text),
		Block: xmlstrict.NameOf(at)}
}
