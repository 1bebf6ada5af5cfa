package libvirt

import (
	"context"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// sees reports whether the files that we see are the host's for certain.
func (h *Host) sees() bool {
	return h.at.network == "unix" || !h.o.Access.Local()
}

// removeFile removes a file of the host, which may be gone or have no name at all.
func (h *Host) removeFile(ctx context.Context, path string) error {
	if path == "" {
		return nil
	}
	return h.o.Access.Remove(ctx, path)
}

// absent makes no error of a file that is not there.
func absent(err error) error {
	if workspace.KindOf(err) == workspace.NotFound {
		return nil
	}
	return err
}
