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
	events *cache[eventKey, *event]
}

// eventKey tells events apart: references in what is said begin with the root.
type eventKey struct {
	root  string
	event workspace.Event
}

// maxEvents is how many events are kept as markup.
const maxEvents = 1024

// NewEvents returns what writes messages on a face.
func NewEvents(face wsdl.Face) *Events {
	return &Events{face: face, events: newCache[eventKey, *event](maxEvents)}
}

// An event is what is said of one, as markup.
type event struct {
	start      []byte // the start tag of NotificationMessage
	rest       []byte // from behind the reference to the subscription to the end tag
	bare       []byte // the message as an element of its own
	bareAction string
}

// Messages returns NotificationMessage elements for messages, as markup for
// where the face's namespace of notifications has the prefix wsnt. Root is the
// URL of the server's root, with which all references begin.
func (v *Events) Messages(root string, all []workspace.Message) ([]byte, error) {
	var out []byte
	for _, m := range all {
		e, err := v.of(root, m.Event)
		if err != nil {
			return nil, err
		}
		out = v.append(out, root, m, e)
	}
	return out, nil
}

// append puts the element together. On face two it begins with the reference
// to the subscription.
func (v *Events) append(
	out []byte, root string, m workspace.Message, e *event,
) []byte {
	out = append(out, e.start...)
	if v.face == wsdl.Two {
		out = appendSubscription(out, root, m)
	}
	return append(out, e.rest...)
}

// appendSubscription appends the reference to the message's subscription, with
// the number of the message. Keys are made by us and need no escaping.
func appendSubscription(out []byte, root string, m workspace.Message) []byte {
	out = append(out, `<wsnt:SubscriptionReference xmlns:wsa="`+wsa.Space200508+
		`"><wsa:Address>`...)
	out = append(out, subscriptionAddress(root, m.Subscription)...)
	out = append(out, `</wsa:Address><wsa:ReferenceParameters><core:SubscriptionKey xmlns:core="`+
		schema.Core+`">`...)
	out = append(out, m.Subscription...)
	out = append(out, `</core:SubscriptionKey></wsa:ReferenceParameters>`+
		`<p:SequenceNumber xmlns:p="`+schema.Lease+`">`...)
	out = strconv.AppendInt(out, m.Number, 10)
	return append(out, numberEnd+`</wsnt:SubscriptionReference>`...)
}

// of returns what is said of an event.
func (v *Events) of(root string, e workspace.Event) (*event, error) {
	return v.events.get(eventKey{root, e}, func() (*event, error) { return v.write(root, e) })
}

// write writes what is said of an event, wrapped and bare.
func (v *Events) write(root string, e workspace.Event) (*event, error) {
	out := new(event)
	wrapped, err := encoded(func(enc *xmlstrict.Encoder) { v.wrapped(enc, root, e) })
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

// wrapped writes Notify with the event's message.
func (v *Events) wrapped(enc *xmlstrict.Encoder, root string, e workspace.Event) {
	address := root + v.face.Path() + port.Workspace.On(v.face)
	epr := wsa.NewEPR(address, port.WorkspaceKey, e.Workspace.String())
	edition := port.Notification(v.face)
	edition.WriteNotify(enc, wsn.Notification{
		Topic: edition.SimpleTopic(TopicName(v.face, e.Topic)), Producer: &epr,
		Content: Content(v.face, e),
	})
}

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
	if name.Space == schema.Lifetime {
		return schema.LifetimeAction + name.Local
	}
	return schema.PropertiesAction + name.Local
}
