package wsrf

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"

	"github.com/antchfx/xpath"
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The bounds of a query.
const (
	MaxExpression = 1024   // bytes of an expression
	maxSteps      = 50_000 // moves in the document while evaluating one
)

// Select evaluates an XPath 1.0 expression over a document whose root element
// is root, with the root as the context. It returns, in order, a
// *etree.Element for each element, a *etree.Attr for each attribute and a
// string for each text; or one string, float64 or bool when the expression is
// of that type. The document itself, "/", counts as its root element, as in
// the original.
//
// Prefixes are resolved by ns; a name without prefix is in no namespace (XPath
// 1.0, 2.3). Only the functions of XPath 1.0 are allowed, an expression has at
// most MaxExpression bytes, and evaluating it ends after a fixed number of
// steps in the document: whatever the expression, it takes milliseconds. It
// fails with a *FaultError: InvalidQueryExpression or QueryEvaluationError.
func Select(
	root *etree.Element, expression string, ns func(prefix string) (string, bool),
) (results []any, err error) {
	if xmlstrict.Trim(expression) == "/" {
		return []any{root}, nil
	}
	compiled, _, err := compile(expression, ns)
	if err != nil {
		return nil, &FaultError{Fault: InvalidQueryExpression, Err: err}
	}
	steps := maxSteps
	defer func() {
		if p := recover(); p != nil {
			results, err = nil, &FaultError{Fault: QueryEvaluationError,
				Err: fmt.Errorf("the expression cannot be evaluated: %w", recovered(p))}
		}
	}()
	switch v := compiled.Evaluate(newNavigator(root, &steps)).(type) {
	case *xpath.NodeIterator:
		return collect(v), nil
	default:
		return []any{v}, nil
	}
}

// collect walks the nodes that were found.
func collect(found *xpath.NodeIterator) []any {
	results := []any{}
	for found.MoveNext() {
		n := found.Current().(*navigator)
		switch {
		case n.attr != noAttr:
			results = append(results, n.attribute())
		case n.node == nil:
			results = append(results, n.root)
		case n.element() != nil:
			results = append(results, n.element())
		default:
			results = append(results, n.Value())
		}
	}
	return results
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

// compile checks and compiles an expression. It returns the namespaces of the
// prefixes that it uses, too.
func compile(
	expression string, ns func(prefix string) (string, bool),
) (compiled *xpath.Expr, spaces map[string]string, err error) {
	if len(expression) > MaxExpression {
		return nil, nil, fmt.Errorf("the expression is longer than %d bytes", MaxExpression)
	}
	text, spaces, err := resolve(expression, ns)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the expression is not XPath 1.0: %w", recovered(p))
		}
	}()
	compiled, err = xpath.CompileWithNS(text, spaces)
	if err != nil {
		return nil, nil, fmt.Errorf("the expression is not XPath 1.0: %w", recovered(err))
	}
	return compiled, spaces, nil
}

// WriteResults writes what Select found as the content of a response: elements
// as they are, everything else as text (XPath 1.0, 4.2).
func WriteResults(enc *xmlstrict.Encoder, results []any) {
	for _, result := range results {
		switch v := result.(type) {
		case *etree.Element:
			enc.Tree(v)
		case *etree.Attr:
			enc.Text(v.Value)
		case string:
			enc.Text(v)
		case bool:
			enc.Text(strconv.FormatBool(v))
		case float64:
			enc.Text(number(v))
		}
	}
}

// number returns a number as XPath's string() does.
func number(v float64) string {
	switch {
	case math.IsInf(v, 0):
		return map[bool]string{true: "Infinity", false: "-Infinity"}[v > 0]
	case v == 0:
		return "0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
