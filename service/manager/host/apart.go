package host

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Apart reports whether hosts have directories of their own. Between machines
// that is tried out, with a file beside the workspace's disks, which nobody else has who
// tries it out just now: who took a shared directory for two would remove what is used.
func Apart(ctx context.Context, a, b *Node, id workspace.ID) (bool, error) {
	if a.ID == b.ID {
		return false, nil
	}
	if a.Access.Local() && b.Access.Local() {
		x, errA := os.Stat(a.Dir)
		y, errB := os.Stat(b.Dir)
		return errA != nil || errB != nil || !os.SameFile(x, y), nil
	}
	mark, turn := rand.Text(), askers.enter(id)
	defer askers.leave(id, turn)
	name := id.String() + "-0-shared-" + strconv.Itoa(turn)
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

// askers are who tries it out just now. Each has the lowest number that is free, so that a
// daemon finds the file again, and removes it, that one before it left when it was killed.
var askers = turns{taken: map[workspace.ID]map[int]bool{}}

type turns struct {
	mu    sync.Mutex
	taken map[workspace.ID]map[int]bool
}

func (t *turns) enter(id workspace.ID) (turn int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.taken[id][turn] {
		turn++
	}
	if t.taken[id] == nil {
		t.taken[id] = map[int]bool{}
	}
	t.taken[id][turn] = true
	return turn
}

func (t *turns) leave(id workspace.ID, turn int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if delete(t.taken[id], turn); len(t.taken[id]) == 0 {
		delete(t.taken, id)
	}
}
