package wsn

import (
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// A TopicNode is a topic with those below it, as topic sets and topic
// namespaces tell it (WS-Topics 1.3, 5 and 7).
type TopicNode struct {
	// Name of a root topic has a namespace; that of a child has one only when
	// it is another than its parent's.
	Name     xmlstrict.Name
	Topic    bool             // one can subscribe to it; otherwise it only leads to others
	Messages []xmlstrict.Name // the elements of its messages, if they are told
	Final    bool             // it will have no further children
	Children []TopicNode
}

var (
	inTopics = xmlstrict.In(schema.Topics1)

	topicSet       = inTopics("TopicSet")
	topicMark      = inTopics("topic")
	topicNamespace = inTopics("TopicNamespace")
	topicElement   = inTopics("Topic")
	documentation  = inTopics("documentation")
	messagePattern = inTopics("MessagePattern")

	nameAttr     = xmlstrict.Name{Local: "name"}
	targetAttr   = xmlstrict.Name{Local: "targetNamespace"}
	finalAttr    = xmlstrict.Name{Local: "final"}
	messagesAttr = xmlstrict.Name{Local: "messageTypes"}
)

// maxTopicDepth is how deep topics may be nested.
const maxTopicDepth = 16

// WriteTopicSet writes the topics that a producer has as a TopicSet document
// (WS-Topics 1.3, 7): each topic is an element of its own name.
func WriteTopicSet(enc *xmlstrict.Encoder, roots ...TopicNode) {
	enc.Start(topicSet)
	for i := range roots {
		roots[i].writeInSet(enc)
	}
	enc.End()
}

// writeInSet writes one topic of a set.
func (t *TopicNode) writeInSet(enc *xmlstrict.Encoder) {
	enc.Start(t.Name)
	if t.Topic {
		enc.Attr(topicMark, "true")
	}
	for i := range t.Children {
		t.Children[i].writeInSet(enc)
	}
	enc.End()
}

// ParseTopicSet reads a TopicSet document. Message patterns and documentation
// are passed over. It fails with a *xmlstrict.ContentError.
func ParseTopicSet(doc *xmlstrict.Document, at *etree.Element) ([]TopicNode, error) {
	if !xmlstrict.Is(at, topicSet) {
		return nil, doc.Errorf(at, topicSet.String(), "this is no topic set")
	}
	return parseSet(doc, at, 1)
}

// parseSet reads the topics below an element.
func parseSet(doc *xmlstrict.Document, at *etree.Element, depth int) ([]TopicNode, error) {
	var all []TopicNode
	for child := range xmlstrict.Children(at) {
		name := xmlstrict.NameOf(child)
		if name.Space == schema.Topics1 {
			continue
		}
		if depth > maxTopicDepth {
			return nil, doc.Errorf(child, "at most 16 levels", "topics are nested too deep")
		}
		t := TopicNode{Name: name}
		var err error
		if t.Topic, err = booleanAttr(doc, child, topicMark); err != nil {
			return nil, err
		}
		if t.Children, err = parseSet(doc, child, depth+1); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// booleanAttr reads an attribute that is an xs:boolean, false when absent.
func booleanAttr(
	doc *xmlstrict.Document, at *etree.Element, name xmlstrict.Name,
) (bool, error) {
	text, _ := xmlstrict.Attr(at, name)
	switch xmlstrict.Trim(text) {
	case "true", "1":
		return true, nil
	case "", "false", "0":
		return false, nil
	}
	return false, doc.Errorf(at, "true or false", "the attribute %s is no truth value", name.Local)
}

// Walk calls visit for each topic of a set that one can subscribe to, with its
// path, parents first.
func Walk(roots []TopicNode, visit func(path []xmlstrict.Name)) {
	walk(nil, roots, visit)
}

func walk(above []xmlstrict.Name, all []TopicNode, visit func([]xmlstrict.Name)) {
	for i := range all {
		path := append(above[:len(above):len(above)], all[i].Name)
		if all[i].Topic {
			visit(path)
		}
		walk(path, all[i].Children, visit)
	}
}

// A TopicNamespace is the document that defines the topics of one namespace
// (WS-Topics 1.3, 5). Root topics in it have the namespace Target.
type TopicNamespace struct {
	Name   string // for people; may be empty
	Target string
	Final  bool
	Topics []TopicNode
}

// Write writes the document.
func (n TopicNamespace) Write(enc *xmlstrict.Encoder) {
	enc.Start(topicNamespace)
	if n.Name != "" {
		enc.Attr(nameAttr, n.Name)
	}
	enc.Attr(targetAttr, n.Target)
	writeFinal(enc, n.Final)
	for i := range n.Topics {
		n.Topics[i].writeInNamespace(enc)
	}
	enc.End()
}

// writeFinal writes the attribute final, if it says more than its default.
func writeFinal(enc *xmlstrict.Encoder, final bool) {
	if final {
		enc.Attr(finalAttr, strconv.FormatBool(final))
	}
}

// writeInNamespace writes the definition of one topic.
func (t *TopicNode) writeInNamespace(enc *xmlstrict.Encoder) {
	enc.Start(topicElement)
	enc.Attr(nameAttr, t.Name.Local)
	if len(t.Messages) > 0 {
		words := make([]string, len(t.Messages))
		for i, name := range t.Messages {
			if words[i] = name.Local; name.Space != "" {
				words[i] = enc.Prefix(name.Space) + ":" + name.Local
			}
		}
		enc.Attr(messagesAttr, strings.Join(words, " "))
	}
	writeFinal(enc, t.Final)
	for i := range t.Children {
		t.Children[i].writeInNamespace(enc)
	}
	enc.End()
}

// ParseTopicNamespace reads the document. It fails with a
// *xmlstrict.ContentError.
func ParseTopicNamespace(doc *xmlstrict.Document, at *etree.Element) (TopicNamespace, error) {
	var n TopicNamespace
	if !xmlstrict.Is(at, topicNamespace) {
		return n, doc.Errorf(at, topicNamespace.String(), "this is no topic namespace")
	}
	n.Name, _ = xmlstrict.Attr(at, nameAttr)
	n.Target, _ = xmlstrict.Attr(at, targetAttr)
	if n.Target == "" {
		return n, doc.Errorf(at, "the attribute targetNamespace", "the document names none")
	}
	var err error
	if n.Final, err = booleanAttr(doc, at, finalAttr); err != nil {
		return n, err
	}
	n.Topics, err = parseTopics(doc, at, n.Target, 1)
	return n, err
}

// parseTopics reads the definitions inside an element. The namespace is that of
// root topics; children have none.
func parseTopics(
	doc *xmlstrict.Document, at *etree.Element, space string, depth int,
) ([]TopicNode, error) {
	var all []TopicNode
	for child := range xmlstrict.Children(at) {
		switch name := xmlstrict.NameOf(child); {
		case name == documentation, name == messagePattern, name.Space != schema.Topics1:
			continue
		case name != topicElement:
			return nil, doc.Errorf(child, "Topic", "%s does not belong here", child.Tag)
		case depth > maxTopicDepth:
			return nil, doc.Errorf(child, "at most 16 levels", "topics are nested too deep")
		}
		t, err := parseTopic(doc, child)
		if err != nil {
			return nil, err
		}
		t.Name.Space = space
		if t.Children, err = parseTopics(doc, child, "", depth+1); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// parseTopic reads the attributes of one definition.
func parseTopic(doc *xmlstrict.Document, at *etree.Element) (TopicNode, error) {
	t := TopicNode{Topic: true}
	t.Name.Local, _ = xmlstrict.Attr(at, nameAttr)
	if !xmlstrict.IsNCName(t.Name.Local) {
		return t, doc.Errorf(at, "the attribute name", "the topic has no name")
	}
	text, _ := xmlstrict.Attr(at, messagesAttr)
	for word := range strings.FieldsSeq(text) {
		name, err := xmlstrict.ResolveQName(at, word)
		if err != nil {
			return t, doc.Errorf(at, "qualified names of messages", "%w", err)
		}
		t.Messages = append(t.Messages, name)
	}
	var err error
	t.Final, err = booleanAttr(doc, at, finalAttr)
	return t, err
}
