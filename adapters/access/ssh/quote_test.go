package ssh

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// FuzzQuote has real shells read what Quote writes.
func FuzzQuote(f *testing.F) {
	for _, word := range []string{"", "a", "a b", "'", `''\''`, "$(id)", "`id`", "\\", "\n",
		"!", "-n", "*", "~", "a=b", "\xff", "é",
		"#", "&&", "$'\\n'", "{a,b}", "\t", "[", "!!", "%s"} {
		f.Add(word, "second")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		if strings.ContainsRune(first+second, 0) {
			return // no argument can hold one
		}
		want := []byte(first + "\x00" + second + "\x00")
		for _, shell := range []string{"sh", "bash"} {
			var said bytes.Buffer
			cmd := exec.Command(shell, "-c", Quote("printf", `%s\0`, first, second))
			cmd.Stderr = &said
			got, err := cmd.Output()
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s made %q of %q: %v: %s", shell, got, want, err, &said)
			}
		}
	})
}
