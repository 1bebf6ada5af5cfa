package wsn

import (
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// This file has the messages that ONVIF's event service puts around those of
// WS-BaseNotification 1.3 (ONVIF Core, section 9.2): a pull point and its
// subscription are made in one, and messages are pulled with a patience.

var (
	event                      = xmlstrict.In(schema.ONVIFEvents)
	pullSubscriptionResponse   = event("CreatePullPointSubscriptionResponse")
	pullSubscription           = event("SubscriptionReference")
	pullFilter, pullPolicy     = event("Filter"), event("SubscriptionPolicy")
	pullEnd                    = event("InitialTerminationTime")
	pullTimeout, pullLimit     = event("Timeout"), event("MessageLimit")
	pullResponse               = event("PullMessagesResponse")
	pullCurrent, pullTerminate = event("CurrentTime"), event("TerminationTime")
)

// ParsePullPointSubscription reads a CreatePullPointSubscription as the
// Subscribe that it stands for, without a consumer. It fails as ParseSubscribe
// does.
func ParsePullPointSubscription(
	doc *xmlstrict.Document, body *etree.Element,
) (Subscription, error) {
	s := Subscription{Edition: Final, UseNotify: true}
	if err := doc.Fits(body, eventParts(pullFilter, pullEnd, pullPolicy)); err != nil {
		return s, err
	}
	for child := range xmlstrict.Children(body) {
		var err error
		switch xmlstrict.NameOf(child) {
		case pullFilter:
			err = s.parseFilter(doc, child)
		case pullEnd:
			err = s.parseEnd(doc, child)
		case pullPolicy:
			err = s.parsePolicy(doc, child)
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// eventParts returns the shape of a message with parts in that order, and
// extensions behind them, which need not be understood.
func eventParts(all ...xmlstrict.Name) xmlstrict.Shape {
	s := Draft.parts(all...)
	s.Parts = append(s.Parts, xmlstrict.Part{Name: event(""), Many: true})
	return s
}

// WritePullPointSubscriptionResponse writes where the pull point is, the
// server's clock, and when it ends.
func WritePullPointSubscriptionResponse(
	enc *xmlstrict.Encoder, pullPoint wsa.EPR, now, end time.Time,
) {
	enc.Start(pullSubscriptionResponse)
	pullPoint.Write(enc, pullSubscription, wsa.V200508)
	enc.Element(names[Final].CurrentTime, wsrf.FormatTime(now))
	wsrf.WriteTimeOrNil(enc, names[Final].TerminationTime, end)
	enc.End()
}

// ParsePullMessages reads a PullMessages. It fails with a
// *xmlstrict.ContentError.
func ParsePullMessages(doc *xmlstrict.Document, body *etree.Element) (GetMessages, error) {
	var g GetMessages
	err := doc.Fits(body, eventParts(pullTimeout, pullLimit))
	if err != nil {
		return g, err
	}
	timeout, limit := xmlstrict.Child(body, pullTimeout), xmlstrict.Child(body, pullLimit)
	if timeout == nil || limit == nil {
		return g, doc.Errorf(body, "Timeout and MessageLimit", "the request is incomplete")
	}
	for _, part := range []*etree.Element{timeout, limit} {
		if err := doc.Fits(part, words); err != nil {
			return g, err
		}
	}
	if g.Wait, err = wsrf.ParseDuration(xmlstrict.Text(timeout)); err != nil {
		return g, doc.Errorf(timeout, "", "%w", err)
	}
	most, err := strconv.ParseInt(xmlstrict.Text(limit), 10, 32) // xs:int
	if g.Most = int(most); err != nil || g.Most < 1 {
		return g, doc.Errorf(limit, "a number, 1 or more", "%q is no number of messages",
			xmlstrict.Clip(xmlstrict.Text(limit)))
	}
	return g, nil
}

// WritePullMessagesResponse writes the server's clock, when the pull point
// ends, zero for never, and what write writes: NotificationMessage elements.
func WritePullMessagesResponse(
	enc *xmlstrict.Encoder, now, end time.Time, write func(*xmlstrict.Encoder),
) {
	enc.Start(pullResponse)
	enc.Declare(names[Final].NotificationMessage.Space)
	enc.Element(pullCurrent, wsrf.FormatTime(now))
	if end.IsZero() {
		end = now.AddDate(1, 0, 0) // the schema has no word for never
	}
	enc.Element(pullTerminate, wsrf.FormatTime(end))
	write(enc)
	enc.End()
}
