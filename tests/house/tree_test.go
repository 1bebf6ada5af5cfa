package house

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// module is the module path of the project.
const module = "github.com/philoxenia/philoxenia"

// root is the top of the repository, seen from this directory.
const root = "../.."

var update = flag.Bool("update", false, "write the generated pages instead of comparing them")

// A source is one Go file of the project.
type source struct {
	path  string // from the top of the repository, with slashes
	dir   string
	test  bool // named _test.go
	text  string
	fset  *token.FileSet
	ast   *ast.File
	lines []string
}

// at returns the place of a node as "path:line".
func (s *source) at(pos token.Pos) string {
	p := s.fset.Position(pos)
	p.Filename = s.path
	p.Column = 0
	return p.String()
}

// generated reports whether a program wrote the file.
func (s *source) generated() bool { return ast.IsGenerated(s.ast) }

var (
	loadOnce sync.Once
	loaded   []*source
	loadErr  error
)

// sources returns every Go file of the project.
func sources(t *testing.T) []*source {
	t.Helper()
	loadOnce.Do(func() { loaded, loadErr = load() })
	if loadErr != nil {
		t.Fatal(loadErr)
	}
	if len(loaded) == 0 {
		t.Fatalf("no Go file below %s: the tests of the house look in the wrong place", root)
	}
	return loaded
}

func load() ([]*source, error) {
	var all []*source
	err := walk(".go", func(name string, text []byte) error {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, &source{
			path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
			text: string(text), fset: fset, ast: f, lines: strings.Split(string(text), "\n"),
		})
		return nil
	})
	return all, err
}

// walk calls visit with each file of the repository that ends in suffix,
// leaving out what is built, fetched or test data.
func walk(suffix string, visit func(name string, text []byte) error) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if d.IsDir() {
			return enter(name, d.Name())
		}
		if !strings.HasSuffix(name, suffix) {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		return visit(name, text)
	})
}

// enter says whether a directory belongs to the project's own text.
func enter(name, base string) error {
	hidden := strings.HasPrefix(base, ".") && base != "." && base != ".." && base != ".ci"
	if hidden || base == "testdata" || name == "bin" || name == "dist" {
		return fs.SkipDir
	}
	return nil
}

// read returns a file of the repository by its path from the top.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatalf("cannot read %s: %v", name, err)
	}
	return string(text)
}
