package house

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// apache is the SHA-256 of the text of the Apache License, Version 2.0.
const apache = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"

func TestLicenceIsTheWholeText(t *testing.T) {
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(read(t, "LICENSE")))); got != apache {
		t.Errorf("LICENSE has SHA-256 %s, want %s: the text of Apache-2.0, unchanged", got, apache)
	}
}

func TestModuleFileIsPlain(t *testing.T) {
	text := read(t, "go.mod")
	if !strings.HasPrefix(text, "module "+module+"\n") {
		t.Errorf("go.mod does not begin with module %s", module)
	}
	for _, word := range []string{"replace", "exclude", "toolchain"} {
		if regexp.MustCompile(`(?m)^` + word + `\b`).MatchString(text) {
			t.Errorf("go.mod has a %s directive: whoever imports the client would not get what "+
				"we test", word)
		}
	}
}

func TestDirectModulesAreExplained(t *testing.T) {
	page := read(t, "docs/dependencies.md")
	for name, user := range directModules(t) {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/dependencies.md has no line for `%s`, which %s imports: say what it "+
				"does for us and why not by hand", name, user)
		}
	}
}

func TestExplainedModulesAreUsed(t *testing.T) {
	direct := directModules(t)
	line := regexp.MustCompile("(?m)^\\| `([a-z0-9.]+\\.[a-z]+/[^`]+)` \\|")
	for _, m := range line.FindAllStringSubmatch(read(t, "docs/dependencies.md"), -1) {
		if direct[m[1]] == "" {
			t.Errorf("docs/dependencies.md explains `%s`, which nothing imports", m[1])
		}
	}
}

// directModules returns each required module that our code imports, with one
// of the files that do.
func directModules(t *testing.T) map[string]string {
	t.Helper()
	required := requirements(read(t, "go.mod"))
	direct := map[string]string{}
	for _, s := range sources(t) {
		for _, spec := range s.ast.Imports {
			target, _ := strconv.Unquote(spec.Path.Value)
			if isStandard(target) || under(target, module) || target == "C" {
				continue
			}
			name := provider(required, target)
			if name == "" {
				t.Errorf("%s: go.mod requires no module that has %q", s.at(spec.Pos()), target)
			}
			direct[name] = s.path
		}
	}
	delete(direct, "")
	return direct
}

// requirements returns the module paths that a go.mod requires.
func requirements(text string) []string {
	var names []string
	line := regexp.MustCompile(`(?m)^(?:require)?\s+(\S+\.\S+/\S+|\S+\.\S+) v\S+`)
	for _, m := range line.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// provider returns the longest required module path that holds the package.
func provider(required []string, target string) string {
	best := ""
	for _, name := range required {
		if under(target, name) && len(name) > len(best) {
			best = name
		}
	}
	return best
}
