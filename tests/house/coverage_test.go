package house

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var proof = regexp.MustCompile("`((?:Test|Benchmark)\\w+)[^`]*`")

// TestProofsExist holds the table of docs/hypervisors.md against the tests that it
// names: there are such tests, and each row names one.
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
	_, table, found := strings.Cut(string(page), "proven by |\n|---|---|---|---|\n")
	if !found {
		t.Fatal("the page has no table of what is proven")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	for row := range strings.Lines(table) {
		named := proof.FindAllStringSubmatch(row, -1)
		if len(named) == 0 {
			t.Errorf("docs/hypervisors.md names no test in %s", row)
		}
		for _, m := range named {
			if !known[m[1]] {
				t.Errorf("docs/hypervisors.md names %s, and there is none", m[1])
			}
		}
	}
}
