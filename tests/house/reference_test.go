package house

import (
	"fmt"
	"go/ast"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestGeneratedConfigurationReference(t *testing.T) {
	r := reader{structs: map[string]*ast.StructType{}}
	for _, s := range sources(t) {
		if s.dir == "service/config" && !s.test {
			r.collect(s.ast)
		}
	}
	r.table("Config", "")
	if len(r.rows) < 20 {
		t.Fatalf("only %d keys found in service/config: the reader has lost its way", len(r.rows))
	}
	text := "\n| key | kind | meaning |\n|---|---|---|\n" + strings.Join(r.rows, "") + "\n"
	compare(t, "docs/operations.md", text)
}

// A reader turns the structs of service/config into rows of a table.
type reader struct {
	structs map[string]*ast.StructType
	rows    []string
}

func (r *reader) collect(f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if s, ok := spec.Type.(*ast.StructType); ok {
				r.structs[spec.Name.Name] = s
			}
		}
		return true
	})
}

// table adds a row for each key of the named struct and of those within it.
func (r *reader) table(name, prefix string) {
	var inner []func()
	for _, f := range r.structs[name].Fields.List {
		key := tomlKey(f)
		if key == "" {
			continue
		}
		elem, list := element(f.Type)
		if r.structs[elem] != nil {
			title := prefix + key
			if list {
				title += "[]"
			}
			inner = append(inner, func() { r.table(elem, title+".") })
			continue
		}
		meaning := strings.Join(strings.Fields(f.Doc.Text()+f.Comment.Text()), " ")
		r.rows = append(r.rows, fmt.Sprintf("| `%s` | %s | %s |\n",
			prefix+key, kindOf(f.Type), strings.ReplaceAll(meaning, "|", "\\|")))
	}
	for _, visit := range inner {
		visit()
	}
}

func tomlKey(f *ast.Field) string {
	if f.Tag == nil {
		return ""
	}
	text, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		return ""
	}
	return reflect.StructTag(text).Get("toml")
}

// element returns the name of a field's type without pointer or slice, and
// whether there was a slice.
func element(e ast.Expr) (name string, list bool) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return element(e.X)
	case *ast.ArrayType:
		name, _ = element(e.Elt)
		return name, true
	case *ast.Ident:
		return e.Name, false
	}
	return "", false
}

// kindOf says in words what a value looks like in TOML.
func kindOf(e ast.Expr) string {
	words := map[string]string{
		"string": "text", "bool": "true or false", "int": "number", "int64": "number",
		"Duration": "duration", "float64": "number", "Moment": "time",
	}
	if m, ok := e.(*ast.MapType); ok {
		return "table of " + kindOf(m.Value)
	}
	name, list := element(e)
	if list {
		return "list of " + words[name]
	}
	return words[name]
}

func TestLogKeysAreListed(t *testing.T) {
	page := read(t, "docs/logging.md")
	for key, place := range logKeys(t) {
		if !strings.Contains(page, "\n| `"+key+"` |") {
			t.Errorf("%s: logs the key %q, which docs/logging.md does not list", place, key)
		}
	}
}

func TestListedLogKeysAreUsed(t *testing.T) {
	used := logKeys(t)
	for line := range strings.Lines(read(t, "docs/logging.md")) {
		rest, ok := strings.CutPrefix(line, "| `")
		key, _, _ := strings.Cut(rest, "`")
		if ok && used[key] == "" {
			t.Errorf("docs/logging.md lists the key %q, which nothing logs", key)
		}
	}
}

// logKeys returns each key that the service logs, with one place that does.
func logKeys(t *testing.T) map[string]string {
	t.Helper()
	keys := map[string]string{}
	for _, s := range sources(t) {
		if s.test || !under(s.dir, "service") && !under(s.dir, "adapters") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				for _, key := range keysOf(t, s, call) {
					keys[key] = s.at(call.Pos())
				}
			}
			return true
		})
	}
	return keys
}

// keysOf returns the keys of a call to a logger's method; a message or key
// that is no constant is an error.
func keysOf(t *testing.T, s *source, call *ast.CallExpr) []string {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !isLogger(sel.X) {
		return nil
	}
	args := call.Args
	switch {
	case slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, sel.Sel.Name):
		args = args[1:]
	case sel.Sel.Name != "With":
		return nil
	}
	var keys []string
	for i := 0; i < len(args); i += 2 {
		lit, ok := args[i].(*ast.BasicLit)
		if !ok {
			t.Errorf("%s: a log key is not a constant text", s.at(args[i].Pos()))
			continue
		}
		key, _ := strconv.Unquote(lit.Value)
		keys = append(keys, key)
	}
	return keys
}

// isLogger goes by the name: log, logger, Logger, slog.
func isLogger(e ast.Expr) bool {
	name := ""
	switch e := e.(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		name = e.Sel.Name
	}
	name = strings.ToLower(name)
	return name == "log" || name == "logger" || name == "slog"
}
