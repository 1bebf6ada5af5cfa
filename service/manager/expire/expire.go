// Package expire ends leases: it sweeps the record for those whose time has
// come and asks the manager to apply what was agreed.
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

// Sweeper looks for leases that are due.
type Sweeper struct {
	store   workspace.Reader
	manager *manager.Manager
	log     *slog.Logger
}

// New returns a Sweeper.
func New(store workspace.Reader, m *manager.Manager, log *slog.Logger) *Sweeper {
	return &Sweeper{store: store, manager: m, log: log}
}

// Run sweeps once a second until ctx ends.
func (s *Sweeper) Run(ctx context.Context) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		s.sweep(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Sweeper) sweep(ctx context.Context) {
	all, err := s.store.Workspaces(ctx, "")
	if err != nil {
		s.log.Error("cannot sweep the leases", "error", err)
		return
	}
	now := time.Now()
	for _, w := range all {
		if w.Gone() || now.Before(manager.Due(w)) {
			continue
		}
		if err := s.manager.Expire(ctx, w.ID); err != nil && ctx.Err() == nil {
			s.log.Error("cannot end the lease", "workspace", w.ID, "error", err)
		}
	}
}
