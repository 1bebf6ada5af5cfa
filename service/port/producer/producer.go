// Package producer is the part of the port types that publishes: it takes
// subscriptions and tells the last message on a topic, for one workspace or for
// all that a caller has (WS-BaseNotification 1.2 draft 1, section 4, and 1.3,
// section 4).
//
// It must not know how messages reach their consumers, nor what else can be
// done to the resource that publishes.
package producer

import (
	"context"

	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Manager is what producers ask of the core.
type Manager interface {
	Workspace(ctx context.Context, owner workspace.Owner, id workspace.ID) (
		*workspace.Workspace, error)
	Workspaces(ctx context.Context, owner workspace.Owner) ([]*workspace.Workspace, error)
	PullPoint(ctx context.Context, owner workspace.Owner, id workspace.PullPointID) (
		*workspace.PullPoint, error)
	Subscribe(ctx context.Context, s workspace.Subscription) (*workspace.Subscription, error)
}

// Source answers for the producers of one port type.
type Source struct {
	Manager Manager
	// CheckConsumer says whether messages may be sent to a URL at all.
	CheckConsumer func(url string) error
	// All is the producer of every workspace that the caller has, and will
	// have; otherwise it is the one that the call's key names.
	All bool
}

// AddTo adds Subscribe and GetCurrentMessage to the operations of the port type.
func (s Source) AddTo(operations map[string]dispatch.Operation) {
	operations["Subscribe"] = dispatch.Operation{Do: s.subscribe}
	operations["GetCurrentMessage"] = dispatch.Operation{Do: s.currentMessage}
}
