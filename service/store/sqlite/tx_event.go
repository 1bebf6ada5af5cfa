package sqlite

import (
	"crypto/sha256"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Subscription implements workspace.SubscriptionTx.
func (t *tx) Subscription(id workspace.SubscriptionID) (*workspace.Subscription, error) {
	s, ok := t.subscriptions.get(id)
	if !ok {
		return nil, missing("subscription", string(id))
	}
	counted := *s
	n, _ := t.numbers.get(id)
	counted.Last = n.last
	return &counted, nil
}

// PutSubscription implements workspace.SubscriptionTx. It keeps a copy.
func (t *tx) PutSubscription(s *workspace.Subscription) error {
	const op = "put the subscription"
	if s.ID == "" {
		return wrong(op, "", "it has no ID")
	}
	kept := *s
	was, ok := t.subscriptions.get(s.ID)
	switch {
	case ok && (was.Workspace != s.Workspace || was.Owner != s.Owner):
		return wrong(op, string(s.ID), "it belongs to another workspace or owner")
	case ok && was.PullPoint != s.PullPoint:
		return wrong(op, string(s.ID), "it goes to another pull point")
	case !ok:
		if err := t.addSubscription(&kept); err != nil {
			return err
		}
	}
	t.subscriptions.put(s.ID, &kept)
	return nil
}

// addSubscription enters a new subscription where it is looked for.
func (t *tx) addSubscription(s *workspace.Subscription) error {
	of, _ := t.subscriptionsOf.get(sourceOf(s))
	t.subscriptionsOf.put(sourceOf(s), with(of, s.ID))
	if s.PullPoint != "" {
		if _, err := t.PullPoint(s.PullPoint); err != nil {
			return err
		}
		at, _ := t.subscriptionsAt.get(s.PullPoint)
		t.subscriptionsAt.put(s.PullPoint, with(at, s.ID))
	}
	t.numbers.put(s.ID, number{})
	t.kept.put(s.Owner, plus(t.Kept(s.Owner), 1, 0))
	return nil
}

// plus adds to the counts.
func plus(k workspace.Kept, subscriptions, points int) workspace.Kept {
	k.Subscriptions += subscriptions
	k.PullPoints += points
	return k
}

// Kept implements workspace.SubscriptionTx.
func (t *tx) Kept(owner workspace.Owner) workspace.Kept {
	k, _ := t.kept.get(owner)
	return k
}

// RemoveSubscription implements workspace.SubscriptionTx. What waits for the
// subscription goes with it.
func (t *tx) RemoveSubscription(id workspace.SubscriptionID) error {
	s, err := t.Subscription(id)
	if err != nil {
		return err
	}
	t.subscriptions.remove(id)
	t.numbers.remove(id)
	of, _ := t.subscriptionsOf.get(sourceOf(s))
	setOrRemove(&t.subscriptionsOf, sourceOf(s), without(of, id))
	if s.PullPoint != "" {
		at, _ := t.subscriptionsAt.get(s.PullPoint)
		setOrRemove(&t.subscriptionsAt, s.PullPoint, without(at, id))
	}
	t.kept.put(s.Owner, plus(t.Kept(s.Owner), -1, 0))
	return nil
}

// PullPoint implements workspace.PullPointTx.
func (t *tx) PullPoint(id workspace.PullPointID) (*workspace.PullPoint, error) {
	if p, ok := t.points.get(id); ok {
		return p, nil
	}
	return nil, missing("pull point", string(id))
}

// PutPullPoint implements workspace.PullPointTx. It keeps a copy.
func (t *tx) PutPullPoint(p *workspace.PullPoint) error {
	const op = "put the pull point"
	if p.ID == "" {
		return wrong(op, "", "it has no ID")
	}
	was, ok := t.points.get(p.ID)
	if ok && was.Owner != p.Owner {
		return wrong(op, string(p.ID), "it belongs to another owner")
	}
	if !ok {
		t.kept.put(p.Owner, plus(t.Kept(p.Owner), 0, 1))
	}
	kept := *p
	t.points.put(p.ID, &kept)
	return nil
}

// RemovePullPoint implements workspace.PullPointTx.
func (t *tx) RemovePullPoint(id workspace.PullPointID) error {
	p, err := t.PullPoint(id)
	if err != nil {
		return err
	}
	at, _ := t.subscriptionsAt.get(id)
	for _, sub := range at {
		if err := t.RemoveSubscription(sub); err != nil {
			return err
		}
	}
	t.points.remove(id)
	t.kept.put(p.Owner, plus(t.Kept(p.Owner), 0, -1))
	return nil
}

// Emit implements workspace.SubscriptionTx.
func (t *tx) Emit(e workspace.Event) error {
	w, there := t.workspaces.get(e.Workspace)
	if !there { // this update removed it
		w, _ = t.workspaces.under(e.Workspace)
	}
	t.emit(e, source{workspace: e.Workspace}, w)
	if w != nil {
		t.emit(e, source{owner: w.Owner}, w)
	}
	return nil
}

// emit numbers and queues the event for the subscriptions to the source.
func (t *tx) emit(e workspace.Event, from source, w *workspace.Workspace) {
	ids, _ := t.subscriptionsOf.get(from)
	for _, id := range ids {
		s, _ := t.subscriptions.get(id)
		if !s.About(e.Topic) || s.Over(e.At) || !t.wanted(s, e, w) {
			continue
		}
		n, _ := t.numbers.get(id)
		n = number{n.last + 1, s.Paused || !t.room(s.PullPoint)}
		t.numbers.put(id, n)
		if n.loose {
			continue
		}
		t.last.message++
		t.fresh = append(t.fresh, workspace.Message{
			Seq: t.last.message, Number: n.last, Subscription: id, Event: e})
	}
}

// wanted reports whether the event passes the subscription's filter.
func (t *tx) wanted(s *workspace.Subscription, e workspace.Event, w *workspace.Workspace) bool {
	return s.Filter == nil || t.wants == nil || w != nil && t.wants(s, e, w)
}

// room makes room for a message at the pull point; without one there always
// is. A message that finds the pull point full is counted.
func (t *tx) room(id workspace.PullPointID) bool {
	p, ok := t.points.get(id)
	if !ok {
		return true
	}
	t.mu.RLock()
	queued := 0
	if there := t.pulls[id]; there != nil {
		queued = there.queued
	}
	t.mu.RUnlock()
	arriving, _ := t.arriving.get(id)
	if queued+arriving < t.capacity {
		t.arriving.put(id, arriving+1)
		return true
	}
	full := *p
	full.Dropped++
	t.points.put(id, &full)
	return false
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
