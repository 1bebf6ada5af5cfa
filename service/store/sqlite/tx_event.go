package sqlite

import (
	"crypto/sha256"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Subscription implements workspace.SubscriptionTx.
func (t *tx) Subscription(id workspace.SubscriptionID) (*workspace.Subscription, error) {
	if s, ok := t.subscriptions.get(id); ok {
		return s, nil
	}
	return nil, missing("subscription", string(id))
}

// PutSubscription implements workspace.SubscriptionTx.
func (t *tx) PutSubscription(s *workspace.Subscription) error {
	if s.ID == "" {
		return wrong("put the subscription", "", "it has no ID")
	}
	was, ok := t.subscriptions.get(s.ID)
	switch {
	case was == s:
		return wrong("put the subscription", string(s.ID), "it was changed in place, not copied")
	case ok && was.Workspace != s.Workspace:
		return wrong("put the subscription", string(s.ID), "it belongs to another workspace")
	case !ok:
		of, _ := t.subscriptionsOf.get(s.Workspace)
		t.subscriptionsOf.put(s.Workspace, with(of, s.ID))
	}
	t.subscriptions.put(s.ID, s)
	return nil
}

// RemoveSubscription implements workspace.SubscriptionTx. What waits for the
// subscription goes with it.
func (t *tx) RemoveSubscription(id workspace.SubscriptionID) error {
	s, err := t.Subscription(id)
	if err != nil {
		return err
	}
	t.subscriptions.remove(id)
	of, _ := t.subscriptionsOf.get(s.Workspace)
	setOrRemove(&t.subscriptionsOf, s.Workspace, without(of, id))
	return nil
}

// Emit implements workspace.SubscriptionTx.
func (t *tx) Emit(e workspace.Event) error {
	ids, _ := t.subscriptionsOf.get(e.Workspace)
	for _, id := range ids {
		s, _ := t.subscriptions.get(id)
		if s.Paused || s.Topic != e.Topic || s.Over(e.At) {
			continue
		}
		t.last.message++
		t.fresh = append(t.fresh, workspace.Message{
			Seq: t.last.message, Subscription: id, Event: e})
	}
	return nil
}

// A requestKey stands for an owner's message ID.
type requestKey [16]byte

// keyOf returns the digest under which the answer to a request is kept.
func keyOf(owner workspace.Owner, messageID string) requestKey {
	text := make([]byte, 0, 128)
	text = append(append(append(text, owner...), 0), messageID...)
	sum := sha256.Sum256(text)
	return requestKey(sum[:16])
}

// Answered implements workspace.RequestTx.
func (t *tx) Answered(
	owner workspace.Owner, messageID string,
) (workspace.Answer, bool) {
	key := keyOf(owner, messageID)
	a, ok := t.answers.get(key)
	if !ok {
		var err error
		if a, ok, err = t.find(key); err != nil {
			t.failed = err
		}
	}
	return a, ok
}

// PutAnswered implements workspace.RequestTx.
func (t *tx) PutAnswered(
	owner workspace.Owner, messageID string, a workspace.Answer,
) error {
	t.answers.put(keyOf(owner, messageID), a)
	return nil
}
