package main

import (
	"io"
	"strings"
	"unicode"
)

// A tamer lets no text of others work on the terminal: it writes what moves
// the cursor, or turns the order of characters, as U+FFFD. Escape sequences are ours:
// what the service says is XML, which cannot carry the character that begins them.
type tamer struct{ io.Writer }

// Write writes p, whole characters.
func (w tamer) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.Writer, tame(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// tame takes the power from a text.
func tame(text string) string {
	return strings.Map(func(r rune) rune {
		const escape = '\x1b'
		switch {
		case r == '\n', r == '\t', r == escape:
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
