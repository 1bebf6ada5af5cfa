package query

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/antchfx/xpath"
)

// The bounds of an evaluation.
const (
	MaxExpression = 1024 // bytes of an expression

	minSteps     = 50_000 // moves in a document, however small
	stepsPerNode = 64     // more for each of its nodes
	maxSteps     = 16_000_000
)

// Expression is a compiled XPath 1.0 expression. It may be used by several
// goroutines at once, which then wait for one another.
type Expression struct {
	text   string
	spaces map[string]string // of the prefixes it uses

	mu       sync.Mutex
	compiled *xpath.Expr
}

// EvaluationError says that an expression that is well-formed cannot be
// evaluated over a document, or takes too many steps.
type EvaluationError struct{ Err error }

// Error returns the cause, introduced.
func (e *EvaluationError) Error() string {
	return "the expression cannot be evaluated: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *EvaluationError) Unwrap() error { return e.Err }

// Compile checks and compiles an expression. Prefixes are resolved by ns; a
// name without prefix is in no namespace (XPath 1.0, 2.3). Only the functions
// of XPath 1.0 are allowed, and an expression has at most MaxExpression bytes.
func Compile(text string, ns func(prefix string) (string, bool)) (e *Expression, err error) {
	if len(text) > MaxExpression {
		return nil, fmt.Errorf("the expression is longer than %d bytes", MaxExpression)
	}
	resolved, spaces, err := resolve(text, ns)
	if err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the expression is not XPath 1.0: %w", recovered(p))
		}
	}()
	compiled, err := xpath.CompileWithNS(resolved, spaces)
	if err != nil {
		return nil, fmt.Errorf("the expression is not XPath 1.0: %w", recovered(err))
	}
	e = &Expression{text: strings.Clone(text), spaces: map[string]string{}, compiled: compiled}
	for prefix, space := range spaces {
		e.spaces[strings.Clone(prefix)] = strings.Clone(space)
	}
	return e, nil
}

// String returns the expression as it was given.
func (e *Expression) String() string { return e.text }

// Spaces returns the namespaces of the prefixes that the expression uses. The
// map must not be changed.
func (e *Expression) Spaces() map[string]string { return e.spaces }

// Select evaluates the expression over a document with the root element as the
// context. The document itself, "/", counts as its root element, as in the
// original. Whatever the expression, it ends after a number of steps that is
// bounded by the document's size; it fails with an *EvaluationError.
func (e *Expression) Select(over Source) (results Results, err error) {
	v := over.view()
	err = e.evaluate(v, 0, func(value any) {
		found, ok := value.(*xpath.NodeIterator)
		if !ok {
			results.value = value
			return
		}
		var seen map[place]bool
		for found.MoveNext() {
			results.add(found.Current().(*navigator).place(), &seen)
		}
	})
	results.view = v
	return results, err
}

// Holds evaluates the expression over a document and returns its value as
// boolean() has it (XPath 1.0, 4.3). It takes so many steps at most; zero
// stands for what Select may take. It fails as Select does.
func (e *Expression) Holds(over Source, steps int) (holds bool, err error) {
	err = e.evaluate(over.view(), steps, func(value any) {
		switch v := value.(type) {
		case *xpath.NodeIterator:
			holds = v.MoveNext()
		case bool:
			holds = v
		case float64:
			holds = v != 0 && v == v // NaN is false
		case string:
			holds = v != ""
		}
	})
	return holds && err == nil, err
}

// evaluate hands the expression's value to take. Nothing the library does
// leaves it but an error.
func (e *Expression) evaluate(v *view, steps int, take func(value any)) (err error) {
	if steps == 0 {
		steps = min(minSteps+stepsPerNode*v.nodes, maxSteps)
	}
	defer func() {
		if p := recover(); p != nil {
			err = &EvaluationError{recovered(p)}
		}
	}()
	e.mu.Lock()
	defer e.mu.Unlock()
	take(e.compiled.Evaluate(newNavigator(v, &steps)))
	return nil
}

// errTooCostly ends an evaluation that used up its steps.
var errTooCostly = errors.New("the expression takes too many steps to evaluate")

// errBadArgument ends the use of a function with arguments the library did not
// look at.
var errBadArgument = errors.New("a function cannot take the arguments it is given")

// recovered turns what the library panicked with into an error. It reports
// wrong types of arguments that way, and trips over wrong numbers of them; what
// it trips over is nobody's business but ours. Its words may quote the whole
// expression.
func recovered(p any) error {
	const longest = 200
	err, ok := p.(error)
	var tripped runtime.Error
	switch {
	case ok && errors.Is(err, errTooCostly):
		return err
	case ok && errors.As(err, &tripped):
		return errBadArgument
	}
	text := fmt.Sprint(p)
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return errors.New(text)
}
