package host

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Apart reports whether hosts have directories of their own. Between machines
// that is tried out, with a file beside the workspace's disks: who took a shared directory
// for two would remove what is used.
func Apart(ctx context.Context, a, b *Node, id workspace.ID) (bool, error) {
	if a.ID == b.ID {
		return false, nil
	}
	if a.Access.Local() && b.Access.Local() {
		x, errA := os.Stat(a.Dir)
		y, errB := os.Stat(b.Dir)
		return errA != nil || errB != nil || !os.SameFile(x, y), nil
	}
	done, err := asking.enter(ctx, id)
	if err != nil {
		return false, err
	}
	defer done()
	mark, name := rand.Text(), id.String()+"-0-shared"
	path := filepath.Join(a.Dir, name)
	if err := a.Access.Write(ctx, path, []byte(mark), 0o600); err != nil {
		return false, err
	}
	seen, err := b.Access.Read(ctx, filepath.Join(b.Dir, name), int64(len(mark)))
	if workspace.KindOf(err) == workspace.NotFound {
		err = nil
	}
	return string(seen) != mark, errors.Join(err, a.Access.Remove(ctx, path))
}

// asking are the workspaces for which it is tried out just now, one at a time: so there is one
// file for each, which a daemon that was killed leaves to the next that asks, or destroys.
var asking = turns{busy: map[workspace.ID]chan struct{}{}}

type turns struct {
	mu   sync.Mutex
	busy map[workspace.ID]chan struct{} // closed at the end of the turn
}

// enter waits for the workspace's turn, and returns what ends it. The error is of kind
// Unavailable: ctx ended while somebody waited for a host.
func (t *turns) enter(ctx context.Context, id workspace.ID) (done func(), err error) {
	for {
		end := make(chan struct{})
		before := t.take(id, end)
		if before == nil {
			return func() { t.leave(id, end) }, nil
		}
		select {
		case <-before:
		case <-ctx.Done():
			return nil, &workspace.Error{Op: "compare the directories of hosts",
				Kind: workspace.Unavailable, ID: id.String(), Err: ctx.Err()}
		}
	}
}

// take makes it the turn of who ends it by end, or returns the end of whose turn it is.
func (t *turns) take(id workspace.ID, end chan struct{}) (before <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.busy[id]; now != nil {
		return now
	}
	t.busy[id] = end
	return nil
}

func (t *turns) leave(id workspace.ID, end chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.busy, id)
	close(end)
}
