package manager

import (
	"context"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Use returns what the owner's workspace uses of its host; nil where it is not in
// memory, or its host does not say.
func (m *Manager) Use(
	ctx context.Context, owner workspace.Owner, id workspace.ID,
) (*workspace.Reading, error) {
	w, err := m.Workspace(ctx, owner, id)
	if err != nil || m.reading == nil ||
		w.State != workspace.Running && w.State != workspace.Paused {
		return nil, err
	}
	r, err := m.reading(ctx, w.Host, id)
	if err != nil {
		return nil, nil // a host that is out of reach says nothing
	}
	return r, nil
}
