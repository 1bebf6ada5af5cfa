package xmlstrict

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/beevik/etree"
)

func TestResolveQName(t *testing.T) {
	doc := parse(t, `<a xmlns="urn:d" xmlns:p="urn:outer" xmlns:q="urn:q">
		<b xmlns:p="urn:inner" xmlns=""/></a>`)
	outer, inner := doc.Root, Child(doc.Root, Name{"", "b"})
	tests := map[string]struct {
		at   *etree.Element
		text string
		want Name // zero: refused
	}{
		"declared on the element": {inner, "p:x", Name{"urn:inner", "x"}},
		"declared on an ancestor": {inner, "q:x", Name{"urn:q", "x"}},
		"outer declaration":       {outer, "p:x", Name{"urn:outer", "x"}},
		"default namespace":       {outer, "x", Name{"urn:d", "x"}},
		"no default namespace":    {inner, "x", Name{"", "x"}},
		"white space around":      {outer, " \n p:x\t", Name{"urn:outer", "x"}},
		"prefix xml":              {outer, "xml:lang", Name{XMLSpace, "lang"}},
		"undeclared":              {outer, "z:x", Name{}},
		"empty":                   {outer, " ", Name{}},
		"empty prefix":            {outer, ":x", Name{}},
		"empty local name":        {outer, "p:", Name{}},
		"two colons":              {outer, "p:x:y", Name{}},
		"a path":                  {outer, "p:x/p:y", Name{}},
		"white space inside":      {outer, "p:x y", Name{}},
		"nil element":             {nil, "p:x", Name{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ResolveQName(tt.at, tt.text)
			if got != tt.want || (err == nil) == (tt.want == Name{}) {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	doc := parse(t, `<p:a xmlns:p="urn:p" xmlns="urn:d" k="1" p:k="2" xml:lang="en"><b/></p:a>`)
	root := doc.Root
	want := []Name{
		{XMLNSSpace, "p"}, {XMLNSSpace, "xmlns"}, {"", "k"}, {"urn:p", "k"}, {XMLSpace, "lang"},
	}
	for i := range root.Attr {
		if got := AttrName(root, &root.Attr[i]); got != want[i] {
			t.Errorf("attribute %d is %v, want %v", i, got, want[i])
		}
	}
	if v, ok := Attr(root, Name{"urn:p", "k"}); v != "2" || !ok {
		t.Errorf("p:k is %q, %v", v, ok)
	}
	if v, ok := Attr(root, Name{"urn:d", "k"}); ok {
		t.Errorf("an unprefixed attribute is in the default namespace: %q", v)
	}
	if got := NameOf(root.ChildElements()[0]).String(); got != "{urn:d}b" {
		t.Errorf("the child is %s", got)
	}
	if got := (Name{"", "x"}).String(); got != "x" {
		t.Errorf("a bare name prints as %s", got)
	}
	if NameOf(nil) != (Name{}) || Is(nil, Name{}) || Child(nil, Name{}) != nil || Text(nil) != "" {
		t.Error("a nil element has a name, a child or text")
	}
	if xml := parse(t, "<xml:a/>"); NameOf(xml.Root) != (Name{XMLSpace, "a"}) {
		t.Errorf("xml:a is %v", NameOf(xml.Root))
	}
}

func TestText(t *testing.T) {
	tests := map[string]struct{ document, raw, trimmed string }{
		"one piece":      {"<a> x </a>", " x ", "x"},
		"around a child": {"<a> x<b>no</b>y <b/>z</a>", " xy z", "xy z"},
		"none":           {"<a><b/></a>", "", ""},
		"blank":          {"<a> <b/> </a>", "  ", ""},
		"no-break space": {"<a>\u00a0x</a>", "\u00a0x", "\u00a0x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := parse(t, tt.document).Root
			if got := RawText(root); got != tt.raw {
				t.Errorf("raw text is %q, want %q", got, tt.raw)
			}
			if got := Text(root); got != tt.trimmed {
				t.Errorf("text is %q, want %q", got, tt.trimmed)
			}
		})
	}
}

func TestIsNil(t *testing.T) {
	tests := map[string]bool{
		`<a xmlns:i="` + XSISpace + `" i:nil="true"/>`:  true,
		`<a xmlns:i="` + XSISpace + `" i:nil=" 1 "/>`:   true,
		`<a xmlns:i="` + XSISpace + `" i:nil="false"/>`: false,
		`<a xmlns:i="urn:other" i:nil="true"/>`:         false,
		`<a nil="true"/>`:                               false,
		`<a/>`:                                          false,
	}
	for document, want := range tests {
		if got := IsNil(parse(t, document).Root); got != want {
			t.Errorf("%s: %v, want %v", document, got, want)
		}
	}
}

func TestOnly(t *testing.T) {
	doc := parse(t, "<a><b/><c/><c/></a>")
	if b, err := doc.Only(doc.Root, Name{"", "b"}); b == nil || err != nil {
		t.Errorf("one is %v, %v", b, err)
	}
	if x, err := doc.Only(doc.Root, Name{"", "x"}); x != nil || err != nil {
		t.Errorf("none is %v, %v", x, err)
	}
	_, err := doc.Only(doc.Root, Name{"", "c"})
	var content *ContentError
	if !errors.As(err, &content) || content.Path != "/a/c[2]" {
		t.Errorf("two give %v", err)
	}
}

// TestErrorsAreShort checks that a long text does not come back whole.
func TestErrorsAreShort(t *testing.T) {
	long := strings.Repeat("é", 1000)
	doc := parse(t, "<a/>")
	_, plain := ResolveQName(doc.Root, long+" "+long)
	_, prefixed := ResolveQName(doc.Root, long+":"+long)
	_, version := Parse([]byte("<?xml version='"+long+"'?><a/>"), Limits{})
	_, encoding := Parse([]byte("<?xml version='1.0' encoding='"+long+"'?><a/>"), Limits{})
	for _, err := range []error{plain, prefixed, version, encoding} {
		if err == nil || len(err.Error()) > 400 || !utf8.ValidString(err.Error()) {
			t.Errorf("got %v", err)
		}
	}
}

func TestChildrenStops(t *testing.T) {
	root := parse(t, "<a>x<b/><c/><d/></a>").Root
	var seen string
	for c := range Children(root) {
		if seen += c.Tag; c.Tag == "c" {
			break
		}
	}
	if seen != "bc" {
		t.Errorf("saw %q", seen)
	}
}

func TestContentError(t *testing.T) {
	doc := parse(t, "<a>\n<b/></a>")
	err := doc.Errorf(Child(doc.Root, Name{"", "b"}), "a number", "it is %d", 7)
	err.Document = "test"
	if got, want := err.Error(), "test: line 2, /a/b: it is 7 (expected a number)"; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
	if err.Unwrap() == nil {
		t.Error("there is no cause")
	}
}
