package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// TestGeneratedDifferences copies the table of intended differences out of the
// replay test, which is where they are held against the recorded exchanges.
func TestGeneratedDifferences(t *testing.T) {
	var rows []string
	for _, s := range sources(t) {
		if s.path != "service/dispatch/differences_test.go" {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if ok && isNamed(call.Fun, "differs") && len(call.Args) == 3 {
				rows = append(rows, difference(call.Args))
			}
			return true
		})
	}
	if len(rows) == 0 {
		t.Fatal("no difference found in service/dispatch/differences_test.go")
	}
	compareBelow(t, "docs/protocol.md", "## Intended differences\n",
		"\n| exchanges | reply, as patterns | why |\n|---|---|---|\n"+strings.Join(rows, "")+"\n")
}

func difference(args []ast.Expr) string {
	in, is, why := constant(args[0]), constant(args[1]), constant(args[2])
	if in == "" {
		in = "all"
	}
	code := func(s string) string { return "`" + strings.ReplaceAll(s, "|", "\\|") + "`" }
	return fmt.Sprintf("| %s | %s | %s |\n", code(in), code(is), why)
}

// constant returns the text of string literals that are added up.
func constant(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(e.Value)
		return s
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return constant(e.X) + constant(e.Y)
		}
	}
	return ""
}

func isNamed(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}
