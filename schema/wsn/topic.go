package wsn

import (
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// SimpleDialect is the dialect of topic expressions that are one qualified
// name, the name of a root topic (WS-Topics 1.2 draft 1, 6.1).
const SimpleDialect = "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple"

// TopicExpression names topics. In the one dialect there is, it names exactly
// one; the zero value names none.
type TopicExpression struct {
	Dialect string
	Topic   xmlstrict.Name
}

// SimpleTopic returns the expression for one root topic.
func SimpleTopic(topic xmlstrict.Name) TopicExpression {
	return TopicExpression{SimpleDialect, topic}
}

// dialects are the dialects that can be read, each with its reader. Another
// one needs an entry here and, once an expression can name several topics, a
// richer TopicExpression.
var dialects = map[string]func(*etree.Element) (TopicExpression, error){
	SimpleDialect: parseSimple,
}

// parseSimple reads an expression of the simple dialect.
func parseSimple(e *etree.Element) (TopicExpression, error) {
	topic, err := xmlstrict.ResolveQName(e, xmlstrict.RawText(e))
	if err != nil {
		return TopicExpression{}, err
	}
	return SimpleTopic(topic), nil
}

// ParseTopicExpression reads an element of the type TopicExpressionType. It
// fails with a *wsrf.FaultError around a *xmlstrict.ContentError:
// TopicPathDialectUnknown or InvalidTopicExpression.
func ParseTopicExpression(doc *xmlstrict.Document, e *etree.Element) (TopicExpression, error) {
	dialect, given := dialectOf(e)
	if !given {
		return TopicExpression{}, fault(InvalidTopicExpression,
			doc.Errorf(e, "the attribute Dialect", "the topic expression has no dialect"))
	}
	parse, known := dialects[dialect]
	if !known {
		return TopicExpression{}, fault(TopicPathDialectUnknown,
			doc.Errorf(e, SimpleDialect, "the topic expression's dialect %q is unknown",
				xmlstrict.Clip(dialect)))
	}
	expression, err := parse(e)
	if err != nil {
		return expression, fault(InvalidTopicExpression,
			doc.Errorf(e, "the qualified name of a topic", "%w", err))
	}
	return expression, nil
}

// dialectOf returns the Dialect attribute, which some peers qualify.
func dialectOf(e *etree.Element) (string, bool) {
	if dialect, ok := xmlstrict.Attr(e, dialectAttr); ok {
		return dialect, true
	}
	return xmlstrict.Attr(e, name(dialectAttr.Local))
}

var dialectAttr = xmlstrict.Name{Local: "Dialect"}

// fault returns the error with its typed fault.
func fault(name xmlstrict.Name, err error) error {
	return &wsrf.FaultError{Fault: name, Err: err}
}

// Write writes the expression as an element of that name.
func (t TopicExpression) Write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	enc.Attr(dialectAttr, t.Dialect)
	enc.QName(t.Topic)
	enc.End()
}

// String returns the topic's name.
func (t TopicExpression) String() string { return t.Topic.String() }
