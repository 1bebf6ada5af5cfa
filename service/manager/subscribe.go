package manager

import (
	"context"

	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Subscribe records the wish to be told of a topic of the owner's workspace
// and returns it with its key. Topic, consumer and expiry are checked by the
// caller, who knows the documents.
func (m *Manager) Subscribe(
	ctx context.Context, wish workspace.Subscription,
) (*workspace.Subscription, error) {
	s := wish
	s.ID, s.Created = workspace.SubscriptionID(uuid.NewString()), now()
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		w, err := tx.Workspace(s.Workspace)
		if err != nil || !visible(w, s.Owner) {
			return unknown(s.Workspace)
		}
		return tx.PutSubscription(&s)
	})
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// Subscription returns the owner's subscription.
func (m *Manager) Subscription(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID,
) (*workspace.Subscription, error) {
	s, err := m.store.Subscription(ctx, id)
	if err != nil || s.Owner != owner {
		return nil, unknownSubscription(id)
	}
	return s, nil
}

// PauseSubscription stops the flow of messages, or lets it go on. What happens
// during a pause is not told later (WS-BaseNotification 1.2 draft 01, section 7).
func (m *Manager) PauseSubscription(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID, pause bool,
) error {
	return m.subscription(ctx, owner, id, func(tx workspace.Tx, s *workspace.Subscription) error {
		changed := *s
		changed.Paused = pause
		return tx.PutSubscription(&changed)
	})
}

// DestroySubscription ends the subscription; messages that wait are dropped.
func (m *Manager) DestroySubscription(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID,
) error {
	return m.subscription(ctx, owner, id, func(tx workspace.Tx, _ *workspace.Subscription) error {
		return tx.RemoveSubscription(id)
	})
}

func (m *Manager) subscription(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID,
	do func(workspace.Tx, *workspace.Subscription) error,
) error {
	return m.store.Update(ctx, func(tx workspace.Tx) error {
		s, err := tx.Subscription(id)
		if err != nil || s.Owner != owner {
			return unknownSubscription(id)
		}
		return do(tx, s)
	})
}

func unknownSubscription(id workspace.SubscriptionID) error {
	return workspace.Errorf(workspace.NotFound, "find the subscription", string(id),
		"unknown subscription: '%s'", id)
}
