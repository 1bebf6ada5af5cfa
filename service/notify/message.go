package notify

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

// encode returns the envelope that tells the subscription's consumer of m, and
// its action.
func (n *Notifier) encode(
	s *workspace.Subscription, m workspace.Message,
) (envelope []byte, action string, err error) {
	doc, err := xmlstrict.Parse(s.Consumer, xmlstrict.DefaultLimits())
	if err != nil {
		return nil, "", fmt.Errorf("cannot read the consumer's reference: %w", err)
	}
	consumer, err := wsa.ParseEPR(doc, doc.Root)
	if err != nil {
		return nil, "", fmt.Errorf("cannot read the consumer's reference: %w", err)
	}
	body, action := n.wrapped(m), wsn.Action+wsn.Notify.Local
	if !s.UseNotify {
		body, action = bare(m)
	}
	header := wsa.Header{
		MessageID: messageID(m), Action: action,
		From: &wsa.EPR{Address: wsa.Anonymous200403},
	}
	enc := xmlstrict.NewEncoder()
	soap.Write(enc, soap.V11, func(enc *xmlstrict.Encoder) {
		header.WriteRequest(enc, soap.V11, consumer)
	}, body)
	return enc.Bytes(), action, enc.Err()
}

// wrapped returns the message inside Notify, the way GT4 sends it.
func (n *Notifier) wrapped(m workspace.Message) func(*xmlstrict.Encoder) {
	epr := wsa.NewEPR(n.options.Base+producer, workspaceKey, m.Workspace.String())
	out := wsn.Notification{Producer: &epr}
	if m.Topic == workspace.TopicTermination {
		out.Topic = wsn.SimpleTopic(wsrf.ResourceTermination)
		out.Content = wsn.Termination(m.At)
	} else {
		out.Topic = wsn.SimpleTopic(report.PropertyState)
		out.Content = wsn.ValueChange(stateOf(m))
	}
	return func(enc *xmlstrict.Encoder) { wsn.WriteNotify(enc, out) }
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

// messageID names the message. It is the same each time the message is sent,
// so that a consumer can tell a repetition.
func messageID(m workspace.Message) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(m.Subscription), uint64(m.Seq)))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // version 8 (RFC 9562, 5.8)
	return fmt.Sprintf("uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
