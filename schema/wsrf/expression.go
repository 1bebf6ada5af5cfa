package wsrf

import (
	"fmt"
	"strings"
)

// functions are the functions and node tests of XPath 1.0 (2.3 and 4) that may
// be called. The library knows more; some of those can grow a text without
// bound.
var functions = set(
	"last position count local-name namespace-uri name string concat starts-with contains " +
		"substring-before substring-after substring string-length normalize-space translate " +
		"boolean not true false number sum floor ceiling round " +
		"node text comment processing-instruction")

// set returns the words of a text.
func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// namespaces walks over an expression's tokens, resolves the prefixes and
// refuses functions that XPath 1.0 does not have, and variables.
func namespaces(
	expression string, ns func(prefix string) (string, bool),
) (map[string]string, error) {
	spaces := map[string]string{}
	for rest := expression; rest != ""; {
		token, behind := nextToken(rest)
		if err := checkToken(token, behind, spaces, ns); err != nil {
			return nil, err
		}
		rest = behind
	}
	return spaces, nil
}

// checkToken judges one token by what stands behind it.
func checkToken(
	token, behind string, spaces map[string]string, ns func(string) (string, bool),
) error {
	next := strings.TrimLeft(behind, " \t\r\n")
	switch {
	case token == "$":
		return fmt.Errorf("variables are not defined here")
	case !isWord(token[0]):
	case strings.HasPrefix(next, "("):
		if !functions[token] && !operators[token] {
			return fmt.Errorf("the function %s() is not one of XPath 1.0", token)
		}
	case strings.HasPrefix(behind, ":") && !strings.HasPrefix(behind, "::"):
		space, ok := ns(token)
		if !ok {
			return fmt.Errorf("the prefix %q of the expression is not declared", token)
		}
		spaces[token] = space
	}
	return nil
}

// operators are words that a parenthesis may follow without a call.
var operators = set("and or div mod")

// nextToken cuts a literal, a word or a single byte off an expression.
func nextToken(s string) (token, rest string) {
	switch c := s[0]; {
	case c == '"' || c == '\'':
		end := strings.IndexByte(s[1:], c)
		if end < 0 {
			return s, ""
		}
		return s[:end+2], s[end+2:]
	case isWord(c):
		end := 1
		for end < len(s) && (isWord(s[end]) || strings.IndexByte("-.0123456789", s[end]) >= 0) {
			end++
		}
		return s[:end], s[end:]
	}
	return s[:1], s[1:]
}

// isWord tells whether a byte may begin a name; those above ASCII all may.
func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}
