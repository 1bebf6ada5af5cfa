package library

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// QueryError says what is wrong with a query, and where.
type QueryError struct {
	Column   int    // in characters, from 1
	Reason   string // what is there
	Expected string // may be empty
}

// Error returns "column N: REASON, expected ...".
func (e *QueryError) Error() string {
	text := fmt.Sprintf("column %d: %s", e.Column, e.Reason)
	if e.Expected != "" {
		text += ", expected " + e.Expected
	}
	return text
}

// kinds of token.
const (
	tokenEnd = iota
	tokenWord
	tokenOperator // = != < <= > >=
	tokenMark     // ( ) ,
)

// A token is a word, an operator or a mark of a query.
type token struct {
	kind   int
	text   string // of a quoted word, without the quotes
	quoted bool
	at     int // byte offset
	end    int // byte offset behind it
}

// A lexer cuts a query into tokens. White space, & and ; separate conditions, which
// need not be separated otherwise.
type lexer struct {
	text string
	at   int
}

// next returns the next token.
func (l *lexer) next() (token, error) {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n&;", l.text[l.at]) >= 0 {
		l.at++
	}
	from := l.at
	if from == len(l.text) {
		return token{kind: tokenEnd, at: from, end: from}, nil
	}
	switch c := l.text[from]; c {
	case '(', ')', ',':
		l.at++
		return token{kind: tokenMark, text: string(c), at: from, end: l.at}, nil
	case '=', '!', '<', '>':
		return l.operator()
	case '"':
		return l.quoted()
	}
	for l.at < len(l.text) && isWord(l.text[l.at]) {
		l.at++
	}
	if l.at == from {
		_, n := utf8.DecodeRuneInString(l.text[from:])
		return token{}, l.fail(from, "a condition such as arch=x86_64", "%q has no meaning here",
			l.text[from:from+n])
	}
	return token{kind: tokenWord, text: l.text[from:l.at], at: from, end: l.at}, nil
}

// isWord reports whether a character may stand in a word that is not quoted.
func isWord(c byte) bool {
	return isDigit(c) || isLetter(c) || strings.IndexByte("._+-~:/*@%#$", c) >= 0
}

// operator reads = != < <= > >=, and == for =.
func (l *lexer) operator() (token, error) {
	from := l.at
	l.at++
	if l.at < len(l.text) && l.text[l.at] == '=' {
		l.at++
	}
	text := l.text[from:l.at]
	switch text {
	case "==":
		text = "="
	case "!":
		return token{}, l.fail(from, "one of "+operators, "%q is not an operator", "!")
	}
	return token{kind: tokenOperator, text: text, at: from, end: l.at}, nil
}

// operators are all of them, for errors.
const operators = "=, !=, <, <=, >, >= or in (A, B)"

// quoted reads a word in quotation marks; a backslash keeps the next character.
func (l *lexer) quoted() (token, error) {
	from := l.at
	var b strings.Builder
	for i := from + 1; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case c == '"':
			l.at = i + 1
			return token{tokenWord, b.String(), true, from, l.at}, nil
		case c == '\\' && i+1 < len(l.text):
			i++
			b.WriteByte(l.text[i])
		default:
			b.WriteByte(c)
		}
	}
	return token{}, l.fail(from, `another " behind it`, "the quotation mark is not closed")
}

// fail makes an error at a byte offset.
func (l *lexer) fail(at int, expected, format string, args ...any) error {
	return &workspace.Error{Kind: workspace.Invalid, Err: &QueryError{
		Column:   utf8.RuneCountInString(l.text[:at]) + 1,
		Expected: expected, Reason: fmt.Sprintf(format, args...),
	}}
}
