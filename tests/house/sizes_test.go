package house

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

// The sizes that a reader can take in at once.
const (
	maxFunction   = 60  // lines, from func to its closing brace
	maxFile       = 500 // lines
	maxColumns    = 100 // a tab counts four
	maxParameters = 4   // after ctx, or after t in a test
	maxInterface  = 7   // methods written out in one interface
)

// longFunctions are the functions that may be longer, by "path:name", each
// with the reason. It ought to be empty.
var longFunctions = map[string]string{}

func TestFunctionsAreShort(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.generated() {
				continue
			}
			if n := height(s, f); n > maxFunction && longFunctions[s.path+":"+f.Name.Name] == "" {
				t.Errorf("%s: %s has %d lines, more than %d; give its steps names of their own",
					s.at(f.Pos()), f.Name.Name, n, maxFunction)
			}
		}
	}
}

func TestExceptionsAreNeeded(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && height(s, f) > maxFunction {
				seen[s.path+":"+f.Name.Name] = true
			}
		}
	}
	for name := range longFunctions {
		if !seen[name] {
			t.Errorf("longFunctions lists %s, which is short or gone: remove the exception", name)
		}
	}
}

func height(s *source, f *ast.FuncDecl) int {
	return s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
}

func TestFilesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		if n := len(s.lines) - 1; n > maxFile && !s.generated() {
			t.Errorf("%s: %d lines, more than %d; a file is the noun it holds, so find the "+
				"second noun", s.path, n, maxFile)
		}
	}
}

func TestLinesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		if s.generated() {
			continue
		}
		for i, line := range s.lines {
			if n := columns(line); n > maxColumns && !unbreakable(line) {
				t.Errorf("%s:%d: %d columns, more than %d", s.path, i+1, n, maxColumns)
			}
		}
	}
}

var tag = regexp.MustCompile("`\\w+:\".*`$")

func columns(line string) int {
	n := 0
	for _, r := range line {
		if r == '\t' {
			n += 4
		} else {
			n++
		}
	}
	return n
}

// unbreakable reports whether a line is long because of one word, such as the
// name of a namespace, or a struct's tag, that nothing can divide.
func unbreakable(line string) bool {
	if tag.MatchString(line) {
		return true
	}
	for _, word := range strings.Fields(line) {
		if len(word) > 70 {
			return true
		}
	}
	return false
}

func TestParametersAreFew(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			f, ok := n.(*ast.FuncType)
			if ok && !s.generated() && parameters(f) > maxParameters {
				t.Errorf("%s: %d parameters after ctx, more than %d; use a struct with names",
					s.at(f.Pos()), parameters(f), maxParameters)
			}
			return true
		})
	}
}

// parameters counts the parameters but a leading ctx or testing handle, and
// but a variadic one, which belongs to the format or the list before it.
func parameters(f *ast.FuncType) int {
	n := 0
	for _, p := range f.Params.List {
		if _, variadic := p.Type.(*ast.Ellipsis); !variadic {
			n += max(1, len(p.Names))
		}
	}
	for _, p := range f.Params.List {
		if !isHandle(p.Type) {
			break
		}
		n--
	}
	return n
}

func isHandle(e ast.Expr) bool {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	return isCall(e, "context", "Context") || isCall(e, "testing", "T", "B", "F", "TB") ||
		isCall(e, "testscript", "TestScript")
}

func TestInterfacesAreSmall(t *testing.T) {
	for _, s := range sources(t) {
		if s.generated() {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if i, ok := spec.Type.(*ast.InterfaceType); ok && methods(i) > maxInterface {
				t.Errorf("%s: interface %s has %d methods, more than %d; divide it by who "+
					"uses what", s.at(spec.Pos()), spec.Name.Name, methods(i), maxInterface)
			}
			return true
		})
	}
}

// methods counts the methods written out, not those that are embedded.
func methods(i *ast.InterfaceType) int {
	n := 0
	for _, m := range i.Methods.List {
		n += len(m.Names)
	}
	return n
}
