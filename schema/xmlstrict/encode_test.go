package xmlstrict

import (
	"errors"
	"strings"
	"testing"

	"github.com/beevik/etree"
)

const (
	types  = "http://www.globus.org/2008/06/workspace/types"
	soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12 = "http://www.w3.org/2003/05/soap-envelope"
)

// encodings are what is written and how it looks.
var encodings = map[string]struct {
	write func(*Encoder)
	want  string
}{
	"empty element": {func(e *Encoder) { e.Element(Name{"", "a"}, "") }, "<a/>"},
	"text":          {func(e *Encoder) { e.Element(Name{"", "a"}, "x") }, "<a>x</a>"},
	"well-known prefix": {func(e *Encoder) { e.Element(Name{types, "state"}, "Running") },
		`<t:state xmlns:t="` + types + `">Running</t:state>`},
	"made-up prefixes": {func(e *Encoder) {
		e.Start(Name{"urn:1", "a"})
		e.Element(Name{"urn:2", "b"}, "")
		e.Element(Name{"urn:1", "c"}, "")
		e.End()
	}, `<ns1:a xmlns:ns1="urn:1"><ns2:b xmlns:ns2="urn:2"/><ns1:c/></ns1:a>`},
	"declared once for descendants": {func(e *Encoder) {
		e.Start(Name{"", "a"})
		e.Declare("urn:1", types, "urn:1")
		e.Element(Name{"urn:1", "b"}, "")
		e.End()
	}, `<a xmlns:ns1="urn:1" xmlns:t="` + types + `"><ns1:b/></a>`},
	"wanted prefix is taken": {func(e *Encoder) {
		e.Start(Name{soap11, "a"})
		e.Element(Name{soap12, "b"}, "")
		e.End()
	}, `<soapenv:a xmlns:soapenv="` + soap11 + `"><ns1:b xmlns:ns1="` + soap12 +
		`"/></soapenv:a>`},
	"attributes": {func(e *Encoder) {
		e.Start(Name{"", "a"})
		e.Attr(Name{"", "x"}, "1")
		e.Attr(Name{"urn:1", "y"}, "2")
		e.Attr(Name{XMLSpace, "lang"}, "en")
		e.End()
	}, `<a x="1" xmlns:ns1="urn:1" ns1:y="2" xml:lang="en"/>`},
	"qualified text": {func(e *Encoder) {
		e.Start(Name{"", "a"})
		e.QName(Name{types, "state"})
		e.End()
	}, `<a xmlns:t="` + types + `">t:state</a>`},
	"qualified text without namespace": {func(e *Encoder) {
		e.Start(Name{"", "a"})
		e.QName(Name{"", "state"})
		e.End()
	}, `<a>state</a>`},
	"qualified attribute": {func(e *Encoder) {
		e.Start(Name{"", "a"})
		e.AttrQName(Name{"", "k"}, Name{types, "state"})
		e.End()
	}, `<a xmlns:t="` + types + `" k="t:state"/>`},
	"nil": {func(e *Encoder) { e.Nil(Name{"", "a"}) },
		`<a xmlns:xsi="` + XSISpace + `" xsi:nil="true"/>`},
	"raw": {func(e *Encoder) {
		e.Start(Name{"", "a"})
		e.Raw(nil)
		e.Raw([]byte("<b/>x"))
		e.End()
	}, "<a><b/>x</a>"},
	"escaped text": {func(e *Encoder) { e.Element(Name{"", "a"}, "<&>\"'\r\n\té") },
		"<a>&lt;&amp;&gt;\"'&#xD;\n\té</a>"},
	"escaped value": {func(e *Encoder) {
		e.Start(Name{"", "a"})
		e.Attr(Name{"", "x"}, "<&>\"'\r\n\té")
		e.End()
	}, "<a x=\"&lt;&amp;&gt;&quot;'&#xD;&#xA;&#x9;é\"/>"},
	"what XML cannot carry": {func(e *Encoder) {
		e.Element(Name{"", "a"}, "x\x00y\x1fz\xffw\uFFFE\xED\xA0\x80")
	}, "<a>x\uFFFDy\uFFFDz\uFFFDw\uFFFD\uFFFD\uFFFD\uFFFD</a>"},
	"mixed content": {func(e *Encoder) {
		e.Start(Name{"", "a"})
		e.Text("x")
		e.Element(Name{"", "b"}, "")
		e.Text("")
		e.Text("y")
		e.End()
	}, "<a>x<b/>y</a>"},
	"many made-up prefixes": {func(e *Encoder) {
		e.Start(Name{"", "a"})
		for _, c := range "abcdefghij" {
			e.Declare("urn:" + string(c))
		}
		e.QName(Name{"urn:j", "x"})
		e.End()
	}, `<a xmlns:ns1="urn:a" xmlns:ns2="urn:b" xmlns:ns3="urn:c" xmlns:ns4="urn:d"` +
		` xmlns:ns5="urn:e" xmlns:ns6="urn:f" xmlns:ns7="urn:g" xmlns:ns8="urn:h"` +
		` xmlns:ns9="urn:i" xmlns:ns10="urn:j">ns10:x</a>`},
}

func TestEncoder(t *testing.T) {
	for name, tt := range encodings {
		t.Run(name, func(t *testing.T) {
			enc := Borrow()
			defer enc.Release()
			tt.write(enc)
			if err := enc.Err(); err != nil {
				t.Fatal(err)
			}
			if got := string(enc.Bytes()); got != tt.want {
				t.Errorf("wrote %s\nwant  %s", got, tt.want)
			}
			parse(t, string(enc.Bytes()))
		})
	}
}

func TestEncoderMisuse(t *testing.T) {
	tests := map[string]struct {
		write func(*Encoder)
		want  string
	}{
		"still open":        {func(e *Encoder) { e.Start(Name{"", "a"}) }, "a is still open"},
		"end without start": {func(e *Encoder) { e.End() }, "without a start"},
		"no element name":   {func(e *Encoder) { e.Element(Name{"", "a b"}, "") }, "not a name"},
		"markup as a name": {func(e *Encoder) { e.Element(Name{"", "a/><b"}, "") },
			"not a name"},
		"empty element name": {func(e *Encoder) { e.Element(Name{"urn:1", ""}, "") },
			"not a name"},
		"late attribute": {func(e *Encoder) {
			e.Element(Name{"", "a"}, "x")
			e.Attr(Name{"",
				"y"}, "")
		}, "after content"},
		"no attribute name": {func(e *Encoder) {
			e.Start(Name{"", "a"})
			e.Attr(Name{"", "="},
				"")
		}, "not a name"},
		"late declaration": {func(e *Encoder) {
			e.Start(Name{"",
				"a"})
			e.Text("x")
			e.Declare("urn:1")
			e.QName(Name{"urn:1", "x"})
		}, "after content"},
		"undeclared in a tree": {func(e *Encoder) { e.Tree(etree.NewElement("p:a")) },
			"not declared"},
		"bad name in a tree": {func(e *Encoder) { e.Tree(etree.NewElement("a b")) },
			"not a name"},
		"no name for text": {func(e *Encoder) {
			e.Start(Name{"", "a"})
			e.QName(Name{"",
				"<"})
			e.End()
		}, "not a name"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			enc := NewEncoder()
			tt.write(enc)
			if err := enc.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want something with %q", err, tt.want)
			}
			if enc.Reset(); enc.Err() != nil {
				t.Errorf("after a reset the error is %v", enc.Err())
			}
		})
	}
}

func TestTree(t *testing.T) {
	tests := map[string]struct {
		document string
		at       string // local name of the element to copy
		want     string
	}{
		"needs an ancestor's prefix": {`<a xmlns:p="urn:p" xmlns:q="urn:q"><p:b/></a>`, "b",
			`<p:b xmlns:p="urn:p"/>`},
		"needs the default namespace": {`<a xmlns="urn:d" xmlns:q="urn:q"><b><c/></b></a>`, "b",
			`<b xmlns="urn:d"><c/></b>`},
		"default was undone": {`<a xmlns="urn:d"><b xmlns=""><c/></b></a>`, "c", `<c/>`},
		"prefix in text": {`<a xmlns:p="urn:p"><b>p:x</b></a>`, "b",
			`<b xmlns:p="urn:p">p:x</b>`},
		"prefix in a value": {`<a xmlns:p="urn:p"><b><c k="see p:x"/></b></a>`, "b",
			`<b xmlns:p="urn:p"><c k="see p:x"/></b>`},
		"prefix of an attribute": {`<a xmlns:p="urn:p"><b p:k="v"/></a>`, "b",
			`<b xmlns:p="urn:p" p:k="v"/>`},
		"own declaration wins": {`<a xmlns:p="urn:p"><b xmlns:p="urn:own"><p:c/></b></a>`, "b",
			`<b xmlns:p="urn:own"><p:c/></b>`},
		"nearest ancestor wins": {`<a xmlns:p="urn:far"><m xmlns:p="urn:near"><p:b/></m></a>`, "b",
			`<p:b xmlns:p="urn:near"/>`},
		"unused is left out": {`<a xmlns:p="urn:p"><b>pp</b></a>`, "b", `<b>pp</b>`},
		"text and references": {`<a><b k='"'>&lt;<![CDATA[&]]><c/>&#13;</b></a>`, "b",
			`<b k="&quot;">&lt;&amp;<c/>&#xD;</b>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := parse(t, tt.document)
			enc := NewEncoder()
			enc.Start(Name{"", "copy"})
			enc.Tree(doc.Root.FindElement("//" + tt.at))
			enc.Tree(nil)
			enc.End()
			if err := enc.Err(); err != nil {
				t.Fatal(err)
			}
			if got := string(enc.Bytes()); got != "<copy>"+tt.want+"</copy>" {
				t.Errorf("wrote %s\nwant  <copy>%s</copy>", got, tt.want)
			}
		})
	}
}

// TestTreeInScope checks that a prefix the output has already is used, and
// that one it has for something else is bound anew.
func TestTreeInScope(t *testing.T) {
	tests := map[string]string{
		`<a xmlns:t="` + types + `"><t:b/></a>`: `<t:o xmlns:t="` + types + `"><t:b/></t:o>`,
		`<a xmlns:t="urn:x"><t:b/></a>`: `<t:o xmlns:t="` + types +
			`"><t:b xmlns:t="urn:x"/></t:o>`,
	}
	for document, want := range tests {
		enc := NewEncoder()
		enc.Start(Name{types, "o"})
		enc.Tree(parse(t, document).Root.ChildElements()[0])
		enc.End()
		if got := string(enc.Bytes()); got != want || enc.Err() != nil {
			t.Errorf("wrote %s (%v)\nwant  %s", got, enc.Err(), want)
		}
	}
}

// TestTreesInheritWithinBounds has many small elements need one long
// declaration around them.
func TestTreesInheritWithinBounds(t *testing.T) {
	space := strings.Repeat("x", 10_000)
	doc := parse(t, `<a xmlns:p="urn:`+space+`">`+strings.Repeat("<p:b/>", 1000)+`</a>`)
	enc := NewEncoder()
	enc.Start(Name{"", "copy"})
	for _, e := range doc.Root.ChildElements() {
		enc.Tree(e)
	}
	enc.End()
	if size := len(enc.Bytes()); size > 200_000 || !errors.Is(enc.Err(), errInherited) {
		t.Errorf("wrote %d bytes, %v", size, enc.Err())
	}
	if err := enc.Err(); err != nil && strings.Contains(err.Error(), "xxx") {
		t.Errorf("the error quotes: %.200v", err)
	}
	if enc.Reset(); enc.Err() != nil {
		t.Error("the error outlives Reset")
	}
}

// TestEncoderAllocates checks that a warm encoder allocates nothing.
func TestEncoderAllocates(t *testing.T) {
	enc := NewEncoder()
	write := func() {
		enc.Reset()
		enc.Start(Name{types, "currentState"})
		enc.Declare("urn:other", XSISpace)
		enc.Element(Name{types, "state"}, "Running & well")
		enc.Nil(Name{"urn:other", "x"})
		enc.End()
	}
	if n := testing.AllocsPerRun(100, write); n > 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func TestReleaseForgetsLargeBuffers(t *testing.T) {
	enc := Borrow()
	enc.Element(Name{"", "a"}, strings.Repeat("x", maxKept+1))
	enc.Release()
	if again := Borrow(); cap(again.Bytes()) > maxKept {
		t.Errorf("the pool kept %d bytes", cap(again.Bytes()))
	}
}
