package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fleeting are states that one may see or miss on the way to Running.
const fleeting = ` state change: (Unstaged|Propagated) -->`

// TestReadmeShowsWhatHappens plays the first session of the README and compares
// each answer.
func TestReadmeShowsWhatHappens(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	session := between(string(readme), "## A first session\n", "\n## ")
	dir := t.TempDir()
	script := sessionScript(session)
	if err := os.WriteFile(filepath.Join(dir, "session.txtar"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	runScripts(t, dir)
}

// between returns the text after one mark and before another.
func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return text
}

// sessionScript turns a session, as it is shown to readers, into a script.
func sessionScript(session string) string {
	var script, want strings.Builder
	script.WriteString("daemon\nsymlink examples -> $EXAMPLES\n")
	for i, block := range strings.Split(session, "\n    $ bin/workspace ")[1:] {
		command, answer, _ := strings.Cut(block, "\n")
		answer, _, _ = strings.Cut(answer, "\n\n")
		fmt.Fprintf(&script, "exec sh -c 'workspace %s 2>&1 | sed -E \"/%s/d\" >out'\n"+
			"norm out got\ncmp got want-%d\n", command, fleeting, i)
		fmt.Fprintf(&want, "-- want-%d --\n", i)
		for line := range strings.Lines(strings.TrimRight(answer, "\n") + "\n") {
			if !regexp.MustCompile(fleeting).MatchString(line) {
				want.WriteString(changeless(strings.TrimPrefix(line, "    ")))
			}
		}
	}
	return script.String() + want.String()
}
