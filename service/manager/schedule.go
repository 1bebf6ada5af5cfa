package manager

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/calendar"
	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Plan says what a request would get if it were made now, and refuses it as
// Create would. It touches nothing.
func (m *Manager) Plan(
	ctx context.Context, r workspace.Request,
) (workspace.Proposal, error) {
	found, err := m.admit(ctx, &r)
	if err != nil {
		return workspace.Proposal{}, err
	}
	err = m.store.Update(ctx, func(tx workspace.Tx) error {
		if err := m.afford(tx, &r); err != nil {
			return err
		}
		return acquainted(tx, &r)
	})
	if err != nil {
		return workspace.Proposal{}, err
	}
	p, err := m.agenda.Plan(ctx, m.store, m.draft(&r, found))
	if err != nil {
		return p, m.turnedDown(&r, err)
	}
	return p, nil
}

const resizeOp = "resize workspace"

// Resize gives a live workspace another shape, or says what it could have:
// errors of kind NoResource carry a *workspace.Refusal with offers. It returns
// when the machine has the shape, or has refused it (Conflict, with what could
// be). Other errors: Invalid (a shape that makes no sense), NotFound, Conflict
// (its lease does not run).
func (m *Manager) Resize(
	ctx context.Context, owner workspace.Owner, id workspace.ID, r workspace.Resize,
) (*workspace.Workspace, error) {
	if err := sensible(id, r.Shape); err != nil {
		return nil, err
	}
	var change workspace.ChangeID
	var resized workspace.Workspace
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		old, err := tx.Workspace(id)
		if err != nil || !visible(old, owner) {
			return unknown(id)
		}
		if err := resizable(tx, old); err != nil {
			return err
		}
		resized = *old
		resized.Demand, resized.Changed = reshaped(old.Demand, r.Shape), now()
		if resized.Demand == old.Demand {
			return nil
		}
		if err := m.affordMore(tx, old, &resized); err != nil {
			return declined(resizeOp, id, err)
		}
		meanwhile := resized // what it gives up is its own until the machine has given it
		meanwhile.Demand = larger(old.Demand, resized.Demand)
		if err := m.agenda.Reshape(tx, &meanwhile); err != nil {
			return declined(resizeOp, id, err)
		}
		if r.DryRun {
			return errDry
		}
		resized.Fault = ""
		if err := tx.PutWorkspace(&resized); err != nil {
			return err
		}
		if err := m.agenda.Tell(tx, &resized); err != nil {
			return err
		}
		change, err = queueResize(tx, old)
		return err
	})
	switch {
	case err == errDry: //nolint:errorlint // it is our own, unwrapped
		return &resized, nil
	case err != nil:
		return nil, err
	case change == 0:
		return &resized, nil
	}
	return m.outcome(ctx, owner, id, resizeOp, change)
}

// errDry undoes an update that was made to see whether it could be.
var errDry = fmt.Errorf("this was only asked")

// sensible refuses shapes that no machine can have.
func sensible(id workspace.ID, s workspace.Shape) error {
	for name, n := range map[string]int64{
		"memory": s.MemoryMB, "CPU count": s.CPUs, "CPU percentage": s.CPUPercent,
		"bandwidth in": s.NetInKbps, "bandwidth out": s.NetOutKbps,
	} {
		if n < 0 {
			return workspace.Errorf(workspace.Invalid, resizeOp, id.String(),
				"%d of %s is asked for, expected more than 0", n, name)
		}
	}
	if s == (workspace.Shape{}) {
		return workspace.Errorf(workspace.Invalid, resizeOp, id.String(),
			"nothing is to be changed")
	}
	return nil
}

// resizable says why a workspace cannot have another shape now.
func resizable(tx workspace.Tx, w *workspace.Workspace) error {
	refuse := func(format string, args ...any) error {
		return workspace.Errorf(workspace.Conflict, resizeOp, w.ID.String(), format, args...)
	}
	if b, err := tx.Booking(w.Booking); err == nil && b.Status != workspace.LeaseActive {
		return refuse("its lease is %s", b.Status)
	}
	if !w.OpsEnabled(now()) {
		return refuse("it is %s, and operations are disabled", w.State.Wire())
	}
	if w.State == workspace.Paused && len(tx.ChangesOf(w.ID)) == 0 { // else it may go on first
		return refuse("it is paused: resume it first, or shut it down")
	}
	for _, c := range tx.ChangesOf(w.ID) {
		if c.Kind == workspace.ChangeResize {
			return workspace.Errorf(workspace.Busy, resizeOp, w.ID.String(),
				"another resize is under way")
		}
	}
	return nil
}

// reshaped is the allocation in another shape; zero fields stay.
func reshaped(a workspace.Allocation, s workspace.Shape) workspace.Allocation {
	for _, f := range []struct {
		to   *int64
		from int64
	}{
		{&a.MemoryMB, s.MemoryMB}, {&a.CPUs, s.CPUs}, {&a.CPUPercent, s.CPUPercent},
		{&a.NetInKbps, s.NetInKbps}, {&a.NetOutKbps, s.NetOutKbps},
	} {
		if f.from != 0 {
			*f.to = f.from
		}
	}
	return a
}

// larger is the larger shape of two, by each amount.
func larger(a, b workspace.Allocation) workspace.Allocation {
	a.MemoryMB = max(a.MemoryMB, b.MemoryMB)
	if b.CPUShare() > a.CPUShare() {
		a.CPUs, a.CPUPercent = b.CPUs, b.CPUPercent
	}
	a.NetInKbps = max(a.NetInKbps, b.NetInKbps)
	a.NetOutKbps = max(a.NetOutKbps, b.NetOutKbps)
	return a
}

// queueResize puts the change that makes the machine follow its record.
func queueResize(tx workspace.Tx, old *workspace.Workspace) (workspace.ChangeID, error) {
	return workspace.Queue(tx, workspace.Change{
		Kind: workspace.ChangeResize, Workspace: old.ID,
		Argument: vmm.ShapeText(old.Demand.Shape()),
	})
}

// How often a resize is looked at, and for how long: a host that is out of reach
// is not waited for, the change goes on without.
const (
	glance   = 10 * time.Millisecond
	patience = 10 * time.Second
)

// outcome waits for the end of a change, but not for long, and returns what came of it;
// op says in errors what was asked for.
func (m *Manager) outcome(
	ctx context.Context, owner workspace.Owner, id workspace.ID, op string,
	change workspace.ChangeID,
) (*workspace.Workspace, error) {
	end := time.Now().Add(patience)
	for ctx.Err() == nil && time.Now().Before(end) {
		open, err := m.isOpen(ctx, change)
		if err != nil {
			return nil, err
		}
		if !open {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(glance):
		}
	}
	w, err := m.store.Workspace(ctx, id)
	if err != nil {
		return nil, err
	}
	if !visible(w, owner) {
		return nil, unknown(id)
	}
	if w.Fault != "" {
		return nil, workspace.Errorf(workspace.Conflict, op, id.String(), "%s", w.Fault)
	}
	return w, nil
}

// isOpen reports whether the change has not ended.
func (m *Manager) isOpen(ctx context.Context, id workspace.ChangeID) (bool, error) {
	all, err := m.store.Changes(ctx)
	return slices.ContainsFunc(all, func(c *workspace.Change) bool { return c.ID == id }), err
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
	return m.agenda.Explain(ctx, m.store, w.Booking)
}

// Schedule returns what hosts do, and are to do, between the times, by host and
// time. Other owners' leases have no number, except for operators. A zero until
// means as far as anything is planned.
func (m *Manager) Schedule(
	ctx context.Context, owner workspace.Owner, from, until time.Time,
) ([]workspace.Bar, error) {
	if from.IsZero() {
		from = now()
	}
	if !until.IsZero() && !from.Before(until) {
		return nil, workspace.Errorf(workspace.Invalid, "show the schedule", "",
			"it ends at %s, which is not after its beginning at %s",
			until.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	all := slices.Contains(m.policy.Operators, owner)
	return m.agenda.Schedule(ctx, m.store, from, until, func(of workspace.Owner) bool {
		return all || of == owner
	})
}

const hostOp = "change host"

// SetHost changes what an operator wants of a host: whether it takes new
// leases, and in which windows it gives less than it has. The windows given
// replace those of before. Errors: Denied (not an operator), NotFound (no such
// host), Invalid (a window that makes no sense), Conflict (a window that what
// is promised already does not fit into).
func (m *Manager) SetHost(
	ctx context.Context, owner workspace.Owner, mode workspace.HostMode,
) error {
	if !slices.Contains(m.policy.Operators, owner) {
		return workspace.Errorf(workspace.Denied, hostOp, string(mode.Host),
			"only an operator of this site may")
	}
	for i, w := range mode.Windows {
		if err := calendar.Check(w, now()); err != nil {
			return workspace.Errorf(workspace.KindOf(err), hostOp, string(mode.Host),
				"window %d: %w", i+1, err)
		}
	}
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		if err := tx.PutHostMode(mode); err != nil {
			return err
		}
		return m.agenda.SetHost(tx, mode)
	})
	if err != nil {
		return &workspace.Error{
			Op: hostOp, Kind: workspace.KindOf(err), ID: string(mode.Host), Err: err,
		}
	}
	return nil
}

// HostModes returns what operators want of hosts, by rising host; hosts of
// which nothing was ever asked are not among them.
func (m *Manager) HostModes(ctx context.Context) ([]workspace.HostMode, error) {
	return m.store.HostModes(ctx)
}
