package wsrf

import (
	"fmt"
	"strings"
	"sync"

	"github.com/antchfx/xpath"
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// A Condition is an XPath 1.0 expression that is compiled once and asked of
// many documents, as the filters of subscriptions are. It may be used by
// several goroutines at once.
type Condition struct {
	expression string
	spaces     map[string]string // of the prefixes it uses

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
	compiled, spaces, err := compile(expression, ns)
	if err != nil {
		return nil, err
	}
	c := &Condition{
		expression: strings.Clone(expression), spaces: map[string]string{}, compiled: compiled,
	}
	for prefix, space := range spaces {
		c.spaces[strings.Clone(prefix)] = strings.Clone(space)
	}
	return c, nil
}

// ParseCondition reads an element of the type QueryExpressionType: an XPath
// expression with its dialect. It fails with a *xmlstrict.ContentError.
func ParseCondition(doc *xmlstrict.Document, at *element) (*Condition, error) {
	dialect, _ := xmlstrict.Attr(at, dialectAttr)
	if dialect != XPathDialect {
		return nil, doc.Errorf(at, XPathDialect, "the dialect %q is unknown",
			xmlstrict.Clip(dialect))
	}
	c, err := NewCondition(xmlstrict.Text(at), func(prefix string) (string, bool) {
		return xmlstrict.LookupPrefix(at, prefix)
	})
	if err != nil {
		return nil, doc.Errorf(at, "an XPath 1.0 expression", "%w", err)
	}
	return c, nil
}

// Write writes the condition as an element of that name, with its dialect.
func (c *Condition) Write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Tree(expressionElement(name, c.expression, c.spaces))
}

// String returns the expression.
func (c *Condition) String() string { return c.expression }

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
