package local

import (
	"context"
	"os"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Put copies a file of this machine to another place of it. A file that is
// there with the size and the time of from is taken to be it; any other is replaced.
func (Access) Put(ctx context.Context, from, to string, p workspace.Progress) error {
	return failed("put the image at", to, move(ctx, from, to, p))
}

// Get is Put: this machine is the host.
func (Access) Get(ctx context.Context, from, to string, p workspace.Progress) error {
	return failed("get the image to", to, move(ctx, from, to, p))
}

func move(ctx context.Context, from, to string, p workspace.Progress) error {
	if err := checked(from, to); err != nil {
		return err
	}
	stat, err := os.Lstat(from)
	if err == nil {
		err = transfer.Regular(stat)
	}
	if err != nil || transfer.Landed(transfer.Host{}, to, stat.Size(), stat.ModTime()) {
		return err
	}
	return duplicate(ctx, from, to, p)
}

// Pull is refused: the transports of this machine fetch straight to the path.
func (Access) Pull(_ context.Context, p workspace.Pull) (workspace.ImageInfo, error) {
	return workspace.ImageInfo{}, failed("pull the image to", p.Path,
		workspace.Refuse(workspace.Unavailable, "this machine fetches by its transports"))
}

// Offer says that other hosts cannot fetch from here.
func (Access) Offer(string) (workspace.Source, bool) { return workspace.Source{}, false }
