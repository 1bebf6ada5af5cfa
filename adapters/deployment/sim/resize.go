package sim

import (
	"context"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Resize gives a machine another shape while it runs.
func (d *deployment) Resize(_ context.Context, id workspace.ID, _ workspace.Shape) error {
	return workspace.Errorf(workspace.Conflict, "resize the machine", id.String(), "not yet")
}
