package wsrf

import (
	"errors"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema/query"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// TestSelectTellsNoSecrets makes the library trip over itself: the error says
// where the expression stands and what is wrong with it, and nothing of how we
// found out, nor does it repeat a long expression.
func TestSelectTellsNoSecrets(t *testing.T) {
	over, err := query.OfTree(soaptest.Parse(t, "<w><nic>1</nic></w>").Root)
	if err != nil {
		t.Fatal(err)
	}
	for _, expression := range []string{
		"number()", "boolean()", "substring('abc', 2, 1 div 0)", "starts-with('a')", "sum('a')",
		strings.Repeat("9", 900), "*:" + strings.Repeat("x", 900),
	} {
		doc := soaptest.Parse(t, "<q>\n<e/></q>")
		q := Query{Expression: expression, At: doc.Root.ChildElements()[0]}
		_, err := q.Select(doc, over)
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
