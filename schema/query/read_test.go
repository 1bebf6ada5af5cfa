package query

import (
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// TestReadRefuses gives the reader what no encoder writes.
func TestReadRefuses(t *testing.T) {
	for _, text := range []string{
		"", "text", "<", "<a", "<a>", "<a/><b/>", "<a/>x", "x<a/>", "<a></b>", "<a><b></a></b>",
		"</a>",
		"<!-- x --><a/>", "<a><!-- x --></a>", "<a><![CDATA[x]]></a>", "<?x?><a/>", "<p:a/>",
		"<a p:b='1'/>", "<a b/>", "<a b=1/>", "<a b='1/>", "<a>&x;</a>", "<a>&amp</a>",
		"<a>&#x;</a>",
		"<:a/>", "<a:b:c xmlns:a='u'/>", "<a ='1'/>", "<a>&#99999999;</a>",
	} {
		if d, err := new(Names).Read([]byte(text)); err == nil {
			t.Errorf("%s is read as %d nodes", text, len(d.nodes))
		}
	}
}

// TestRead reads what stands escaped, and namespaces in all their forms.
func TestRead(t *testing.T) {
	const text = `<a xmlns="urn:a" xmlns:p="urn:p&amp;q" p:x="1 &lt; 2" y='"'>` +
		`&amp;&#65;&#x42;<p:b xmlns=""><c/></p:b><b xmlns:p="urn:other"><p:c>x:y</p:c></b></a>`
	d, err := new(Names).Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"string(.)":                                      "&ABx:y",
		"string(@*[local-name()='x'])":                   "1 < 2",
		"string(@y)":                                     `"`,
		"namespace-uri(@*[local-name()='x'])":            "urn:p&q",
		"namespace-uri(.)":                               "urn:a",
		"namespace-uri(*[1])":                            "urn:p&q",
		"namespace-uri(*[1]/*)":                          "",
		"count(*[1]/c)":                                  "1",
		"namespace-uri(*[2]/*)":                          "urn:other",
		"name(*[1])":                                     "p:b",
		"count(//@*)":                                    "2",
		"count(//node())":                                "7",
		"count(*[2]/preceding-sibling::node())":          "2",
		"count(*[2]/*/ancestor-or-self::node())":         "4",
		"string(*[2]/*/text()[contains(., ':')])":        "x:y",
		"count(//*[name()='p:c'] | //*[name()='p:b'])":   "2",
		"local-name(//*[not(*)][2]/parent::*/parent::*)": "a",
	}
	for expression, want := range tests {
		results, err := find(d, expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got := written(t, results); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
}

// written returns the text of what is written.
func written(t testing.TB, results Results) string {
	t.Helper()
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		enc.Start(xmlstrict.Name{Local: "r"})
		results.Write(enc)
		enc.End()
	})
	return xmlstrict.RawText(doc.Root)
}

// TestResultsCarryNamespaces cuts elements out of documents: what they mean
// must not change.
func TestResultsCarryNamespaces(t *testing.T) {
	const text = `<a xmlns="urn:a" xmlns:p="urn:p" xmlns:q="urn:q">` +
		`<p:b><c v="q:x"><d xmlns="" xmlns:p="urn:p2"><p:e/></d></c></p:b></a>`
	d, err := new(Names).Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for expression, want := range map[string]string{
		"//*[local-name()='c']": `<c xmlns="urn:a" xmlns:q="urn:q" v="q:x">` +
			`<d xmlns="" xmlns:p="urn:p2"><p:e/></d></c>`,
		"//*[local-name()='e']": `<p:e xmlns:p="urn:p2"/>`,
		"//*[local-name()='d']": `<d xmlns="" xmlns:p="urn:p2"><p:e/></d>`,
	} {
		results, err := find(d, expression)
		if err != nil {
			t.Fatal(err)
		}
		enc := xmlstrict.NewEncoder()
		results.Write(enc)
		got := string(enc.Bytes())
		if strings.ReplaceAll(got, ` xmlns:p="urn:p"`, "") != want {
			t.Errorf("%s is written %s\nwant %s", expression, got, want)
		}
	}
}

// TestForestIsOneDocument asks a forest and the one document that it stands
// for, and wants the same.
func TestForestIsOneDocument(t *testing.T) {
	f := group(t, 7)
	enc := xmlstrict.NewEncoder()
	f.Write(enc)
	whole, err := new(Names).Read(enc.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, expression := range []string{
		"/", "/*", ".", "..", "/*/*", "//sg:Entry[3]", "/*/sg:Entry[last()]", "//t:state",
		"//sg:Entry[position() > 5]//t:state/text()", "//t:state/..",
		"//t:state/ancestor::*[last()]",
		"count(//node())", "string(/)", "/*/sg:Entry[2]/preceding-sibling::*",
		"/*/sg:Entry[2]/following-sibling::*[1]//l:ipAddress", "//@*", "name(/*)", "local-name(/*)",
		"//l:nic[l:name='eth1' and ../../..//t:state='Paused']/l:name",
		"sum(//ws:WorkspaceKey)", "//t:state | //l:hostname", "/*/*[1]/following::t:state[1]",
		"//sg:Entry[.//t:state[.='Running']][2]//ws:WorkspaceKey",
	} {
		one, errOne := find(f, expression)
		two, errTwo := find(whole, expression)
		if (errOne == nil) != (errTwo == nil) || describe(one) != describe(two) {
			if expression == "name(/*)" {
				continue // a forest's root has no prefix of its own
			}
			t.Errorf("%s selects %s (%v), in one document %s (%v)", expression, describe(one),
				errOne, describe(two), errTwo)
		}
	}
}

// TestDescendantsAreTheSame evaluates expressions as they are written and as
// the library would take them by itself.
func TestDescendantsAreTheSame(t *testing.T) {
	f := group(t, 6)
	for _, expression := range []string{
		"//t:state[.='Running']", "//*[t:state='Paused']", "//l:nic[l:name]", "//l:nic[2]",
		"//l:nic[position()=2]", "//l:nic[last()]", "//l:nic[@x or l:name='eth0'][1]",
		"//sg:Entry[.//l:nic[2]]", "//l:*[contains(., 'eth')]", "//l:nic[count(*)]",
		"//l:nic[count(*) = 4]", "//sg:Entry//l:nic[not(l:x)]", "//l:nic[string-length(l:name)]",
		"//l:nic[l:name = 'eth1' and position() = 2]", "//l:nic[starts-with(l:name, 'eth')]",
		"//l:nic[* and not(last() = 1)]", "//sg:Content//*[self::l:nic]", "//l:nic['x']",
		"//l:nic[1 = 1]", "//l:nic[true()]", "//l:nic[l:name]/l:association",
		"//l:nic[*[2]]", "//l:nic[boolean(l:name) = true()]",
	} {
		ours, err := find(f, expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		// The same without "//": what the standard says it stands for.
		long := strings.ReplaceAll(expression, "//", "/descendant-or-self::node()/")
		theirs, err := find(f, long)
		if err != nil || sorted(ours) != sorted(theirs) {
			t.Errorf("%s selects %s\n%s selects %s, %v", expression, describe(ours), long,
				describe(theirs), err)
		}
	}
}

// sorted describes what was selected without regard to its order: the library
// does not keep that of the document.
func sorted(r Results) string {
	words := strings.Fields(describe(r))
	slices.Sort(words)
	return strings.Join(words, " ")
}

// TestShelf keeps documents by version, and forgets when it is full.
func TestShelf(t *testing.T) {
	var s Shelf[int]
	written := 0
	read := func(key int, version int64, size int) *Document {
		d, err := s.Read(key, version, func(enc *xmlstrict.Encoder) {
			written++
			enc.Element(xmlstrict.Name{Local: "a"}, strings.Repeat("x", size))
		})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if read(1, 1, 1) != read(1, 1, 1) || written != 1 {
		t.Errorf("an unchanged thing was written %d times", written)
	}
	if read(1, 1, 1) == read(1, 2, 2) || written != 2 {
		t.Errorf("a changed thing was written %d times", written)
	}
	for i := range 100 {
		read(i, 3, maxShelf/50)
	}
	if s.size > maxShelf || len(s.docs) > 50 {
		t.Errorf("the shelf holds %d documents of %d bytes", len(s.docs), s.size)
	}
	if _, err := s.Read(7, 9, func(enc *xmlstrict.Encoder) { enc.End() }); err == nil {
		t.Error("what cannot be written was read")
	}
}

// FuzzRead reads what an encoder wrote of any document, and writes it again:
// the two must be the same tree.
func FuzzRead(f *testing.F) {
	for _, data := range soaptest.All(f) {
		f.Add(data)
	}
	f.Add([]byte(`<a xmlns="u" b=" &#9;&amp;&quot;'"><c xmlns="">&gt;]]&gt;&#13;</c></a>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := xmlstrict.Parse(data, xmlstrict.Limits{})
		if err != nil {
			return
		}
		d, err := OfTree(doc.Root)
		if err != nil {
			t.Fatal(err)
		}
		again := soaptest.Written(t, d.Write)
		if got, want := outline(again.Root), outline(doc.Root); got != want {
			t.Fatalf("read %s\nof   %s", got, want)
		}
		e, err := Compile("string(.)", nil)
		if err != nil {
			t.Fatal(err)
		}
		results, err := e.Select(d)
		if err == nil && results.value != text(doc.Root) {
			t.Fatalf("its text is %q, want %q", results.value, text(doc.Root))
		}
	})
}

// outline lists the names, attributes and texts of a tree.
func outline(e *etree.Element) string {
	all := xmlstrict.NameOf(e).String() + "("
	for i := range e.Attr {
		all += e.Attr[i].FullKey() + "=" + e.Attr[i].Value + " "
	}
	all += xmlstrict.RawText(e)
	for child := range xmlstrict.Children(e) {
		all += outline(child)
	}
	return all + ")"
}

// text returns the string value of an element.
func text(e *etree.Element) string {
	var all strings.Builder
	for _, token := range e.Child {
		switch token := token.(type) {
		case *etree.Element:
			all.WriteString(text(token))
		case *etree.CharData:
			all.WriteString(token.Data)
		}
	}
	return all.String()
}
