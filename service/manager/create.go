package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/service/manager/agenda"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Create reserves and records the workspaces of the request, all of them or
// none, and queues their deployment as soon as their lease has its hosts. When
// it returns without error they are durable. A MessageID that the same owner has
// used before gets the first answer again. Errors have kind Invalid, Denied,
// Quota, NoResource (with a *workspace.Refusal), NotFound or Unavailable (image,
// repository).
func (m *Manager) Create(
	ctx context.Context, r workspace.Request,
) (workspace.Created, error) {
	found, err := m.admit(ctx, &r)
	if err != nil {
		return m.answered(ctx, &r, err)
	}
	var created workspace.Created
	err = m.store.Update(ctx, func(tx workspace.Tx) error {
		var err error
		created, err = m.create(tx, &r, found)
		return err
	})
	if err != nil {
		return workspace.Created{}, err
	}
	return created, nil
}

func (m *Manager) create(
	tx workspace.Tx, r *workspace.Request, found workspace.ImageInfo,
) (workspace.Created, error) {
	if r.MessageID != "" {
		if first, ok := tx.Answered(r.Owner, r.MessageID); ok {
			if first.Digest != r.Digest {
				return workspace.Created{}, workspace.Errorf(workspace.Invalid, opCreate,
					r.Spec.Name, "%w", workspace.ErrMessageIDUsed)
			}
			return answerAgain(tx, first)
		}
	}
	if err := m.afford(tx, r); err != nil {
		return workspace.Created{}, err
	}
	b, nics, err := m.reserve(tx, r, found)
	if err != nil {
		return workspace.Created{}, err
	}
	var group workspace.GroupID
	if r.Nodes > 1 {
		group = workspace.GroupID(uuid.NewString())
		g := &workspace.Group{ID: group, Owner: r.Owner, Members: b.Members}
		if err := tx.PutGroup(g); err != nil {
			return workspace.Created{}, err
		}
	}
	for i, id := range b.Members {
		w := m.node(r, b, i)
		w.ID, w.Group, w.NICs = id, group, nics[i]
		if err := tx.PutWorkspace(w); err != nil {
			return workspace.Created{}, err
		}
	}
	if err := m.agenda.Step(tx); err != nil {
		return workspace.Created{}, err
	}
	if r.MessageID != "" {
		answer := workspace.Answer{
			Group: group, Workspaces: b.Members, Digest: r.Digest, At: b.Submitted,
		}
		if err := tx.PutAnswered(r.Owner, r.MessageID, answer); err != nil {
			return workspace.Created{}, err
		}
	}
	return made(tx, group, b.Members)
}

// made returns the workspaces as they are recorded.
func made(
	tx workspace.Tx, group workspace.GroupID, members []workspace.ID,
) (workspace.Created, error) {
	created := workspace.Created{Group: group}
	for _, id := range members {
		w, err := tx.Workspace(id)
		if err != nil {
			return created, err
		}
		created.Workspaces = append(created.Workspaces, w)
	}
	return created, nil
}

// answerAgain gives the first answer to a repeated request. What was destroyed
// since then is left out; when nothing is left the request is a conflict, for
// creating it anew is not what a retry means.
func answerAgain(
	tx workspace.Tx, first workspace.Answer,
) (workspace.Created, error) {
	created := workspace.Created{Group: first.Group}
	for _, id := range first.Workspaces {
		if w, err := tx.Workspace(id); err == nil && !w.Gone() {
			created.Workspaces = append(created.Workspaces, w)
		}
	}
	if len(created.Workspaces) == 0 {
		return created, workspace.Errorf(workspace.Conflict, opCreate, "",
			"this message was answered before and its workspaces have been destroyed since")
	}
	return created, nil
}

// reserve takes addresses for all nodes, and then their lease: what the pool
// lacks is told before what an association lacks.
func (m *Manager) reserve(
	tx workspace.Tx, r *workspace.Request, found workspace.ImageInfo,
) (*workspace.Booking, [][]workspace.NIC, error) {
	if err := acquainted(tx, r); err != nil {
		return nil, nil, err
	}
	d := m.draft(r, found)
	var nics [][]workspace.NIC
	for range r.Nodes {
		of, err := m.allocateAll(tx, r)
		if err != nil {
			d.Booking.ID = tentative
			if sooner := m.agenda.Refuses(tx, d); sooner != nil {
				err = m.turnedDown(r, sooner)
			}
			return nil, nil, err
		}
		nics = append(nics, of)
		d.Booking.Members = append(d.Booking.Members, tx.NextID())
	}
	d.Booking.ID = workspace.LeaseID(d.Booking.Members[0])
	b, err := m.agenda.Submit(tx, d)
	if err != nil {
		return nil, nil, m.turnedDown(r, err)
	}
	return b, nics, m.number(tx, b, nics)
}

// tentative is the number of a lease that is only asked about.
const tentative = workspace.LeaseID(1) << 62

// draft writes the request as the agenda takes it.
func (m *Manager) draft(r *workspace.Request, found workspace.ImageInfo) *agenda.Draft {
	d := &agenda.Draft{
		Booking: workspace.Booking{
			Owner: r.Owner, Terms: r.Terms, Parts: r.Parts, Duration: r.Duration,
			Submitted: now(),
		},
		Grace: m.policy.Grace, VMM: r.Spec.VMM.Type,
	}
	for _, n := range r.Spec.NICs {
		n.Association = m.association(n)
		d.NICs = append(d.NICs, n)
	}
	if !immediate(r) && found.Size > 0 {
		for _, disk := range r.Spec.Disks {
			if disk.Role == workspace.RootDisk {
				d.Booking.Image, d.Booking.ImageMB = disk.Location, (found.Size+1<<20-1)>>20
			}
		}
	}
	return d
}

// immediate reports whether the request is for now or not at all.
func immediate(r *workspace.Request) bool {
	return r.Terms.Kind == "" || r.Terms.Kind == workspace.LeaseImmediate
}

// turnedDown writes the scheduler's refusal as the caller's: where in the request
// the reason lies, and its text.
func (m *Manager) turnedDown(r *workspace.Request, err error) error {
	var refused *agenda.Refused
	if !errors.As(err, &refused) {
		return &workspace.Error{
			Op: opCreate, Kind: workspace.KindOf(err), ID: r.Spec.Name, Err: err,
		}
	}
	if len(refused.Lost) > 0 {
		return workspace.Errorf(workspace.Unavailable, opCreate, r.Spec.Name,
			"what has room is out of reach: %v; try again later", refused.Lost)
	}
	refusal := refused.Refusal
	c := complaint{
		kind: workspace.NoResource, path: atMemory,
		cause: fmt.Errorf("no host has room: %w", refusal),
	}
	switch short := refusal.Shortages[0].Resource; {
	case refusal.Code == "too-soon" && !refusal.Earliest.IsZero():
		c.path, c.cause = atStart, fmt.Errorf("it cannot be started in so short a time; it would "+
			"fit from %s", refusal.Earliest.UTC().Format(time.RFC3339))
	case refusal.Earliest.IsZero() && short == "memory":
		c.cause = fmt.Errorf("%dMB memory request is too large to ever be fulfilled: %w",
			refusal.Shortages[0].Wanted, refusal)
	case short == "nodes":
		c.path = atNodes
	case short == "cpu":
		c.path = atCPUs
	case short == "host":
		c.path, c.hint = atVMM, "ask for a VMM that this site's hosts run, or try again later"
	}
	return refuse(r, c)
}

// node returns the i-th workspace of the request as it is recorded before its
// lease gives it a host.
func (m *Manager) node(r *workspace.Request, b *workspace.Booking, i int) *workspace.Workspace {
	at := b.Submitted
	w := &workspace.Workspace{
		Owner: r.Owner, Spec: r.Spec, Demand: share(b.Parts, i), Initial: r.Initial,
		Booking: b.ID, State: workspace.Unpropagated, Created: at, Changed: at,
		Lease: workspace.Lease{
			Duration: r.Duration, Grace: m.policy.Grace,
			Mechanism: r.Mechanism, SaveTo: r.SaveTo, Warn: cmp.Or(r.Warn, m.policy.Warn),
		},
	}
	w.Lease.Start = begins(b)
	return w
}

// begins is when the running time of an accepted lease counts from, as far as
// that is known then.
func begins(b *workspace.Booking) time.Time {
	switch b.Terms.Kind {
	case workspace.LeaseBestEffort:
		return time.Time{}
	case workspace.LeaseReservation:
		return b.Terms.Start
	case workspace.LeaseDeadline:
		return b.Runs
	}
	return b.From
}

// share returns what the i-th node of the parts has.
func share(parts []workspace.Part, i int) workspace.Allocation {
	for _, p := range parts {
		if i < p.Nodes {
			return p.Demand
		}
		i -= p.Nodes
	}
	return workspace.Allocation{}
}

// allocateAll takes an address for each NIC of a node.
func (m *Manager) allocateAll(tx workspace.Tx, r *workspace.Request) ([]workspace.NIC, error) {
	var nics []workspace.NIC
	for i := range r.Spec.NICs {
		nic, err := m.allocate(tx, r, i)
		if err != nil {
			return nil, err
		}
		nics = append(nics, nic)
	}
	return nics, nil
}

// association returns the network of a NIC; one that names none gets the first.
func (m *Manager) association(n workspace.NIC) string {
	if n.Association == "" && len(m.policy.Associations) > 0 {
		return m.policy.Associations[0]
	}
	return n.Association
}
