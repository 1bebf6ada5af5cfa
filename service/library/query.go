package library

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// The bounds of a query.
const (
	maxQuery      = 4096 // bytes
	maxConditions = 64
)

// Query is what is needed of an image: conditions all of which must hold.
//
//	query     = { condition [ "and" | "&" | ";" ] }
//	condition = KEY OPERATOR value { "," value }   with = and != alone several values
//	          | KEY "in" "(" value { "," value } ")"
//	          | ( "software." NAME | "attr." NAME )  it has it, whatever the version or value
//	OPERATOR  = "=" | "!=" | "<" | "<=" | ">" | ">="
//	value     = WORD | '"' ANYTHING '"'
//
// The keys are name, version, tag, scope, arch, vmm, kernel, format, size, file-size,
// signed-by, verified, software.NAME and attr.NAME.
type Query struct{ conditions []condition }

// A condition is one of a query.
type condition struct {
	text string // as it was written
	fits func(*Entry) bool
}

// Parse reads a query; an empty one fits everything. The error is of kind Invalid
// and has a *QueryError.
func Parse(text string) (*Query, error) {
	p := &parser{lexer: lexer{text: text}}
	switch {
	case len(text) > maxQuery:
		return nil, p.fail(0, "at most 4096 bytes", "the query has %d bytes", len(text))
	case !utf8.ValidString(text):
		return nil, p.fail(0, "text in UTF-8", "the query is not")
	}
	q := new(Query)
	for {
		t, err := p.next()
		if err != nil {
			return nil, err
		}
		if t.kind == tokenEnd {
			return q, nil
		}
		if t.kind == tokenWord && !t.quoted && strings.EqualFold(t.text, "and") &&
			len(q.conditions) > 0 {
			continue
		}
		if len(q.conditions) == maxConditions {
			return nil, p.fail(t.at, "", "there are more than %d conditions", maxConditions)
		}
		c, err := p.condition(t)
		if err != nil {
			return nil, err
		}
		q.conditions = append(q.conditions, c)
	}
}

// And adds a condition that is not the query's own; it is told in the words of text.
func (q *Query) And(text string, fits func(*Entry) bool) {
	q.conditions = append(q.conditions, condition{text, fits})
}

// A parser reads the conditions of a query.
type parser struct{ lexer }

// condition reads the condition that begins with the token.
func (p *parser) condition(t token) (condition, error) {
	if t.kind != tokenWord || t.quoted {
		return condition{}, p.fail(t.at, "a condition such as arch=x86_64", "%q begins none",
			t.text)
	}
	k, err := p.key(t)
	if err != nil {
		return condition{}, err
	}
	before := p.at
	op, err := p.next()
	if err != nil {
		return condition{}, err
	}
	var fits func(*Entry) bool
	switch {
	case op.kind == tokenOperator:
		fits, err = p.compared(k, op)
	case op.kind == tokenWord && !op.quoted && strings.EqualFold(op.text, "in"):
		fits, err = p.among(k)
	case k.has != nil: // whatever it is
		p.at = before
		return condition{t.text, k.has}, nil
	default:
		err = p.fail(op.at, "one of "+operators, "%s is followed by %s", t.text, shown(op))
	}
	if err != nil {
		return condition{}, err
	}
	return condition{p.text[t.at:p.at], fits}, nil
}

// shown is a token as errors show it.
func shown(t token) string {
	if t.kind == tokenEnd {
		return "nothing"
	}
	return `"` + clip(t.text) + `"`
}

// clip keeps a stranger's text short.
func clip(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// compared reads what follows an operator.
func (p *parser) compared(k key, op token) (func(*Entry) bool, error) {
	if !slices.Contains(k.operators, op.text) {
		return nil, p.fail(op.at, "one of "+strings.Join(k.operators, " ")+" or in (A, B)",
			"%s cannot be compared by %q", k.name, op.text)
	}
	first, err := p.value(k, op.text)
	if err != nil {
		return nil, err
	}
	all := []func(*Entry) bool{first}
	for {
		before := p.at
		t, err := p.next()
		if err != nil || t.kind != tokenMark || t.text != "," {
			p.at = before
			break
		}
		if op.text != "=" && op.text != "!=" {
			return nil, p.fail(t.at, "one value", "%q takes no list", op.text)
		}
		more, err := p.value(k, op.text)
		if err != nil {
			return nil, err
		}
		all = append(all, more)
	}
	if op.text == "!=" {
		return func(e *Entry) bool { return allOf(all, e) }, nil
	}
	return func(e *Entry) bool { return anyOf(all, e) }, nil
}

// among reads "(A, B)" behind in.
func (p *parser) among(k key) (func(*Entry) bool, error) {
	if err := p.mark("("); err != nil {
		return nil, err
	}
	var all []func(*Entry) bool
	for {
		one, err := p.value(k, "=")
		if err != nil {
			return nil, err
		}
		all = append(all, one)
		t, err := p.next()
		switch {
		case err != nil:
			return nil, err
		case t.kind == tokenMark && t.text == ")":
			return func(e *Entry) bool { return anyOf(all, e) }, nil
		case t.kind != tokenMark || t.text != ",":
			return nil, p.fail(t.at, `"," or ")"`, "there is %s", shown(t))
		}
	}
}

// anyOf and allOf report whether one of the tests holds, or all do.
func anyOf(all []func(*Entry) bool, e *Entry) bool {
	return slices.ContainsFunc(all, func(f func(*Entry) bool) bool { return f(e) })
}

func allOf(all []func(*Entry) bool, e *Entry) bool {
	return !slices.ContainsFunc(all, func(f func(*Entry) bool) bool { return !f(e) })
}

// mark reads a mark.
func (p *parser) mark(text string) error {
	t, err := p.next()
	if err == nil && (t.kind != tokenMark || t.text != text) {
		err = p.fail(t.at, `"`+text+`"`, "there is %s", shown(t))
	}
	return err
}

// value reads a value, and returns what compares entries with it.
func (p *parser) value(k key, op string) (func(*Entry) bool, error) {
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	if t.kind != tokenWord {
		return nil, p.fail(t.at, k.expects, "%s has no value: there is %s", k.name, shown(t))
	}
	if k.check != nil && !k.check(t.text) {
		return nil, p.fail(t.at, k.expects, "%s %q", "there is", clip(t.text))
	}
	return func(e *Entry) bool { return k.fits(e, op, t.text) }, nil
}

// Result is what came of a query.
type Result struct {
	Found    []Entry // the best first
	Total    int     // entries that were looked at
	Excluded []Exclusion
}

// Exclusion says how many entries a condition excludes.
type Exclusion struct {
	Condition string
	Entries   int
	Alone     int // of them, those that every other condition would let through
}

// Find holds entries against the query.
func (q *Query) Find(entries []Entry) Result {
	r := Result{Total: len(entries), Excluded: make([]Exclusion, len(q.conditions))}
	for i, c := range q.conditions {
		r.Excluded[i].Condition = c.text
	}
	for i := range entries {
		failed, last := 0, 0
		for j, c := range q.conditions {
			if !c.fits(&entries[i]) {
				failed, last = failed+1, j
				r.Excluded[j].Entries++
			}
		}
		switch failed {
		case 0:
			r.Found = append(r.Found, entries[i])
		case 1:
			r.Excluded[last].Alone++
		}
	}
	Rank(r.Found)
	return r
}

// Unfit is why no entry fits a query.
type Unfit struct{ Result }

// Error says which condition excludes how many entries.
func (u *Unfit) Error() string {
	if u.Total == 0 {
		return "the library has no image that you can see"
	}
	var parts []string
	for _, x := range u.Excluded {
		if x.Entries > 0 {
			text := x.Condition + " excludes " + count(x.Entries)
			if x.Alone > 0 {
				text += ", " + count(x.Alone) + " by itself"
			}
			parts = append(parts, text)
		}
	}
	return "none of the library's " + count(u.Total) + " images fits: " +
		strings.Join(parts, "; ")
}

// Best returns the best entry; the error is a *Unfit of kind NotFound where none fits.
func (r Result) Best() (Entry, error) {
	if len(r.Found) == 0 {
		return Entry{}, &workspace.Error{Kind: workspace.NotFound, Err: &Unfit{r}}
	}
	return r.Found[0], nil
}
