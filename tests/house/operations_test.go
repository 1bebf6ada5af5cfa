package house

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/wsdl"
)

// TestGeneratedOperations writes the table of operations, of which dispatch and
// the WSDL are made, for people.
func TestGeneratedOperations(t *testing.T) {
	for _, face := range []wsdl.Face{wsdl.One, wsdl.Two} {
		heading := "### Operations of " + face.String() + "\n"
		compareBelow(t, "docs/protocol.md", heading, operationsText(t, face))
	}
}

// prefixes are those under which the page speaks of names.
var prefixes = map[string]string{
	schema.Workspace: "w", schema.Types: "t", schema.Group: "g", schema.Status: "s",
	schema.Properties: "wsrp", schema.Lifetime: "wsrl", schema.BaseNotification: "wsnt",
	schema.Library: "i",
	schema.Lease:   "p", schema.Properties2: "wsrf-rp", schema.Lifetime2: "wsrf-rl",
	schema.Resource2: "wsrf-r", schema.BaseNotification2: "wsnt", schema.ONVIFEvents: "tev",
}

// operationsText lists the operations of a face, each once with all services
// that have it.
func operationsText(t *testing.T, face wsdl.Face) string {
	t.Helper()
	services := make(map[string][]string)
	var rows []string
	for _, op := range wsdl.Operations() {
		if op.Face != face {
			continue
		}
		row := operationRow(t, op)
		if services[row] == nil {
			rows = append(rows, row)
		}
		services[row] = append(services[row], "`"+op.Service+"`")
	}
	var b strings.Builder
	b.WriteString("\n| request | action | faults | services |\n|---|---|---|---|\n")
	for _, row := range rows {
		fmt.Fprintf(&b, "%s %s |\n", row, strings.Join(slices.Compact(services[row]), ", "))
	}
	return b.String() + "\n"
}

// operationRow is all of a row but the services.
func operationRow(t *testing.T, op wsdl.Operation) string {
	t.Helper()
	var faults []string
	for _, f := range op.Faults {
		faults = append(faults, prefixed(t, f))
	}
	return fmt.Sprintf("| `%s` | `%s` | %s |", prefixed(t, op.In), op.Action,
		strings.Join(faults, ", "))
}

func prefixed(t *testing.T, name wsdl.QName) string {
	t.Helper()
	if prefixes[name.Space] == "" {
		t.Fatalf("the page has no prefix for %s", name.Space)
	}
	return prefixes[name.Space] + ":" + name.Local
}
