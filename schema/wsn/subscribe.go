package wsn

import (
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Subscription is the content of a Subscribe (WS-BaseNotification 1.2 draft 1,
// 4.1).
type Subscription struct {
	Consumer wsa.EPR
	Topic    TopicExpression
	// UseNotify tells that messages are to come inside Notify, and not bare.
	// It is true unless the subscriber says otherwise.
	UseNotify bool
	// Termination is when the subscription is to end; zero means never, or
	// that the subscriber left it open.
	Termination time.Time

	// Precondition, Selector and Policy are handed on as they came; nil when
	// absent. Who cannot honour them refuses the subscription.
	Precondition, Selector, Policy *etree.Element
}

var (
	consumerReference      = name("ConsumerReference")
	topicExpression        = name("TopicExpression")
	useNotify              = name("UseNotify")
	precondition           = name("Precondition")
	selector               = name("Selector")
	subscriptionPolicy     = name("SubscriptionPolicy")
	initialTerminationTime = name("InitialTerminationTime")
	subscriptionReference  = name("SubscriptionReference")
)

// ParseSubscribe reads a Subscribe. It fails with a *wsrf.FaultError on a bad
// topic expression and else with a *xmlstrict.ContentError.
func ParseSubscribe(doc *xmlstrict.Document, e *etree.Element) (Subscription, error) {
	s := Subscription{UseNotify: true}
	for part := range xmlstrict.Children(e) {
		if _, err := doc.Only(e, xmlstrict.NameOf(part)); err != nil {
			return s, err
		}
		if err := s.parse(doc, part); err != nil {
			return s, err
		}
	}
	if s.Consumer.Address == "" {
		return s, doc.Errorf(e, "ConsumerReference", "there is no consumer")
	}
	if s.Topic == (TopicExpression{}) {
		return s, fault(InvalidTopicExpression,
			doc.Errorf(e, "TopicExpression", "there is no topic expression"))
	}
	return s, nil
}

// parse reads one part.
func (s *Subscription) parse(doc *xmlstrict.Document, part *etree.Element) (err error) {
	switch xmlstrict.NameOf(part) {
	case consumerReference:
		s.Consumer, err = wsa.ParseEPR(doc, part)
	case topicExpression:
		s.Topic, err = ParseTopicExpression(doc, part)
	case useNotify:
		s.UseNotify, err = boolean(doc, part)
	case initialTerminationTime:
		s.Termination, err = wsrf.TimeOrNil(doc, part)
	case precondition:
		s.Precondition = part
	case selector:
		s.Selector = part
	case subscriptionPolicy:
		s.Policy = part
	default:
		err = doc.Errorf(part, "", "%s does not belong here", part.Tag)
	}
	return err
}

// boolean reads an xs:boolean.
func boolean(doc *xmlstrict.Document, e *etree.Element) (bool, error) {
	switch xmlstrict.Text(e) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, doc.Errorf(e, "true or false", "%s is no truth value", e.Tag)
}

// Write writes the Subscribe.
func (s Subscription) Write(enc *xmlstrict.Encoder) {
	enc.Start(Subscribe)
	s.Consumer.Write(enc, consumerReference, wsa.V200403)
	s.Topic.Write(enc, topicExpression)
	if !s.UseNotify {
		enc.Element(useNotify, "false")
	}
	for _, part := range []*etree.Element{s.Precondition, s.Selector, s.Policy} {
		enc.Tree(part)
	}
	if !s.Termination.IsZero() {
		enc.Element(initialTerminationTime, wsrf.FormatTime(s.Termination))
	}
	enc.End()
}

// WriteSubscribeResponse writes the answer: where the subscription is managed.
func WriteSubscribeResponse(enc *xmlstrict.Encoder, subscription wsa.EPR) {
	enc.Start(SubscribeResponse)
	subscription.Write(enc, subscriptionReference, wsa.V200403)
	enc.End()
}

// ParseSubscribeResponse reads the answer. It fails with a
// *xmlstrict.ContentError.
func ParseSubscribeResponse(doc *xmlstrict.Document, e *etree.Element) (wsa.EPR, error) {
	if !xmlstrict.Is(e, SubscribeResponse) {
		return wsa.EPR{}, doc.Errorf(e, SubscribeResponse.String(), "this is no SubscribeResponse")
	}
	at := xmlstrict.Child(e, subscriptionReference)
	if at == nil {
		return wsa.EPR{}, doc.Errorf(e, "SubscriptionReference", "there is no subscription")
	}
	return wsa.ParseEPR(doc, at)
}

// WriteEmpty writes a message that is an empty element: PauseSubscription,
// ResumeSubscription and their responses.
func WriteEmpty(enc *xmlstrict.Encoder, name xmlstrict.Name) { enc.Element(name, "") }

// ParseGetCurrentMessage reads the topic whose last message is asked for. It
// fails as ParseTopicExpression does.
func ParseGetCurrentMessage(doc *xmlstrict.Document, e *etree.Element) (TopicExpression, error) {
	at, err := doc.Only(e, Topic)
	if err != nil {
		return TopicExpression{}, err
	}
	if at == nil {
		return TopicExpression{}, fault(InvalidTopicExpression,
			doc.Errorf(e, "Topic", "there is no topic expression"))
	}
	return ParseTopicExpression(doc, at)
}

// WriteGetCurrentMessage writes the request for a topic's last message.
func WriteGetCurrentMessage(enc *xmlstrict.Encoder, topic TopicExpression) {
	enc.Start(GetCurrentMessage)
	topic.Write(enc, Topic)
	enc.End()
}

// WriteGetCurrentMessageResponse writes the answer around the last message.
func WriteGetCurrentMessageResponse(enc *xmlstrict.Encoder, last Content) {
	enc.Start(GetCurrentMessageResponse)
	last.Write(enc)
	enc.End()
}
