package wsn

import (
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// A TopicNode is a topic with those below it, as topic sets tell it (WS-Topics
// 1.3, 7).
type TopicNode struct {
	// Name of a root topic has a namespace; that of a child has one only when
	// it is another than its parent's.
	Name     xmlstrict.Name
	Topic    bool // one can subscribe to it; otherwise it only leads to others
	Children []TopicNode
}

var (
	topicSet  = names[Final].TopicSet
	topicMark = xmlstrict.Name{Space: schema.Topics1, Local: "topic"}
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
