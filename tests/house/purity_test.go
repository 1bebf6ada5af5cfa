package house

import (
	"go/ast"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// impure are the standard packages through which the scheduler could see or
// touch the world.
var impure = []string{
	"context", "crypto/rand", "io", "log", "math/rand", "net", "os", "runtime", "sync",
	"syscall", "unsafe",
}

// clock are the functions of package time that read the clock or wait for it.
var clock = []string{
	"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer",
}

func TestSchedulerIsPure(t *testing.T) {
	const why = "the scheduler takes values and returns decisions, so that the same input " +
		"gives the same schedule in the service, in simulations and in what-if questions"
	for _, s := range sources(t) {
		if s.test || !under(s.dir, "service/lease") &&
			!under(s.dir, "service/simulate") && !under(s.dir, "service/library") {
			continue
		}
		for _, spec := range s.ast.Imports {
			target, _ := strconv.Unquote(spec.Path.Value)
			if slices.ContainsFunc(impure, func(p string) bool { return under(target, p) }) {
				t.Errorf("%s: %s imports %q: %s", s.at(spec.Pos()), s.dir, target, why)
			}
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if what := impurity(n); what != "" {
				t.Errorf("%s: %s has %s: %s", s.at(n.Pos()), s.dir, what, why)
			}
			return true
		})
	}
}

func impurity(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "a goroutine"
	case *ast.ChanType:
		return "a channel"
	case *ast.SelectorExpr:
		if isCall(n, "time", clock...) {
			return "time." + n.Sel.Name
		}
	}
	return ""
}

func TestConstructorsStartNothing(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || under(s.dir, "tests") {
			continue
		}
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "New") {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if g, ok := n.(*ast.GoStmt); ok {
					t.Errorf("%s: %s starts a goroutine; constructors build, Run(ctx) works, "+
						"so that every goroutine has an owner that waits for it",
						s.at(g.Pos()), f.Name.Name)
				}
				return true
			})
		}
	}
}

func TestContextsAreNotStored(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || isSuite(s.dir) {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			st, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range st.Fields.List {
				if isCall(f.Type, "context", "Context") {
					t.Errorf("%s: a struct holds a context.Context; pass it as the first "+
						"parameter, a stored one outlives the call it belongs to", s.at(f.Pos()))
				}
			}
			return true
		})
	}
}

func TestTestsNeitherSkipNorSleep(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test && !isSuite(s.dir) && !under(s.dir, "tests") {
			continue
		}
		bubbles := strings.Contains(s.text, `"testing/synctest"`)
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if isMethod(n, "Skip", "Skipf", "SkipNow") {
					t.Errorf("%s: %s skips; a test that is left out proves nothing: make what "+
						"it needs, or fail and say what is missing", s.at(n.Pos()), f.Name.Name)
				}
				if isCall(n, "time", "Sleep") && !bubbles && !polls(f.Name.Name) {
					t.Errorf("%s: %s sleeps; wait for the condition with a long limit, "+
						"or use testing/synctest", s.at(n.Pos()), f.Name.Name)
				}
				return true
			})
		}
	}
}

// polls reports whether a function is one that waits for a condition, by its name.
func polls(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"wait", "poll", "until", "eventually", "settle", "reach"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// isCall reports whether n is the selector pkg.NAME for one of the names.
func isCall(n ast.Node, pkg string, names ...string) bool {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg && slices.Contains(names, sel.Sel.Name)
}

// isMethod reports whether n calls a method of a testing.T (t, b, f or tb) by name.
func isMethod(n ast.Node, names ...string) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	for _, receiver := range []string{"t", "b", "f", "tb"} {
		if isCall(call.Fun, receiver, names...) {
			return true
		}
	}
	return false
}
