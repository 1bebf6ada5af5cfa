package manager

import (
	"context"
	"net/netip"
	"slices"

	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	opHold    = "hold the addresses"
	opRelease = "release the address"
)

// Networks returns the associations with what of their addresses is taken. Who
// is no operator sees his own leases, and no comments of holds.
func (m *Manager) Networks(
	ctx context.Context, owner workspace.Owner,
) (all []workspace.NetworkUse, err error) {
	err = m.store.Update(ctx, func(tx workspace.Tx) error {
		all = tx.Networks()
		return nil
	})
	if err != nil || slices.Contains(m.policy.Operators, owner) {
		return all, err
	}
	for i := range all {
		all[i].Holds = nil
		all[i].Leases = slices.DeleteFunc(all[i].Leases, func(l workspace.AddressLease) bool {
			return l.Owner != owner
		})
	}
	return all, nil
}

// Hold keeps addresses from being leased, for an operator. Those in use stay
// with their workspaces, and are held from then on. Without an association it is
// the first that has such addresses. Errors: Denied (no operator), Invalid (no
// addresses, no comment), NotFound (none of the site's), Conflict (held already).
func (m *Manager) Hold(
	ctx context.Context, owner workspace.Owner, h workspace.Hold,
) (workspace.Hold, error) {
	if err := m.operates(owner, opHold, h.First); err != nil {
		return h, err
	}
	first, err1 := netip.ParseAddr(h.First)
	last, err2 := netip.ParseAddr(h.Last)
	if err1 != nil || err2 != nil || !first.Is4() || !last.Is4() || last.Less(first) {
		return h, workspace.Errorf(workspace.Invalid, opHold, h.First,
			"expected IPv4 addresses in order, not %q and %q", h.First, h.Last)
	}
	if h.Comment == "" {
		return h, workspace.Errorf(workspace.Invalid, opHold, h.First,
			"nobody says why; give a comment")
	}
	h.By, h.Since = owner, now()
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		return inNetwork(tx, h.Association, func(name string) error {
			h.Association = name
			return tx.PutHold(h)
		})
	})
	return h, err
}

// Release ends the hold that covers the address, for an operator: all of it. It
// returns what was held. Errors: Denied, NotFound (it is not on hold).
func (m *Manager) Release(
	ctx context.Context, owner workspace.Owner, association, ip string,
) (was workspace.Hold, err error) {
	if err := m.operates(owner, opRelease, ip); err != nil {
		return was, err
	}
	err = m.store.Update(ctx, func(tx workspace.Tx) error {
		return inNetwork(tx, association, func(name string) (err error) {
			was, err = tx.RemoveHold(name, ip)
			return err
		})
	})
	return was, err
}

// Replace returns what gives a workspace another address for its i-th NIC, because
// somebody on the wire has it: that one is held with the comment.
func Replace(
	store workspace.Store,
) func(ctx context.Context, id workspace.ID, i int, comment string) error {
	return func(ctx context.Context, id workspace.ID, i int, comment string) error {
		return store.Update(ctx, func(tx workspace.Tx) error {
			w, err := tx.Workspace(id)
			if err != nil || i >= len(w.NICs) || w.Gone() {
				return err
			}
			nics := slices.Clone(w.NICs)
			old := nics[i]
			err = tx.PutHold(workspace.Hold{Association: old.Association, First: old.IP,
				Last: old.IP, Comment: comment, Since: now()})
			if err != nil && workspace.KindOf(err) != workspace.Conflict { // an operator's hold
				return err
			}
			nics[i].Address, nics[i].MAC, err = tx.TakeAddress(old.Association)
			if err != nil {
				return err
			}
			return tx.PutNICs(id, nics)
		})
	}
}

// operates refuses who is no operator.
func (m *Manager) operates(owner workspace.Owner, op, what string) error {
	if slices.Contains(m.policy.Operators, owner) {
		return nil
	}
	return workspace.Errorf(workspace.Denied, op, what, "only an operator of this site may")
}

// inNetwork does something in the association, or in the first in which it
// finds what it is about.
func inNetwork(tx workspace.Tx, association string, do func(name string) error) error {
	if association != "" {
		return do(association)
	}
	var err error
	for _, n := range tx.Networks() {
		if err = do(n.Name); err == nil || workspace.KindOf(err) != workspace.NotFound {
			return err
		}
	}
	return err
}
