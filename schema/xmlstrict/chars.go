package xmlstrict

import (
	"strings"
	"unicode/utf8"
)

// Classes of ASCII bytes; bytes of longer characters have no class.
const (
	nameStartByte = 1 << iota // may begin an NCName
	nameByte                  // may stand in an NCName
	spaceByte                 // white space
	textByte                  // needs no attention in character data
	valueByte                 // needs no attention in an attribute value
)

// class holds the classes of every byte.
var class = makeClasses()

func makeClasses() (table [256]uint8) {
	for i := range table {
		c := byte(i)
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if letter {
			table[i] |= nameStartByte
		}
		if letter || '0' <= c && c <= '9' || c == '-' || c == '.' {
			table[i] |= nameByte
		}
		if strings.IndexByte(" \t\r\n", c) >= 0 {
			table[i] |= spaceByte
		}
		if strings.IndexByte("<&\r]", c) < 0 {
			table[i] |= textByte
		}
		if strings.IndexByte("<&\r\n\t\"'", c) < 0 {
			table[i] |= valueByte
		}
	}
	return table
}

// isChar tells whether r is a Char of XML 1.0, 2.2.
func isChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	}
	return 0xE000 <= r && r <= 0xFFFD || 0x10000 <= r && r <= 0x10FFFF
}

// nameStarts are the ranges above ASCII that may begin a name (XML 1.0, 2.3).
var nameStarts = [...][2]rune{
	{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF},
	{0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF},
	{0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
}

// isNameStart tells whether a character above ASCII may begin a name.
func isNameStart(r rune) bool {
	for _, span := range nameStarts {
		if span[0] <= r && r <= span[1] {
			return true
		}
	}
	return false
}

// isNamePart tells whether a character above ASCII may stand in a name.
func isNamePart(r rune) bool {
	return isNameStart(r) || r == 0xB7 || 0x300 <= r && r <= 0x36F || r == 0x203F || r == 0x2040
}

// ncNameEnd returns where the NCName that begins at i ends; i when none does.
func ncNameEnd(s string, i int) int {
	for start := i; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if class[c]&nameByte == 0 || i == start && class[c]&nameStartByte == 0 {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError || !isNamePart(r) || i == start && !isNameStart(r) {
			return i
		}
		i += n
	}
	return i
}

// isNCName tells whether the whole of s is one NCName.
func isNCName(s string) bool { return s != "" && ncNameEnd(s, 0) == len(s) }

// IsNCName tells whether s is a name without colon (Namespaces in XML 1.0, 3).
func IsNCName(s string) bool { return isNCName(s) }

// isBlank tells whether s is white space alone, or empty.
func isBlank(s string) bool {
	for i := 0; i < len(s); i++ {
		if class[s[i]]&spaceByte == 0 {
			return false
		}
	}
	return true
}

// invalidAt returns the offset of the first byte that is not part of a legal
// XML character, or -1, and the offset of the first byte above ASCII, or -1.
func invalidAt(s string) (invalid, wide int) {
	wide = -1
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < 0x20 && !isChar(rune(c)) {
				return i, wide
			}
			i++
			continue
		}
		if wide < 0 {
			wide = i
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !isChar(r) {
			return i, wide
		}
		i += n
	}
	return -1, wide
}
