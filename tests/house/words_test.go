package house

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// empty are package names that say nothing about what is inside.
var empty = []string{
	"util", "utils", "common", "helper", "helpers", "type", "types", "base", "misc",
	"model", "models", "shared", "lib", "internal", "impl",
}

func TestPackagesAreNamedForWhatTheyHold(t *testing.T) {
	for _, s := range sources(t) {
		if slices.Contains(empty, path.Base(s.dir)) {
			t.Errorf("%s: a package named %q can hold anything, and soon does; name the noun",
				s.path, path.Base(s.dir))
		}
	}
}

func TestPackagesHaveComments(t *testing.T) {
	comments := map[string]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		comments[s.dir] += s.ast.Doc.Text()
	}
	for dir, text := range comments {
		if len(strings.Fields(text)) < 8 {
			t.Errorf("%s: no package comment, or a bare one; say what the package is for and "+
				"what it must not know", dir)
		}
	}
}

func TestExportedNamesHaveComments(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.generated() {
			continue
		}
		for _, d := range s.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && onExported(d) && d.Doc.Text() == "" {
					undocumented(t, s, d.Pos(), d.Name.Name)
				}
			case *ast.GenDecl:
				checkSpecs(t, s, d)
			}
		}
	}
}

// onExported reports whether a function is not a method of an unexported type.
func onExported(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return true
	}
	e := f.Recv.List[0].Type
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if index, ok := e.(*ast.IndexExpr); ok {
		e = index.X
	}
	name, ok := e.(*ast.Ident)
	return ok && name.IsExported()
}

// checkSpecs accepts the comment of the group, of the line or behind it.
func checkSpecs(t *testing.T, s *source, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && spec.Doc.Text()+groupDoc(d) == "" {
				undocumented(t, s, spec.Pos(), spec.Name.Name)
			}
		case *ast.ValueSpec:
			text := spec.Doc.Text() + spec.Comment.Text() + d.Doc.Text()
			for _, name := range spec.Names {
				if name.IsExported() && text == "" {
					undocumented(t, s, name.Pos(), name.Name)
				}
			}
		}
	}
}

// groupDoc is the declaration's comment where it declares one type only.
func groupDoc(d *ast.GenDecl) string {
	if d.Lparen != token.NoPos {
		return ""
	}
	return d.Doc.Text()
}

func undocumented(t *testing.T, s *source, pos token.Pos, name string) {
	t.Errorf("%s: %s is exported and has no comment; say what it is, its units, its errors, "+
		"and the standard and section it implements", s.at(pos), name)
}

func TestGettersAreNotCalledGet(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Type.Params.NumFields() > 0 || f.Type.Results.NumFields() != 1 {
				continue
			}
			rest, isGet := strings.CutPrefix(f.Name.Name, "Get")
			if isGet && rest != "" && token.IsExported(rest) {
				t.Errorf("%s: %s is a getter; call it %s", s.at(f.Pos()), f.Name.Name, rest)
			}
		}
	}
}

func TestUnfinishedWorkIsNotCommitted(t *testing.T) {
	for _, s := range sources(t) {
		if s.path == "tests/house/words_test.go" {
			continue // names the words
		}
		for _, group := range s.ast.Comments {
			for _, word := range []string{"TODO", "FIXME", "XXX", "HACK"} {
				if strings.Contains(group.Text(), word) {
					t.Errorf("%s: a comment says %s; do it now, or open an issue and let the "+
						"code be whole", s.at(group.Pos()), word)
				}
			}
		}
	}
}
