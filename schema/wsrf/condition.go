package wsrf

import (
	"github.com/philoxenia/philoxenia/schema/query"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// A Condition is an XPath 1.0 expression that is compiled once and asked of
// many documents, as the filters of subscriptions are. It may be used by
// several goroutines at once.
type Condition struct{ expression *query.Expression }

// conditionSteps bounds one evaluation: a condition is asked of short
// documents, and often.
const conditionSteps = 10_000

// NewCondition compiles an expression; prefixes are resolved by ns.
func NewCondition(
	expression string, ns func(prefix string) (string, bool),
) (*Condition, error) {
	compiled, err := query.Compile(expression, ns)
	if err != nil {
		return nil, err
	}
	return &Condition{compiled}, nil
}

// ParseCondition reads an element of the type QueryExpressionType: an XPath
// expression with its dialect. It fails with a *xmlstrict.ContentError.
func ParseCondition(doc *xmlstrict.Document, at *element) (*Condition, error) {
	dialect, _ := xmlstrict.Attr(at, dialectAttr)
	if dialect != XPathDialect {
		return nil, doc.Errorf(at, XPathDialect, "the dialect %q is unknown",
			xmlstrict.Clip(dialect))
	}
	expression := xmlstrict.Shape{
		Content: xmlstrict.Words, Attributes: []xmlstrict.Name{dialectAttr},
	}
	if err := doc.Fits(at, expression); err != nil {
		return nil, err
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
	enc.Tree(expressionElement(name, c.expression.String(), c.expression.Spaces()))
}

// String returns the expression.
func (c *Condition) String() string { return c.expression.String() }

// Over evaluates the expression over a document, with its root element as the
// context, and returns its value as boolean() has it (XPath 1.0, 4.3). It
// fails when the expression cannot be evaluated, or takes too many steps.
func (c *Condition) Over(d query.Source) (bool, error) {
	return c.expression.Holds(d, conditionSteps)
}

// Holds does what Over does, for a document that few conditions are asked of.
func (c *Condition) Holds(root *element) (bool, error) {
	d, err := query.OfTree(root)
	if err != nil {
		return false, err
	}
	return c.Over(d)
}
