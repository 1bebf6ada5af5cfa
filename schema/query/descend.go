package query

import "strings"

// The library walks for //name as the standard defines it, from every node to
// its children, unless no predicate follows: that costs a copy of its state for
// each node of the document. Where it makes no difference, /descendant::name is
// asked for instead, which walks once. It makes a difference when a predicate
// counts positions (XPath 1.0, 2.5, last note), so each must be one that
// plainly is no number and asks for none.

// descends tells whether what follows "//" in an expression is a name test
// whose predicates count no positions.
func descends(rest string) bool {
	rest = trimLeft(rest)
	if rest == "" {
		return false
	}
	switch token, behind := nextToken(rest); {
	case token == "*":
		rest = behind
	case !isWord(token[0]):
		return false
	default:
		rest = behind
		if after, ok := strings.CutPrefix(behind, ":"); ok && after != "" {
			local, behind := nextToken(after)
			if local != "*" && !isWord(local[0]) {
				return false // an axis
			}
			rest = behind
		}
	}
	for rest = trimLeft(rest); strings.HasPrefix(rest, "["); rest = trimLeft(rest) {
		predicate, behind, ok := bracketed(rest)
		if !ok || !isPlain(predicate) {
			return false
		}
		rest = behind
	}
	return !strings.HasPrefix(rest, "(")
}

// trimLeft cuts white space off the front.
func trimLeft(s string) string { return strings.TrimLeft(s, " \t\r\n") }

// bracketed cuts a predicate off an expression.
func bracketed(s string) (inside, behind string, ok bool) {
	depth := 0
	for rest := s; rest != ""; {
		token, after := nextToken(rest)
		switch token {
		case "[":
			depth++
		case "]":
			depth--
		}
		if depth == 0 {
			return s[1 : len(s)-len(rest)], after, true
		}
		rest = after
	}
	return "", "", false
}

// booleans are the functions whose value is a boolean.
var booleans = set("not contains starts-with boolean true false")

// isPlain tells whether a predicate is plainly a boolean or a set of nodes, and
// does not ask for positions. It errs on the side of no.
func isPlain(predicate string) bool {
	depth, before, isPath := 0, "", true
	for rest := trimLeft(predicate); rest != ""; rest = trimLeft(rest) {
		token, behind := nextToken(rest)
		switch {
		case token == "last", token == "position":
			return false
		case token == "(" || token == "[":
			isPath = isPath && (token == "[" || depth > 0)
			depth++
		case token == ")" || token == "]":
			depth--
		case depth == 0 && compares(token, before):
			return !counts(behind)
		case depth == 0 && before == "" && booleans[token] && !pathFollows(behind):
			return !counts(behind)
		case depth == 0 && !isStep(token, before):
			isPath = false
		}
		before, rest = token, behind
	}
	return isPath && before != ""
}

// compares tells whether a token makes the predicate a boolean.
func compares(token, before string) bool {
	switch token {
	case "=", "<", ">", "!":
		return true
	case "and", "or":
		return before != "" && !strings.Contains("/:@", before)
	}
	return false
}

// counts tells whether the rest of a predicate may ask for positions.
func counts(rest string) bool {
	for rest != "" {
		token, behind := nextToken(rest)
		if token == "last" || token == "position" {
			return true
		}
		rest = behind
	}
	return false
}

// pathFollows tells whether a function's call is not all of the predicate.
func pathFollows(rest string) bool {
	rest = trimLeft(rest)
	depth := 0
	for rest != "" {
		token, behind := nextToken(rest)
		switch token {
		case "(":
			depth++
		case ")":
			depth--
		}
		rest = trimLeft(behind)
		if depth == 0 {
			break
		}
	}
	return rest != ""
}

// isStep tells whether a token can be part of a path.
func isStep(token, before string) bool {
	switch token {
	case "/", ":", "@", ".":
		return true
	case "*":
		return before == "" || strings.Contains("/:@", before)
	case "div", "mod":
		return before == "" || strings.Contains("/:@", before)
	}
	return isWord(token[0])
}
