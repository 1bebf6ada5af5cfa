package house

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// chores are the targets that people and machines count on.
var chores = []string{
	"help", "setup", "build", "demo", "demo-kvm", "test", "race", "lint", "fmt", "generate",
	"verify", "fuzz", "crash", "e2e", "e2e-xen", "bench", "man", "clean",
}

func TestEveryChoreHasHelp(t *testing.T) {
	text := read(t, "Makefile")
	for _, name := range chores {
		help := regexp.MustCompile(`(?m)^` + name + `:.*## \S`)
		if !help.MatchString(text) {
			t.Errorf("Makefile: target %s is missing or has no help; write it as "+
				"%q", name, name+": ## what it does")
		}
	}
	target := regexp.MustCompile(`(?m)^([a-z][a-z0-9]*(?:-[a-z]+)?):`)
	for _, m := range target.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(append(chores, internalChores...), m[1]) {
			t.Errorf("Makefile: target %s is in no list; add it to chores in tests/house", m[1])
		}
	}
}

// internalChores are steps of others, without a line of help.
var internalChores = []string{"fmt-check"}

func TestDemoNeedsNoSetup(t *testing.T) {
	line := regexp.MustCompile(`(?m)^demo:(.*)##`).FindStringSubmatch(read(t, "Makefile"))
	if line == nil || strings.Contains(line[1], "setup") {
		t.Error("Makefile: demo must run on a machine with Go, gcc, make and git alone")
	}
}

func TestScriptsCanRun(t *testing.T) {
	for _, name := range []string{".ci/run", ".ci/setup", ".ci/fuzz", "tests/xen/dom0/build"} {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Mode()&0o111 == 0 {
			t.Errorf("%s is not executable", name)
		}
		if !strings.Contains(read(t, name), "set -euo pipefail") {
			t.Errorf("%s goes on after a failure; begin with set -euo pipefail", name)
		}
	}
}
