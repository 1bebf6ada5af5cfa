package house

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var proof = regexp.MustCompile("`((?:Test|Benchmark)[A-Za-z]+)`")

// TestProofsExist holds the table of docs/hypervisors.md against the tests that it
// names.
func TestProofsExist(t *testing.T) {
	known := map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				known[f.Name.Name] = true
			}
		}
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "hypervisors.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := proof.FindAllSubmatch(page, -1)
	if len(named) == 0 {
		t.Fatal("the page names no test")
	}
	for _, m := range named {
		if !known[string(m[1])] {
			t.Errorf("docs/hypervisors.md names %s, and there is none", m[1])
		}
	}
}
