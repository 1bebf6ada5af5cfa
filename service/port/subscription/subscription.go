// Package subscription is the port type of SubscriptionManagerService: what a
// subscriber can do with a subscription once it is made
// (WS-BaseNotification 1.2 draft 01, section 5).
//
// It must not know how messages are delivered.
package subscription

import (
	"context"
	"strconv"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Manager is what the port type asks of the core.
type Manager interface {
	Subscription(ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID) (
		*workspace.Subscription, error)
	PauseSubscription(ctx context.Context, owner workspace.Owner,
		id workspace.SubscriptionID, pause bool) error
	DestroySubscription(ctx context.Context, owner workspace.Owner,
		id workspace.SubscriptionID) error
}

// face is the port type.
type face struct{ manager Manager }

// New returns the port type over the manager.
func New(m Manager) dispatch.Service {
	f := face{m}
	s := dispatch.Service{
		Name: port.Subscription.One, Key: port.SubscriptionKey,
		Operations: map[string]dispatch.Operation{
			"PauseSubscription":  {Do: f.pause(true, wsn.PauseSubscriptionResponse), Bare: true},
			"ResumeSubscription": {Do: f.pause(false, wsn.ResumeSubscriptionResponse), Bare: true},
			"Destroy":            {Do: f.destroy, Bare: true},
		},
	}
	property.Source{Names: names(), Load: f.properties}.AddTo(&s)
	return s
}

// pause returns what carries out PauseSubscription or ResumeSubscription.
func (f face) pause(
	pause bool, response xmlstrict.Name,
) func(context.Context, *dispatch.Call) (dispatch.Reply, error) {
	return func(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
		err := f.manager.PauseSubscription(ctx, c.Owner, port.SubscriptionID(c), pause)
		return dispatch.Empty(response), err
	}
}

func (f face) destroy(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	err := f.manager.DestroySubscription(ctx, c.Owner, port.SubscriptionID(c))
	return wsrf.WriteDestroyResponse, err
}

func (f face) properties(ctx context.Context, c *dispatch.Call) (property.Set, error) {
	s, err := f.manager.Subscription(ctx, c.Owner, port.SubscriptionID(c))
	if err != nil {
		return nil, err
	}
	doc, err := xmlstrict.Parse(s.Consumer, xmlstrict.DefaultLimits())
	if err != nil {
		return nil, err
	}
	consumer, err := wsa.ParseEPR(doc, doc.Root)
	if err != nil {
		return nil, err
	}
	doc, err = xmlstrict.Parse(s.Expression, xmlstrict.DefaultLimits())
	if err != nil {
		return nil, err
	}
	topic, err := wsn.ParseTopicExpression(doc, doc.Root)
	if err != nil {
		return nil, err
	}
	return &document{s, consumer, topic, time.Now()}, nil
}

// document is the property document of a subscription.
type document struct {
	*workspace.Subscription
	consumer wsa.EPR
	topic    wsn.TopicExpression
	now      time.Time
}

// A row is one property of the document.
type row struct {
	name  xmlstrict.Name
	write func(*document, *xmlstrict.Encoder)
}

// rows are the properties, in the order of the schema.
var rows = []row{
	{wsnt("ConsumerReference"), func(d *document, enc *xmlstrict.Encoder) {
		d.consumer.Write(enc, wsnt("ConsumerReference"), wsa.V200403)
	}},
	{wsnt("TopicExpression"), func(d *document, enc *xmlstrict.Encoder) {
		d.topic.Write(enc, wsnt("TopicExpression"))
	}},
	{wsnt("UseNotify"), func(d *document, enc *xmlstrict.Encoder) {
		enc.Element(wsnt("UseNotify"), strconv.FormatBool(d.UseNotify))
	}},
	{wsnt("CreationTime"), func(d *document, enc *xmlstrict.Encoder) {
		enc.Element(wsnt("CreationTime"), wsrf.FormatTime(d.Created))
	}},
	{wsrf.CurrentTime, func(d *document, enc *xmlstrict.Encoder) {
		enc.Element(wsrf.CurrentTime, wsrf.FormatTime(d.now))
	}},
	{wsrf.TerminationTime, func(d *document, enc *xmlstrict.Encoder) {
		if d.Expires.IsZero() {
			enc.Nil(wsrf.TerminationTime)
			return
		}
		enc.Element(wsrf.TerminationTime, wsrf.FormatTime(d.Expires))
	}},
}

var wsnt = xmlstrict.In(wsn.Space)

func names() []xmlstrict.Name {
	all := make([]xmlstrict.Name, len(rows))
	for i := range rows {
		all[i] = rows[i].name
	}
	return all
}

// Write writes the whole document.
func (d *document) Write(enc *xmlstrict.Encoder) {
	enc.Start(wsnt("SubscriptionManagerRP"))
	for i := range rows {
		rows[i].write(d, enc)
	}
	enc.End()
}

// WriteProperty writes one property; it is false when there is none of the name.
func (d *document) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	for i := range rows {
		if rows[i].name == name {
			rows[i].write(d, enc)
			return true
		}
	}
	return false
}
