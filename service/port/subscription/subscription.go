// Package subscription is the port type of subscriptions on both faces: what a
// subscriber can do with a subscription once it is made
// (WS-BaseNotification 1.2 draft 1, section 5, and 1.3, section 6).
//
// It must not know how messages are delivered.
package subscription

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Manager is what the port type asks of the core.
type Manager interface {
	Subscription(ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID) (
		*workspace.Subscription, error)
	Renew(ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID,
		at time.Time) (time.Time, error)
	PauseSubscription(ctx context.Context, owner workspace.Owner,
		id workspace.SubscriptionID, pause bool) error
	DestroySubscription(ctx context.Context, owner workspace.Owner,
		id workspace.SubscriptionID) error
}

// service is the port type on one face.
type service struct {
	manager Manager
	edition wsn.Edition
}

// New returns the port type of a face over the manager.
func New(face wsdl.Face, m Manager) dispatch.Service {
	f := service{m, port.Notification(face)}
	s := dispatch.Service{
		Face: face, Name: port.Subscription.On(face), Key: port.SubscriptionKey,
		Operations: map[string]dispatch.Operation{
			"Destroy":            {Do: f.destroy, Bare: true},
			"SetTerminationTime": {Do: f.setTerminationTime},
		},
	}
	names := f.edition.Names()
	pause := dispatch.Operation{Do: f.pause(true, names.PauseSubscriptionResponse)}
	resume := dispatch.Operation{Do: f.pause(false, names.ResumeSubscriptionResponse)}
	if face == wsdl.Two { // whose messages have room for extensions
		s.Operations["Renew"] = dispatch.Operation{Do: f.renew}
		s.Operations["Unsubscribe"] = dispatch.Operation{Do: f.unsubscribe}
	} else {
		pause.Bare, resume.Bare = true, true
	}
	s.Operations["PauseSubscription"], s.Operations["ResumeSubscription"] = pause, resume
	property.Source{Names: propertyNames(face), Load: f.properties}.AddTo(&s)
	return s
}

// pause returns what carries out PauseSubscription or ResumeSubscription.
func (f service) pause(
	pause bool, response xmlstrict.Name,
) func(context.Context, *dispatch.Call) (dispatch.Reply, error) {
	return func(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
		err := f.manager.PauseSubscription(ctx, c.Owner, port.SubscriptionID(c), pause)
		return dispatch.Empty(response), err
	}
}

func (f service) destroy(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	err := f.manager.DestroySubscription(ctx, c.Owner, port.SubscriptionID(c))
	return f.edition.Resources().WriteDestroyResponse, err
}

// unsubscribe is the same as destroy, in the words of WS-BaseNotification 1.3,
// 6.1.2.
func (f service) unsubscribe(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	err := f.manager.DestroySubscription(ctx, c.Owner, port.SubscriptionID(c))
	return dispatch.Empty(f.edition.Names().UnsubscribeResponse), err
}

func (f service) setTerminationTime(
	ctx context.Context, c *dispatch.Call,
) (dispatch.Reply, error) {
	return port.SetTermination(c, f.renewal(ctx, c))
}

func (f service) renew(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	return port.Renew(c, f.renewal(ctx, c))
}

func (f service) renewal(ctx context.Context, c *dispatch.Call) port.Renewal {
	return func(at time.Time) (time.Time, error) {
		return f.manager.Renew(ctx, c.Owner, port.SubscriptionID(c), at)
	}
}
