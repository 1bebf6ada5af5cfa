package wsn

import (
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Notification is one message inside a Notify.
type Notification struct {
	Topic    TopicExpression
	Producer *wsa.EPR // the resource it is about; nil when the producer kept it back
	Content  Content  // what to write
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

var (
	notificationMessage = name("NotificationMessage")
	producerReference   = name("ProducerReference")
	message             = name("Message")

	valueChange = xmlstrict.Name{
		Space: wsrf.PropertiesSpace, Local: "ResourcePropertyValueChangeNotification",
	}
	newValue = xmlstrict.Name{Space: wsrf.PropertiesSpace, Local: "NewValue"}

	// valueChangeType is the Java type that the original's consumer casts the
	// message to; without it the consumer fails.
	valueChangeType = xmlstrict.Name{
		Space: schema.CoreNotification,
		Local: "ResourcePropertyValueChangeNotificationElementType",
	}
)

// ValueChange is the content of a message that a property has a new value,
// which value writes as the property's element (WS-ResourceProperties 1.2
// draft 1, 6). It has the xsi:type that GT4 needs.
func ValueChange(value func(*xmlstrict.Encoder)) Content {
	return Content{valueChangeType, func(enc *xmlstrict.Encoder) {
		enc.Start(valueChange)
		enc.Start(newValue)
		value(enc)
		enc.End()
		enc.End()
	}}
}

// Termination is the content of a message that the resource ended. GT4 sends
// the bare time, without the wrapper that the specification has for it.
func Termination(at time.Time) Content {
	return Content{Write: func(enc *xmlstrict.Encoder) {
		enc.Element(wsrf.TerminationTime, wsrf.FormatTime(at))
	}}
}

// WriteNotify writes the Notify with its messages.
func WriteNotify(enc *xmlstrict.Encoder, notifications ...Notification) {
	enc.Start(Notify)
	for _, n := range notifications {
		n.write(enc)
	}
	enc.End()
}

// write writes one message.
func (n Notification) write(enc *xmlstrict.Encoder) {
	enc.Start(notificationMessage)
	n.Topic.Write(enc, Topic)
	if n.Producer != nil {
		n.Producer.Write(enc, producerReference, wsa.V200403)
	}
	enc.Start(message)
	if n.Content.Type != (xmlstrict.Name{}) {
		enc.AttrQName(xmlstrict.XSIType, n.Content.Type)
	}
	n.Content.Write(enc)
	enc.End()
	enc.End()
}

// ParseNotify reads a Notify with at least one message. It fails with a
// *wsrf.FaultError on a bad topic and else with a *xmlstrict.ContentError.
func ParseNotify(doc *xmlstrict.Document, e *etree.Element) ([]Notification, error) {
	if !xmlstrict.Is(e, Notify) {
		return nil, doc.Errorf(e, Notify.String(), "this is no Notify")
	}
	var all []Notification
	for at := range xmlstrict.Children(e) {
		if !xmlstrict.Is(at, notificationMessage) {
			return nil, doc.Errorf(at, "NotificationMessage", "%s does not belong here", at.Tag)
		}
		n, err := parseNotification(doc, at)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	if len(all) == 0 {
		return nil, doc.Errorf(e, "NotificationMessage", "there is no message")
	}
	return all, nil
}

// parseNotification reads one message.
func parseNotification(doc *xmlstrict.Document, e *etree.Element) (Notification, error) {
	var n Notification
	topic, err := doc.Only(e, Topic)
	if err != nil {
		return n, err
	}
	producer, err := doc.Only(e, producerReference)
	if err != nil {
		return n, err
	}
	if n.Message, err = doc.Only(e, message); err != nil {
		return n, err
	}
	if topic == nil || n.Message == nil {
		return n, doc.Errorf(e, "Topic and Message", "the message is incomplete")
	}
	if n.Topic, err = ParseTopicExpression(doc, topic); err != nil || producer == nil {
		return n, err
	}
	r, err := wsa.ParseEPR(doc, producer)
	n.Producer = &r
	return n, err
}

// NewValue returns the property element of a message that was parsed, if it
// tells of a property's new value.
func (n Notification) NewValue() (*etree.Element, bool) {
	change := xmlstrict.Child(n.Message, valueChange)
	for value := range xmlstrict.Children(xmlstrict.Child(change, newValue)) {
		return value, true
	}
	return nil, false
}

// Terminated returns when the resource ended, if a message that was parsed
// tells of that. The wrapper of the specification is understood too.
func (n Notification) Terminated() (time.Time, bool) {
	within := n.Message
	if wrapped := xmlstrict.Child(within, terminationNotification); wrapped != nil {
		within = wrapped
	}
	at := xmlstrict.Child(within, wsrf.TerminationTime)
	if at == nil {
		return time.Time{}, false
	}
	t, err := wsrf.ParseTime(xmlstrict.Text(at))
	return t, err == nil
}

var terminationNotification = xmlstrict.Name{
	Space: wsrf.LifetimeSpace, Local: "TerminationNotification",
}
