package message

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/notify"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// producer is the service whose resources the messages are about.
const producer = "WorkspaceService"

// Actions of messages that go out bare, without Notify around them: by
// WS-BaseNotification 1.2 draft 1, 3.2, that is for the topic to define, and
// the drafts that define these topics do not.
const (
	bareChange      = wsrf.PropertiesAction + "ResourcePropertyValueChangeNotification"
	bareTermination = wsrf.LifetimeAction + "TerminationNotification"
)

var (
	workspaceKey = xmlstrict.Name{Space: schema.Workspace, Local: "WorkspaceKey"}
	terminated   = xmlstrict.Name{
		Space: wsrf.LifetimeSpace, Local: "TerminationNotification",
	}
)

// gt4 is the format of face one.
type gt4 struct{ base string }

// GT4 returns the format "gt4": SOAP 1.1, WS-Addressing 2004/03 and the drafts
// of 2004/06, as the original wrote them. Base is the URL that the services of
// face one hang under, with a final slash; producers are named by it.
func GT4(base string) notify.Format { return gt4{base} }

// Encode implements notify.Format.
func (f gt4) Encode(batch []notify.Delivery) (notify.Envelope, error) {
	var none notify.Envelope
	s := batch[0].Subscription
	doc, err := xmlstrict.Parse(s.Consumer, xmlstrict.DefaultLimits())
	if err != nil {
		return none, fmt.Errorf("cannot read the consumer's reference: %w", err)
	}
	consumer, err := wsa.ParseEPR(doc, doc.Root)
	if err != nil {
		return none, fmt.Errorf("cannot read the consumer's reference: %w", err)
	}
	body, action := f.wrapped(batch), wsn.Action+wsn.Notify.Local
	if !s.UseNotify {
		body, action = bare(batch[0].Message)
	}
	header := wsa.Header{
		MessageID: messageID(batch), Action: action,
		From: &wsa.EPR{Address: wsa.Anonymous200403},
	}
	enc := xmlstrict.NewEncoder()
	soap.Write(enc, soap.V11, func(enc *xmlstrict.Encoder) {
		header.WriteRequest(enc, soap.V11, consumer)
	}, body)
	return notify.Envelope{
		Body: enc.Bytes(), ContentType: "text/xml; charset=utf-8", Action: action,
	}, enc.Err()
}

// wrapped returns the messages inside Notify, the way GT4 sends it.
func (f gt4) wrapped(batch []notify.Delivery) func(*xmlstrict.Encoder) {
	all := make([]wsn.Notification, len(batch))
	for i, d := range batch {
		all[i] = f.notification(d.Message)
	}
	return func(enc *xmlstrict.Encoder) { wsn.WriteNotify(enc, all...) }
}

func (f gt4) notification(m workspace.Message) wsn.Notification {
	epr := wsa.NewEPR(f.base+producer, workspaceKey, m.Workspace.String())
	if m.Topic == workspace.TopicTermination {
		return wsn.Notification{
			Producer: &epr, Topic: wsn.SimpleTopic(wsrf.ResourceTermination),
			Content: wsn.Termination(m.At),
		}
	}
	return wsn.Notification{
		Producer: &epr, Topic: wsn.SimpleTopic(report.PropertyState),
		Content: wsn.ValueChange(stateOf(m)),
	}
}

// bare returns the message on its own, as the element that the specifications
// of the two topics have for it.
func bare(m workspace.Message) (body func(*xmlstrict.Encoder), action string) {
	if m.Topic != workspace.TopicTermination {
		return wsn.ValueChange(stateOf(m)).Write, bareChange
	}
	return func(enc *xmlstrict.Encoder) {
		enc.Start(terminated)
		wsn.Termination(m.At).Write(enc)
		enc.End()
	}, bareTermination
}

// stateOf writes the property whose new value the message tells.
func stateOf(m workspace.Message) func(*xmlstrict.Encoder) {
	s := report.CurrentState{State: m.State.Wire()}
	if m.Fault != "" {
		s.Fault = &wsrf.BaseFault{Timestamp: m.At, Description: []string{m.Fault}}
	}
	return s.Write
}

// messageID names the messages. It is the same each time they are sent
// together, so that a consumer can tell a repetition.
func messageID(batch []notify.Delivery) string {
	var text []byte
	for _, d := range batch {
		text = append(text, d.Message.Subscription...)
		text = binary.BigEndian.AppendUint64(text, uint64(d.Message.Seq))
	}
	sum := sha256.Sum256(text)
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // version 8 (RFC 9562, 5.8)
	return fmt.Sprintf("uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
