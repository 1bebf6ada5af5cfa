package house

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// edge are the rooms that may know which face a request came to: they translate,
// or join those that do.
var edge = []string{"service/dispatch", "service/port", "service/cmd"}

// facts are packages that tell of faces or of the messages on them. What is
// below the edge reaches none of them, directly or through others. (Notification
// borrows the guard of XML, xmlstrict, to cut long texts; that knows no message.)
var facts = []string{
	"wsdl", "service/dispatch", "service/port", "schema/soap", "schema/wsa", "schema/wsrf",
	"schema/wsn", "schema/wssg", "schema/report", "schema/deployment", "schema/metadata",
}

// faceWord is a name about faces, faceText a text that only one face has.
var (
	faceWord = regexp.MustCompile(`(^f|F)ace(s|[A-Z0-9]|$)`)
	faceText = regexp.MustCompile(`/wsrf/services|/ws/|oasis-open\.org|schemas\.xmlsoap\.org`)
)

// isBelow reports whether a package of the project is below the edge.
func isBelow(dir string) bool {
	if !under(dir, "service") && !under(dir, "adapters") {
		return false
	}
	return !slices.ContainsFunc(edge, func(room string) bool { return under(dir, room) })
}

// imports returns what each package of the project imports of it, tests apart.
func imports(t *testing.T) map[string][]string {
	all := map[string][]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, spec := range s.ast.Imports {
			target, _ := strconv.Unquote(spec.Path.Value)
			if dir, ok := strings.CutPrefix(target, module+"/"); ok {
				all[s.dir] = append(all[s.dir], dir)
			}
		}
	}
	return all
}

// TestNothingBelowThePortsReachesAFace walks the imports of every package below
// service/port: the core is the same whoever calls, so no way leads from it to
// what the faces are made of.
func TestNothingBelowThePortsReachesAFace(t *testing.T) {
	all := imports(t)
	checked := 0
	for dir := range all {
		if !isBelow(dir) {
			continue
		}
		checked++
		seen := map[string]bool{}
		var visit func(at string, way []string)
		visit = func(at string, way []string) {
			if seen[at] {
				return
			}
			seen[at] = true
			way = append(way[:len(way):len(way)], at)
			if slices.Contains(facts, at) {
				t.Errorf("%s: what is below the ports must not know the faces, but it reaches %s",
					dir, strings.Join(way, " -> "))
				return
			}
			for _, next := range all[at] {
				visit(next, way)
			}
		}
		visit(dir, nil)
	}
	if checked < 10 {
		t.Errorf("only %d packages below the ports: the test looks in the wrong place", checked)
	}
}

// TestNothingBelowThePortsSpeaksOfFaces looks for names about faces, and for
// texts that only one of them has.
func TestNothingBelowThePortsSpeaksOfFaces(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || !isBelow(s.dir) {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if faceWord.MatchString(n.Name) {
					t.Errorf("%s: %s: the core must not tell one face from the other",
						s.at(n.Pos()), n.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.STRING && faceText.MatchString(n.Value) {
					t.Errorf("%s: %s: only the ports know what a face calls things",
						s.at(n.Pos()), n.Value)
				}
			}
			return true
		})
	}
}
