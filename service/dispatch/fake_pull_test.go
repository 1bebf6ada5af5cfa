package dispatch_test

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// pulls are the pull points of a core in memory, with what waits at each.
type pulls struct {
	points  map[workspace.PullPointID]*workspace.PullPoint
	waiting map[workspace.PullPointID][]workspace.Message
	asked   []workspace.Ask
	more    chan struct{} // closed when something comes
	began   chan struct{} // told when somebody begins to wait; may be nil
}

func (m *core) CreatePullPoint(
	_ context.Context, owner workspace.Owner, expires time.Time,
) (*workspace.PullPoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.change(); err != nil {
		return nil, err
	}
	if m.pulls.points == nil {
		m.pulls.points = make(map[workspace.PullPointID]*workspace.PullPoint)
		m.pulls.waiting = make(map[workspace.PullPointID][]workspace.Message)
		m.pulls.more = make(chan struct{})
	}
	p := &workspace.PullPoint{
		ID: "pull-point-1", Owner: owner, Expires: expires, Created: time.Now(),
	}
	m.pulls.points[p.ID] = p
	return p, nil
}

func (m *core) PullPoint(
	_ context.Context, owner workspace.Owner, id workspace.PullPointID,
) (*workspace.PullPoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.pulls.points[id]; p != nil && p.Owner == owner {
		return p, nil
	}
	return nil, workspace.Errorf(workspace.NotFound, "find the pull point", string(id), "unknown")
}

func (m *core) RenewPullPoint(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID, at time.Time,
) (time.Time, error) {
	p, err := m.PullPoint(ctx, owner, id)
	if err != nil {
		return at, err
	}
	if !at.IsZero() && at.Before(time.Now()) {
		return at, workspace.Errorf(workspace.Denied, "renew it", string(id), "that is past")
	}
	p.Expires = at
	return at, m.change()
}

func (m *core) DestroyPullPoint(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID,
) error {
	if _, err := m.PullPoint(ctx, owner, id); err != nil {
		return err
	}
	if err := m.change(); err != nil {
		return err
	}
	delete(m.pulls.points, id)
	return nil
}

func (m *core) Messages(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID, ask workspace.Ask,
) ([]workspace.Message, error) {
	p, err := m.PullPoint(ctx, owner, id)
	if err != nil {
		return nil, err
	}
	m.pulls.asked = append(m.pulls.asked, ask)
	if dropped := p.Dropped; dropped > 0 {
		p.Dropped = 0
		return nil, workspace.Errorf(workspace.Quota, "hold all messages", string(id),
			"%d messages were dropped", dropped)
	}
	if ask.Wait > 0 && len(m.pulls.waiting[id]) == 0 {
		if m.pulls.began != nil {
			m.pulls.began <- struct{}{}
		}
		select {
		case <-m.pulls.more:
		case <-ctx.Done():
			return nil, nil
		}
	}
	all := m.pulls.waiting[id]
	if ask.Most > 0 {
		all = all[:min(ask.Most, len(all))]
	}
	m.pulls.waiting[id] = m.pulls.waiting[id][len(all):]
	return all, nil
}
