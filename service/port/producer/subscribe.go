package producer

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// topics are what a workspace publishes.
var topics = map[xmlstrict.Name]workspace.Topic{
	report.PropertyState:     workspace.TopicState,
	wsrf.ResourceTermination: workspace.TopicTermination,
}

// topicOf returns the topic that an expression names.
func topicOf(t wsn.TopicExpression) (workspace.Topic, error) {
	if topic, ok := topics[t.Topic]; ok {
		return topic, nil
	}
	return "", &wsrf.FaultError{
		Fault: wsn.TopicNotSupported,
		Err: fmt.Errorf("topic %s is not published here, expected %s or %s",
			t, report.PropertyState, wsrf.ResourceTermination),
	}
}

func (s Source) subscribe(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	message, err := wsn.ParseSubscribe(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	if sameHost(message.Consumer.Address, c.Root) {
		return nil, refuse("the consumer is this server itself")
	}
	wish, err := s.wish(message)
	if err != nil {
		return nil, err
	}
	wish.Workspace, wish.Owner = id, c.Owner
	made, err := s.Manager.Subscribe(ctx, wish)
	if err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) {
		wsn.WriteSubscribeResponse(enc, port.SubscriptionEPR(c, made.ID))
	}, nil
}

// sameHost reports whether two URLs name the same host and port.
func sameHost(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && ua.Host != "" && strings.EqualFold(ua.Host, ub.Host)
}

// wish checks what a Subscribe asks for, and copies what is kept of it.
func (s Source) wish(m wsn.Subscription) (workspace.Subscription, error) {
	var none workspace.Subscription
	topic, err := topicOf(m.Topic)
	if err != nil {
		return none, err
	}
	switch {
	case !m.Filter.IsZero() || m.Policy != nil:
		return none, refuse("Precondition, Selector and SubscriptionPolicy are not served here")
	case m.Termination.Kind == wsrf.AtTime && !m.Termination.At.After(time.Now()):
		return none, refuse("InitialTerminationTime %s has passed",
			wsrf.FormatTime(m.Termination.At))
	}
	if err := s.CheckConsumer(m.Consumer.Address); err != nil {
		return none, refuse("%w", err)
	}
	consumer, err := standalone("the consumer's reference", func(enc *xmlstrict.Encoder) {
		m.Consumer.Write(enc, consumerReference, wsa.V200403)
	})
	if err != nil {
		return none, err
	}
	expression, err := standalone("the topic expression", func(enc *xmlstrict.Encoder) {
		m.Topic.Write(enc, topicExpression)
	})
	if err != nil {
		return none, err
	}
	return workspace.Subscription{
		Topics: []workspace.Topic{topic}, Format: "gt4", Expression: expression,
		Consumer: consumer, Address: strings.Clone(m.Consumer.Address),
		UseNotify: m.UseNotify, Expires: m.Termination.From(time.Now()),
	}, nil
}

func refuse(format string, args ...any) error {
	return workspace.Errorf(workspace.Invalid, "subscribe", "", format, args...)
}

// maxKept is how large a part of a Subscribe may be, in bytes, that is kept for
// as long as the subscription.
const maxKept = 8 << 10

// standalone returns what is written as an element of its own.
func standalone(what string, write func(*xmlstrict.Encoder)) ([]byte, error) {
	enc := xmlstrict.Borrow()
	defer enc.Release()
	write(enc)
	if err := enc.Err(); err != nil {
		return nil, refuse("%s cannot be kept: %w", what, err)
	}
	if len(enc.Bytes()) > maxKept {
		return nil, refuse("%s is larger than %d bytes", what, maxKept)
	}
	return bytes.Clone(enc.Bytes()), nil
}

var (
	consumerReference = xmlstrict.Name{Space: wsn.Space, Local: "ConsumerReference"}
	topicExpression   = xmlstrict.Name{Space: wsn.Space, Local: "TopicExpression"}
)

// currentMessage answers GetCurrentMessage. The last message about the state
// is the one that told of the state the workspace is in; of its end there is
// none yet.
func (s Source) currentMessage(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	w, err := s.Manager.Workspace(ctx, c.Owner, id)
	if err != nil {
		return nil, err
	}
	expression, err := wsn.ParseGetCurrentMessage(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	topic, err := topicOf(expression)
	if err != nil {
		return nil, err
	}
	if topic != workspace.TopicState {
		return nil, &wsrf.FaultError{
			Fault: wsn.NoCurrentMessageOnTopic,
			Err:   fmt.Errorf("there is no message on topic %s yet", expression),
		}
	}
	last := wsn.ValueChange(port.State(w).Write)
	return func(enc *xmlstrict.Encoder) {
		wsn.WriteGetCurrentMessageResponse(enc, last)
	}, nil
}
