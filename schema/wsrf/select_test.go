package wsrf

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// properties is a property document; d has its own default namespace.
const properties = `<w:Set xmlns:w="urn:w" xmlns:t="urn:t"><t:state>Running</t:state>` +
	`<t:nic t:kind="q" name="eth0">1</t:nic><t:nic name="eth1">2</t:nic>` +
	`<schedule xmlns="urn:d"><end>later</end></schedule><plain/></w:Set>`

// prefixes resolves the prefixes of the expressions in these tests.
func prefixes(prefix string) (string, bool) {
	space, ok := map[string]string{
		"w": "urn:w", "x": "urn:t", "d": "urn:d", "odd": "urn:'odd",
		"evil": "']|matches(.,\"x\")|*['",
	}[prefix]
	return space, ok
}

// results describes what was selected.
func results(found []any) string {
	var all []string
	for _, r := range found {
		switch r := r.(type) {
		case *etree.Element:
			all = append(all, "<"+r.Tag+">")
		case *etree.Attr:
			all = append(all, "@"+r.Key+"="+r.Value)
		default:
			all = append(all, fmt.Sprintf("%T %v", r, r))
		}
	}
	return strings.Join(all, " ")
}

func TestSelect(t *testing.T) {
	tests := map[string]struct{ expression, want string }{
		"document":                {"/", "<Set>"},
		"document, spaced":        {" / ", "<Set>"},
		"root by star":            {"/*", "<Set>"},
		"root by name":            {"/w:Set", "<Set>"},
		"child path":              {"/w:Set/x:state", "<state>"},
		"relative path":           {"x:state", "<state>"},
		"self":                    {".", "<Set>"},
		"parent of the root":      {"..", "<Set>"},
		"local name anywhere":     {"//*[local-name()='state']", "<state>"},
		"by namespace":            {"//*[namespace-uri()='urn:d']", "<schedule> <end>"},
		"default namespace":       {"/w:Set/d:schedule/d:end", "<end>"},
		"no prefix, no namespace": {"/w:Set/plain", "<plain>"},
		"no prefix misses":        {"/w:Set/schedule", ""},
		"wrong name":              {"/w:Set/x:none", ""},
		"any of a namespace":      {"x:*", "<state> <nic> <nic>"},
		"any, by position":        {"x:*[2]/@x:*", "@kind=q"},
		"times":                   {"x:nic[1] *2", "float64 2"},
		"several":                 {"x:nic", "<nic> <nic>"},
		"by position":             {"x:nic[2]/@name", "@name=eth1"},
		"last":                    {"x:nic[last()]", "<nic>"},
		"by attribute":            {"x:nic[@name='eth1']", "<nic>"},
		"qualified attribute":     {"x:nic/@x:kind", "@kind=q"},
		"attributes":              {"x:nic[1]/@*", "@kind=q @name=eth0"},
		"no declarations":         {"/w:Set/@*", ""},
		"text":                    {"x:state/text()", "string Running"},
		"parent":                  {"//d:end/..", "<schedule>"},
		"ancestors":               {"count(//d:end/ancestor::*)", "float64 2"},
		"following":               {"x:state/following-sibling::x:nic", "<nic> <nic>"},
		"preceding":               {"plain/preceding-sibling::*[1]", "<schedule>"},
		"union":                   {"x:state | plain", "<state> <plain>"},
		"count":                   {"count(x:nic)", "float64 2"},
		"sum":                     {"sum(x:nic)", "float64 3"},
		"string":                  {"string(x:state)", "string Running"},
		"string of the whole":     {"string(/)", "string Running12later"},
		"concatenation":           {"concat(x:state, ' ', \"now\")", "string Running now"},
		"truth":                   {"x:state='Running'", "bool true"},
		"not":                     {"not(x:state='Paused' or x:none)", "bool true"},
		"and with parenthesis":    {"(x:state) and (x:nic)", "bool true"},
		"arithmetic":              {"1 + 2 * 3", "float64 7"},
		"quoted parenthesis":      {"x:state[.!='system(\"x\")']", "<state>"},
		"nothing":                 {"x:none", ""},
	}
	doc := soaptest.Parse(t, properties)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := Select(doc.Root, tt.expression, prefixes)
			if err != nil {
				t.Fatal(err)
			}
			if got := results(found); got != tt.want {
				t.Errorf("%s selects %q, want %q", tt.expression, got, tt.want)
			}
		})
	}
}

func TestSelectRefuses(t *testing.T) {
	tests := map[string]struct {
		expression string
		fault      xmlstrict.Name
	}{
		"empty":                 {"", InvalidQueryExpression},
		"not XPath":             {"][", InvalidQueryExpression},
		"half a path":           {"/w:Set/", InvalidQueryExpression},
		"open parenthesis":      {"count(", InvalidQueryExpression},
		"open quote":            {"x:state['", InvalidQueryExpression},
		"undeclared prefix":     {"/z:Set", InvalidQueryExpression},
		"namespace with quotes": {"evil:*", InvalidQueryExpression},
		"variable":              {"$x", InvalidQueryExpression},
		"unknown function":      {"system('id')", InvalidQueryExpression},
		"unknown axis":          {"sideways::x", InvalidQueryExpression},
		"function that grows": {"replace(replace(., '', 'xxxx'), '', 'xxxx')",
			InvalidQueryExpression},
		"regular expression":    {"matches(., '(a+)+')", InvalidQueryExpression},
		"joining function":      {"string-join(//*, 'x')", InvalidQueryExpression},
		"function with a blank": {"reverse (//*)", InvalidQueryExpression},
		"too few arguments":     {"contains('a')", InvalidQueryExpression},
		"too long": {"/" + strings.Repeat("*", MaxExpression),
			InvalidQueryExpression},
		"deep": {strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500),
			InvalidQueryExpression},
		"wrong argument": {"sum('a')", QueryEvaluationError},
		"nested over everything": {"//*" + strings.Repeat("[count(//*", 8) +
			strings.Repeat(")>0]", 8), QueryEvaluationError},
	}
	doc := soaptest.Parse(t, properties)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := Select(doc.Root, tt.expression, prefixes)
			var typed *FaultError
			if !errors.As(err, &typed) || typed.Fault != tt.fault {
				t.Errorf("selects %s, %v; want the fault %s", results(found), err, tt.fault.Local)
			}
		})
	}
}

// TestSelectTellsNoSecrets makes the library trip over itself: the error says
// where the expression stands and what is wrong with it, and nothing of how we
// found out, nor does it repeat a long expression.
func TestSelectTellsNoSecrets(t *testing.T) {
	for _, expression := range []string{
		"number()", "boolean()", "substring('abc', 2, 1 div 0)", "starts-with('a')", "sum('a')",
		strings.Repeat("9", 900), "*:" + strings.Repeat("x", 900),
	} {
		doc := soaptest.Parse(t, "<q>\n<e/></q>")
		q := Query{Expression: expression, At: doc.Root.ChildElements()[0]}
		_, err := q.Select(doc, soaptest.Parse(t, properties).Root)
		var typed *FaultError
		var placed *xmlstrict.ContentError
		if !errors.As(err, &typed) || !errors.As(err, &placed) || placed.Path != "/q/e" ||
			placed.Line != 2 {
			t.Errorf("%.20s: %v, want a typed fault at /q/e, line 2", expression, err)
			continue
		}
		if text := err.Error(); strings.Contains(text, "runtime") || len(text) > 300 {
			t.Errorf("%.20s: the error tells too much: %s", expression, text)
		}
	}
}

// TestSelectEnds checks that expressions made to run for ever over a large
// document end. The limit is generous: what it must catch takes hours.
func TestSelectEnds(t *testing.T) {
	document := "<a>" + strings.Repeat("<b><c>x</c></b>", 10_000) + "</a>"
	root := soaptest.Parse(t, document).Root
	for _, expression := range []string{
		"//*" + strings.Repeat("[//*", 40) + strings.Repeat("]", 40),
		"//*[count(//*[count(//*[count(//*) > 1]) > 1]) > 1]",
		"//c/preceding::*/following::*/preceding::*",
		"//*[string(/)]" + strings.Repeat("[string(/)]", 50),
		"count(//*|//*/..|//*/../..|//node()|//text())",
		"//*/ancestor-or-self::*/descendant-or-self::*/ancestor-or-self::*",
		strings.Repeat("//*", 300),
	} {
		start := time.Now()
		_, err := Select(root, expression, prefixes)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%.40s took %v (%v)", expression, took, err)
		}
		t.Logf("%.40s took %v (%v)", expression, time.Since(start), err)
	}
}

func TestWriteResults(t *testing.T) {
	doc := soaptest.Parse(t, properties)
	tests := map[string]string{
		"x:state":      `<r><t:state xmlns:t="urn:t">Running</t:state></r>`,
		"x:nic/@name":  `<r>eth0eth1</r>`,
		"count(x:nic)": `<r>2</r>`,
		"1 div 4":      `<r>0.25</r>`,
		"1 div 0":      `<r>Infinity</r>`,
		"-1 div 0":     `<r>-Infinity</r>`,
		"0 * -1":       `<r>0</r>`,
		"1 = 1":        `<r>true</r>`,
		"string(.)":    `<r>Running12later</r>`,
		"x:none":       `<r/>`,
	}
	for expression, want := range tests {
		found, err := Select(doc.Root, expression, prefixes)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		enc := xmlstrict.NewEncoder()
		enc.Start(xmlstrict.Name{Local: "r"})
		WriteResults(enc, found)
		enc.End()
		if got := string(enc.Bytes()); got != want || enc.Err() != nil {
			t.Errorf("%s is written %s (%v), want %s", expression, got, enc.Err(), want)
		}
	}
}

// FuzzSelect checks that no expression makes the evaluation panic or run on.
func FuzzSelect(f *testing.F) {
	for _, e := range []string{"/", "/*", "//*[local-name()='state']", "/w:Set/x:nic[2]/@name",
		"count(//x:nic) + 1", "x:state | plain", "$x", "a[", "replace(., '', 'x')",
		"//text()[contains(., 'R')]", "translate(., 'abc', 'd')", "substring(., 2, 3)",
		"x:*[2]/@x:*", ".", "..", "1 div 0", "odd:*",
		"//d:end/ancestor::*", "x:nic[last()]/preceding-sibling::node()", "not(x:none) and true()",
		"string(/)", "sum('a')", "x:nic[1] *2", "name(//*[3])"} {
		f.Add(e)
	}
	doc := soaptest.Parse(f, properties)
	f.Fuzz(func(t *testing.T, expression string) {
		found, err := Select(doc.Root, expression, prefixes)
		var typed *FaultError
		if err != nil && !errors.As(err, &typed) {
			t.Fatalf("error of another type: %v", err)
		}
		enc := xmlstrict.NewEncoder()
		enc.Start(xmlstrict.Name{Local: "r"})
		WriteResults(enc, found)
		enc.End()
		if _, err := xmlstrict.Parse(enc.Bytes(), xmlstrict.Limits{}); err != nil {
			t.Fatalf("%q is written %s: %v", expression, enc.Bytes(), err)
		}
	})
}

// BenchmarkSelect evaluates the recorded queries.
func BenchmarkSelect(b *testing.B) {
	doc := soaptest.Parse(b, properties)
	for _, expression := range []string{"/", "//*[local-name()='state']"} {
		b.Run(expression, func(b *testing.B) {
			for b.Loop() {
				if _, err := Select(doc.Root, expression, prefixes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
