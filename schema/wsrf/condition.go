package wsrf

import (
	"fmt"
	"sync"

	"github.com/antchfx/xpath"
	"github.com/beevik/etree"
)

// A Condition is an XPath 1.0 expression that is compiled once and asked of
// many documents, as the filters of subscriptions are. It may be used by
// several goroutines at once.
type Condition struct {
	mu       sync.Mutex
	compiled *xpath.Expr
}

// conditionSteps bounds one evaluation: a condition is asked of short
// documents, and often.
const conditionSteps = 10_000

// NewCondition compiles an expression; the bounds are those of Select.
func NewCondition(
	expression string, ns func(prefix string) (string, bool),
) (*Condition, error) {
	compiled, err := compile(expression, ns)
	if err != nil {
		return nil, err
	}
	return &Condition{compiled: compiled}, nil
}

// Holds evaluates the expression over a document whose root element is root,
// with the root as the context, and returns its value as boolean() has it
// (XPath 1.0, 4.3). It fails when the expression cannot be evaluated, or takes
// too many steps.
func (c *Condition) Holds(root *etree.Element) (holds bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	steps := conditionSteps
	defer func() {
		if p := recover(); p != nil {
			holds, err = false, fmt.Errorf("the expression cannot be evaluated: %w", recovered(p))
		}
	}()
	switch v := c.compiled.Evaluate(newNavigator(root, &steps)).(type) {
	case *xpath.NodeIterator:
		return v.MoveNext(), nil
	case bool:
		return v, nil
	case float64:
		return v != 0 && v == v, nil // NaN is false
	case string:
		return v != "", nil
	}
	return false, nil
}
