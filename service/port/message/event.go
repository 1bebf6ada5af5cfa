package message

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Events writes NotificationMessage elements in the words of one face. What it
// says of an event is written once for all who hear of it. It may be used by
// several goroutines at once.
type Events struct {
	face   wsdl.Face
	root   string
	events *cache[workspace.Event, *event]
}

// maxEvents is how many events are kept as markup.
const maxEvents = 1024

// NewEvents returns what writes messages on a face of the server whose root
// has that URL.
func NewEvents(face wsdl.Face, root string) *Events {
	return &Events{
		face: face, root: root, events: newCache[workspace.Event, *event](maxEvents),
	}
}

// An event is what is said of one, as markup.
type event struct {
	start      []byte // the start tag of NotificationMessage
	rest       []byte // from behind the reference to the subscription to the end tag
	bare       []byte // the message as an element of its own
	bareAction string
}

// AppendMessage appends the NotificationMessage for m to markup in which the
// face's namespace of notifications has the prefix wsnt.
func (v *Events) AppendMessage(out []byte, m workspace.Message) ([]byte, error) {
	e, err := v.of(m.Event)
	if err != nil {
		return out, err
	}
	return v.append(out, m, e), nil
}

// append puts the element together. On face two it begins with the reference
// to the subscription.
func (v *Events) append(out []byte, m workspace.Message, e *event) []byte {
	out = append(out, e.start...)
	if v.face == wsdl.Two {
		out = v.appendSubscription(out, m)
	}
	return append(out, e.rest...)
}

// appendSubscription appends the reference to the message's subscription, with
// the number of the message. Keys are made by us and need no escaping.
func (v *Events) appendSubscription(out []byte, m workspace.Message) []byte {
	out = append(out, `<wsnt:SubscriptionReference xmlns:wsa="`+wsa.Space200508+
		`"><wsa:Address>`...)
	out = append(out, subscriptionAddress(v.root, m.Subscription)...)
	out = append(out, `</wsa:Address><wsa:ReferenceParameters><core:SubscriptionKey xmlns:core="`+
		schema.Core+`">`...)
	out = append(out, m.Subscription...)
	out = append(out, `</core:SubscriptionKey></wsa:ReferenceParameters>`+
		`<p:SequenceNumber xmlns:p="`+schema.Lease+`">`...)
	out = strconv.AppendInt(out, m.Number, 10)
	return append(out, numberEnd+`</wsnt:SubscriptionReference>`...)
}

// of returns what is said of an event.
func (v *Events) of(e workspace.Event) (*event, error) {
	return v.events.get(e, func() (*event, error) { return v.write(e) })
}

// write writes what is said of an event, wrapped and bare.
func (v *Events) write(e workspace.Event) (*event, error) {
	out := new(event)
	wrapped, err := encoded(func(enc *xmlstrict.Encoder) { v.wrapped(enc, e) })
	if err != nil {
		return nil, err
	}
	inner, ok1 := bytes.CutPrefix(wrapped, []byte(notifyStart[v.face]))
	inner, ok2 := bytes.CutSuffix(inner, []byte(notifyEnd))
	end := bytes.IndexByte(inner, '>') + 1
	if !ok1 || !ok2 || end == 0 {
		return nil, errors.New("the notification is not inside Notify")
	}
	out.start, out.rest = inner[:end:end], inner[end:]
	name, content := bare(v.face, e)
	out.bareAction = bareAction(v.face, name)
	out.bare, err = encoded(content)
	return out, err
}

// wrapped writes Notify with the event's message. Both editions have the parts
// in one order, and differ in their names.
func (v *Events) wrapped(enc *xmlstrict.Encoder, e workspace.Event) {
	address := v.root + v.face.Path() + port.Workspace.On(v.face)
	epr := wsa.NewEPR(address, port.WorkspaceKey, e.Workspace.String())
	name := TopicName(v.face, e.Topic)
	if v.face == wsdl.One {
		wsn.WriteNotify(enc, wsn.Notification{
			Topic: wsn.SimpleTopic(name), Producer: &epr, Content: Content(v.face, e),
		})
		return
	}
	enc.Start(notification2("Notify"))
	enc.Start(notification2("NotificationMessage"))
	enc.Start(notification2("Topic"))
	enc.Attr(dialectAttr, simpleDialect2)
	enc.QName(name)
	enc.End()
	epr.Write(enc, notification2("ProducerReference"), wsa.V200508)
	enc.Start(notification2("Message"))
	Content(v.face, e).Write(enc)
	enc.End()
	enc.End()
	enc.End()
}

var (
	notification2 = xmlstrict.In(schema.BaseNotification2)
	dialectAttr   = xmlstrict.Name{Local: "Dialect"}
)

// simpleDialect2 is the dialect of topic expressions that are one qualified name
// (WS-Topics 1.3, 8.1).
const simpleDialect2 = schema.Topics1 + "/TopicExpression/Simple"

// subscriptionAddress returns where a subscription is managed on face two. The
// address alone names the subscription, for clients that keep no more of a
// reference.
func subscriptionAddress(root string, id workspace.SubscriptionID) string {
	return root + wsdl.Two.Path() + port.Subscription.Two + "?key=" + string(id)
}

// bareAction returns the action of a message that goes out bare, without Notify
// around it: by WS-BaseNotification 1.2 draft 1, 3.2, and 1.3, 3.1, that is for
// the topic to define, and the specifications that define these topics do not.
func bareAction(face wsdl.Face, name xmlstrict.Name) string {
	if face == wsdl.Two {
		return name.Space + "/" + name.Local
	}
	if name == termination1 {
		return schema.LifetimeAction + name.Local
	}
	return schema.PropertiesAction + name.Local
}
