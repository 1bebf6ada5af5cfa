// Package pullpoint is the port types of pull points, where messages wait for
// consumers that nobody can reach: those who make one, and those who fetch from
// it (WS-BaseNotification 1.3, section 5). They are on face two alone, and take
// the requests of ONVIF's event service too (ONVIF Core, section 9.2).
//
// It must not know how messages come to a pull point, nor how long they stay.
package pullpoint

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/message"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Manager is what the port types ask of the core.
type Manager interface {
	CreatePullPoint(ctx context.Context, owner workspace.Owner, expires time.Time) (
		*workspace.PullPoint, error)
	PullPoint(ctx context.Context, owner workspace.Owner, id workspace.PullPointID) (
		*workspace.PullPoint, error)
	RenewPullPoint(ctx context.Context, owner workspace.Owner, id workspace.PullPointID,
		at time.Time) (time.Time, error)
	DestroyPullPoint(ctx context.Context, owner workspace.Owner, id workspace.PullPointID) error
	Messages(ctx context.Context, owner workspace.Owner, id workspace.PullPointID,
		ask workspace.Ask) ([]workspace.Message, error)
	Subscribe(ctx context.Context, s workspace.Subscription) (*workspace.Subscription, error)
}

// names are those of the edition that pull points speak.
var names = wsn.Final.Names()

// service is the port type of one pull point.
type service struct {
	manager Manager
	events  *message.Events
}

// New returns the port type of a pull point over the manager.
func New(m Manager) dispatch.Service {
	p := service{m, message.NewEvents(wsdl.Two)}
	s := dispatch.Service{
		Face: wsdl.Two, Name: port.PullPoint, Key: port.PullPointKey,
		Operations: map[string]dispatch.Operation{
			"GetMessages":        {Do: p.messages, Waits: true},
			"PullMessages":       {Do: p.pull, Waits: true},
			"DestroyPullPoint":   {Do: p.end(dispatch.Empty(names.DestroyPullPointResponse))},
			"Unsubscribe":        {Do: p.end(dispatch.Empty(names.UnsubscribeResponse))},
			"Destroy":            {Do: p.end(wsrf.Final.WriteDestroyResponse), Bare: true},
			"Renew":              {Do: p.renew},
			"SetTerminationTime": {Do: p.setTerminationTime},
		},
	}
	property.Source{Names: propertyNames(), Load: p.properties}.AddTo(&s)
	return s
}

// messages answers GetMessages (WS-BaseNotification 1.3, 5.1.1), which may wait
// for a first message if it says so.
func (p service) messages(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	asked, err := wsn.Final.ParseGetMessages(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	text, err := p.fetch(ctx, c, asked)
	if err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) {
		enc.Start(names.GetMessagesResponse)
		enc.Raw(text)
		enc.End()
	}, nil
}

// pull answers PullMessages (ONVIF Core, 9.2.3).
func (p service) pull(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	asked, err := wsn.ParsePullMessages(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	text, err := p.fetch(ctx, c, asked)
	if err != nil {
		return nil, err
	}
	point, err := p.manager.PullPoint(ctx, c.Owner, port.PullPointID(c))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return func(enc *xmlstrict.Encoder) {
		wsn.WritePullMessagesResponse(enc, now, point.Expires,
			func(enc *xmlstrict.Encoder) { enc.Raw(text) })
	}, nil
}

// fetch returns the messages that are handed out, as markup. Messages that were
// dropped because the pull point was full are told of once, by the fault that
// says it is unable to hand them out.
func (p service) fetch(
	ctx context.Context, c *dispatch.Call, asked wsn.GetMessages,
) ([]byte, error) {
	id := port.PullPointID(c)
	if asked.None {
		_, err := p.manager.PullPoint(ctx, c.Owner, id)
		return nil, err
	}
	all, err := p.manager.Messages(ctx, c.Owner, id, workspace.Ask{
		Most: asked.Most, Request: c.MessageID, Wait: min(asked.Wait, dispatch.LongestWait),
	})
	if workspace.KindOf(err) == workspace.Quota {
		return nil, &wsrf.FaultError{Fault: names.UnableToGetMessages, Err: err}
	}
	if err != nil {
		return nil, err
	}
	return p.events.Messages(c.Root, all)
}

// end returns what carries out the ways to destroy a pull point, its
// subscriptions and what waits there.
func (p service) end(
	reply dispatch.Reply,
) func(context.Context, *dispatch.Call) (dispatch.Reply, error) {
	return func(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
		return reply, p.manager.DestroyPullPoint(ctx, c.Owner, port.PullPointID(c))
	}
}

func (p service) renew(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	return port.Renew(c, p.renewal(ctx, c))
}

func (p service) setTerminationTime(
	ctx context.Context, c *dispatch.Call,
) (dispatch.Reply, error) {
	return port.SetTermination(c, p.renewal(ctx, c))
}

func (p service) renewal(ctx context.Context, c *dispatch.Call) port.Renewal {
	return func(at time.Time) (time.Time, error) {
		return p.manager.RenewPullPoint(ctx, c.Owner, port.PullPointID(c), at)
	}
}
