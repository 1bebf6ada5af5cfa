package sqlite

import (
	"context"
	"maps"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A holding is a workspace.Holding.
type holding workspace.Holding

// with returns the holding with the workspace n times more.
func (h holding) with(w *workspace.Workspace, n int64) holding {
	h.Workspaces += n
	if w.Holds() {
		h.CPUs += n * w.Demand.CPUs
		h.MemoryMB += n * w.Demand.MemoryMB
	}
	h.CPUTime += time.Duration(n*w.Demand.CPUs) * w.Lease.Duration
	return h
}

// account accounts for a workspace that was from and is now to; either may be
// nil. Its owner stays.
func (t *tx) account(from, to *workspace.Workspace) {
	if to != nil && from != nil && from.Demand == to.Demand && from.Holds() == to.Holds() &&
		from.Lease.Duration == to.Lease.Duration {
		return // as most changes are
	}
	var h holding
	var owner workspace.Owner
	if from != nil {
		owner = from.Owner
		h, _ = t.holdings.get(owner)
		h = h.with(from, -1)
	} else {
		owner = to.Owner
		h, _ = t.holdings.get(owner)
	}
	if to != nil {
		h = h.with(to, 1)
	}
	if h == (holding{}) {
		t.holdings.remove(owner)
		return
	}
	t.holdings.put(owner, h)
}

// Held implements workspace.AccountTx.
func (t *tx) Held(owner workspace.Owner) workspace.Holding {
	h, _ := t.holdings.get(owner)
	return workspace.Holding(h)
}

// Holdings implements workspace.AccountTx.
func (t *tx) Holdings(yield func(workspace.Owner, workspace.Holding)) {
	t.holdings.all(func(owner workspace.Owner, h holding) { yield(owner, workspace.Holding(h)) })
}

// Account implements workspace.AccountTx.
func (t *tx) Account(owner workspace.Owner) workspace.Account {
	a, _ := t.accounts.get(owner)
	return a
}

// Accounts implements workspace.AccountTx.
func (t *tx) Accounts(yield func(workspace.Owner, workspace.Account)) { t.accounts.all(yield) }

// PutAccount implements workspace.AccountTx.
func (t *tx) PutAccount(owner workspace.Owner, a workspace.Account) error {
	if a == (workspace.Account{}) {
		t.accounts.remove(owner)
		return nil
	}
	t.accounts.put(owner, a)
	return nil
}

// Accounts implements workspace.Reader.
func (s *Store) Accounts(context.Context) (map[workspace.Owner]workspace.Account, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.state.accounts.base), nil
}

func (r *rows) accounts(s *state) error {
	for owner, e := range s.accounts.batch {
		var err error
		if e.there {
			err = r.run(putAccount, string(owner), int64(e.value.CPUTime), millis(e.value.At))
		} else {
			err = r.run(deleteAccount, string(owner))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) accounts(ctx context.Context) error {
	return l.each(ctx, `SELECT owner, cpu_time, at FROM account`, func(s scan) error {
		var owner workspace.Owner
		var a workspace.Account
		var at int64
		if err := s(&owner, &a.CPUTime, &at); err != nil {
			return bad("the account of", owner, err)
		}
		a.At = timeOf(at)
		l.state.accounts.base[owner] = a
		return nil
	})
}
