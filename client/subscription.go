package client

import (
	"context"

	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Topic is what one can subscribe to.
type Topic xmlstrict.Name

// The topics of a workspace.
var (
	TopicState       = Topic(inTypes("currentState"))
	TopicTermination = Topic(wsrf.ResourceTermination)
)

// Subscription is what Subscribe asks for.
type Subscription struct {
	Producer wsa.EPR // a workspace, or Client.Workspaces for all that the caller has
	Consumer wsa.EPR // who is told: a listener, or a pull point
	Topics   []Topic // one of them, or none for every topic
}

// Subscribe asks that the consumer is told of a topic of a workspace, and
// returns the reference to the subscription. It is not repeated after a lost
// answer: a second subscription would tell everything twice.
func (c *Client) Subscribe(ctx context.Context, s Subscription) (wsa.EPR, error) {
	if len(s.Topics) != 1 {
		return wsa.EPR{}, ErrNoFace
	}
	message := wsn.Subscription{
		Consumer: s.Consumer, Topic: wsn.SimpleTopic(xmlstrict.Name(s.Topics[0])), UseNotify: true,
	}
	a, err := c.call(ctx, request{
		op: "subscribe to " + Describe(s.Producer), target: s.Producer, operation: "Subscribe",
		body: message.Write,
	})
	if err != nil {
		return wsa.EPR{}, err
	}
	return wsn.ParseSubscribeResponse(a.doc, a.body)
}

// PauseSubscription stops messages until ResumeSubscription. What happens
// meanwhile is not told later.
func (c *Client) PauseSubscription(ctx context.Context, subscription wsa.EPR) error {
	return c.switchSubscription(ctx, subscription, "pause ",
		wsn.PauseSubscription)
}

// ResumeSubscription lets messages flow again.
func (c *Client) ResumeSubscription(ctx context.Context, subscription wsa.EPR) error {
	return c.switchSubscription(ctx, subscription, "resume ",
		wsn.ResumeSubscription)
}

// switchSubscription carries out both.
func (c *Client) switchSubscription(
	ctx context.Context, subscription wsa.EPR, verb string, name xmlstrict.Name,
) error {
	_, err := c.call(ctx, request{
		op: verb + Describe(subscription), target: subscription, operation: name.Local,
		body: func(enc *xmlstrict.Encoder) { wsn.WriteEmpty(enc, name) },
	})
	return err
}
