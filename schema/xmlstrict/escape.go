package xmlstrict

import "unicode/utf8"

// escapes are what single bytes become; empty where they stay as they are.
type escapes [utf8.RuneSelf]string

// replacement stands for what XML cannot carry.
const replacement = "\uFFFD"

// textEscapes keep text what it is through a parser's line end handling;
// valueEscapes do so for attribute values and their white space.
var (
	textEscapes  = makeEscapes(nil)
	valueEscapes = makeEscapes(map[byte]string{'\t': "&#x9;", '\n': "&#xA;", '"': "&quot;"})
)

func makeEscapes(more map[byte]string) *escapes {
	table := new(escapes)
	for c := range byte(0x20) {
		if !isChar(rune(c)) {
			table[c] = replacement
		}
	}
	table['&'], table['<'], table['>'], table['\r'] = "&amp;", "&lt;", "&gt;", "&#xD;"
	for c, text := range more {
		table[c] = text
	}
	return table
}

// appendText appends s escaped as character data.
func appendText(buf []byte, s string) []byte { return appendEscaped(buf, s, textEscapes) }

// appendValue appends s escaped as a double-quoted attribute value.
func appendValue(buf []byte, s string) []byte { return appendEscaped(buf, s, valueEscapes) }

func appendEscaped(buf []byte, s string, table *escapes) []byte {
	done := 0
	for i := 0; i < len(s); {
		escape, width := "", 1
		if c := s[i]; c < utf8.RuneSelf {
			escape = table[c]
		} else {
			var r rune
			r, width = utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && width == 1 || !isChar(r) {
				escape = replacement
			}
		}
		if escape != "" {
			buf = append(append(buf, s[done:i]...), escape...)
			done = i + width
		}
		i += width
	}
	return append(buf, s[done:]...)
}
