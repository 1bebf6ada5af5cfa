package query

import (
	"errors"
	"fmt"
	"strings"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
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

// resolved is an expression on its way to the library.
type resolved struct {
	ns     func(prefix string) (string, bool)
	spaces map[string]string // of the prefixes met so far
	places int               // calls met so far that ask for positions
	text   strings.Builder
}

// maxPlaces is how many calls of last() and position() an expression may have.
// The library keeps for each a copy of all that is before it, the copies of
// those before it among them: in a row of predicates every call doubles what
// there is to copy, and no step is taken meanwhile.
const maxPlaces = 4

// resolve walks over an expression's tokens, resolves the prefixes and refuses
// variables and functions that XPath 1.0 does not have. It returns the
// expression as the library wants it and the namespaces by prefix.
func resolve(
	expression string, ns func(prefix string) (string, bool),
) (string, map[string]string, error) {
	r := &resolved{ns: ns, spaces: map[string]string{}}
	for rest := expression; rest != ""; {
		token, behind := nextToken(rest)
		if token == "$" {
			return "", nil, errors.New("variables are not defined here")
		}
		if after, ok := strings.CutPrefix(behind, "/"); ok && token == "/" && descends(after) {
			r.text.WriteString("/descendant::")
			rest = after
			continue
		}
		if isWord(token[0]) {
			var err error
			if behind, err = r.word(token, behind); err != nil {
				return "", nil, err
			}
		} else {
			r.text.WriteString(token)
		}
		rest = behind
	}
	return r.text.String(), r.spaces, nil
}

// word judges a word by what stands behind it and returns what is left.
func (r *resolved) word(word, behind string) (string, error) {
	if strings.HasPrefix(strings.TrimLeft(behind, " \t\r\n"), "(") &&
		!functions[word] && !operators[word] {
		return "", fmt.Errorf("the function %s() is not one of XPath 1.0", word)
	}
	if word == "last" || word == "position" {
		if r.places++; r.places > maxPlaces {
			return "", fmt.Errorf("the expression asks for last() or position() more than %d times",
				maxPlaces)
		}
	}
	if !strings.HasPrefix(behind, ":") || strings.HasPrefix(behind, "::") {
		r.text.WriteString(word)
		return behind, nil
	}
	space, ok := r.ns(word)
	if !ok {
		return "", fmt.Errorf("the prefix %q of the expression is not declared", word)
	}
	r.spaces[word] = space
	if rest, ok := strings.CutPrefix(behind, ":*"); ok {
		return rest, r.anyOf(space)
	}
	r.text.WriteString(word)
	return behind, nil
}

// anyOf writes the test for any name of a namespace, prefix:*, in words that
// the library knows. A namespace that no literal can hold is refused, lest it
// end the literal.
func (r *resolved) anyOf(space string) error {
	quote := `'`
	if strings.Contains(space, quote) {
		quote = `"`
	}
	if strings.Contains(space, quote) {
		return fmt.Errorf("the namespace %q holds quotes of both kinds", xmlstrict.Clip(space))
	}
	r.text.WriteString("*[namespace-uri()=" + quote + space + quote + "]")
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
