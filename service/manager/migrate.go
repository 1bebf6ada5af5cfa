package manager

import (
	"context"
	"slices"

	"github.com/philoxenia/philoxenia/service/workspace"
)

const migrateOp = "migrate workspace"

// Migrate has a workspace go on on another host: on the one of the name or, where
// that is empty, on one that the scheduler chooses. Its guest goes on meanwhile,
// unless still says that it is to stand still; one that is off moves as files. It
// returns the host as soon as room is held there for it. Errors: Denied (not an
// operator), NotFound, NoResource (no room), Busy, Conflict (its lease does not run,
// or it has snapshots, which would stay behind).
func (m *Manager) Migrate(
	ctx context.Context, owner workspace.Owner, id workspace.ID, to workspace.HostID, still bool,
) (workspace.HostID, error) {
	if !slices.Contains(m.policy.Operators, owner) {
		return "", workspace.Errorf(workspace.Denied, migrateOp, id.String(),
			"only an operator of this site may")
	}
	w, err := m.store.Workspace(ctx, id)
	if err != nil || w.Gone() {
		return "", unknown(id)
	}
	if to == "" || to != w.Host {
		if err := m.unbound(ctx, w); err != nil {
			return "", err
		}
	}
	var found workspace.HostID
	err = m.store.Update(ctx, func(tx workspace.Tx) error {
		w, err := tx.Workspace(id)
		if err != nil || w.Gone() {
			return unknown(id)
		}
		if found = to; to != "" && to == w.Host && !moving(tx, id) {
			return nil
		}
		if len(tx.ChangesOf(id)) > 0 {
			return workspace.Refuse(workspace.Busy, "something else is under way with it")
		}
		found, err = m.agenda.Ship(tx, w, to, still)
		return err
	})
	if err != nil {
		return "", &workspace.Error{
			Op: migrateOp, Kind: workspace.KindOf(err), ID: id.String(), Err: err,
		}
	}
	return found, nil
}

// moving reports whether a move of the workspace is not over, although the record may
// have it at its new host already: the old one is still being cleared.
func moving(tx workspace.Tx, id workspace.ID) bool {
	return slices.ContainsFunc(tx.ChangesOf(id), func(c *workspace.Change) bool {
		return c.Kind == workspace.ChangeMigrate
	})
}

// arrived reports whether the workspace is where the change was to move it.
func arrived(c *workspace.Change, w *workspace.Workspace) bool {
	course, err := workspace.ParseCourse(c.Argument)
	return err == nil && w.Host == course.To
}

// finish has the rest of a move done that failed after its guest had arrived: the host
// that it came from is to be cleared.
func finish(tx workspace.Tx, c *workspace.Change) error {
	_, err := workspace.Queue(tx, workspace.Change{
		Kind: c.Kind, Workspace: c.Workspace, Argument: c.Argument})
	return err
}

// unbound refuses to move what has snapshots: they lie where it is.
func (m *Manager) unbound(ctx context.Context, w *workspace.Workspace) error {
	if m.kept == nil || w.Host == "" {
		return nil
	}
	all, err := m.snapshots(ctx, w)
	switch {
	case workspace.KindOf(err) == workspace.NotFound:
		return nil
	case err != nil:
		return err
	case len(all) > 0:
		return workspace.Errorf(workspace.Conflict, migrateOp, w.ID.String(),
			"it has snapshots (%d) on host %s, which would be lost: delete them first",
			len(all), w.Host)
	}
	return nil
}

// snapshots asks the workspace's host.
func (m *Manager) snapshots(
	ctx context.Context, w *workspace.Workspace,
) ([]workspace.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return m.kept(ctx, w.Host, w.ID)
}
