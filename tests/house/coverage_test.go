package house

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

var proof = regexp.MustCompile("`((?:Test|Benchmark)\\w+)[^`]*`")

// TestProofsExist holds the pages against the tests that they name: there are such tests,
// and each row of the table of docs/hypervisors.md names one.
func TestProofsExist(t *testing.T) {
	known := map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				known[f.Name.Name] = true
			}
		}
	}
	all := pages(t)
	for name, text := range all {
		for _, m := range proof.FindAllStringSubmatch(text, -1) {
			if !known[m[1]] {
				t.Errorf("%s names %s, and there is none", name, m[1])
			}
		}
	}
	_, table, found := strings.Cut(all["docs/hypervisors.md"], "proven by |\n|---|---|---|---|\n")
	if !found {
		t.Fatal("docs/hypervisors.md has no table of what is proven")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	for row := range strings.Lines(table) {
		if !proof.MatchString(row) {
			t.Errorf("docs/hypervisors.md names no test in %s", row)
		}
	}
}
