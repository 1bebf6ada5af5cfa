package sqlite

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Workspace implements workspace.Reader.
func (s *Store) Workspace(_ context.Context, id workspace.ID) (*workspace.Workspace, error) {
	s.mu.RLock()
	w := s.state.workspaces.base[id]
	s.mu.RUnlock()
	if w == nil {
		return nil, missing("workspace", id.String())
	}
	return w, nil
}

// Workspaces implements workspace.Reader.
func (s *Store) Workspaces(
	_ context.Context, owner workspace.Owner,
) ([]*workspace.Workspace, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ids := s.state.owners[owner]
	of := make([]*workspace.Workspace, 0, len(ids))
	for _, id := range ids {
		of = append(of, s.state.workspaces.base[id])
	}
	return of, nil
}

// Group implements workspace.Reader.
func (s *Store) Group(_ context.Context, id workspace.GroupID) (*workspace.Group, error) {
	s.mu.RLock()
	g := s.state.groups.base[id]
	s.mu.RUnlock()
	if g == nil {
		return nil, missing("group", string(id))
	}
	return g, nil
}

// Subscription implements workspace.SubscriptionReader.
func (s *Store) Subscription(
	_ context.Context, id workspace.SubscriptionID,
) (*workspace.Subscription, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sub := s.state.subscriptions.base[id]
	if sub == nil {
		return nil, missing("subscription", string(id))
	}
	counted := *sub
	counted.Last = s.state.numbers.base[id].last
	return &counted, nil
}

// Lapsed implements workspace.SubscriptionReader.
func (s *Store) Lapsed(_ context.Context, at time.Time) ([]workspace.SubscriptionID, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ids []workspace.SubscriptionID
	for id, sub := range s.state.subscriptions.base {
		if sub.Over(at) && (sub.PullPoint == "" || len(s.state.outbox[id]) == 0) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Changes implements workspace.Reader.
func (s *Store) Changes(context.Context) ([]*workspace.Change, error) {
	s.mu.RLock()
	all := make([]*workspace.Change, 0, len(s.state.changes.base))
	for _, c := range s.state.changes.base {
		all = append(all, c)
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(a, b *workspace.Change) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// Hosts implements workspace.Reader.
func (s *Store) Hosts(context.Context) ([]workspace.HostUse, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return hostUses(nil, s.state.site.committed, s.state.committed), nil
}

// Used implements workspace.Reader.
func (s *Store) Used(_ context.Context, owner workspace.Owner) (time.Duration, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.used.base[owner], nil
}

// Waiting implements workspace.Outbox. The order is that of the oldest message.
func (s *Store) Waiting(context.Context) ([]workspace.SubscriptionID, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ids := make([]workspace.SubscriptionID, 0, len(s.state.outbox))
	for id := range s.state.outbox {
		if s.state.subscriptions.base[id].PullPoint == "" {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b workspace.SubscriptionID) int {
		return cmp.Compare(s.state.outbox[a][0].Seq, s.state.outbox[b][0].Seq)
	})
	return ids, nil
}

// Pending implements workspace.Outbox.
func (s *Store) Pending(
	_ context.Context, id workspace.SubscriptionID, limit int,
) ([]workspace.Message, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := s.state.outbox[id]
	return slices.Clone(all[:min(max(limit, 0), len(all))]), nil
}

// Delivered implements workspace.Outbox. The removal becomes durable with the
// next commit, within a second, or with Close.
func (s *Store) Delivered(_ context.Context, id workspace.SubscriptionID, seq int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliver(id, seq)
	return nil
}

// deliver removes the subscription's messages up to and with seq.
func (s *Store) deliver(id workspace.SubscriptionID, seq int64) {
	all := s.state.outbox[id]
	n := 0
	for n < len(all) && all[n].Seq <= seq {
		s.owed.sent = append(s.owed.sent, all[n].Seq)
		n++
	}
	if sub := s.state.subscriptions.base[id]; sub != nil && s.state.pulls[sub.PullPoint] != nil {
		s.state.pulls[sub.PullPoint].queued -= n
	}
	switch n {
	case 0:
		return
	case len(all):
		delete(s.state.outbox, id)
		s.owed.emptied = append(s.owed.emptied, id)
	default:
		s.state.outbox[id] = all[n:]
	}
	s.owed.of = append(s.owed.of, id)
	select {
	case s.owing <- struct{}{}:
	default: // the writer knows
	}
}
