package image

import (
	"context"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Precede brings to a host what its hypervisor does not copy along when the
// workspace's guest goes there: disks that nobody writes to; of simulated guests,
// all.
func (im *Images) Precede(
	ctx context.Context, r *change.Run, home, to *host.Node,
) error {
	for i, d := range r.Workspace.Spec.Disks {
		if !to.Inert && !d.ReadOnly {
			continue
		}
		if err := im.moveDisk(ctx, r, home, to, i); err != nil {
			return onHost(to, "move the disks of workspace", r.Workspace.ID,
				short(ctx, to, sizeOf(ctx, home, r.Workspace), err))
		}
	}
	return nil
}

// Clear removes all that the workspace has on a host that it is not on.
func (im *Images) Clear(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	return clear(ctx, n, w)
}
