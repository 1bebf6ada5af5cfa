package fleet

import (
	"context"
	"errors"
	"slices"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Forget gives up everything on a host that an operator knows to be dead: its
// workspaces are Corrupted, and their addresses and leases free for others. The
// host takes nothing more; one that was added is out of the pool, unless leases
// are still promised it. Should the host come back, what was given up is removed
// from it before it is used. Who declares a host dead that is not, runs things
// twice: it is refused (Conflict) as long as the host answers. Other errors:
// Denied, NotFound. It returns the workspaces that were given up.
func (f *Fleet) Forget(
	ctx context.Context, owner workspace.Owner, id workspace.HostID,
) ([]workspace.ID, error) {
	if err := f.permit(forgetOp, owner, id); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.o.Pool.Node(id)
	if err != nil {
		return nil, workspace.Errorf(workspace.NotFound, forgetOp, string(id),
			"the pool has no host of that name")
	}
	var given, others []workspace.ID
	out := false
	err = f.o.Store.Update(ctx, func(tx workspace.Tx) error {
		if n.Reachable() {
			return workspace.Refuse(workspace.Conflict,
				"it answers: nothing on it is lost; drain it and remove it")
		}
		if given, others, err = f.abandon(tx, id); err != nil {
			return err
		}
		if out = f.o.Configured(id) == "" && occupants(tx, id) == ""; out {
			return f.erase(tx, id)
		}
		return nil
	})
	if err != nil {
		return nil, failed(forgetOp, id, err)
	}
	for _, w := range slices.Concat(given, others) {
		f.o.Interrupt(w)
	}
	if out {
		f.release(id)
	}
	f.o.Logger.Warn("host is declared dead, its workspaces are given up", "host", id,
		"owner", owner, "workspaces", len(given))
	return given, nil
}

// abandon gives up every workspace on the host, and lets it take no more.
// Others had moved away from it: what they were still to remove there is forgotten.
func (f *Fleet) abandon(
	tx workspace.Tx, id workspace.HostID,
) (given, others []workspace.ID, err error) {
	dead := workspace.HostMode{Host: id, Drained: true, Comment: "declared dead"}
	r := tx.HostRecord(id)
	if r.Lost.IsZero() {
		return nil, nil, workspace.Refuse(workspace.Conflict,
			"it is out of reach for less than the site's grace: it may be back in a moment")
	}
	for _, w := range tx.AllWorkspaces() {
		if w.Host == id {
			given = append(given, w.ID)
		}
	}
	r.Left = append(r.Left[:len(r.Left):len(r.Left)], given...)
	if err := tx.PutHostRecord(r); err != nil {
		return nil, nil, err
	}
	for _, w := range given {
		if err := f.leftElsewhere(tx, w, id); err != nil {
			return nil, nil, err
		}
		if err := f.giveUp(tx, w, id); err != nil {
			return nil, nil, err
		}
	}
	if others, err = f.unleave(tx, id); err != nil {
		return nil, nil, err
	}
	if err := tx.PutHostMode(dead); err != nil {
		return nil, nil, err
	}
	return given, others, f.o.Agenda.SetHost(tx, dead)
}

// leftElsewhere notes for other hosts what a workspace that is given up has there: it
// was on its way from one to the other.
func (f *Fleet) leftElsewhere(tx workspace.Tx, id workspace.ID, dead workspace.HostID) error {
	for _, h := range tx.Hosts() {
		concerns := func(c *workspace.Change) bool { return c.Concerns(h.ID) }
		if h.ID == dead || !slices.ContainsFunc(tx.ChangesOf(id), concerns) {
			continue
		}
		if err := leave(tx, h.ID, id); err != nil {
			return err
		}
	}
	return nil
}

// leave notes that a host has something of a workspace that nobody needs.
func leave(tx workspace.Tx, at workspace.HostID, id workspace.ID) error {
	r := tx.HostRecord(at)
	if slices.Contains(r.Left, id) {
		return nil
	}
	r.Left = append(r.Left[:len(r.Left):len(r.Left)], id)
	return tx.PutHostRecord(r)
}

// unleave ends the leaving of workspaces that have moved away from a host that is dead:
// their machines are removed there if it should come back. It returns which they are.
func (f *Fleet) unleave(
	tx workspace.Tx, dead workspace.HostID,
) (gone []workspace.ID, err error) {
	for _, w := range tx.AllWorkspaces() {
		for _, c := range tx.ChangesOf(w.ID) {
			course, err := workspace.ParseCourse(c.Argument)
			left := c.Kind == workspace.ChangeMigrate && err == nil && course.From == dead &&
				course.To == w.Host
			if !left {
				continue
			}
			err = errors.Join(leave(tx, dead, w.ID), tx.RemoveChange(c.ID),
				f.o.Agenda.Notice(tx, w.Booking))
			if err != nil {
				return nil, err
			}
			gone = append(gone, w.ID)
		}
	}
	return gone, nil
}

// giveUp takes a workspace off a host that is dead. One that is being destroyed
// has nothing more to remove; another has failed, with all that it held.
func (f *Fleet) giveUp(tx workspace.Tx, id workspace.ID, at workspace.HostID) error {
	old, err := tx.Workspace(id)
	if err != nil {
		return err
	}
	for _, c := range tx.ChangesOf(id) {
		if c.Kind == workspace.ChangeDestroy {
			continue
		}
		if err := tx.RemoveChange(c.ID); err != nil {
			return err
		}
	}
	w := *old
	if _, err := old.State.Next(workspace.TriggerFail); err == nil && !old.Released {
		moved, err := workspace.Move(tx, id, workspace.TriggerFail,
			"its host "+string(at)+" was declared dead, and the workspace with it")
		if err != nil {
			return err
		}
		w = *moved
	}
	w.Host, w.Released = "", true
	if err := tx.PutWorkspace(&w); err != nil {
		return err
	}
	return f.o.Agenda.Notice(tx, w.Booking)
}
