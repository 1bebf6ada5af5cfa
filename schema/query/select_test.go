package query

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/antchfx/xpath"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
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
		"t":    schema.Types, "sg": schema.ServiceGroup2, "l": schema.Logistics,
		"ws": schema.Workspace, "wsa": wsa.Space200508,
	}[prefix]
	return space, ok
}

// describe describes what was selected.
func describe(r Results) string {
	if r.value != nil {
		return fmt.Sprintf("%T %v", r.value, r.value)
	}
	var all []string
	for _, p := range r.nodes {
		steps := minSteps
		n := newNavigator(r.view, &steps)
		if n.piece, n.node, n.attr = p.piece, p.node, p.attr; p.piece >= 0 {
			n.doc = r.view.pieces[p.piece]
		}
		switch n.NodeType() {
		case xpath.RootNode:
			n.MoveToChild()
			all = append(all, "<"+n.LocalName()+">")
		case xpath.ElementNode:
			all = append(all, "<"+n.LocalName()+">")
		case xpath.AttributeNode:
			all = append(all, "@"+n.LocalName()+"="+n.Value())
		default:
			all = append(all, "string "+n.Value())
		}
	}
	return strings.Join(all, " ")
}

// sample returns a document of a text.
func sample(t testing.TB, text string) *Document {
	t.Helper()
	doc, err := xmlstrict.Parse([]byte(text), xmlstrict.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := OfTree(doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// find compiles an expression and evaluates it.
func find(over Source, expression string) (Results, error) {
	e, err := Compile(expression, prefixes)
	if err != nil {
		return Results{}, err
	}
	return e.Select(over)
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
	doc := sample(t, properties)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := find(doc, tt.expression)
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(found); got != tt.want {
				t.Errorf("%s selects %q, want %q", tt.expression, got, tt.want)
			}
		})
	}
}

func TestSelectRefuses(t *testing.T) {
	tests := map[string]struct {
		expression string
		evaluated  bool
	}{
		"empty":                 {"", false},
		"not XPath":             {"][", false},
		"half a path":           {"/w:Set/", false},
		"open parenthesis":      {"count(", false},
		"open quote":            {"x:state['", false},
		"undeclared prefix":     {"/z:Set", false},
		"namespace with quotes": {"evil:*", false},
		"variable":              {"$x", false},
		"unknown function":      {"system('id')", false},
		"unknown axis":          {"sideways::x", false},
		"function that grows":   {"replace(replace(., '', 'xxxx'), '', 'xxxx')", false},
		"regular expression":    {"matches(., '(a+)+')", false},
		"joining function":      {"string-join(//*, 'x')", false},
		"function with a blank": {"reverse (//*)", false},
		"too few arguments":     {"contains('a')", false},
		"too long":              {"/" + strings.Repeat("*", MaxExpression), false},
		"deep":                  {strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500), false},
		"copies that double":    {"//*" + strings.Repeat("[last()>0]", 30), false},
		"other copies":          {"//*" + strings.Repeat("[position( )<9]", 30), false},
		"wrong argument":        {"sum('a')", true},
		"nested over everything": {"//*" + strings.Repeat("[count(//*", 8) +
			strings.Repeat(")>0]", 8), true},
	}
	doc := sample(t, properties)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := find(doc, tt.expression)
			var typed *EvaluationError
			if err == nil || errors.As(err, &typed) != tt.evaluated {
				t.Errorf("selects %s, %v", describe(found), err)
			}
		})
	}
}

// TestSelectEnds checks that expressions made to run for ever over a large
// document end. The limit is generous: what it must catch takes hours.
func TestSelectEnds(t *testing.T) {
	document := "<a>" + strings.Repeat("<b><c>x</c></b>", 10_000) + "</a>"
	root := sample(t, document)
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
		_, err := find(root, expression)
		if took := time.Since(start); took > 5*time.Minute {
			t.Errorf("%.40s took %v (%v)", expression, took, err)
		}
		t.Logf("%.40s took %v (%v)", expression, time.Since(start), err)
	}
}

// TestSelectedNodesAreThereOnce has expressions come to the same nodes on many
// ways: what is written is no larger for that.
func TestSelectedNodesAreThereOnce(t *testing.T) {
	doc := sample(t, "<a>"+strings.Repeat("<b><c k='1'/></b>", 20)+"</a>")
	for expression, want := range map[string]int{
		"//*/..": 22, "//*/ancestor::*": 21, "//c/ancestor-or-self::*": 41,
		"//*" + "/../*/../*": 41, "//*/ancestor::*/descendant::*/@k": 20,
		"//*|//*": 41, "//@k|//@k": 20,
	} {
		found, err := find(doc, expression)
		if err != nil || found.Len() != want {
			t.Errorf("%s selects %d nodes (%v), want %d", expression, found.Len(), err, want)
		}
	}
}

func TestWriteResults(t *testing.T) {
	doc := sample(t, properties)
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
		found, err := find(doc, expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		enc := xmlstrict.NewEncoder()
		enc.Start(xmlstrict.Name{Local: "r"})
		found.Write(enc)
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
	doc := sample(f, properties)
	f.Fuzz(func(t *testing.T, expression string) {
		found, err := find(doc, expression)
		if err != nil && len(err.Error()) > 2*MaxExpression {
			t.Fatalf("the error has %d bytes", len(err.Error()))
		}
		enc := xmlstrict.NewEncoder()
		enc.Start(xmlstrict.Name{Local: "r"})
		found.Write(enc)
		enc.End()
		if _, err := xmlstrict.Parse(enc.Bytes(), xmlstrict.Limits{}); err != nil {
			t.Fatalf("%q is written %s: %v", expression, enc.Bytes(), err)
		}
	})
}

// BenchmarkSelect evaluates the recorded queries.
func BenchmarkSelect(b *testing.B) {
	doc := sample(b, properties)
	for _, expression := range []string{"/", "//*[local-name()='state']"} {
		b.Run(expression, func(b *testing.B) {
			for b.Loop() {
				if _, err := find(doc, expression); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
