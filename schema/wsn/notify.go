package wsn

import (
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Notification is one message inside a Notify, or from a pull point.
type Notification struct {
	Topic    TopicExpression // zero when the message is on no topic, which only 1.3 has
	Producer *wsa.EPR        // the resource it is about; nil when the producer kept it back
	// Subscription is the one that the message is sent for; nil when not said.
	// The draft has no place for it.
	Subscription *wsa.EPR
	Content      Content // what to write
	// Message is the Message element of a notification that was parsed.
	Message *etree.Element
}

// Content is what a message says. Write writes it; Type is the xsi:type of the
// Message element around it, zero for none. Where a message travels bare, in
// the Body or in a GetCurrentMessageResponse, Write alone counts.
type Content struct {
	Type  xmlstrict.Name
	Write func(enc *xmlstrict.Encoder)
}

// valueChangeType is the Java type that the original's consumer casts the
// message to; without it the consumer fails.
var valueChangeType = xmlstrict.Name{
	Space: schema.CoreNotification,
	Local: "ResourcePropertyValueChangeNotificationElementType",
}

// ValueChange is the content of a message that a property has a new value,
// which value writes as the property's element (WS-ResourceProperties 1.2
// draft 1, 6; 1.2, 6). In the draft it has the xsi:type that GT4 needs.
func (e Edition) ValueChange(value func(*xmlstrict.Encoder)) Content {
	n := names[e]
	content := Content{Write: func(enc *xmlstrict.Encoder) {
		enc.Start(n.valueChange)
		enc.Start(n.newValue)
		value(enc)
		enc.End()
		enc.End()
	}}
	if e == Draft {
		content.Type = valueChangeType
	}
	return content
}

// Termination is the content of a message that the resource ended
// (WS-ResourceLifetime 1.2, 6). GT4 sends the bare time, without the wrapper
// that the specification has for it.
func (e Edition) Termination(at time.Time) Content {
	n := names[e]
	return Content{Write: func(enc *xmlstrict.Encoder) {
		if e == Final {
			enc.Start(n.terminationNotification)
			defer enc.End()
		}
		enc.Element(n.terminatedAt, wsrf.FormatTime(at))
	}}
}

// WriteNotify writes the Notify with its messages.
func (e Edition) WriteNotify(enc *xmlstrict.Encoder, notifications ...Notification) {
	e.writeMessages(enc, names[e].Notify, notifications)
}

// WriteGetMessagesResponse writes what a pull point hands out (1.3, 5.2).
func (e Edition) WriteGetMessagesResponse(
	enc *xmlstrict.Encoder, notifications ...Notification,
) {
	e.writeMessages(enc, names[e].GetMessagesResponse, notifications)
}

// writeMessages writes an element around messages.
func (e Edition) writeMessages(
	enc *xmlstrict.Encoder, wrapper xmlstrict.Name, notifications []Notification,
) {
	enc.Start(wrapper)
	for i := range notifications {
		e.WriteNotificationMessage(enc, &notifications[i])
	}
	enc.End()
}

// WriteNotificationMessage writes one message.
func (e Edition) WriteNotificationMessage(enc *xmlstrict.Encoder, m *Notification) {
	n := names[e]
	enc.Start(n.NotificationMessage)
	if e == Final && m.Subscription != nil {
		m.Subscription.Write(enc, n.SubscriptionReference, e.Addressing())
	}
	if !m.Topic.IsZero() {
		m.Topic.Write(enc, n.Topic)
	}
	if m.Producer != nil {
		m.Producer.Write(enc, n.ProducerReference, e.Addressing())
	}
	enc.Start(n.Message)
	if m.Content.Type != (xmlstrict.Name{}) {
		enc.AttrQName(xmlstrict.XSIType, m.Content.Type)
	}
	m.Content.Write(enc)
	enc.End()
	enc.End()
}

// ParseNotify reads a Notify with at least one message. It fails with a
// *wsrf.FaultError on a bad topic and else with a *xmlstrict.ContentError.
func (e Edition) ParseNotify(
	doc *xmlstrict.Document, body *etree.Element,
) ([]Notification, error) {
	all, err := e.parseMessages(doc, body, names[e].Notify)
	if err == nil && len(all) == 0 {
		err = doc.Errorf(body, "NotificationMessage", "there is no message")
	}
	return all, err
}

// ParseGetMessagesResponse reads what a pull point handed out, which may be
// nothing. It fails as ParseNotify does.
func (e Edition) ParseGetMessagesResponse(
	doc *xmlstrict.Document, body *etree.Element,
) ([]Notification, error) {
	return e.parseMessages(doc, body, names[e].GetMessagesResponse)
}

// parseMessages reads the messages in an element. In 1.3 extensions may stand
// behind them.
func (e Edition) parseMessages(
	doc *xmlstrict.Document, body *etree.Element, wrapper xmlstrict.Name,
) ([]Notification, error) {
	if !xmlstrict.Is(body, wrapper) {
		return nil, doc.Errorf(body, wrapper.String(), "this is no %s", wrapper.Local)
	}
	list := e.parts(names[e].NotificationMessage)
	list.Parts[0].Many = true
	list.Loose = wrapper == names[Final].GetMessagesResponse
	if err := doc.Fits(body, list); err != nil {
		return nil, err
	}
	var all []Notification
	for at := range xmlstrict.Children(body) {
		if !xmlstrict.Is(at, names[e].NotificationMessage) {
			continue
		}
		n, err := e.ParseNotificationMessage(doc, at)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// ParseNotificationMessage reads one message. The topic is the draft's duty,
// in 1.3 it may be missing. It fails as ParseNotify does.
func (e Edition) ParseNotificationMessage(
	doc *xmlstrict.Document, at *etree.Element,
) (Notification, error) {
	var n Notification
	err := doc.Fits(at, e.message())
	if err != nil {
		return n, err
	}
	topic := xmlstrict.Child(at, names[e].Topic)
	n.Message = xmlstrict.Child(at, names[e].Message)
	if topic == nil && e == Draft || n.Message == nil {
		return n, doc.Errorf(at, "Topic and Message", "the message is incomplete")
	}
	if topic != nil {
		if n.Topic, err = e.ParseTopicExpression(doc, topic); err != nil {
			return n, err
		}
	}
	if n.Producer, err = onlyEPR(doc, at, names[e].ProducerReference); err != nil || e == Draft {
		return n, err
	}
	n.Subscription, err = onlyEPR(doc, at, names[e].SubscriptionReference)
	return n, err
}

// message returns the shape of a message.
func (e Edition) message() xmlstrict.Shape {
	n := names[e]
	s := Draft.parts(n.Topic, n.ProducerReference, n.Message)
	if e == Final {
		s = Draft.parts(n.SubscriptionReference, n.Topic, n.ProducerReference, n.Message)
	}
	return s
}

// onlyEPR reads the one reference of that name inside an element, if there is
// one.
func onlyEPR(
	doc *xmlstrict.Document, e *etree.Element, name xmlstrict.Name,
) (*wsa.EPR, error) {
	at, err := doc.Only(e, name)
	if err != nil || at == nil {
		return nil, err
	}
	r, err := wsa.ParseEPR(doc, at)
	return &r, err
}

// NewValue returns the property element of a message that was parsed, if it
// tells of a property's new value. It understands both editions.
func (n Notification) NewValue() (*etree.Element, bool) {
	for _, e := range names {
		change := xmlstrict.Child(n.Message, e.valueChange)
		for value := range xmlstrict.Children(xmlstrict.Child(change, e.newValue)) {
			return value, true
		}
	}
	return nil, false
}

// Terminated returns when the resource ended, if a message that was parsed
// tells of that. It understands both editions, with the wrapper of the
// specification and without.
func (n Notification) Terminated() (time.Time, bool) {
	for _, e := range names {
		within := n.Message
		if wrapped := xmlstrict.Child(within, e.terminationNotification); wrapped != nil {
			within = wrapped
		}
		if at := xmlstrict.Child(within, e.terminatedAt); at != nil {
			t, err := wsrf.ParseTime(xmlstrict.Text(at))
			return t, err == nil
		}
	}
	return time.Time{}, false
}
