package sqlite

import (
	"cmp"
	"context"
	"slices"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Listening implements workspace.SubscriptionReader.
func (s *Store) Listening(context.Context) (workspace.Listening, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sum := workspace.Listening{
		Subscriptions: len(s.state.subscriptions.base), PullPoints: len(s.state.points.base),
	}
	for _, p := range s.state.pulls {
		sum.Unfetched += p.queued
	}
	failing := make(map[string]*workspace.FailingTarget)
	for _, sub := range s.state.subscriptions.base {
		if sub.Paused && sub.PausedWhy == "" {
			sum.Paused++
		}
		if !sub.Failing.IsZero() && sub.PullPoint == "" {
			addFailing(failing, sub)
		}
	}
	for _, f := range failing {
		sum.Failing = append(sum.Failing, *f)
	}
	slices.SortFunc(sum.Failing, func(a, b workspace.FailingTarget) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Address, b.Address))
	})
	return sum, nil
}

// addFailing counts a subscription at its consumer.
func addFailing(all map[string]*workspace.FailingTarget, sub *workspace.Subscription) {
	f := all[sub.Address]
	if f == nil {
		f = &workspace.FailingTarget{Address: sub.Address, Since: sub.Failing}
		all[sub.Address] = f
	}
	f.Subscriptions++
	f.Stopped = f.Stopped || sub.Paused && sub.PausedWhy != ""
	if sub.Failing.Before(f.Since) {
		f.Since = sub.Failing
	}
}
