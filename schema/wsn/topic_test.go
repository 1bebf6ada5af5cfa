package wsn

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// expression returns an element with a topic expression; t and u are prefixes.
func expression(t testing.TB, dialect, text string) *xmlstrict.Document {
	t.Helper()
	enc := xmlstrict.NewEncoder()
	enc.Start(xmlstrict.Name{Local: "e"})
	enc.Attr(xmlstrict.Name{Local: "Dialect"}, dialect)
	enc.RawString("")
	enc.Text(text)
	enc.End()
	raw := strings.Replace(string(enc.Bytes()), "<e ", `<e xmlns:t="urn:t" xmlns:u="urn:u" `, 1)
	return soaptest.Parse(t, raw)
}

// pathOf returns the path that a text names: names joined by "/", those of the
// namespace urn:t with t: and those of urn:u with u: before them.
func pathOf(text string) []xmlstrict.Name {
	var path []xmlstrict.Name
	for word := range strings.SplitSeq(text, "/") {
		prefix, local, ok := strings.Cut(word, ":")
		if !ok {
			prefix, local = "", word
		} else {
			prefix = "urn:" + prefix
		}
		path = append(path, xmlstrict.Name{Space: prefix, Local: local})
	}
	return path
}

// TestFullTopics holds expressions of the dialect against topics (WS-Topics
// 1.3, 8.3, examples of table 1 among them).
func TestFullTopics(t *testing.T) {
	const all = "t:a t:a/b t:a/b/c t:a/u:b t:b u:a u:a/b/b a"
	tests := map[string]string{
		"t:a":             "t:a",
		"a":               "a",
		"*":               "t:a t:b u:a a",
		"t:*":             "t:a t:b",
		"t:a/b":           "t:a/b",
		"t:a/u:b":         "t:a/u:b",
		"t:a/*":           "t:a/b t:a/u:b",
		"*/*":             "t:a/b t:a/u:b",
		"t:a//*":          "t:a/b t:a/b/c t:a/u:b",
		"t:a//c":          "t:a/b/c",
		"t:a//.":          "t:a t:a/b t:a/b/c t:a/u:b",
		"t:a/.":           "t:a",
		"t://*":           "t:a t:a/b t:a/b/c t:a/u:b t:b",
		"t://b":           "t:a/b t:b",
		"//b":             "t:a/b u:a/b/b",
		"//a":             "a",
		"u:a//b":          "u:a/b/b",
		"t:a|u:a":         "t:a u:a",
		"t:b|t:a/b/c|t:x": "t:a/b/c t:b",
		"t:x":             "",
		"*//*//*":         "t:a/b/c u:a/b/b",
		"t:a//b//.":       "t:a/b t:a/b/c",
		"t:a/b/c/d":       "",
	}
	for text, want := range tests {
		doc := expression(t, FullDialect2, text)
		e, err := Final.ParseTopicExpression(doc, doc.Root)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var found []string
		for _, topic := range strings.Fields(all) {
			if e.MatchPath(pathOf(topic)...) {
				found = append(found, topic)
			}
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%s names %s, want %s", text, got, want)
		}
		checkKept(t, e)
	}
}

// checkKept writes an expression to be kept and reads it back.
func checkKept(t testing.TB, e TopicExpression) {
	t.Helper()
	kept := e.Bytes()
	again, err := ReadTopicExpression(kept)
	if err != nil || again.String() != e.String() || again.Dialect != e.Dialect {
		t.Fatalf("%s is kept as %s and read as %s, %v", e, kept, again, err)
	}
	if second := again.Bytes(); string(second) != string(kept) {
		t.Fatalf("%s is kept as %s, then as %s", e, kept, second)
	}
}

// TestDialects reads each dialect of both editions.
func TestDialects(t *testing.T) {
	tests := []struct {
		edition Edition
		dialect string
		text    string
		bad     xmlstrict.Name
	}{
		{Draft, draftDialect + "Simple", "t:a", xmlstrict.Name{}},
		{Draft, draftDialect + "Concrete", "t:a/b", xmlstrict.Name{}},
		{Draft, draftDialect + "Full", "t:a//b|*", xmlstrict.Name{}},
		{Draft, FullDialect2, "t:a", names[Draft].TopicDialectUnknown},
		{Final, SimpleDialect2, "t:a", xmlstrict.Name{}},
		{Final, ConcreteDialect2, "t:a/b/u:c", xmlstrict.Name{}},
		{Final, FullDialect2, "t:a//b|*", xmlstrict.Name{}},
		{Final, ConcreteSet, "t:a/b//.|u:c", xmlstrict.Name{}},
		{Final, draftDialect + "Full", "t:a", names[Final].TopicDialectUnknown},
		{Final, "urn:x", "t:a", names[Final].TopicDialectUnknown},
		{Final, SimpleDialect2, "t:a/b", names[Final].InvalidTopicExpression},
		{Final, ConcreteDialect2, "t:a//b", names[Final].InvalidTopicExpression},
		{Final, ConcreteDialect2, "t:a/*", names[Final].InvalidTopicExpression},
		{Final, ConcreteDialect2, "*", names[Final].InvalidTopicExpression},
		{Final, ConcreteDialect2, "t:a/.", names[Final].InvalidTopicExpression},
		{Final, ConcreteDialect2, "t:a|t:b", names[Final].InvalidTopicExpression},
		{Final, ConcreteSet, "t:a//b", names[Final].InvalidTopicExpression},
		{Final, ConcreteSet, "t:a/*", names[Final].InvalidTopicExpression},
		{Draft, draftDialect + "Concrete", "t:a//b", names[Draft].InvalidTopicExpression},
	}
	for _, tt := range tests {
		doc := expression(t, tt.dialect, tt.text)
		e, err := tt.edition.ParseTopicExpression(doc, doc.Root)
		if tt.bad != (xmlstrict.Name{}) {
			wantFault(t, err, tt.bad)
			continue
		}
		if err != nil {
			t.Errorf("%s in %s: %v", tt.text, tt.dialect, err)
			continue
		}
		checkKept(t, e)
	}
}

func TestBadTopicExpressions(t *testing.T) {
	for _, text := range []string{
		"", "|", "t:a|", "|t:a", "/", "//", "/t:a", "t:a/", "t:a//", "t:a///b", ".", "t:.",
		"t:", ":a", "x:a", "t:a/x:b", "t:a/:b", "t:a b", "t:a | t:b", "t:a/..", "t:a[1]", "@a",
		"1a",
		"t:t:a", "t:a/t:*", "**", "t:a/.b/", strings.Repeat("t:a|", 300) + "t:a",
	} {
		doc := expression(t, FullDialect2, text)
		_, err := Final.ParseTopicExpression(doc, doc.Root)
		wantFault(t, err, names[Final].InvalidTopicExpression)
	}
	doc := soaptest.Parse(t, `<e Dialect="`+FullDialect2+`">a<b/></e>`)
	_, err := Final.ParseTopicExpression(doc, doc.Root)
	wantFault(t, err, names[Final].InvalidTopicExpression)
}

// TestDefaultNamespaceOfTopics: a root topic without prefix is in the default
// namespace, as any qualified name.
func TestDefaultNamespaceOfTopics(t *testing.T) {
	root := xmlstrict.Name{Space: "urn:t", Local: "a"}
	for _, text := range []string{"a", "//a", "x|a"} {
		doc := soaptest.Parse(t, `<e xmlns="urn:t" Dialect="`+FullDialect2+`">`+text+`</e>`)
		e, err := Final.ParseTopicExpression(doc, doc.Root)
		if err != nil || !e.MatchPath(root) || e.MatchPath(xmlstrict.Name{Local: "a"}) {
			t.Errorf("%s is %v, %v", text, e, err)
			continue
		}
		checkKept(t, e)
	}
}

func TestTopicsOfProducer(t *testing.T) {
	offered := []xmlstrict.Name{{Space: "urn:t", Local: "a"}, {Space: "urn:u", Local: "b"}}
	doc := expression(t, FullDialect2, "*")
	e, err := Final.ParseTopicExpression(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := e.Of(offered); len(found) != 2 || err != nil {
		t.Errorf("it names %v, %v", found, err)
	}
	_, err = Final.SimpleTopic(xmlstrict.Name{Local: "a"}).Of(offered)
	if got := faultName(err); got != names[Final].TopicNotSupported {
		t.Errorf("the fault is %s", got)
	}
	_, err = Draft.SimpleTopic(xmlstrict.Name{Local: "a"}).Of(offered)
	if got := faultName(err); got != names[Draft].TopicNotSupported {
		t.Errorf("the draft's fault is %s", got)
	}
	if found := (TopicExpression{}).Match(offered); len(found) != 0 {
		t.Errorf("no expression names %v", found)
	}
}
