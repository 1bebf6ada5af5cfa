package manager

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Subscribe records the wish to be told of topics of the owner's workspace, or
// of all that the owner has and will have, and returns it with its key. Topics,
// consumer and expiry are checked by the caller, who knows the documents.
// Errors: NotFound (no such workspace or pull point), Quota.
func (m *Manager) Subscribe(
	ctx context.Context, wish workspace.Subscription,
) (*workspace.Subscription, error) {
	s := wish
	s.ID, s.Created = workspace.SubscriptionID(uuid.NewString()), now()
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		if s.Workspace != 0 {
			w, err := tx.Workspace(s.Workspace)
			if err != nil || !visible(w, s.Owner) {
				return unknown(s.Workspace)
			}
		}
		if s.PullPoint != "" {
			p, err := tx.PullPoint(s.PullPoint)
			if err != nil || p.Owner != s.Owner || p.Over(s.Created) {
				return unknownPullPoint(s.PullPoint)
			}
		}
		err := within("subscribe", "subscriptions", tx.Kept(s.Owner).Subscriptions,
			m.policy.Subscriptions)
		if err != nil {
			return err
		}
		return tx.PutSubscription(&s)
	})
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// within refuses one more of what an owner has as much of as is allowed.
func within(op, what string, have, most int) error {
	if most > 0 && have >= most {
		return workspace.Errorf(workspace.Quota, op, "", "you have %d %s, %d are the most",
			have, what, most)
	}
	return nil
}

// Subscription returns the owner's subscription.
func (m *Manager) Subscription(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID,
) (*workspace.Subscription, error) {
	s, err := m.store.Subscription(ctx, id)
	if err != nil || s.Owner != owner || s.Over(time.Now()) {
		return nil, unknownSubscription(id)
	}
	return s, nil
}

// Renew gives the subscription another end and returns it; zero: with its
// workspace, or never. Errors: Denied (in the past).
func (m *Manager) Renew(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID, at time.Time,
) (time.Time, error) {
	at, err := future("renew the subscription", string(id), at)
	if err != nil {
		return at, err
	}
	return at, m.subscription(ctx, owner, id,
		func(tx workspace.Tx, s *workspace.Subscription) error {
			s.Expires = at
			return tx.PutSubscription(s)
		})
}

// future returns the time as the record keeps it, and refuses one that has
// passed.
func future(op, id string, at time.Time) (time.Time, error) {
	if at.IsZero() {
		return at, nil
	}
	at = at.UTC().Truncate(time.Millisecond)
	if !at.After(time.Now()) {
		return at, workspace.Errorf(workspace.Denied, op, id,
			"%s is in the past", at.Format(time.RFC3339))
	}
	return at, nil
}

// PauseSubscription stops the flow of messages, or lets it go on. What happens
// during a pause is not told later (WS-BaseNotification 1.2 draft 01, section 7).
// A pause that the service made, because the consumer failed, ends as well: what
// has waited since is tried again.
func (m *Manager) PauseSubscription(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID, pause bool,
) error {
	return m.subscription(ctx, owner, id, func(tx workspace.Tx, s *workspace.Subscription) error {
		s.Paused = pause
		if !pause {
			s.PausedWhy, s.Failing = "", time.Time{}
		}
		return tx.PutSubscription(s)
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
		if err != nil || s.Owner != owner || s.Over(time.Now()) {
			return unknownSubscription(id)
		}
		return do(tx, s)
	})
}

func unknownSubscription(id workspace.SubscriptionID) error {
	return workspace.Errorf(workspace.NotFound, "find the subscription", string(id),
		"unknown subscription: '%s'", id)
}
