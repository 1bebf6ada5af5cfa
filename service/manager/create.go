package manager

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/service/lease"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Create reserves and records the workspaces of the request, all of them or
// none, and queues their deployment. When it returns without error they are
// durable. A MessageID that the same owner has used before gets the first
// answer again. Errors have kind Invalid, Denied, NoResource (with a
// *workspace.Refusal), NotFound or Unavailable (image, repository).
func (m *Manager) Create(
	ctx context.Context, r workspace.Request,
) (workspace.Created, error) {
	if err := m.admit(ctx, &r); err != nil {
		return workspace.Created{}, err
	}
	var created workspace.Created
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		var err error
		created, err = m.create(tx, &r)
		return err
	})
	if err != nil {
		return workspace.Created{}, err
	}
	return created, nil
}

func (m *Manager) create(tx workspace.Tx, r *workspace.Request) (workspace.Created, error) {
	if r.MessageID != "" {
		if first, ok := tx.Answered(r.Owner, r.MessageID); ok {
			if first.Digest != r.Digest {
				return workspace.Created{}, workspace.Errorf(workspace.Invalid, opCreate,
					r.Spec.Name, "%w", workspace.ErrMessageIDUsed)
			}
			return answerAgain(tx, first)
		}
	}
	hosts, err := m.place(tx, r)
	if err != nil {
		return workspace.Created{}, err
	}
	var created workspace.Created
	if r.Nodes > 1 {
		created.Group = workspace.GroupID(uuid.NewString())
	}
	seat := seat{group: created.Group, at: now()}
	answer := workspace.Answer{Group: created.Group, Digest: r.Digest, At: seat.at}
	for _, seat.host = range hosts {
		w, err := m.record(tx, r, seat)
		if err != nil {
			return workspace.Created{}, err
		}
		created.Workspaces = append(created.Workspaces, w)
		answer.Workspaces = append(answer.Workspaces, w.ID)
	}
	if created.Group != "" {
		g := &workspace.Group{ID: created.Group, Owner: r.Owner, Members: answer.Workspaces}
		if err := tx.PutGroup(g); err != nil {
			return workspace.Created{}, err
		}
	}
	if r.MessageID == "" {
		return created, nil
	}
	return created, tx.PutAnswered(r.Owner, r.MessageID, answer)
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

// place asks the scheduler, and for its reasons when it refuses.
func (m *Manager) place(tx workspace.Tx, r *workspace.Request) ([]workspace.HostID, error) {
	want := lease.Request{
		Nodes: r.Nodes,
		Need:  workspace.Capacity{CPUs: r.Demand.CPUs, MemoryMB: r.Demand.MemoryMB},
		VMMs:  m.hostKinds(r),
	}
	for _, n := range r.Spec.NICs {
		want.Associations = append(want.Associations, m.association(n))
	}
	hosts := tx.Hosts()
	lost := m.leaveOut(hosts)
	if placed, ok := lease.Place(hosts, want); ok {
		return placed, nil
	}
	if len(lost) > 0 {
		if _, ok := lease.Place(tx.Hosts(), want); ok {
			return nil, workspace.Errorf(workspace.Unavailable, opCreate, r.Spec.Name,
				"what has room is out of reach: %v; try again later", lost)
		}
	}
	refusal := lease.Explain(hosts, holds(tx), want)
	c := complaint{
		kind: workspace.NoResource, path: atMemory,
		cause: fmt.Errorf("no host has room: %w", refusal),
	}
	switch short := refusal.Shortages[0].Resource; {
	case refusal.Earliest.IsZero() && short == "memory":
		c.cause = fmt.Errorf("%dMB memory request is too large to ever be fulfilled: %w",
			r.Demand.MemoryMB, refusal)
	case short == "nodes":
		c.path = atNodes
	case short == "cpu":
		c.path = atCPUs
	case short == "host":
		c.path, c.hint = atVMM, "ask for a VMM that this site's hosts run, or try again later"
	}
	return nil, refuse(r, c)
}

// leaveOut marks hosts that do not answer as taking nothing, and names them.
func (m *Manager) leaveOut(hosts []workspace.HostUse) (lost []workspace.HostID) {
	for i := range hosts {
		if hosts[i].Active && !m.reachable(hosts[i].ID) {
			hosts[i].Active = false
			lost = append(lost, hosts[i].ID)
		}
	}
	return lost
}

// holds lists what is taken and until when, for the scheduler's explanation.
func holds(tx workspace.Tx) []lease.Hold {
	var all []lease.Hold
	for _, w := range tx.AllWorkspaces() {
		if w.Holds() {
			all = append(all, lease.Hold{
				Host: w.Host, Until: w.Lease.Termination(),
				Need: workspace.Capacity{CPUs: w.Demand.CPUs, MemoryMB: w.Demand.MemoryMB},
			})
		}
	}
	return all
}

// A seat is where and when one node of a request begins.
type seat struct {
	host  workspace.HostID
	group workspace.GroupID
	at    time.Time
}

// record writes one node of the request: its reservation, its addresses and
// the change that will deploy it. Reserving and allocating are the first two
// tasks of that change; they happen here, in the deciding transaction.
func (m *Manager) record(
	tx workspace.Tx, r *workspace.Request, s seat,
) (*workspace.Workspace, error) {
	w := &workspace.Workspace{
		ID: tx.NextID(), Group: s.group, Owner: r.Owner,
		Spec: r.Spec, Demand: r.Demand, Initial: r.Initial,
		Lease: workspace.Lease{
			Start: s.at, Duration: r.Duration, Grace: m.policy.Grace,
			Mechanism: r.Mechanism, SaveTo: r.SaveTo,
		},
		Host: s.host, State: workspace.Unpropagated,
		Created: s.at, Changed: s.at,
	}
	for i := range r.Spec.NICs {
		nic, err := m.allocate(tx, r, i)
		if err != nil {
			return nil, err
		}
		w.NICs = append(w.NICs, nic)
	}
	if w.Initial != workspace.Unpropagated {
		w.State = workspace.Propagating
		err := tx.PutChange(&workspace.Change{
			ID: tx.NextChangeID(), Kind: workspace.ChangeDeploy, Workspace: w.ID,
			Status: workspace.ChangeDoing, Step: FirstDeployTask, Created: s.at,
		})
		if err != nil {
			return nil, err
		}
	}
	return w, tx.PutWorkspace(w)
}

// allocate takes an address for the i-th NIC.
func (m *Manager) allocate(
	tx workspace.Tx, r *workspace.Request, i int,
) (workspace.NIC, error) {
	nic := r.Spec.NICs[i]
	nic.Association = m.association(nic)
	address, mac, err := tx.TakeAddress(nic.Association)
	if err != nil {
		return nic, refuse(r, complaint{
			kind: workspace.KindOf(err), path: fmt.Sprintf(atNIC, i+1, "association"), cause: err,
		})
	}
	nic.Address, nic.MAC = address, mac
	return nic, nil
}

// association returns the network of a NIC; one that names none gets the first.
func (m *Manager) association(n workspace.NIC) string {
	if n.Association == "" && len(m.policy.Associations) > 0 {
		return m.policy.Associations[0]
	}
	return n.Association
}
