package host

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// vigil waits out the grace of a host that does not answer, and marks it.
func (w *Watcher) vigil(ctx context.Context, n *Node) {
	wait := w.grace
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if a := n.Liveness(); a.Answers || now().Sub(a.Since) < w.grace {
			return // another outage has a vigil of its own
		}
		err := w.mark(ctx, n)
		if err == nil {
			return
		}
		w.log.Error("cannot record that a host is lost", "host", n.ID, "error", err)
		wait = lastWait
	}
}

// mark records since when the host is out of reach and tells the subscribers of
// its workspaces. What is on it goes on as far as anybody knows: nothing is
// started elsewhere.
func (w *Watcher) mark(ctx context.Context, n *Node) error {
	return w.store.Update(ctx, func(tx workspace.Tx) error {
		r, a := tx.HostRecord(n.ID), n.Liveness()
		if !r.Lost.IsZero() || a.Answers || !w.pool.Has(n.ID) {
			return nil
		}
		r.Lost, r.LostWhy = a.Since, a.Error
		if err := tx.PutHostRecord(r); err != nil {
			return err
		}
		w.log.Warn("workspaces of a host are marked: it is lost", "host", n.ID,
			"since", r.Lost)
		return tell(tx, n.ID, r.Trouble())
	})
}

// tell tells the subscribers of the workspaces on the host what is wrong, or with
// nothing that it is over.
func tell(tx workspace.Tx, id workspace.HostID, trouble string) error {
	for _, ws := range tx.AllWorkspaces() {
		if ws.Host != id || !ws.Holds() || ws.Gone() {
			continue
		}
		fault := trouble
		if fault == "" {
			fault = ws.Fault
		}
		err := tx.Emit(workspace.Event{
			Workspace: ws.ID, Topic: workspace.TopicState, State: ws.State, Fault: fault, At: now(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// clear removes from a host that is back what was given up on it, before anything
// else is done there: what goes on elsewhere must not run twice.
func (w *Watcher) clear(
	ctx context.Context, n *Node, there map[workspace.ID]workspace.Condition,
) error {
	r, err := w.store.HostRecord(ctx, n.ID)
	if err != nil || len(r.Left) == 0 {
		return err
	}
	for _, id := range r.Left {
		ws, err := w.store.Workspace(ctx, id)
		if err == nil && ws.Host == n.ID {
			continue // it has come back to this host
		}
		apart, err := w.apart(ctx, n, id)
		if err == nil {
			err = remove(ctx, n, id, apart)
		}
		if err == nil {
			err = Sweep(ctx, n, cmp.Or(ws, &workspace.Workspace{ID: id}), apart)
		}
		if err != nil {
			return fmt.Errorf("cannot remove workspace %s, which was given up: %w", id, err)
		}
		if _, was := there[id]; was {
			w.log.Warn("machine of a workspace that was given up is removed", "host", n.ID,
				"workspace", id)
		}
		delete(there, id)
	}
	return w.store.Update(ctx, func(tx workspace.Tx) error {
		now := tx.HostRecord(n.ID)
		if len(now.Left) != len(r.Left) { // more was given up meanwhile
			return workspace.Errorf(workspace.Busy, "clear host", string(n.ID), "once more")
		}
		now.Left = nil
		return tx.PutHostRecord(now)
	})
}

// apart reports whether a workspace has no use for its files on the host: it lives
// nowhere, or on one that has others.
func (w *Watcher) apart(ctx context.Context, n *Node, id workspace.ID) (bool, error) {
	ws, err := w.store.Workspace(ctx, id)
	if err != nil || ws.Host == "" || n.Access == nil {
		return true, nil //nolint:nilerr // it is gone
	}
	at, err := w.pool.Node(ws.Host)
	if err != nil {
		return false, err
	}
	return Apart(ctx, at, n, id)
}

// Sweep removes what a move may have left of a workspace on a host that does not have its
// machine, with files what its console said. Addresses that are others' to have stay.
func Sweep(ctx context.Context, n *Node, w *workspace.Workspace, files bool) error {
	freed := func(nic workspace.NIC) bool { return nic.Freed }
	return n.Sweep(ctx, w.ID, slices.DeleteFunc(slices.Clone(w.NICs), freed), files)
}

// remove removes the machine of a workspace, and its files unless they are needed on
// another host, which shares them.
func remove(ctx context.Context, n *Node, id workspace.ID, files bool) error {
	if err := n.Undefine(ctx, id); err != nil {
		return err
	}
	if n.Access == nil || !files {
		return nil
	}
	list, err := n.Access.List(ctx, n.Dir)
	if err != nil {
		return err
	}
	for _, f := range list {
		name := f.Path[strings.LastIndexByte(f.Path, '/')+1:]
		if !f.Regular || !strings.HasPrefix(name, id.String()+"-") {
			continue
		}
		if err := n.Access.Remove(ctx, f.Path); err != nil {
			return err
		}
	}
	return nil
}

// greet takes the host for one that answers: what it has is noted, the mark of
// its workspaces taken away and their subscribers told.
func (w *Watcher) greet(ctx context.Context, n *Node) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	has, err := n.Deployment.Capacity(ctx)
	if err != nil {
		return err
	}
	version := n.Liveness().Version
	if !n.Liveness().Answers {
		if version, err = n.Version(ctx); err != nil {
			return err
		}
	}
	old, err := w.store.HostRecord(ctx, n.ID)
	if err != nil {
		return err
	}
	if old.Has != has || !old.Lost.IsZero() {
		if err := w.store.Update(ctx, w.back(n, has)); err != nil {
			return err
		}
	}
	if n.answered(version) {
		w.log.Info("host is back", "host", n.ID)
	}
	return nil
}

// back records what a host has that answers.
func (w *Watcher) back(n *Node, has workspace.Capacity) func(workspace.Tx) error {
	return func(tx workspace.Tx) error {
		if !w.pool.Has(n.ID) {
			return nil // it was removed meanwhile
		}
		r := tx.HostRecord(n.ID)
		lost := !r.Lost.IsZero()
		r.Has, r.Lost, r.LostWhy = has, time.Time{}, ""
		if err := tx.PutHostRecord(r); err != nil {
			return err
		}
		if lost {
			if err := tell(tx, n.ID, ""); err != nil {
				return err
			}
		}
		return w.rehost(tx)
	}
}
