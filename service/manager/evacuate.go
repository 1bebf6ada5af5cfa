package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/philoxenia/philoxenia/service/workspace"
)

const evacuateOp = "evacuate host"

// Evacuate has every workspace on a drained host move to others, as Migrate does
// with one, and returns what becomes of each: those that are on their way, and those
// that are not and why. Asked again it tells of those that are there still, and tries
// again what did not move. Errors: Denied (not an operator), NotFound (no such host),
// Conflict (the host takes new leases).
func (m *Manager) Evacuate(
	ctx context.Context, owner workspace.Owner, id workspace.HostID,
) ([]workspace.Departure, error) {
	if !slices.Contains(m.policy.Operators, owner) {
		return nil, workspace.Errorf(workspace.Denied, evacuateOp, string(id),
			"only an operator of this site may")
	}
	on, err := m.occupants(ctx, id)
	if err != nil {
		return nil, &workspace.Error{
			Op: evacuateOp, Kind: workspace.KindOf(err), ID: string(id), Err: err,
		}
	}
	all := make([]workspace.Departure, 0, len(on))
	for _, w := range on {
		d := m.depart(ctx, owner, w)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if d.Workspace != 0 {
			all = append(all, d)
		}
	}
	return all, nil
}

// occupants returns what is on a drained host.
func (m *Manager) occupants(
	ctx context.Context, id workspace.HostID,
) (on []workspace.ID, err error) {
	err = m.store.Update(ctx, func(tx workspace.Tx) error {
		on = nil
		hosts, err := m.store.Hosts(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(hosts, func(h workspace.HostUse) bool { return h.ID == id }) {
			return workspace.Refuse(workspace.NotFound, "the pool has no host of that name")
		}
		modes, err := m.store.HostModes(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(modes, func(h workspace.HostMode) bool {
			return h.Host == id && h.Drained
		}) {
			return workspace.Refuse(workspace.Conflict, "it takes new leases: drain it first")
		}
		for _, w := range tx.AllWorkspaces() {
			if w.Host == id {
				on = append(on, w.ID)
			}
		}
		return nil
	})
	return on, err
}

// depart has one workspace leave its host. The departure of one that is gone
// meanwhile is zero.
func (m *Manager) depart(
	ctx context.Context, owner workspace.Owner, id workspace.ID,
) workspace.Departure {
	d, settled := m.underWay(ctx, id)
	if settled {
		return d
	}
	d = workspace.Departure{Workspace: id, Fate: workspace.FateMoves}
	to, err := m.Migrate(ctx, owner, id, "", false)
	if err == nil {
		d.To = to
		return d
	}
	d.Fate, d.Why = workspace.FateStays, reason(err)
	if workspace.KindOf(err) == workspace.Busy {
		d.Fate = workspace.FateWaits
	}
	return d
}

// underWay reports that nothing needs to be asked for, and why.
func (m *Manager) underWay(
	ctx context.Context, id workspace.ID,
) (d workspace.Departure, settled bool) {
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		w, err := tx.Workspace(id)
		if err != nil {
			d, settled = workspace.Departure{}, true
			return nil //nolint:nilerr // it is gone
		}
		d, settled = workspace.Departure{Workspace: id, Fate: workspace.FateWaits}, true
		for _, c := range tx.ChangesOf(id) {
			if to := c.Elsewhere(w.Host); to != "" {
				d.Fate, d.To = workspace.FateMoves, to
				return nil
			}
			d.Why = fmt.Sprintf("its %s is under way", c.Kind)
		}
		if d.Why != "" {
			return nil
		}
		b, err := tx.Booking(w.Booking)
		if err == nil && b.Status == workspace.LeaseOver {
			d.Fate, d.Why = workspace.FateStays, "its running time is over; it goes when it is "+
				"destroyed, at the latest by its termination"
			return nil
		}
		settled = false
		return nil
	})
	if err != nil {
		return workspace.Departure{Workspace: id, Fate: workspace.FateWaits, Why: err.Error()}, true
	}
	return d, settled
}

// reason is the text of an error without what was asked for.
func reason(err error) string {
	if e, ok := errors.AsType[*workspace.Error](err); ok && e.Err != nil {
		return e.Err.Error()
	}
	return err.Error()
}
