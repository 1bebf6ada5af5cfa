package manager

import (
	"context"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Plan says what a request would get if it were made now, and refuses it as
// Create would. It touches nothing.
func (m *Manager) Plan(
	ctx context.Context, r workspace.Request,
) (workspace.Proposal, error) {
	if err := m.admit(ctx, &r); err != nil {
		return workspace.Proposal{}, err
	}
	return workspace.Proposal{
		Status: workspace.LeaseActive, Start: now(), End: now().Add(r.Duration),
	}, nil
}

// Resize gives a live workspace another shape, or says what it could have:
// errors of kind NoResource carry a *workspace.Refusal with offers. Other
// errors: Invalid (a shape that makes no sense), NotFound, Conflict (it is not
// up, or its lease is over), Denied (beyond what the site gives).
func (m *Manager) Resize(
	ctx context.Context, owner workspace.Owner, id workspace.ID, r workspace.Resize,
) (*workspace.Workspace, error) {
	return m.Workspace(ctx, owner, id)
}

// Explain says why the workspace's lease waits: nil, when it does not; and how
// it stands with the scheduler: nil, when it has no booking.
func (m *Manager) Explain(
	ctx context.Context, owner workspace.Owner, id workspace.ID,
) (*workspace.Refusal, *workspace.Booking, error) {
	w, err := m.Workspace(ctx, owner, id)
	if err != nil {
		return nil, nil, err
	}
	b, err := m.store.Booking(ctx, w.Booking)
	if workspace.KindOf(err) == workspace.NotFound {
		return nil, nil, nil
	}
	return nil, b, err
}

// Schedule returns what hosts do, and are to do, between the times, by host and
// time. Other owners' leases have no number, except for operators. A zero until
// means as far as anything is planned.
func (m *Manager) Schedule(
	ctx context.Context, owner workspace.Owner, from, until time.Time,
) ([]workspace.Bar, error) {
	if !until.IsZero() && !from.Before(until) {
		return nil, workspace.Errorf(workspace.Invalid, "show the schedule", "",
			"it ends at %s, which is not after its beginning at %s",
			until.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	return nil, nil
}

// SetHost changes what an operator wants of a host: whether it takes new
// leases, and in which windows it gives less than it has. The windows given
// replace those of before. Errors: Denied (not an operator), NotFound (no such
// host), Invalid (a window that makes no sense), Conflict (a window that what
// is promised already does not fit into).
func (m *Manager) SetHost(
	ctx context.Context, owner workspace.Owner, mode workspace.HostMode,
) error {
	if !slices.Contains(m.policy.Operators, owner) {
		return workspace.Errorf(workspace.Denied, "change the host", string(mode.Host),
			"only an operator of this site may")
	}
	return m.store.Update(ctx, func(tx workspace.Tx) error { return tx.PutHostMode(mode) })
}

// HostModes returns what operators want of hosts, by rising host; hosts of
// which nothing was ever asked are not among them.
func (m *Manager) HostModes(ctx context.Context) ([]workspace.HostMode, error) {
	return m.store.HostModes(ctx)
}
