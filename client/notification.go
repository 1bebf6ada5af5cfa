package client

import (
	"strconv"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Notification is one message of a subscription, as it came to a consumer or
// was taken out of a pull point.
type Notification struct {
	Producer     wsa.EPR // the workspace that it is about; no address when it was kept back
	Subscription wsa.EPR // no address where the message does not tell it, as in face one
	Topic        xmlstrict.Name
	// Number counts the messages that were meant for the subscription, from 1:
	// a number left out is a message lost. 0 where the service does not count.
	Number int64
	State  *State // the workspace's new state; nil when the message tells of something else
	Ended  bool   // the workspace exists no longer
	// Standing is how the lease stands with the scheduler, or that its running
	// time is over soon; nil when the message tells of something else.
	Standing *report.Standing
	// Transfer is how far an image on its way is; nil when the message tells of
	// something else.
	Transfer *report.Transfer
	// Content is the Message element, for what this package does not read.
	Content *etree.Element
}

// sequenceNumber is the header block, and the part of a subscription's
// reference, that holds a message's number.
var sequenceNumber = xmlstrict.Name{Space: lease, Local: "SequenceNumber"}

// ReadNotify reads a message to a consumer, of either face. It fails when the
// message is no Notify, or is not made as it must be.
func ReadNotify(m *soap.Message) ([]Notification, error) {
	body, err := m.Payload()
	if err != nil {
		return nil, err
	}
	edition := wsn.Draft
	if xmlstrict.Is(body, wsn.Final.Names().Notify) {
		edition = wsn.Final
	}
	all, err := edition.ParseNotify(m.Doc, body)
	if err != nil {
		return nil, err
	}
	list, err := readNotifications(m.Doc, all)
	if err == nil {
		number(list, m.Headers)
	}
	return list, err
}

// readNotifications reads what notifications tell.
func readNotifications(doc *xmlstrict.Document, all []wsn.Notification) ([]Notification, error) {
	list := make([]Notification, 0, len(all))
	for _, n := range all {
		one := Notification{Topic: n.Topic.Topic, Content: n.Message}
		if n.Producer != nil {
			one.Producer = *n.Producer
		}
		if n.Subscription != nil {
			one.Subscription = *n.Subscription
			one.Number = numberIn(one.Subscription.Extensions)
		}
		if value, ok := n.NewValue(); ok {
			if err := one.read(doc, value); err != nil {
				return nil, err
			}
		}
		_, one.Ended = n.Terminated()
		list = append(list, one)
	}
	return list, nil
}

// read takes in the new value of a property, if it is one that is known here.
func (n *Notification) read(doc *xmlstrict.Document, value *etree.Element) (err error) {
	switch xmlstrict.NameOf(value) {
	case report.PropertyState:
		n.State, err = ParseState(doc, value)
	case report.LeaseWarning, report.LeaseStatus:
		n.Standing, err = report.DecodeStanding(doc, value)
	case report.TransferProgress:
		n.Transfer, err = report.DecodeTransfer(doc, value)
	}
	return err
}

// number takes the numbers from the header, which has one for each message or
// tells nothing.
func number(list []Notification, headers []*etree.Element) {
	var numbers []int64
	for _, h := range headers {
		if xmlstrict.Is(h, sequenceNumber) {
			numbers = append(numbers, numberIn([]*etree.Element{h}))
		}
	}
	if len(numbers) != len(list) {
		return
	}
	for i, n := range numbers {
		if list[i].Number == 0 {
			list[i].Number = n
		}
	}
}

// numberIn returns the number of a message that is among elements, 0 when none
// is.
func numberIn(elements []*etree.Element) int64 {
	for _, e := range elements {
		if !xmlstrict.Is(e, sequenceNumber) {
			continue
		}
		n, err := strconv.ParseInt(xmlstrict.Text(e), 10, 64)
		if err == nil && n > 0 {
			return n
		}
	}
	return 0
}
