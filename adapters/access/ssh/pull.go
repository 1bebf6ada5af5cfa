package ssh

import (
	"context"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Pull has the host itself fetch a file.
func (a *Access) Pull(_ context.Context, p workspace.Pull) (workspace.ImageInfo, error) {
	return workspace.ImageInfo{}, failed("pull the image to", p.Path,
		workspace.Refuse(workspace.Unavailable, "hosts do not fetch yet"))
}

// Offer says how other hosts fetch the file.
func (a *Access) Offer(string) (workspace.Source, bool) { return workspace.Source{}, false }
