package manager

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// SetTermination renegotiates the end of a lease: at becomes the termination
// time, and running time ends the site's grace before it. It returns the new
// termination time. Errors: Denied (no end, in the past, beyond the maximum),
// Conflict (running time is over already).
func (m *Manager) SetTermination(
	ctx context.Context, owner workspace.Owner, id workspace.ID, at time.Time,
) (time.Time, error) {
	const op = "set the termination time of workspace"
	if at.IsZero() {
		return at, workspace.Errorf(workspace.Denied, op, id.String(),
			"a lease without an end is not given")
	}
	at = at.UTC().Truncate(time.Millisecond)
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		old, err := tx.Workspace(id)
		if err != nil || !visible(old, owner) {
			return unknown(id)
		}
		current := now()
		if !current.Before(old.Lease.End()) {
			return workspace.Errorf(workspace.Conflict, op, id.String(),
				"its running time ended at %s", old.Lease.End().Format(time.RFC3339))
		}
		if !at.After(current) {
			return workspace.Errorf(workspace.Denied, op, id.String(),
				"%s is in the past", at.Format(time.RFC3339))
		}
		w := *old
		w.Lease = m.ending(old.Lease, at, current)
		if w.Lease.Duration > m.policy.MaximumDuration {
			return workspace.Errorf(workspace.Denied, op, id.String(),
				"running time would be %d seconds, %d are the most",
				w.Lease.Duration/time.Second, m.policy.MaximumDuration/time.Second)
		}
		w.Changed = current
		return tx.PutWorkspace(&w)
	})
	return at, err
}

// ending returns the lease with another termination time. The grace shrinks
// when the new end leaves no room for it.
func (m *Manager) ending(l workspace.Lease, at, current time.Time) workspace.Lease {
	l.Grace = min(m.policy.Grace, max(at.Sub(current), 0)/2)
	l.Duration = at.Add(-l.Grace).Sub(l.Start)
	return l
}

// Due is when the lease of a workspace next asks for something: the end of
// running time, then the termination time.
func Due(w *workspace.Workspace) time.Time {
	if w.State.OpsEnabled() && !w.Expired {
		return w.Lease.End()
	}
	return w.Lease.Termination()
}

// Expire applies what is due on a workspace at the time: the shutdown
// mechanism at the end of running time, destruction at the termination time.
// It looks at the record as it is now, so that a lease extended in the
// meantime is left alone.
func (m *Manager) Expire(ctx context.Context, id workspace.ID) error {
	destroyed := false
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		destroyed = false
		w, err := tx.Workspace(id)
		if err != nil || w.Gone() || now().Before(Due(w)) {
			return nil //nolint:nilerr // what is gone needs no end
		}
		if !now().Before(w.Lease.Termination()) || trash(w) {
			destroyed = true
			return destroy(tx, w)
		}
		return end(tx, w)
	})
	if err == nil && destroyed {
		m.work.Interrupt(id)
	}
	return err
}

// trash reports whether the end of running time destroys the workspace.
func trash(w *workspace.Workspace) bool {
	return w.Lease.Mechanism == workspace.MechanismTrash && !w.Expired
}

// end queues the shutdown mechanism, once. What the state does not allow is
// left to the termination time.
func end(tx workspace.Tx, old *workspace.Workspace) error {
	w := *old
	w.Expired, w.Changed = true, now()
	if err := tx.PutWorkspace(&w); err != nil {
		return err
	}
	last := order{kind: workspace.ChangeShutdown}
	switch {
	case w.Lease.SaveTo != "":
		last = order{workspace.ChangeSave, w.SaveTarget()}
	case w.Lease.Mechanism == workspace.MechanismSerialize:
		last = order{kind: workspace.ChangeSerialize}
	}
	err := queue(tx, &w, last)
	if workspace.KindOf(err) == workspace.Conflict {
		return nil
	}
	return err
}
