package client

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Topic is what one can subscribe to.
type Topic xmlstrict.Name

// The topics of a workspace. The second has another name in face two, which is
// used there.
var (
	TopicState       = Topic(inTypes("currentState"))
	TopicTermination = Topic(wsrf.Draft.Names().ResourceTermination)
)

// The topics of a workspace's lease, which only face two has: its running time
// is over soon, and the scheduler changed it or its terms.
var (
	TopicWarning = Topic(report.LeaseWarning)
	TopicLease   = Topic(report.LeaseStatus)
)

// TopicTransfer is how far the images of a workspace are on their way, in face two.
var TopicTransfer = Topic(report.TransferProgress)

// ofTwo reports whether only face two has the topic.
func (t Topic) ofTwo() bool {
	return t == TopicWarning || t == TopicLease || t == TopicTransfer
}

// in returns the topic's name in a face.
func (t Topic) in(face wsdl.Face) xmlstrict.Name {
	if t == TopicTermination && face == wsdl.Two {
		return wsrf.Final.Names().ResourceTermination
	}
	return xmlstrict.Name(t)
}

// Expression is a text in a language with namespaces: an XPath 1.0 expression,
// or one that names topics.
type Expression struct {
	Text   string
	Spaces map[string]string // of the prefixes that it uses
}

// Dialect is a dialect of topic expressions (WS-Topics 1.3, 8). Each face has
// its own URIs for them.
type Dialect int

// The dialects.
const (
	Simple   Dialect = iota // one root topic: p:root
	Concrete                // a path: p:root/child
	Full                    // paths with wildcards, joined by "|" alone: p:root//child|p:*/*
)

// Subscription is what Subscribe asks for.
type Subscription struct {
	Producer wsa.EPR // a workspace, or Client.AllWorkspaces
	Consumer wsa.EPR // who is told: a listener, or a pull point
	// Topics are those wanted. None stands for all, which only face two has.
	Topics []Topic
	// Matching names topics in place of Topics, in a Dialect.
	Matching *Expression
	Dialect  Dialect
	// About and Saying are conditions: of the workspace's property document, and
	// of the message. Messages for which they are false are not sent. May be nil.
	About, Saying *Expression
	// Until is when the subscription ends, zero for never; it ends with its
	// workspace in any case. For is a length of time in its place, which only
	// face two has.
	Until time.Time
	For   time.Duration
	// Raw asks for messages that are not wrapped in a Notify.
	Raw bool
}

// Subscribed is a subscription as the service has made it.
type Subscribed struct {
	EPR  wsa.EPR
	Ends time.Time // zero when it does not end by itself, or the service does not say
}

// Subscribe asks that the consumer is told of a topic of a workspace. It is not
// repeated after a lost answer: a second subscription would tell everything
// twice. What face one cannot say, and what leads to a pull point, is asked of
// the workspace in face two.
func (c *Client) Subscribe(ctx context.Context, s Subscription) (Subscribed, error) {
	op := "subscribe to " + Describe(s.Producer)
	if s.needsTwo() {
		var err error
		if s.Producer, err = c.InFaceTwo(s.Producer); err != nil {
			return Subscribed{}, failed(op, err)
		}
	}
	message, err := s.message()
	if err != nil {
		return Subscribed{}, failed(op, err)
	}
	a, err := c.call(ctx, request{
		op: op, target: s.Producer, operation: "Subscribe", body: message.Write,
	})
	if err != nil {
		return Subscribed{}, err
	}
	made, err := message.Edition.ParseSubscribeResponse(a.doc, a.body)
	return Subscribed{made.Reference, made.Termination}, unreadable(op, err)
}

// needsTwo reports whether face one cannot say what is asked for.
func (s Subscription) needsTwo() bool {
	return has(s.Consumer, pullPointKey) || s.For != 0 ||
		len(s.Topics) == 0 && s.Matching == nil || slices.ContainsFunc(s.Topics, Topic.ofTwo)
}

// message returns the Subscribe.
func (s Subscription) message() (wsn.Subscription, error) {
	m := wsn.Subscription{
		Edition: notification(s.Producer), Consumer: s.Consumer, UseNotify: !s.Raw,
	}
	switch {
	case s.For != 0:
		m.Termination = wsrf.EndAfter(s.For)
	case !s.Until.IsZero():
		m.Termination = wsrf.EndAt(s.Until)
	}
	var err error
	if m.Topic, err = s.topic(m.Edition); err != nil {
		return m, err
	}
	if m.Filter.ProducerProperties, err = s.About.condition(); err != nil {
		return m, err
	}
	m.Filter.MessageContent, err = s.Saying.condition()
	return m, err
}

// notification returns the edition of WSN that a reference's face speaks.
func notification(epr wsa.EPR) wsn.Edition {
	if FaceOf(epr) == wsdl.Two {
		return wsn.Final
	}
	return wsn.Draft
}

// topic returns the topic expression; zero for every topic.
func (s Subscription) topic(e wsn.Edition) (wsn.TopicExpression, error) {
	face := FaceOf(s.Producer)
	switch {
	case s.Matching != nil:
		return s.Matching.topic(e, s.Dialect)
	case len(s.Topics) == 0:
		return wsn.TopicExpression{}, nil
	case len(s.Topics) == 1:
		return e.SimpleTopic(s.Topics[0].in(face)), nil
	}
	all := Expression{Spaces: map[string]string{}}
	var paths []string
	for i, topic := range s.Topics {
		prefix, name := "t"+strconv.Itoa(i), topic.in(face)
		all.Spaces[prefix] = name.Space
		paths = append(paths, prefix+":"+name.Local)
	}
	all.Text = strings.Join(paths, "|")
	return all.topic(e, Full)
}

// topic reads the expression as one that names topics.
func (x *Expression) topic(e wsn.Edition, dialect Dialect) (wsn.TopicExpression, error) {
	at := &etree.Element{Tag: "TopicExpression"}
	at.CreateAttr("Dialect", e.Dialects()[dialect])
	for prefix, space := range x.Spaces {
		at.CreateAttr("xmlns:"+prefix, space)
	}
	at.CreateText(x.Text)
	return e.ParseTopicExpression(nil, at)
}

// condition compiles the expression; nil stands for none.
func (x *Expression) condition() (*wsrf.Condition, error) {
	if x == nil {
		return nil, nil
	}
	return wsrf.NewCondition(x.Text, func(prefix string) (string, bool) {
		space, ok := x.Spaces[prefix]
		return space, ok
	})
}

// Unsubscribe ends a subscription. A retry after a lost answer that finds
// nothing left counts as done.
func (c *Client) Unsubscribe(ctx context.Context, subscription wsa.EPR) error {
	if FaceOf(subscription) == wsdl.One {
		return c.Destroy(ctx, subscription)
	}
	a, err := c.call(ctx, request{
		op: "end " + Describe(subscription), operation: "Unsubscribe", target: subscription,
		body: empty(wsn.Final.Names().Unsubscribe),
	})
	if a.attempts > 1 && IsUnknown(err) {
		return nil
	}
	return err
}

// Renew gives a subscription or a pull point another end, zero for never, and
// returns the one that is now set. Only face two has it; a reference of face
// one is asked for there.
func (c *Client) Renew(
	ctx context.Context, subscription wsa.EPR, until time.Time,
) (time.Time, error) {
	op := "renew " + Describe(subscription)
	subscription, err := c.InFaceTwo(subscription)
	if err != nil {
		return time.Time{}, failed(op, err)
	}
	a, err := c.call(ctx, request{
		op: op, operation: "Renew", target: subscription,
		body: func(enc *xmlstrict.Encoder) { wsn.Final.WriteRenew(enc, wsrf.EndAt(until)) },
	})
	if err != nil {
		return time.Time{}, err
	}
	end, _, err := wsn.Final.ParseRenewResponse(a.doc, a.body)
	return end, unreadable(op, err)
}

// PauseSubscription stops messages until ResumeSubscription. What happens
// meanwhile is not told later; the numbers of messages show the gap.
func (c *Client) PauseSubscription(ctx context.Context, subscription wsa.EPR) error {
	return c.switchSubscription(ctx, subscription, "pause",
		notification(subscription).Names().PauseSubscription)
}

// ResumeSubscription lets messages flow again, also when it was the service that
// had stopped them.
func (c *Client) ResumeSubscription(ctx context.Context, subscription wsa.EPR) error {
	return c.switchSubscription(ctx, subscription, "resume",
		notification(subscription).Names().ResumeSubscription)
}

// switchSubscription carries out both.
func (c *Client) switchSubscription(
	ctx context.Context, subscription wsa.EPR, verb string, name xmlstrict.Name,
) error {
	_, err := c.call(ctx, request{
		op: verb + " " + Describe(subscription), target: subscription, operation: name.Local,
		body: empty(name),
	})
	return err
}

// CurrentMessage returns the last message on a topic of a workspace: the
// element that a notification would have held. IsUnknown is not true of the
// error when there has been none; the fault's name tells.
func (c *Client) CurrentMessage(
	ctx context.Context, producer wsa.EPR, topic Topic,
) (*etree.Element, error) {
	e := notification(producer)
	a, err := c.call(ctx, request{
		op:     "read the last message of " + Describe(producer),
		target: producer, operation: "GetCurrentMessage",
		body: func(enc *xmlstrict.Encoder) {
			e.WriteGetCurrentMessage(enc, e.SimpleTopic(topic.in(FaceOf(producer))))
		},
	})
	if err != nil {
		return nil, err
	}
	for message := range xmlstrict.Children(a.body) {
		return message, nil
	}
	return nil, nil
}
