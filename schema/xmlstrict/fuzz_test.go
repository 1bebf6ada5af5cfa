package xmlstrict

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// seed gives a fuzz target the recorded messages and the hostile table.
func seed(f *testing.F) {
	for _, data := range allRecorded(f) {
		f.Add(data)
	}
	for _, r := range refusals {
		f.Add([]byte(r.document))
	}
	f.Add([]byte("<a>x<!-- y -->\r\n<![CDATA[z]]>&#65;<p:b xmlns:p='u' p:k=\"&#10;\t\"/></a>"))
}

// FuzzParse checks that no input makes the parser panic, that errors have a
// place, and that what is accepted means to encoding/xml what it means here.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Parse(data, Limits{})
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Column < 1 ||
				!strings.HasPrefix(syntax.Path, "/") || syntax.Reason == "" {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		compare(t, data, doc)
	})
}

// TestParseAsEncodingXML compares both readers on every recorded message.
func TestParseAsEncodingXML(t *testing.T) {
	for name, data := range allRecorded(t) {
		t.Run(name, func(t *testing.T) {
			doc, err := Parse(data, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, data, doc)
		})
	}
}

// compare checks that encoding/xml, which accepts more, reads the same out of
// an accepted document. Where it is known to differ, the input is passed over.
func compare(t *testing.T, data []byte, doc *Document) {
	t.Helper()
	if !comparable(data) {
		return
	}
	var theirs strings.Builder
	if err := dumpTokens(&theirs, data); err != nil {
		t.Fatalf("accepted, but encoding/xml says %v", err)
	}
	var ours strings.Builder
	dumpTree(&ours, doc.Root)
	if ours.String() != theirs.String() {
		t.Fatalf("read  %q\nwhile encoding/xml reads %q", ours.String(), theirs.String())
	}
}

// comparable tells whether encoding/xml treats the input as the standard does:
// it normalises no white space in attribute values, takes neither US-ASCII nor
// newer name characters nor the prefix xmlns as they are, and reads no
// byte order mark.
func comparable(data []byte) bool {
	text := string(data)
	for _, c := range text {
		if c >= 0x80 {
			return false
		}
	}
	return !strings.ContainsAny(text, "\r\t") && !strings.Contains(text, "<?xml") &&
		!strings.Contains(text, "\n")
}

// dumpTokens writes what encoding/xml reads, in the form of dumpTree.
func dumpTokens(w *strings.Builder, data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			w.WriteString("<" + Name{token.Name.Space, token.Name.Local}.String())
			for _, a := range token.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					w.WriteString(" " + Name{a.Name.Space, a.Name.Local}.String() + "=" + a.Value)
				}
			}
			w.WriteString(">")
			depth++
		case xml.EndElement:
			w.WriteString("</>")
			depth--
		case xml.CharData:
			if depth > 0 {
				w.Write(token)
			}
		}
	}
}

// dumpTree writes a tree with expanded names and without declarations.
func dumpTree(w *strings.Builder, e *etree.Element) {
	w.WriteString("<" + NameOf(e).String())
	for i := range e.Attr {
		name := AttrName(e, &e.Attr[i])
		if name.Space != XMLNSSpace {
			w.WriteString(" " + name.String() + "=" + e.Attr[i].Value)
		}
	}
	w.WriteString(">")
	for _, token := range e.Child {
		switch token := token.(type) {
		case *etree.Element:
			dumpTree(w, token)
		case *etree.CharData:
			w.WriteString(token.Data)
		}
	}
	w.WriteString("</>")
}

// FuzzEncoderRoundTrip checks that what is parsed, written and parsed again is
// the same, both as a whole and as a subtree copied into another document; and
// that any text and value survive a message.
func FuzzEncoderRoundTrip(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		roundTripText(t, string(data))
		doc, err := Parse(data, Limits{})
		if err != nil {
			return
		}
		roundTripTree(t, doc.Root)
		for child := range Children(doc.Root) {
			roundTripTree(t, child)
		}
	})
}

// TestRoundTripRecorded does so for every recorded message.
func TestRoundTripRecorded(t *testing.T) {
	for name, data := range allRecorded(t) {
		t.Run(name, func(t *testing.T) {
			doc := parse(t, string(data))
			roundTripTree(t, doc.Root)
			for child := range Children(doc.Root) {
				roundTripTree(t, child)
			}
		})
	}
}

// wide are limits that a copy, with declarations of its own, may need.
var wide = Limits{Bytes: 8 << 20, Depth: 100, Attributes: 400, Namespaces: 400, Tokens: 1 << 20,
	Text: 2 << 20}

// roundTripTree copies a subtree into another document and reads it back.
func roundTripTree(t *testing.T, e *etree.Element) {
	t.Helper()
	enc := NewEncoder()
	enc.Start(Name{"urn:copy", "copy"})
	enc.Tree(e)
	enc.End()
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	again, err := Parse(enc.Bytes(), wide)
	if err != nil {
		t.Fatalf("cannot read back %q: %v", enc.Bytes(), err)
	}
	var before, after strings.Builder
	dumpTree(&before, e)
	dumpTree(&after, again.Root.ChildElements()[0])
	if before.String() != after.String() {
		t.Fatalf("wrote %q\nread  %q", before.String(), after.String())
	}
}

// roundTripText writes any text as content and as a value and reads it back.
func roundTripText(t *testing.T, text string) {
	t.Helper()
	enc := NewEncoder()
	enc.Start(Name{"urn:t", "a"})
	enc.Attr(Name{"", "v"}, text)
	enc.Text(text)
	enc.End()
	doc, err := Parse(enc.Bytes(), wide)
	if err != nil {
		t.Fatalf("cannot read back %q: %v", enc.Bytes(), err)
	}
	want := carried(text)
	if got := RawText(doc.Root); got != want {
		t.Fatalf("text %q came back as %q", want, got)
	}
	if got, _ := Attr(doc.Root, Name{"", "v"}); got != want {
		t.Fatalf("value %q came back as %q", want, got)
	}
}

// carried returns what of a text an XML document can carry.
func carried(text string) string {
	return strings.Map(func(r rune) rune {
		if !isChar(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}
