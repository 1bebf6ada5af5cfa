package manager

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/manager/agenda"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// SetTermination renegotiates the end of a lease: at becomes the termination
// time. It returns the new termination time. Errors are those of Renegotiate.
func (m *Manager) SetTermination(
	ctx context.Context, owner workspace.Owner, id workspace.ID, at time.Time,
) (time.Time, error) {
	if at.IsZero() {
		return at, workspace.Errorf(workspace.Denied, renegotiateOp, id.String(),
			"a lease without an end is not given")
	}
	w, err := m.Renegotiate(ctx, owner, id, workspace.Terms{End: at})
	if err != nil {
		return at, err
	}
	return w.Lease.Termination(), nil
}

const renegotiateOp = "set the termination time of workspace"

// Renegotiate changes the terms of a lease that runs: its termination time,
// with running time ending the site's grace before it, or its running time,
// counted from its start, with the grace as it is; with both, the grace lies
// between the two. It returns the workspace with its new terms. Errors: Denied
// (in the past, beyond the maximum, against each other), Conflict (running time
// is over already).
func (m *Manager) Renegotiate(
	ctx context.Context, owner workspace.Owner, id workspace.ID, terms workspace.Terms,
) (*workspace.Workspace, error) {
	var changed workspace.Workspace
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		old, err := tx.Workspace(id)
		if err != nil || !visible(old, owner) {
			return unknown(id)
		}
		current := now()
		changed = *old
		changed.Changed = current
		if changed.Lease, err = m.agreed(old, terms, current); err != nil {
			return err
		}
		return m.reconcile(tx, old, &changed)
	})
	if err != nil {
		return nil, err
	}
	return &changed, nil
}

// agreed returns the lease of a workspace with other terms, where the site agrees
// to them.
func (m *Manager) agreed(
	w *workspace.Workspace, terms workspace.Terms, current time.Time,
) (workspace.Lease, error) {
	refuse := func(kind workspace.Kind, format string, args ...any) (workspace.Lease, error) {
		return w.Lease, workspace.Errorf(kind, renegotiateOp, w.ID.String(), format, args...)
	}
	l := w.Lease
	switch waits := l.Start.IsZero(); {
	case waits && !terms.End.IsZero():
		return refuse(workspace.Denied, "it does not run yet: only how long it is to run, "+
			"not until when, can be changed")
	case waits && (terms.Duration < 0 || terms.Duration > m.policy.MaximumDuration):
		return refuse(workspace.Denied, "running time would be %d seconds, %d are the most",
			terms.Duration/time.Second, m.policy.MaximumDuration/time.Second)
	case waits:
		return m.renewed(l, terms, current), nil
	case !current.Before(l.End()):
		return refuse(workspace.Conflict, "its running time ended at %s",
			l.End().Format(time.RFC3339))
	}
	renewed := m.renewed(l, terms, current)
	if err := m.permitted(l, renewed, current); err != nil {
		return refuse(workspace.Denied, "%w", err)
	}
	return renewed, nil
}

// reconcile asks the scheduler for a lease with other terms, and records it.
func (m *Manager) reconcile(tx workspace.Tx, old, changed *workspace.Workspace) error {
	if err := m.affordMore(tx, old, changed); err != nil {
		return declined(renegotiateOp, old.ID, err)
	}
	if err := tx.PutWorkspace(changed); err != nil {
		return err
	}
	if err := m.agenda.Extend(tx, changed); err != nil {
		return declined(renegotiateOp, old.ID, err)
	}
	if changed.Lease == old.Lease {
		return nil
	}
	return m.agenda.Tell(tx, changed)
}

// declined writes the scheduler's refusal of other terms.
func declined(op string, id workspace.ID, err error) error {
	var refused *agenda.Refused
	if errors.As(err, &refused) {
		why := "what is promised to others is in the way"
		if refused.Code == book.TooLarge.String() {
			why = "its host has less in all"
		}
		return workspace.Errorf(workspace.NoResource, op, id.String(), "%s: %w", why,
			refused.Refusal)
	}
	return &workspace.Error{Op: op, Kind: workspace.KindOf(err), ID: id.String(), Err: err}
}

// renewed returns the lease with other terms. Where the termination time alone
// is given, the grace shrinks when the new end leaves no room for it.
func (m *Manager) renewed(l workspace.Lease, t workspace.Terms, current time.Time) workspace.Lease {
	end := t.End.UTC().Truncate(time.Millisecond)
	switch {
	case t.End.IsZero() && t.Duration != 0:
		l.Duration = t.Duration
	case t.Duration != 0:
		l.Duration = t.Duration
		l.Grace = end.Sub(l.End())
	case !t.End.IsZero():
		l.Grace = min(m.policy.Grace, max(end.Sub(current), 0)/2)
		l.Duration = end.Add(-l.Grace).Sub(l.Start)
	}
	return l
}

// permitted says why a lease may not go on with other terms.
func (m *Manager) permitted(old, l workspace.Lease, current time.Time) error {
	switch {
	case !l.Termination().After(current):
		return fmt.Errorf("%s is in the past", l.Termination().Format(time.RFC3339))
	case !l.End().After(current):
		return fmt.Errorf("running time would have ended at %s", l.End().Format(time.RFC3339))
	case l.Grace < 0:
		return fmt.Errorf("running time would end %s after the workspace", -l.Grace)
	case l.Grace > max(m.policy.Grace, old.Grace):
		return fmt.Errorf("%s would lie between the end of running time and that of the "+
			"workspace, %s are the most", l.Grace, m.policy.Grace)
	case l.Duration > m.policy.MaximumDuration:
		return fmt.Errorf("running time would be %d seconds, %d are the most",
			l.Duration/time.Second, m.policy.MaximumDuration/time.Second)
	}
	return nil
}

// never is later than any time.
var never = time.Unix(1<<40, 0)

// Due is when the lease of a workspace next asks for something: the end of
// running time, then the termination time. One that does not run yet is never due.
func Due(w *workspace.Workspace) time.Time {
	if w.Lease.Start.IsZero() {
		return never
	}
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
			return m.destroy(tx, w)
		}
		return m.end(tx, w)
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
func (m *Manager) end(tx workspace.Tx, old *workspace.Workspace) error {
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
	if err := forgo(tx, w.ID); err != nil {
		return err
	}
	err := queue(tx, &w, last)
	if err != nil && workspace.KindOf(err) != workspace.Conflict {
		return err
	}
	if w.State.Runs() || len(tx.ChangesOf(w.ID)) > 0 {
		return m.agenda.Notice(tx, w.Booking)
	}
	return hooks{agenda: m.agenda}.parkIn(tx, w.ID) // nothing has to be ended first
}

// forgo drops what the owner asked for and has not begun, but for a save: it would put
// the end of running time off for as long as it takes.
func forgo(tx workspace.Tx, id workspace.ID) error {
	for _, c := range tx.ChangesOf(id) {
		_, asked := operations[c.Kind]
		asked = asked || c.Kind == workspace.ChangeResize || c.Kind == workspace.ChangeSnapshot
		if c.Status != workspace.ChangeQueued || !asked || c.Kind == workspace.ChangeSave {
			continue
		}
		if err := tx.RemoveChange(c.ID); err != nil {
			return err
		}
	}
	return nil
}

// Warning is when the subscribers of a workspace are to be warned that its
// running time will be over; a time far ahead, when they are not to be.
func Warning(w *workspace.Workspace) time.Time {
	if w.Lease.Warn <= 0 || w.Lease.Start.IsZero() || w.Expired || !w.State.OpsEnabled() {
		return never
	}
	return w.Lease.End().Add(-w.Lease.Warn)
}

// Warn tells subscribers that running time will be over soon, once for each end
// that it is given. It looks at the record as it is now.
func (m *Manager) Warn(ctx context.Context, id workspace.ID) error {
	return m.store.Update(ctx, func(tx workspace.Tx) error {
		w, err := tx.Workspace(id)
		if err != nil || w.Gone() || now().Before(Warning(w)) {
			return nil //nolint:nilerr // what is gone needs no warning
		}
		first, err := m.agenda.Warn(tx, w)
		if err != nil || !first {
			return err
		}
		return tx.Emit(workspace.Event{
			Workspace: w.ID, Topic: workspace.TopicWarning, State: w.State, At: now(),
			End: w.Lease.End(),
		})
	})
}
