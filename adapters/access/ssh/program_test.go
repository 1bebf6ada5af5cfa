package ssh

import (
	"strings"
	"testing"
)

// TestWordsOfAProgram keeps what a shell says when it starts apart from what the program
// says, in whatever pieces it comes.
func TestWordsOfAProgram(t *testing.T) {
	const said = "sh: cannot change locale (xx_YY): No such file or directory\n" +
		"MARK 4711\nit is too dark\n"
	for size := 1; size <= len(said); size++ {
		w := newWords("MARK")
		for rest := said; rest != ""; {
			n := min(size, len(rest))
			if _, err := w.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if got := w.String(); got != "it is too dark" || w.pid.Load() != 4711 {
			t.Fatalf("in pieces of %d it is %d, and says %q", size, w.pid.Load(), got)
		}
	}
	w := newWords("MARK")
	if _, err := w.Write([]byte("sh: not found")); err != nil ||
		!strings.Contains(w.String(), "not found") {
		t.Errorf("without a mark it says %q, %v", w.String(), err)
	}
}
