package wsn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// SimpleDialect is the draft's dialect of topic expressions that are one
// qualified name, the name of a root topic (WS-Topics 1.2 draft 1, 6.1).
const SimpleDialect = draftDialect + "Simple"

// The stems of dialects.
const (
	draftDialect = "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/"
	finalDialect = schema.Topics1 + "/TopicExpression/"
)

// The dialects of 1.3 (WS-Topics 1.3, 8), and the one that ONVIF adds: concrete
// paths joined by "|", each of which may end in "//." (core specification, 9.6).
const (
	SimpleDialect2   = finalDialect + "Simple"
	ConcreteDialect2 = finalDialect + "Concrete"
	FullDialect2     = finalDialect + "Full"
	ConcreteSet      = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
)

// Dialects returns the dialects of topic expressions that are understood.
func (e Edition) Dialects() []string {
	if e == Final {
		return []string{SimpleDialect2, ConcreteDialect2, FullDialect2, ConcreteSet}
	}
	return []string{SimpleDialect, draftDialect + "Concrete", draftDialect + "Full"}
}

// SimpleTopic returns the edition's expression for one root topic.
func (e Edition) SimpleTopic(topic xmlstrict.Name) TopicExpression {
	return TopicExpression{Dialect: e.Dialects()[0], Topic: topic}
}

// TopicExpression names topics; the zero value names none. It does not keep the
// document alive that it was read from.
type TopicExpression struct {
	Dialect string
	Topic   xmlstrict.Name // of the simple dialects: the one topic
	paths   *topicPaths    // of all others
}

// ParseTopicExpression reads an element of the type TopicExpressionType. It
// fails with a *wsrf.FaultError around a *xmlstrict.ContentError:
// TopicDialectUnknown or InvalidTopicExpression.
func (e Edition) ParseTopicExpression(
	doc *xmlstrict.Document, at *etree.Element,
) (TopicExpression, error) {
	var none TopicExpression
	expression := xmlstrict.Shape{Content: xmlstrict.Mixed, Loose: e == Final,
		Attributes: []xmlstrict.Name{dialectAttr, {Space: names[e].Topic.Space, Local: "Dialect"}}}
	if err := doc.Fits(at, expression); err != nil {
		return none, err
	}
	dialect, given := dialectOf(at)
	if !given {
		return none, fault(names[e].InvalidTopicExpression,
			doc.Errorf(at, "the attribute Dialect", "the topic expression has no dialect"))
	}
	all := e.Dialects()
	i := slices.Index(all, dialect)
	if i < 0 {
		return none, fault(names[e].TopicDialectUnknown, doc.Errorf(at,
			strings.Join(all[:3], ", "), "the topic expression's dialect %q is unknown",
			xmlstrict.Clip(dialect)))
	}
	for child := range xmlstrict.Children(at) {
		return none, fault(names[e].InvalidTopicExpression, doc.Errorf(child,
			"text alone", "there is an element inside the topic expression"))
	}
	t, err := readTopic(all[i], at)
	if err != nil {
		return none, fault(names[e].InvalidTopicExpression,
			doc.Errorf(at, expectedTopic(i), "%w", err))
	}
	return t, nil
}

// expectedTopic says what an expression of the dialect is.
func expectedTopic(dialect int) string {
	return [...]string{
		"the qualified name of a topic", "a path of topics such as p:root/child",
		"paths such as p:root//child|p:*/*, joined by | alone",
		"paths such as p:root/child//., joined by |",
	}[dialect]
}

// readTopic reads the expression that an element holds.
func readTopic(dialect string, at *etree.Element) (TopicExpression, error) {
	t := TopicExpression{Dialect: dialect}
	if strings.HasSuffix(dialect, "/Simple") {
		topic, err := xmlstrict.ResolveQName(at, xmlstrict.RawText(at))
		t.Topic = xmlstrict.Name{
			Space: strings.Clone(topic.Space), Local: strings.Clone(topic.Local),
		}
		return t, err
	}
	p := topicParser{
		text: xmlstrict.Text(at), form: formOf(dialect),
		lookup: func(prefix string) (string, bool) { return xmlstrict.LookupPrefix(at, prefix) },
	}
	var err error
	t.paths, err = p.parse()
	return t, err
}

// dialectOf returns the Dialect attribute, which some peers qualify.
func dialectOf(e *etree.Element) (string, bool) {
	for i := range e.Attr {
		a := &e.Attr[i]
		if a.Key != dialectAttr.Local {
			continue
		}
		switch xmlstrict.AttrName(e, a).Space {
		case "", names[Draft].Subscribe.Space, names[Final].Subscribe.Space:
			return a.Value, true
		}
	}
	return "", false
}

var dialectAttr = xmlstrict.Name{Local: "Dialect"}

// fault returns the error with its typed fault.
func fault(name xmlstrict.Name, err error) error {
	return &wsrf.FaultError{Fault: name, Err: err}
}

// edition returns the edition that the expression's dialect belongs to.
func (t TopicExpression) edition() Edition {
	if strings.HasPrefix(t.Dialect, draftDialect) {
		return Draft
	}
	return Final
}

// IsZero tells whether there is no expression.
func (t TopicExpression) IsZero() bool { return t == TopicExpression{} }

// Match returns those of a producer's root topics that the expression names, in
// their order.
func (t TopicExpression) Match(topics []xmlstrict.Name) []xmlstrict.Name {
	var found []xmlstrict.Name
	for _, topic := range topics {
		if t.MatchPath(topic) {
			found = append(found, topic)
		}
	}
	return found
}

// MatchPath tells whether the expression names the topic at the end of a path,
// whose first name is that of a root topic. A child topic of its parent's
// namespace has a name without namespace, as in topic sets.
func (t TopicExpression) MatchPath(path ...xmlstrict.Name) bool {
	if t.paths == nil {
		return len(path) == 1 && !t.IsZero() && path[0] == t.Topic
	}
	return t.paths.match(path)
}

// Of returns those of a producer's root topics that the expression names. It
// fails with a *wsrf.FaultError, TopicNotSupported, when there are none.
func (t TopicExpression) Of(topics []xmlstrict.Name) ([]xmlstrict.Name, error) {
	found := t.Match(topics)
	if len(found) > 0 {
		return found, nil
	}
	var published []string
	for _, topic := range topics {
		published = append(published, topic.String())
	}
	return nil, fault(names[t.edition()].TopicNotSupported, fmt.Errorf(
		"no topic of %s is published here, expected one of %s", t, strings.Join(published, ", ")))
}

// Write writes the expression as an element of that name.
func (t TopicExpression) Write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	enc.Attr(dialectAttr, t.Dialect)
	if t.paths == nil {
		enc.QName(t.Topic)
	} else {
		enc.Text(t.paths.write(enc.Prefix))
	}
	enc.End()
}

// String returns the expression, with namespaces in braces.
func (t TopicExpression) String() string {
	if t.paths == nil {
		return t.Topic.String()
	}
	return t.paths.write(func(space string) string { return "{" + space + "}" })
}
