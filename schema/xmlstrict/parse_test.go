package xmlstrict

import (
	"errors"
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// parse parses a document that must be accepted.
func parse(t testing.TB, text string) *Document {
	t.Helper()
	doc, err := Parse([]byte(text), Limits{})
	if err != nil {
		t.Fatalf("cannot parse %.200q: %v", text, err)
	}
	return doc
}

func TestParseText(t *testing.T) {
	tests := map[string]struct{ document, want string }{
		"plain":                  {"<a>text</a>", "text"},
		"empty":                  {"<a></a>", ""},
		"empty element":          {"<a/>", ""},
		"white space is kept":    {"<a> \n x\t</a>", " \n x\t"},
		"named entities":         {"<a>&lt;&amp;&gt;&apos;&quot;</a>", `<&>'"`},
		"decimal reference":      {"<a>&#233;</a>", "é"},
		"hexadecimal reference":  {"<a>&#xE9;&#x1F600;</a>", "é😀"},
		"leading zeros":          {"<a>&#x000041;</a>", "A"},
		"escaped ampersand once": {"<a>&amp;lt;</a>", "&lt;"},
		"CRLF":                   {"<a>x\r\ny</a>", "x\ny"},
		"lone CR":                {"<a>x\ry\r\r</a>", "x\ny\n\n"},
		"referenced CR stays":    {"<a>x&#13;\ny</a>", "x\r\ny"},
		"CDATA":                  {"<a><![CDATA[<b>&amp;]]></a>", "<b>&amp;"},
		"CDATA joins text":       {"<a>x<![CDATA[y]]>z</a>", "xyz"},
		"CDATA with CRLF":        {"<a><![CDATA[x\r\ny\rz]]></a>", "x\ny\nz"},
		"CDATA with brackets":    {"<a><![CDATA[]]]]></a>", "]]"},
		"brackets":               {"<a>]] ]> ]</a>", "]] ]> ]"},
		"byte order mark":        {"\xEF\xBB\xBF<a>x</a>", "x"},
		"mark and declaration":   {"\xEF\xBB\xBF<?xml version='1.0'?><a>x</a>", "x"},
		"declaration":            {`<?xml version="1.0" encoding="utf-8"?><a>x</a>`, "x"},
		"declared ASCII": {`<?xml version="1.0" encoding="US-ASCII" ?><a>x</a>`,
			"x"},
		"standalone":               {`<?xml version="1.0" standalone="yes"?><a>x</a>`, "x"},
		"comment before text":      {"<a><!-- c -->x</a>", "x"},
		"comment behind text":      {"<a>x<!-- c --></a>", "x"},
		"comment in white space":   {"<a> <!-- c --> x</a>", "  x"},
		"comments outside":         {"<!-- c --><a>x</a><!-- d -->\n", "x"},
		"comment between elements": {"<a>x<b/><!-- c -->y</a>", "xy"},
		"space in end tag":         {"<a>x</a \n>", "x"},
		"characters beyond ASCII":  {"<a>Ω 中 😀 \u0085</a>", "Ω 中 😀 \u0085"},
		"names beyond ASCII":       {"<élan>x</élan>", "x"},
		"greater than":             {"<a>x > y</a>", "x > y"},
		"delete is a character":    {"<a>\x7f</a>", "\x7f"},
		"white space around":       {" <?no?>"[:1] + "\n<a>x</a>\r\n", "x"},
		"many pieces": {"<a>" + strings.Repeat("&amp;x", 100) + "</a>",
			strings.Repeat("&x", 100)},
		"xml prefix needs no declaration": {`<a xml:lang="en">x</a>`, "x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := parse(t, tt.document)
			if got := RawText(doc.Root); got != tt.want {
				t.Errorf("text is %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParseAttributeValue(t *testing.T) {
	tests := map[string]struct{ document, want string }{
		"plain":                  {`<a v="x"/>`, "x"},
		"single quotes":          {`<a v='x"y'/>`, `x"y`},
		"other quote inside":     {`<a v="x'y"/>`, `x'y`},
		"empty":                  {`<a v=""/>`, ""},
		"white space becomes":    {"<a v='x\ty\nz'/>", "x y z"},
		"CRLF is one blank":      {"<a v='x\r\ny\rz'/>", "x y z"},
		"referenced stays":       {"<a v='&#9;&#10;&#13;'/>", "\t\n\r"},
		"entities":               {`<a v="&lt;&quot;&amp;"/>`, `<"&`},
		"space around equals":    {"<a v = \n'x' />", "x"},
		"greater than":           {`<a v="x>y"/>`, "x>y"},
		"characters":             {`<a v="Ωé"/>`, "Ωé"},
		"among other attributes": {`<a u="1" v="x" w="2"/>`, "x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := parse(t, tt.document)
			if got := doc.Root.SelectAttrValue("v", "no such attribute"); got != tt.want {
				t.Errorf("value is %q, want %q", got, tt.want)
			}
		})
	}
}

// TestParseTree checks that the tree is one that etree itself could have made.
func TestParseTree(t *testing.T) {
	doc := parse(t, `<a xmlns="urn:a" xmlns:p="urn:p" k="v" p:k="w">x<p:b/>y<c>z</c></a>`)
	root := doc.Root
	if root.Parent() != nil || root.NamespaceURI() != "urn:a" {
		t.Errorf("the root's parent is %v and its namespace %q", root.Parent(), root.NamespaceURI())
	}
	for i, token := range root.Child {
		if token.Parent() != root || token.Index() != i {
			t.Errorf("token %d has parent %v and index %d", i, token.Parent(), token.Index())
		}
	}
	b := root.SelectElement("b")
	if b == nil || b.Space != "p" || NameOf(b) != (Name{"urn:p", "b"}) {
		t.Errorf("p:b is %v", b)
	}
	for i := range root.Attr {
		if root.Attr[i].Element() != root {
			t.Errorf("attribute %s belongs to %v", root.Attr[i].FullKey(), root.Attr[i].Element())
		}
	}
	whole := etree.NewDocumentWithRoot(root)
	got, err := whole.WriteToString()
	want := `<a xmlns="urn:a" xmlns:p="urn:p" k="v" p:k="w">x<p:b/>y<c>z</c></a>`
	if err != nil || got != want {
		t.Errorf("etree writes %s (%v), want %s", got, err, want)
	}
}

// refusals is the table of hostile and broken documents.
var refusals = map[string]struct {
	document string
	line     int
	column   int
	path     string
	reason   string // a part of it
}{
	"nothing":           {"", 1, 1, "/", "no element"},
	"white space alone": {" \n ", 2, 2, "/", "no element"},
	"text alone":        {"text", 1, 1, "/", "text outside"},
	"not closed":        {"<a><b>", 1, 7, "/a/b", "ends before </b>"},
	"not closed, lines": {"<a>\n<b>\n", 3, 1, "/a/b", "ends before </b>"},
	"wrong end tag":     {"<a><b></a></b>", 1, 7, "/a/b", "not the end tag </b>"},
	"longer end tag":    {"<a></ab>", 1, 4, "/a", "not the end tag </a>"},
	"end tag alone":     {"</a>", 1, 1, "/", "without its start tag"},
	"second root":       {"<a/><b/>", 1, 5, "/", "second root"},
	"text after root":   {"<a/>x", 1, 5, "/", "text outside"},
	"text before root":  {"x<a/>", 1, 1, "/", "text outside"},
	"document type": {"<!DOCTYPE a [<!ENTITY x 'y'>]><a/>", 1, 1, "/",
		"document type"},
	"external subset": {"<!DOCTYPE a SYSTEM 'http://h/x.dtd'><a/>", 1, 1, "/",
		"document type"},
	"DTD inside":         {"<a><!DOCTYPE a></a>", 1, 4, "/a", "document type"},
	"DTD behind":         {"<a/><!DOCTYPE a>", 1, 5, "/", "document type"},
	"entity declaration": {"<a><!ENTITY x 'y'></a>", 1, 4, "/a", "<!"},
	"undefined entity":   {"<a>\n&x;</a>", 2, 1, "/a", "&x; is not defined"},
	"HTML entity":        {"<a>&nbsp;</a>", 1, 4, "/a", "&nbsp; is not defined"},
	"bare ampersand":     {"<a>R&D</a>", 1, 5, "/a", "&amp;"},
	"far semicolon": {"<a>&" + strings.Repeat("x", 40) + ";</a>", 1, 4, "/a",
		"&amp;"},
	"null reference":              {"<a>&#0;</a>", 1, 4, "/a", "not defined"},
	"surrogate":                   {"<a>&#xD800;</a>", 1, 4, "/a", "not defined"},
	"beyond Unicode":              {"<a>&#x110000;</a>", 1, 4, "/a", "not defined"},
	"overflowing":                 {"<a>&#99999999999999999999;</a>", 1, 4, "/a", "not defined"},
	"empty reference":             {"<a>&#;</a>", 1, 4, "/a", "not defined"},
	"capital X":                   {"<a>&#X41;</a>", 1, 4, "/a", "not defined"},
	"bad digit":                   {"<a>&#12a;</a>", 1, 4, "/a", "not defined"},
	"processing instruction":      {"<a><?php x?></a>", 1, 4, "/a", "processing instruction"},
	"instruction before the root": {"<?style x?><a/>", 1, 1, "/", "processing instruction"},
	"instruction behind the root": {"<a/><?style x?>", 1, 5, "/", "processing instruction"},
	"XML declaration not first": {" <?xml version='1.0'?><a/>", 1, 2, "/",
		"processing instruction"},
	"second XML declaration": {"<?xml version='1.0'?><?xml version='1.0'?><a/>", 1, 22, "/",
		"processing"},
	"XML 1.1":         {"<?xml version='1.1'?><a/>", 1, 1, "/", "only 1.0"},
	"no version":      {"<?xml encoding='UTF-8'?><a/>", 1, 1, "/", "only 1.0"},
	"bad declaration": {"<?xml version=1.0?><a/>", 1, 1, "/", "malformed"},
	"declaration in wrong order": {"<?xml encoding='UTF-8' version='1.0'?><a/>", 1, 1, "/",
		"malformed"},
	"declaration without space": {"<?xml version='1.0'encoding='UTF-8'?><a/>", 1, 1, "/",
		"malformed"},
	"declaration without end": {"<?xml version='1.0'", 1, 1, "/", "no end"},
	"standalone perhaps": {"<?xml version='1.0' standalone='perhaps'?><a/>", 1, 1, "/",
		"malformed"},
	"Latin-1": {"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", 1, 1, "/",
		"only UTF-8"},
	"UTF-7": {"<?xml version='1.0' encoding='UTF-7'?><a/>", 1, 1, "/",
		"only UTF-8"},
	"UTF-16 by name": {"<?xml version='1.0' encoding='UTF-16'?><a/>", 1, 1, "/",
		"only UTF-8"},
	"UTF-16 little-endian": {"\xFF\xFE<\x00a\x00/\x00>\x00", 1, 1, "/", "UTF-16"},
	"UTF-16 big-endian":    {"\xFE\xFF\x00<\x00a\x00/\x00>", 1, 1, "/", "UTF-16"},
	"UTF-16 without mark":  {"<\x00a\x00/\x00>\x00", 1, 2, "/", "legal UTF-8"},
	"not ASCII though declared": {"<?xml version='1.0' encoding='ascii'?>\n<a>é</a>", 2, 4,
		"/", "above ASCII"},
	"control character":   {"<a>\x01</a>", 1, 4, "/", "legal UTF-8"},
	"null byte":           {"<a>\x00</a>", 1, 4, "/", "legal UTF-8"},
	"broken UTF-8":        {"<a>\xC3(</a>", 1, 4, "/", "legal UTF-8"},
	"overlong UTF-8":      {"<a>\xC0\xAF</a>", 1, 4, "/", "legal UTF-8"},
	"surrogate in UTF-8":  {"<a>\xED\xA0\x80</a>", 1, 4, "/", "legal UTF-8"},
	"non-character":       {"<a>\uFFFE</a>", 1, 4, "/", "legal UTF-8"},
	"duplicate attribute": {`<a x="1" x="2"/>`, 1, 10, "/a", "x is given twice"},
	"duplicate by expanded name": {`<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>`, 1, 36, "/a",
		"given twice"},
	"duplicate declaration":       {`<a xmlns:p="u" xmlns:p="v"/>`, 1, 16, "/a", "given twice"},
	"duplicate default":           {`<a xmlns="u" xmlns="u"/>`, 1, 14, "/a", "given twice"},
	"undeclared element prefix":   {"<a>\n  <u:b/></a>", 2, 3, "/a/b", "prefix of <u:b>"},
	"undeclared attribute prefix": {`<a u:x="1"/>`, 1, 4, "/a", "prefix of attribute u:x"},
	"prefix out of scope": {`<a><b xmlns:p="u"/><p:c/></a>`, 1, 20, "/a/c",
		"not declared"},
	"prefix bound to nothing": {`<a xmlns:p=""/>`, 1, 4, "/a", "no namespace"},
	"prefix xmlns declared":   {`<a xmlns:xmlns="u"/>`, 1, 4, "/a", "xmlns"},
	"prefix xmlns used":       {`<xmlns:a/>`, 1, 1, "/a", "not declared"},
	"prefix xml rebound":      {`<a xmlns:xml="u"/>`, 1, 4, "/a", "belong to each other"},
	"xml namespace renamed": {`<a xmlns:p="` + XMLSpace + `"/>`, 1, 4, "/a",
		"belong to each other"},
	"xml namespace as default": {`<a xmlns="` + XMLSpace + `"/>`, 1, 4, "/a",
		"belong to each other"},
	"xmlns namespace bound": {`<a xmlns:p="` + XMLNSSpace + `"/>`, 1, 4, "/a",
		"no prefix may be bound"},
	"two colons":               {"<a:b:c/>", 1, 5, "/", "malformed"},
	"leading colon":            {"<:a/>", 1, 2, "/", "name was expected"},
	"trailing colon":           {"<a:/>", 1, 2, "/", "name was expected"},
	"digit first":              {"<1a/>", 1, 2, "/", "name was expected"},
	"space before the name":    {"< a/>", 1, 2, "/", "name was expected"},
	"bare less-than":           {"<a>1 < 2</a>", 1, 7, "/a", "name was expected"},
	"attribute without value":  {"<a x/>", 1, 5, "/", "no value"},
	"attribute without quotes": {"<a x=1/>", 1, 6, "/", "not quoted"},
	"attributes without space": {`<a x="1"y="2"/>`, 1, 9, "/", "malformed"},
	"less-than in value":       {`<a x="<"/>`, 1, 7, "/", "&lt;"},
	"entity in value":          {`<a x="&y;"/>`, 1, 7, "/", "not defined"},
	"value without end":        {`<a x="1>`, 1, 9, "/", "ends inside the value"},
	"tag without end":          {`<a x="1" `, 1, 10, "/", "ends inside the tag"},
	"slash in tag":             {`<a / >`, 1, 4, "/", "name was expected"},
	"comment without end":      {"<a><!-- x", 1, 4, "/a", "no end"},
	"comment with dashes":      {"<a><!-- x -- y --></a>", 1, 11, "/a", "--"},
	"comment ending in three":  {"<a><!-- x ---></a>", 1, 11, "/a", "--"},
	"comment inside an identifier": {"<a>admin<!-- x -->.evil</a>", 1, 19, "/a",
		"comment stands inside"},
	"comment before CDATA": {"<a>x<!-- --><![CDATA[y]]></a>", 1, 22, "/a",
		"comment stands inside"},
	"comment before reference": {"<a>x<!-- -->&#65;</a>", 1, 13, "/a", "comment stands inside"},
	"CDATA without end":        {"<a><![CDATA[x", 1, 4, "/a", "no end"},
	"CDATA outside":            {"<a/><![CDATA[x]]>", 1, 5, "/", "<!"},
	"CDATA end in text":        {"<a>x]]>y</a>", 1, 5, "/a", "]]>"},
	"column counts characters": {"<a>é😀&x;</a>", 1, 6, "/a", "not defined"},
	"lines end in CRLF":        {"<a>\r\n\r\n&x;</a>", 3, 1, "/a", "not defined"},
	"lines end in CR":          {"<a>\r\r&x;</a>", 3, 1, "/a", "not defined"},
	"path by local names": {`<p:a xmlns:p="u"><b><p:c>&x;`, 1, 26, "/a/b/c",
		"not defined"},
}

func TestParseRefuses(t *testing.T) {
	for name, tt := range refusals {
		t.Run(name, func(t *testing.T) {
			doc, err := Parse([]byte(tt.document), Limits{})
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("got %v, %v; want a SyntaxError", doc, err)
			}
			if syntax.Line != tt.line || syntax.Column != tt.column || syntax.Path != tt.path {
				t.Errorf("error at line %d, column %d, %s; want %d, %d, %s: %v", syntax.Line,
					syntax.Column, syntax.Path, tt.line, tt.column, tt.path, err)
			}
			if !strings.Contains(syntax.Reason, tt.reason) {
				t.Errorf("reason is %q, want something with %q", syntax.Reason, tt.reason)
			}
		})
	}
}

// TestParseAfterRefusal checks that nothing of a refused document lingers in
// the scanner that the next document gets.
func TestParseAfterRefusal(t *testing.T) {
	for range 100 {
		_, err := Parse([]byte(`<a xmlns:p="u"><b>left over &amp; spilled<!-- x -->`), Limits{})
		if err == nil {
			t.Fatal("an unfinished document was accepted")
		}
		doc := parse(t, "<a><b>new</b></a>")
		if got := RawText(doc.Root); got != "" || len(doc.Root.Child) != 1 {
			t.Fatalf("the root holds %q and %d tokens", got, len(doc.Root.Child))
		}
		if _, err := Parse([]byte(`<p:a/>`), Limits{}); err == nil {
			t.Fatal("a prefix of another document is still in scope")
		}
	}
}

func TestParseRecorded(t *testing.T) {
	for name, data := range allRecorded(t) {
		doc, err := Parse(data, Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if doc.Root.Tag != "Envelope" {
			t.Errorf("%s: the root is %s", name, doc.Root.Tag)
		}
	}
}

func TestLineAndPath(t *testing.T) {
	doc := parse(t, "<a>\n <b/>\r\n <b><c/></b>\r <d/><b/>\n</a>")
	bs := doc.Root.SelectElements("b")
	tests := map[string]struct {
		element *etree.Element
		line    int
		path    string
	}{
		"root":           {doc.Root, 1, "/a"},
		"first of three": {bs[0], 2, "/a/b[1]"},
		"inside second":  {bs[1].SelectElement("c"), 3, "/a/b[2]/c"},
		"single":         {doc.Root.SelectElement("d"), 4, "/a/d"},
		"third":          {bs[2], 4, "/a/b[3]"},
		"nil":            {nil, 0, "/"},
		"foreign":        {etree.NewElement("x"), 0, "/x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := doc.Line(tt.element); got != tt.line {
				t.Errorf("line is %d, want %d", got, tt.line)
			}
			if got := doc.Path(tt.element); got != tt.path {
				t.Errorf("path is %s, want %s", got, tt.path)
			}
		})
	}
	if line := (*Document)(nil).Line(doc.Root); line != 0 {
		t.Errorf("a nil document knows line %d", line)
	}
}
