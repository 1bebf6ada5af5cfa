// Package expire ends leases, subscriptions and pull points: it sweeps the
// record for those whose time has come, asks the manager to apply what was
// agreed for a lease, and removes a subscription or pull point that is over.
//
// It must not decide anything itself: whether something is due is asked again
// in the transaction that acts on it, so that a lease extended in the meantime
// is never cut short.
package expire

import (
	"context"
	"log/slog"
	"time"

	"github.com/philoxenia/philoxenia/service/manager"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// period is how late the end of a lease may be noticed.
const period = time.Second

// Sweeper looks for leases, subscriptions and pull points that are due.
type Sweeper struct {
	store   workspace.Store
	manager *manager.Manager
	log     *slog.Logger
	failing bool                       // the last sweep failed
	warned  map[workspace.ID]time.Time // which ends need no warning any more
}

// New returns a Sweeper.
func New(store workspace.Store, m *manager.Manager, log *slog.Logger) *Sweeper {
	return &Sweeper{
		store: store, manager: m, log: log, warned: map[workspace.ID]time.Time{},
	}
}

// Run sweeps once a second until ctx ends.
func (s *Sweeper) Run(ctx context.Context) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		s.sweep(ctx, time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweep ends what is due. A failure is logged once, not at every sweep: what
// it kept from being done is due the next time again.
func (s *Sweeper) sweep(ctx context.Context, now time.Time) {
	err := s.leases(ctx, now)
	if err == nil {
		err = s.subscriptions(ctx, now)
	}
	if err == nil {
		err = s.pullPoints(ctx, now)
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil && !s.failing {
		s.log.Error("cannot sweep the record, trying again", "error", err, "retry_in", period)
	}
	s.failing = err != nil
}

func (s *Sweeper) leases(ctx context.Context, now time.Time) error {
	all, err := s.store.Workspaces(ctx, "")
	if err != nil {
		return err
	}
	s.forget(all)
	var failed error
	for _, w := range all {
		if w.Gone() {
			continue
		}
		if !now.Before(manager.Warning(w)) {
			if err := s.warn(ctx, w); err != nil {
				failed = err
			}
		}
		if now.Before(manager.Due(w)) {
			continue
		}
		if err := s.manager.Expire(ctx, w.ID); err != nil {
			failed = err // the others may fare better
			continue
		}
		s.log.Info("lease has ended", "workspace", w.ID, "owner", w.Owner)
	}
	return failed
}

// forget drops what was noted of workspaces that are no more, now and then.
func (s *Sweeper) forget(all []*workspace.Workspace) {
	const some = 1000
	if len(s.warned) <= len(all)+some {
		return
	}
	warned := make(map[workspace.ID]time.Time, len(all))
	for _, w := range all {
		if end, ok := s.warned[w.ID]; ok {
			warned[w.ID] = end
		}
	}
	s.warned = warned
}

// warn has subscribers warned that the workspace's running time will be over. It
// asks only once for each end; the record knows whether they were.
func (s *Sweeper) warn(ctx context.Context, w *workspace.Workspace) error {
	if s.warned[w.ID].Equal(w.Lease.End()) {
		return nil
	}
	if err := s.manager.Warn(ctx, w.ID); err != nil {
		return err
	}
	s.warned[w.ID] = w.Lease.End()
	return nil
}

func (s *Sweeper) subscriptions(ctx context.Context, now time.Time) error {
	lapsed, err := s.store.Lapsed(ctx, now)
	if err != nil || len(lapsed) == 0 {
		return err
	}
	return s.store.Update(ctx, func(tx workspace.Tx) error {
		for _, id := range lapsed {
			sub, err := tx.Subscription(id)
			if err != nil || !sub.Over(now) {
				continue // gone, or renewed
			}
			if err := tx.RemoveSubscription(id); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Sweeper) pullPoints(ctx context.Context, now time.Time) error {
	lapsed, err := s.store.LapsedPullPoints(ctx, now)
	if err != nil || len(lapsed) == 0 {
		return err
	}
	return s.store.Update(ctx, func(tx workspace.Tx) error {
		for _, id := range lapsed {
			p, err := tx.PullPoint(id)
			if err != nil || !p.Over(now) {
				continue // gone, or renewed
			}
			if err := tx.RemovePullPoint(id); err != nil {
				return err
			}
		}
		return nil
	})
}
