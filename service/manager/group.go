package manager

import (
	"context"
	"errors"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Group returns the owner's group.
func (m *Manager) Group(
	ctx context.Context, owner workspace.Owner, id workspace.GroupID,
) (*workspace.Group, error) {
	g, err := m.store.Group(ctx, id)
	if err != nil {
		return nil, err
	}
	if g.Owner != owner {
		return nil, unknownGroup(id)
	}
	return g, nil
}

// StartGroup starts each remaining member; the errors of those that could not
// be started are joined, the others start nevertheless.
func (m *Manager) StartGroup(
	ctx context.Context, owner workspace.Owner, id workspace.GroupID,
) error {
	_, err := m.each(ctx, owner, id, func(tx workspace.Tx, w *workspace.Workspace) error {
		return operate(tx, owner, w.ID, order{kind: workspace.ChangeStart})
	})
	return err
}

// ShutdownGroup does one of the shutdown family to each remaining member. The
// target of a save gets "-<key>" appended for each, as the original did.
func (m *Manager) ShutdownGroup(
	ctx context.Context, owner workspace.Owner, id workspace.GroupID,
	kind workspace.ShutdownKind, saveTo string,
) error {
	if kind == workspace.ShutdownTrash {
		return m.DestroyGroup(ctx, owner, id)
	}
	change, err := m.shutdownChange(kind, saveTo, string(id))
	if err != nil {
		return err
	}
	_, err = m.each(ctx, owner, id, func(tx workspace.Tx, w *workspace.Workspace) error {
		target := saveTo
		if change == workspace.ChangeSave {
			if target == "" {
				target = w.SaveTarget()
			}
			target += "-" + w.ID.String()
		}
		return operate(tx, owner, w.ID, order{change, target})
	})
	return err
}

// DestroyGroup destroys each remaining member, and the group with the last.
func (m *Manager) DestroyGroup(
	ctx context.Context, owner workspace.Owner, id workspace.GroupID,
) error {
	members, err := m.each(ctx, owner, id, func(tx workspace.Tx, w *workspace.Workspace) error {
		return m.destroy(tx, w)
	})
	for _, member := range members {
		m.work.Interrupt(member)
	}
	return err
}

// each applies do to the members that are not gone, in one transaction; a
// member's error undoes nothing of the others.
func (m *Manager) each(
	ctx context.Context, owner workspace.Owner, id workspace.GroupID,
	do func(workspace.Tx, *workspace.Workspace) error,
) (members []workspace.ID, err error) {
	var failures []error
	err = m.store.Update(ctx, func(tx workspace.Tx) error {
		g, err := tx.Group(id)
		if err != nil || g.Owner != owner {
			return unknownGroup(id)
		}
		for _, member := range g.Members {
			w, err := tx.Workspace(member)
			if err != nil || w.Gone() {
				continue
			}
			members = append(members, member)
			if err := do(tx, w); err != nil {
				failures = append(failures, err)
			}
		}
		if len(members) == 0 {
			return unknownGroup(id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return members, errors.Join(failures...)
}

// unknownGroup is to groups what unknown is to workspaces.
func unknownGroup(id workspace.GroupID) error {
	return workspace.Errorf(workspace.NotFound, "find the group", string(id),
		"no such group")
}
