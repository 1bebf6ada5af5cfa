package message

import (
	"bytes"
	"strconv"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/notify"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// The names of the formats, as subscriptions keep them.
const (
	GT4   = "gt4"          // face one: SOAP 1.1, WS-Addressing 2004/03, the drafts of 2004/06
	WSN11 = "wsn13-soap11" // face two: WS-Addressing 1.0, WS-BaseNotification 1.3
	WSN12 = "wsn13-soap12" // the same in SOAP 1.2
)

// FormatOf returns the format for subscriptions that are made on a face in a
// version of SOAP.
func FormatOf(face wsdl.Face, v soap.Version) string {
	switch {
	case face == wsdl.One:
		return GT4
	case v == soap.V12:
		return WSN12
	}
	return WSN11
}

// FaceOf returns the face whose words the format has.
func FaceOf(format string) wsdl.Face {
	if format == WSN11 || format == WSN12 {
		return wsdl.Two
	}
	return wsdl.One
}

// Formats returns all formats by name. Root is the URL of the server's root:
// producers and subscriptions are named by it.
func Formats(root string) map[string]notify.Format {
	return map[string]notify.Format{
		GT4:   newFormat(wsdl.One, soap.V11, root),
		WSN11: newFormat(wsdl.Two, soap.V11, root),
		WSN12: newFormat(wsdl.Two, soap.V12, root),
	}
}

// A format writes envelopes out of parts: what is the same in all messages to
// one consumer, and what is the same to all consumers of one event. Both are
// made once, by the encoder.
type format struct {
	face    wsdl.Face
	version soap.Version
	root    string
	targets *cache[targetKey, *target]
	events  *Events
}

// targetKey tells targets apart: the action stands in the header.
type targetKey struct {
	subscription workspace.SubscriptionID
	action       string
}

// maxTargets is how many consumers' references are kept as markup.
const maxTargets = 16 << 10

func newFormat(face wsdl.Face, v soap.Version, root string) *format {
	return &format{
		face: face, version: v, root: root,
		targets: newCache[targetKey, *target](maxTargets), events: NewEvents(face),
	}
}

// Encode implements notify.Format.
func (f *format) Encode(batch []notify.Delivery) (notify.Envelope, error) {
	first := batch[0]
	parts, err := f.parts(batch)
	if err != nil {
		return notify.Envelope{}, err
	}
	action := port.Notification(f.face).NotifyAction()
	if !first.Subscription.UseNotify {
		action = parts[0].bareAction
	}
	to, err := f.target(first.Subscription, action)
	if err != nil {
		return notify.Envelope{}, err
	}
	out := notify.Envelope{
		Body: f.join(to, batch, parts), ContentType: f.version.ContentType(), Action: action,
	}
	if f.version == soap.V12 { // SOAP 1.2 part 2, 6.5.3: there is no SOAPAction
		out.ContentType += `; action="` + action + `"`
		out.Action = ""
	}
	return out, nil
}

// parts returns what is said of each message's event.
func (f *format) parts(batch []notify.Delivery) ([]*event, error) {
	parts := make([]*event, len(batch))
	for i, d := range batch {
		var err error
		if parts[i], err = f.events.of(f.root, d.Message.Event); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// join puts the envelope together.
func (f *format) join(to *target, batch []notify.Delivery, parts []*event) []byte {
	size := len(to.head) + len(to.blocks) + len(to.tail) + 256
	for _, p := range parts {
		size += len(p.rest) + 768
	}
	out := append(make([]byte, 0, size), to.head...)
	out = appendMessageID(out, f.face, batch)
	out = append(out, to.blocks...)
	for _, d := range batch {
		out = append(out, to.number...)
		out = strconv.AppendInt(out, d.Message.Number, 10)
		out = append(out, numberEnd...)
	}
	out = append(out, to.body...)
	if batch[0].Subscription.UseNotify {
		out = append(out, notifyStart[f.face]...)
		for i, d := range batch {
			out = f.events.append(out, f.root, d.Message, parts[i])
		}
		out = append(out, notifyEnd...)
	} else {
		out = append(out, parts[0].bare...)
	}
	return append(out, to.tail...)
}

// encoded returns a copy of what write writes.
func encoded(write func(*xmlstrict.Encoder)) ([]byte, error) {
	enc := xmlstrict.Borrow()
	defer enc.Release()
	write(enc)
	if err := enc.Err(); err != nil {
		return nil, err
	}
	return bytes.Clone(enc.Bytes()), nil
}
