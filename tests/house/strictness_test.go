package house

import (
	"fmt"
	"go/ast"
	"strings"
	"testing"
)

// TestGeneratedStrictness copies the tables of where decoders and schemas differ
// out of the test that holds them against each other.
func TestGeneratedStrictness(t *testing.T) {
	rows := map[string][]string{}
	for _, s := range sources(t) {
		if s.path != "tests/strictness/differences_test.go" {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			for _, verb := range []string{"takes", "refuses"} {
				if ok && isNamed(call.Fun, verb) && len(call.Args) == 3 {
					rows[verb] = append(rows[verb], strictness(call.Args))
				}
			}
			return true
		})
	}
	if len(rows["takes"]) == 0 || len(rows["refuses"]) == 0 {
		t.Fatal("no difference found in tests/strictness/differences_test.go")
	}
	const head = "| why | where, as a pattern | what %s says, as a pattern |\n|---|---|---|\n"
	compare(t, "docs/strictness.md", "\n## Taken, though the schemas refuse it\n\n"+
		fmt.Sprintf(head, "xmllint")+strings.Join(rows["takes"], "")+
		"\n## Refused, though the schemas admit it\n\n"+
		fmt.Sprintf(head, "our error")+strings.Join(rows["refuses"], "")+"\n")
}

// strictness is a row of the page.
func strictness(args []ast.Expr) string {
	code := func(e ast.Expr, none string) string {
		if s := constant(e); s != "" {
			return "`" + strings.ReplaceAll(s, "|", "\\|") + "`"
		}
		return none
	}
	return fmt.Sprintf("| %s | %s | %s |\n", constant(args[2]), code(args[0], "anywhere"),
		code(args[1], "anything"))
}
