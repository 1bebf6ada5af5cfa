package message

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/notify"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// A target is the envelope of messages to one consumer, cut where that of each
// message goes in.
type target struct {
	head   []byte // up to the message ID
	blocks []byte // from behind it to the end of the last header block
	number []byte // the start tag of a sequence number's block
	body   []byte // from there up to the content of the body
	tail   []byte // behind that
}

// SequenceNumber is the element with the number of a message within its
// subscription: a header block for each message of an envelope, and within the
// reference to the subscription where a message has one.
var SequenceNumber = xmlstrict.Name{Space: schema.Lease, Local: "SequenceNumber"}

// target returns the envelope for messages to the subscription's consumer.
func (f *format) target(s *workspace.Subscription, action string) (*target, error) {
	return f.targets.get(targetKey{s.ID, action}, func() (*target, error) {
		consumer, err := Consumer(s)
		if err != nil {
			return nil, err
		}
		return f.newTarget(consumer, action)
	})
}

// Consumer returns the reference of the subscription's consumer.
func Consumer(s *workspace.Subscription) (wsa.EPR, error) {
	doc, err := xmlstrict.Parse(s.Consumer, xmlstrict.DefaultLimits())
	if err != nil {
		return wsa.EPR{}, fmt.Errorf("cannot read the consumer's reference: %w", err)
	}
	consumer, err := wsa.ParseEPR(doc, doc.Root)
	if err != nil {
		return consumer, fmt.Errorf("cannot read the consumer's reference: %w", err)
	}
	return consumer, nil
}

// Marks stand in the markup where it will be cut. No text can hold them: they
// are no characters of XML, and the encoder replaces such.
const (
	numberMark = "\x01"
	bodyMark   = "\x02"
)

// idMark stands for the message ID, which is in the first header block.
const idMark = "uuid:00000000-0000-0000-0000-000000000000"

// newTarget makes the envelope and cuts it.
func (f *format) newTarget(consumer wsa.EPR, action string) (*target, error) {
	header := wsa.Header{
		Version: port.Addressing(f.face), MessageID: idMark, Action: action,
	}
	if f.face == wsdl.One {
		header.From = &wsa.EPR{Address: wsa.Anonymous200403}
	}
	envelope, err := encoded(func(enc *xmlstrict.Encoder) {
		soap.Write(enc, f.version, func(enc *xmlstrict.Encoder) {
			header.WriteRequest(enc, f.version, consumer)
			enc.Raw([]byte(numberMark))
			enc.Start(SequenceNumber)
			soap.NotMandatory(enc, f.version)
			enc.Raw([]byte(numberMark))
			enc.End()
		}, func(enc *xmlstrict.Encoder) { enc.Raw([]byte(bodyMark)) })
	})
	if err != nil {
		return nil, err
	}
	return cutTarget(envelope)
}

// cutTarget cuts an envelope at its marks.
func cutTarget(envelope []byte) (*target, error) {
	head, rest, ok1 := bytes.Cut(envelope, []byte(idMark))
	blocks, rest, ok2 := bytes.Cut(rest, []byte(numberMark))
	number, rest, ok3 := bytes.Cut(rest, []byte(numberMark))
	rest, ok4 := bytes.CutPrefix(rest, []byte(numberEnd))
	body, tail, ok5 := bytes.Cut(rest, []byte(bodyMark))
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return nil, errors.New("the envelope lacks a mark")
	}
	return &target{head, blocks, number, body, tail}, nil
}

// numberEnd is the end tag of a sequence number's block.
const numberEnd = "</p:SequenceNumber>"

// notifyStart and notifyEnd are the tags of Notify, in the prefix that the
// encoder has for both editions.
var notifyStart = [...]string{
	wsdl.One: `<wsnt:Notify xmlns:wsnt="` + schema.BaseNotification + `">`,
	wsdl.Two: `<wsnt:Notify xmlns:wsnt="` + schema.BaseNotification2 + `">`,
}

const notifyEnd = `</wsnt:Notify>`

// idScheme begins message IDs: WS-Addressing 1.0 wants a URI of a registered
// scheme, and GT4 knows its own.
var idScheme = [...]string{wsdl.One: "uuid:", wsdl.Two: "urn:uuid:"}

// appendMessageID names the messages. The name is the same each time they are
// sent together, so that a consumer can tell a repetition.
func appendMessageID(out []byte, face wsdl.Face, batch []notify.Delivery) []byte {
	var room [64]byte
	text := room[:0]
	for _, d := range batch {
		text = append(text, d.Message.Subscription...)
		text = binary.BigEndian.AppendUint64(text, uint64(d.Message.Seq))
	}
	sum := sha256.Sum256(text)
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // version 8 (RFC 9562, 5.8)
	out = append(out, idScheme[face]...)
	for i, part := range [...][]byte{sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]} {
		if i > 0 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, part)
	}
	return out
}
