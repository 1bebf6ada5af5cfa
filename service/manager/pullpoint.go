package manager

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// waitMost is how long a request may wait for messages.
const waitMost = time.Minute

// CreatePullPoint makes a place where messages wait until they are fetched.
// Expires zero: until it is destroyed. Errors: Denied (in the past), Quota.
func (m *Manager) CreatePullPoint(
	ctx context.Context, owner workspace.Owner, expires time.Time,
) (*workspace.PullPoint, error) {
	const op = "create a pull point"
	expires, err := future(op, "", expires)
	if err != nil {
		return nil, err
	}
	p := &workspace.PullPoint{
		ID: workspace.PullPointID(uuid.NewString()), Owner: owner, Created: now(),
		Expires: expires,
	}
	err = m.store.Update(ctx, func(tx workspace.Tx) error {
		err := within(op, "pull points", tx.Kept(owner).PullPoints, m.policy.PullPoints)
		if err != nil {
			return err
		}
		return tx.PutPullPoint(p)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// PullPoint returns the owner's pull point.
func (m *Manager) PullPoint(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID,
) (*workspace.PullPoint, error) {
	p, err := m.store.PullPoint(ctx, id)
	if err != nil || p.Owner != owner || p.Over(time.Now()) {
		return nil, unknownPullPoint(id)
	}
	return p, nil
}

// RenewPullPoint gives the pull point another end and returns it; zero: until
// it is destroyed. Errors: Denied (in the past).
func (m *Manager) RenewPullPoint(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID, at time.Time,
) (time.Time, error) {
	at, err := future("renew the pull point", string(id), at)
	if err != nil {
		return at, err
	}
	return at, m.pullPoint(ctx, owner, id,
		func(tx workspace.Tx, p workspace.PullPoint) error {
			p.Expires = at
			return tx.PutPullPoint(&p)
		})
}

// DestroyPullPoint ends the pull point with its subscriptions; what waits there
// is dropped.
func (m *Manager) DestroyPullPoint(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID,
) error {
	return m.pullPoint(ctx, owner, id, func(tx workspace.Tx, _ workspace.PullPoint) error {
		return tx.RemovePullPoint(id)
	})
}

func (m *Manager) pullPoint(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID,
	do func(workspace.Tx, workspace.PullPoint) error,
) error {
	return m.store.Update(ctx, func(tx workspace.Tx) error {
		p, err := tx.PullPoint(id)
		if err != nil || p.Owner != owner || p.Over(time.Now()) {
			return unknownPullPoint(id)
		}
		return do(tx, *p)
	})
}

// Messages returns what waits at the pull point, oldest first; with ask.Wait,
// which is cut to a minute, it waits for a first message. What it returned is
// kept until it is asked with another message ID, so that an answer that was
// lost is given again. When messages found the pull point full, the first
// answer is an error of kind Quota that says how many; it is given once.
func (m *Manager) Messages(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID, ask workspace.Ask,
) ([]workspace.Message, error) {
	over := time.NewTimer(min(ask.Wait, waitMost))
	defer over.Stop()
	for {
		p, err := m.PullPoint(ctx, owner, id)
		if err != nil {
			return nil, err
		}
		if p.Dropped > 0 {
			return nil, m.tellDropped(ctx, owner, id)
		}
		handed, err := m.store.Take(ctx, id, ask)
		if workspace.KindOf(err) == workspace.NotFound {
			return nil, unknownPullPoint(id)
		}
		if err != nil || len(handed.Messages) > 0 || ask.Wait <= 0 {
			return handed.Messages, err
		}
		select {
		case <-handed.More:
		case <-over.C:
			ask.Wait = 0 // a last look
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// tellDropped returns the error that says how many messages found the pull
// point full, and forgets them.
func (m *Manager) tellDropped(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID,
) error {
	var dropped int64
	err := m.pullPoint(ctx, owner, id, func(tx workspace.Tx, p workspace.PullPoint) error {
		dropped, p.Dropped = p.Dropped, 0
		return tx.PutPullPoint(&p)
	})
	if err != nil {
		return err
	}
	return workspace.Errorf(workspace.Quota, "hold all messages of the pull point", string(id),
		"it was full and %d messages were dropped; their numbers are missing", dropped)
}

func unknownPullPoint(id workspace.PullPointID) error {
	return workspace.Errorf(workspace.NotFound, "find the pull point", string(id),
		"unknown pull point: '%s'", id)
}
