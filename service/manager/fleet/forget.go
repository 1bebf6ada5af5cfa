package fleet

import (
	"context"

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
	var given []workspace.ID
	out := false
	err = f.o.Store.Update(ctx, func(tx workspace.Tx) error {
		if n.Reachable() {
			return workspace.Refuse(workspace.Conflict,
				"it answers: nothing on it is lost; drain it and remove it")
		}
		if given, err = f.abandon(tx, id); err != nil {
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
	for _, w := range given {
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
func (f *Fleet) abandon(tx workspace.Tx, id workspace.HostID) ([]workspace.ID, error) {
	dead := workspace.HostMode{Host: id, Drained: true, Comment: "declared dead"}
	r := tx.HostRecord(id)
	if r.Lost.IsZero() {
		return nil, workspace.Refuse(workspace.Conflict,
			"it is out of reach for less than the site's grace: it may be back in a moment")
	}
	var given []workspace.ID
	for _, w := range tx.AllWorkspaces() {
		if w.Host == id {
			given = append(given, w.ID)
		}
	}
	r.Left = append(r.Left[:len(r.Left):len(r.Left)], given...)
	if err := tx.PutHostRecord(r); err != nil {
		return nil, err
	}
	for _, w := range given {
		if err := f.giveUp(tx, w, id); err != nil {
			return nil, err
		}
	}
	if err := tx.PutHostMode(dead); err != nil {
		return nil, err
	}
	return given, f.o.Agenda.SetHost(tx, dead)
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
