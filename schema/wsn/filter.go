package wsn

import (
	"errors"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Filter are the conditions of a subscription beside its topics; a message
// passes when all hold. Nil ones always do. The draft calls them Precondition
// and Selector.
type Filter struct {
	ProducerProperties *wsrf.Condition // over the producer's property document
	MessageContent     *wsrf.Condition // over the message
}

// IsZero tells whether there is no condition.
func (f Filter) IsZero() bool { return f.ProducerProperties == nil && f.MessageContent == nil }

// parse reads one condition. It fails with a *wsrf.FaultError.
func (f *Filter) parse(e Edition, doc *xmlstrict.Document, at *etree.Element) error {
	n := names[e]
	to, bad := &f.MessageContent, n.InvalidMessageContentExpression
	switch xmlstrict.NameOf(at) {
	case n.ProducerProperties, n.Precondition:
		to, bad = &f.ProducerProperties, n.InvalidProducerPropertiesExpression
	}
	if e == Draft {
		bad = n.SubscribeCreationFailed
	}
	c, err := wsrf.ParseCondition(doc, at)
	if err != nil {
		return fault(bad, err)
	}
	*to = c
	return nil
}

// write writes the conditions.
func (f Filter) write(enc *xmlstrict.Encoder, e Edition) {
	producer, content := names[e].ProducerProperties, names[e].MessageContent
	if e == Draft {
		producer, content = names[e].Precondition, names[e].Selector
	}
	if f.ProducerProperties != nil {
		f.ProducerProperties.Write(enc, producer)
	}
	if f.MessageContent != nil {
		f.MessageContent.Write(enc, content)
	}
}

// Bytes returns the filter as an element of its own, the Filter of 1.3, to be
// kept; nil when there is no condition.
func (f Filter) Bytes() []byte {
	if f.IsZero() {
		return nil
	}
	enc := xmlstrict.NewEncoder()
	enc.Start(names[Final].Filter)
	f.write(enc, Final)
	enc.End()
	return enc.Bytes()
}

// ParseFilter reads what Bytes returned.
func ParseFilter(data []byte) (Filter, error) {
	var f Filter
	if len(data) == 0 {
		return f, nil
	}
	doc, err := xmlstrict.Parse(data, xmlstrict.DefaultLimits())
	if err != nil {
		return f, err
	}
	for part := range xmlstrict.Children(doc.Root) {
		if err := f.parse(Final, doc, part); err != nil {
			return f, err
		}
	}
	return f, nil
}

// Bytes returns the expression as an element of its own, to be kept.
func (t TopicExpression) Bytes() []byte {
	enc := xmlstrict.NewEncoder()
	t.Write(enc, names[t.edition()].TopicExpression)
	return enc.Bytes()
}

// ReadTopicExpression reads what Bytes returned, of either edition.
func ReadTopicExpression(data []byte) (TopicExpression, error) {
	doc, err := xmlstrict.Parse(data, xmlstrict.DefaultLimits())
	if err != nil {
		return TopicExpression{}, err
	}
	for _, e := range []Edition{Draft, Final} {
		if xmlstrict.Is(doc.Root, names[e].TopicExpression) {
			return e.ParseTopicExpression(doc, doc.Root)
		}
	}
	return TopicExpression{}, errors.New("the element kept is no topic expression")
}
