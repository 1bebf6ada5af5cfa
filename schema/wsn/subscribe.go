package wsn

import (
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Subscription is the content of a Subscribe (WS-BaseNotification 1.2 draft 1,
// 4.1; 1.3, 4.2).
type Subscription struct {
	Edition  Edition
	Consumer wsa.EPR
	// Topic is zero when messages of every topic are wanted, which only 1.3
	// allows.
	Topic TopicExpression
	// UseNotify tells that messages are to come inside Notify, and not bare. It
	// is true unless the subscriber says otherwise.
	UseNotify bool
	// Termination is when the subscription is to end.
	Termination wsrf.End
	Filter      Filter
	// Policy is the draft's SubscriptionPolicy as it came; nil when absent. Who
	// cannot honour it refuses the subscription.
	Policy *etree.Element
}

// ParseSubscribe reads a Subscribe. It fails with a *wsrf.FaultError on what
// the edition has a fault for: topic expressions, filters, policies; and else
// with a *xmlstrict.ContentError.
func (e Edition) ParseSubscribe(
	doc *xmlstrict.Document, body *etree.Element,
) (Subscription, error) {
	s := Subscription{Edition: e, UseNotify: true}
	if err := doc.Fits(body, e.subscribe()); err != nil {
		return s, err
	}
	for part := range xmlstrict.Children(body) {
		name := xmlstrict.NameOf(part)
		if name.Space != names[e].Subscribe.Space && e == Final {
			continue // extensions, which need not be understood
		}
		if err := s.parse(doc, part); err != nil {
			return s, err
		}
	}
	if s.Consumer.Address == "" {
		return s, doc.Errorf(body, "ConsumerReference", "there is no consumer")
	}
	if e == Draft && s.Topic.IsZero() {
		return s, fault(names[e].InvalidTopicExpression,
			doc.Errorf(body, "TopicExpression", "there is no topic expression"))
	}
	return s, nil
}

// subscribe returns the shape of a Subscribe.
func (e Edition) subscribe() xmlstrict.Shape {
	n := names[e]
	if e == Draft {
		return e.parts(n.ConsumerReference, n.TopicExpression, n.UseNotify, n.Precondition,
			n.Selector, n.SubscriptionPolicy, n.InitialTerminationTime)
	}
	return e.parts(n.ConsumerReference, n.Filter, n.InitialTerminationTime, n.SubscriptionPolicy)
}

// parse reads one part of either edition.
func (s *Subscription) parse(doc *xmlstrict.Document, part *etree.Element) (err error) {
	switch n := names[s.Edition]; xmlstrict.NameOf(part) {
	case n.ConsumerReference:
		s.Consumer, err = wsa.ParseEPR(doc, part)
	case n.InitialTerminationTime:
		err = s.parseEnd(doc, part)
	default:
		if s.Edition == Draft {
			return s.parseDraft(doc, part)
		}
		return s.parseFinal(doc, part)
	}
	return err
}

// parseEnd reads when the subscription is to end. The draft has no durations;
// what 1.3 cannot read, it has a fault for.
func (s *Subscription) parseEnd(doc *xmlstrict.Document, part *etree.Element) (err error) {
	if s.Edition == Draft {
		at, err := wsrf.TimeOrNil(doc, part)
		s.Termination = wsrf.EndAt(at)
		return err
	}
	if s.Termination, err = wsrf.ParseEnd(doc, part); err != nil {
		return s.Edition.Unacceptable(names[Final].UnacceptableInitialTerminationTime, err)
	}
	return nil
}

// parseDraft reads a part that only the draft has.
func (s *Subscription) parseDraft(doc *xmlstrict.Document, part *etree.Element) (err error) {
	switch n := names[Draft]; xmlstrict.NameOf(part) {
	case n.TopicExpression:
		s.Topic, err = Draft.ParseTopicExpression(doc, part)
	case n.UseNotify:
		s.UseNotify, err = boolean(doc, part)
	case n.Precondition, n.Selector:
		err = s.Filter.parse(Draft, doc, part)
	case n.SubscriptionPolicy:
		s.Policy = part
	default:
		err = doc.Errorf(part, "", "%s does not belong here", part.Tag)
	}
	return err
}

// parseFinal reads a part that only 1.3 has.
func (s *Subscription) parseFinal(doc *xmlstrict.Document, part *etree.Element) error {
	switch n := names[Final]; xmlstrict.NameOf(part) {
	case n.Filter:
		return s.parseFilter(doc, part)
	case n.SubscriptionPolicy:
		return s.parsePolicy(doc, part)
	}
	return doc.Errorf(part, "", "%s does not belong here", part.Tag)
}

// parseFilter reads the filters of 1.3 (4.2). All that are given must let a
// message pass; of each kind there is one.
func (s *Subscription) parseFilter(doc *xmlstrict.Document, at *etree.Element) (err error) {
	n := names[Final]
	if err := doc.Fits(at, anything); err != nil {
		return err
	}
	var unknown []xmlstrict.Name
	for part := range xmlstrict.Children(at) {
		name := xmlstrict.NameOf(part)
		switch name {
		case n.TopicExpression, n.ProducerProperties, n.MessageContent:
			if _, err := doc.Only(at, name); err != nil {
				return err
			}
		default:
			unknown = append(unknown, name)
			continue
		}
		if name == n.TopicExpression {
			s.Topic, err = Final.ParseTopicExpression(doc, part)
		} else {
			err = s.Filter.parse(Final, doc, part)
		}
		if err != nil {
			return err
		}
	}
	if len(unknown) > 0 {
		return &wsrf.FaultError{
			Fault: n.InvalidFilter, More: namesWriter(n.unknownFilter, unknown),
			Err: doc.Errorf(at, "TopicExpression, ProducerProperties or MessageContent",
				"the filter %s is unknown", xmlstrict.Clip(unknown[0].String())),
		}
	}
	return nil
}

// parsePolicy reads the policy of 1.3, which names UseRaw and nothing else.
func (s *Subscription) parsePolicy(doc *xmlstrict.Document, at *etree.Element) error {
	n := names[Final]
	if err := doc.Fits(at, anything); err != nil {
		return err
	}
	var unknown []xmlstrict.Name
	for part := range xmlstrict.Children(at) {
		if xmlstrict.Is(part, n.UseRaw) {
			if err := doc.Fits(part, xmlstrict.Shape{}); err != nil {
				return err
			}
			s.UseNotify = false
		} else {
			unknown = append(unknown, xmlstrict.NameOf(part))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return &wsrf.FaultError{
		Fault: n.UnrecognizedPolicyRequest, More: namesWriter(n.unrecognizedPolicy, unknown),
		Err: doc.Errorf(at, "UseRaw", "the policy %s is unknown",
			xmlstrict.Clip(unknown[0].String())),
	}
}

// UnsupportedPolicy returns the error about policies that are known and not
// honoured (1.3, 4.2).
func UnsupportedPolicy(err error, policies ...xmlstrict.Name) error {
	return &wsrf.FaultError{
		Fault: names[Final].UnsupportedPolicyRequest, Err: err,
		More: namesWriter(names[Final].unsupportedPolicy, policies),
	}
}

// namesWriter returns what writes an element around each of some names.
func namesWriter(element xmlstrict.Name, all []xmlstrict.Name) func(*xmlstrict.Encoder) {
	return func(enc *xmlstrict.Encoder) {
		for _, name := range all {
			enc.Start(element)
			enc.QName(name)
			enc.End()
		}
	}
}

// boolean reads an xs:boolean that is true when the element is empty.
func boolean(doc *xmlstrict.Document, e *etree.Element) (bool, error) {
	if err := doc.Fits(e, words); err != nil {
		return false, err
	}
	switch xmlstrict.Text(e) {
	case "", "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, doc.Errorf(e, "true or false", "%s is no truth value", e.Tag)
}

// Write writes the Subscribe.
func (s Subscription) Write(enc *xmlstrict.Encoder) {
	n := names[s.Edition]
	enc.Start(n.Subscribe)
	s.Consumer.Write(enc, n.ConsumerReference, s.Edition.Addressing())
	if s.Edition == Draft {
		s.writeDraft(enc)
		s.Termination.Write(enc, n.InitialTerminationTime)
	} else {
		s.WriteFilter(enc)
		s.Termination.Write(enc, n.InitialTerminationTime)
		s.writePolicy(enc)
	}
	enc.End()
}

// writeDraft writes what only the draft has.
func (s Subscription) writeDraft(enc *xmlstrict.Encoder) {
	n := names[Draft]
	s.Topic.Write(enc, n.TopicExpression)
	if !s.UseNotify {
		enc.Element(n.UseNotify, "false")
	}
	s.Filter.write(enc, Draft)
	enc.Tree(s.Policy)
}

// WriteFilter writes the Filter of 1.3, as a Subscribe and the properties of a
// subscription have it; nothing when every message passes.
func (s Subscription) WriteFilter(enc *xmlstrict.Encoder) {
	if s.Topic.IsZero() && s.Filter.IsZero() {
		return
	}
	enc.Start(names[Final].Filter)
	if !s.Topic.IsZero() {
		s.Topic.Write(enc, names[Final].TopicExpression)
	}
	s.Filter.write(enc, Final)
	enc.End()
}

// writePolicy writes the policy of 1.3, if there is one.
func (s Subscription) writePolicy(enc *xmlstrict.Encoder) {
	if s.UseNotify {
		return
	}
	enc.Start(names[Final].SubscriptionPolicy)
	enc.Element(names[Final].UseRaw, "")
	enc.End()
}

// Subscribed is the content of a SubscribeResponse.
type Subscribed struct {
	Reference wsa.EPR // where the subscription is managed
	// Now is the producer's clock, Termination when the subscription ends. The
	// draft has neither; in 1.3 both are zero when they were not said, and
	// Termination also when it never ends.
	Now, Termination time.Time
}

// WriteSubscribeResponse writes the answer. In 1.3 it says when the
// subscription ends, if it says the time at all.
func (e Edition) WriteSubscribeResponse(enc *xmlstrict.Encoder, s Subscribed) {
	n := names[e]
	enc.Start(n.SubscribeResponse)
	s.Reference.Write(enc, n.SubscriptionReference, e.Addressing())
	if e == Final && !s.Now.IsZero() {
		enc.Element(n.CurrentTime, wsrf.FormatTime(s.Now))
		wsrf.WriteTimeOrNil(enc, n.TerminationTime, s.Termination)
	}
	enc.End()
}

// ParseSubscribeResponse reads the answer. It fails with a
// *xmlstrict.ContentError.
func (e Edition) ParseSubscribeResponse(
	doc *xmlstrict.Document, body *etree.Element,
) (Subscribed, error) {
	var s Subscribed
	n := names[e]
	if !xmlstrict.Is(body, n.SubscribeResponse) {
		return s, doc.Errorf(body, n.SubscribeResponse.String(), "this is no SubscribeResponse")
	}
	answer := Draft.parts(n.SubscriptionReference)
	if e == Final {
		answer = e.parts(n.SubscriptionReference, n.CurrentTime, n.TerminationTime)
	}
	err := doc.Fits(body, answer)
	if err != nil {
		return s, err
	}
	at := xmlstrict.Child(body, n.SubscriptionReference)
	if at == nil {
		return s, doc.Errorf(body, "SubscriptionReference", "there is no subscription")
	}
	if s.Reference, err = wsa.ParseEPR(doc, at); err != nil || e == Draft {
		return s, err
	}
	s.Now, s.Termination, err = times(doc, body)
	return s, err
}

// times reads the CurrentTime and TerminationTime of an answer of 1.3.
func times(doc *xmlstrict.Document, body *etree.Element) (now, end time.Time, err error) {
	for child := range xmlstrict.Children(body) {
		switch xmlstrict.NameOf(child) {
		case names[Final].CurrentTime:
			if now, err = wsrf.TimeOrNil(doc, child); err == nil && now.IsZero() {
				err = doc.Errorf(child, "a dateTime", "the current time is nil")
			}
		case names[Final].TerminationTime:
			end, err = wsrf.TimeOrNil(doc, child)
		}
		if err != nil {
			return now, end, err
		}
	}
	return now, end, nil
}

// ParseGetCurrentMessage reads the topic whose last message is asked for. It
// fails as ParseTopicExpression does.
func (e Edition) ParseGetCurrentMessage(
	doc *xmlstrict.Document, body *etree.Element,
) (TopicExpression, error) {
	if err := doc.Fits(body, e.parts(names[e].Topic)); err != nil {
		return TopicExpression{}, err
	}
	at := xmlstrict.Child(body, names[e].Topic)
	if at == nil {
		return TopicExpression{}, fault(names[e].InvalidTopicExpression,
			doc.Errorf(body, "Topic", "there is no topic expression"))
	}
	return e.ParseTopicExpression(doc, at)
}

// WriteGetCurrentMessage writes the request for a topic's last message.
func (e Edition) WriteGetCurrentMessage(enc *xmlstrict.Encoder, topic TopicExpression) {
	enc.Start(names[e].GetCurrentMessage)
	topic.Write(enc, names[e].Topic)
	enc.End()
}

// WriteGetCurrentMessageResponse writes the answer around the last message.
func (e Edition) WriteGetCurrentMessageResponse(enc *xmlstrict.Encoder, last Content) {
	enc.Start(names[e].GetCurrentMessageResponse)
	last.Write(enc)
	enc.End()
}
