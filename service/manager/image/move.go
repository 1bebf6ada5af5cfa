package image

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Home is the host that keeps the files of a suspended workspace: of a change
// without an Argument the one on which it is to run.
func Home(r *change.Run) workspace.HostID {
	return cmp.Or(workspace.HostID(r.Change.Argument), r.Workspace.Host)
}

// Move brings disks and memory from the workspace's home to its host, where it
// is to go on. What is at home stays as it is until Leave. The way back removes
// what came; the workspace is then Serialized again, if nothing said that it is
// not.
func (im *Images) Move() change.Handler {
	return change.Handler{Do: im.move, Undo: im.unmove}
}

// Leave removes the files from the home that the workspace has left.
func (im *Images) Leave() change.Handler {
	return change.Handler{Do: im.leave}
}

func (im *Images) move(ctx context.Context, r *change.Run) (change.Commit, error) {
	if r.Workspace == nil || r.Workspace.Host == "" || Home(r) == r.Workspace.Host {
		return nil, nil
	}
	home, to, apart, err := im.ends(r)
	if err != nil {
		return nil, err
	}
	begun, w := time.Now(), r.Workspace
	if err := moveMemory(ctx, home, to, w); err != nil {
		return nil, onHost(to, "move the memory of workspace", w.ID, err)
	}
	if !apart {
		return nil, nil
	}
	for i := range w.Spec.Disks {
		from, _ := Disk(home, w, i)
		path := filepath.Join(to.Dir, filepath.Base(from))
		if to.Inert && os.Link(from, path) == nil {
			continue
		}
		if err := bring(ctx, from, path); err != nil {
			return nil, onHost(to, "move the disks of workspace", w.ID, err)
		}
	}
	im.took.Tell(learn.Migrate, to.ID, sizeOf(to, w)>>20, time.Since(begun))
	return nil, nil
}

// moveMemory gives the host the memory under its own name. Simulated guests
// have none.
func moveMemory(ctx context.Context, home, to *host.Node, w *workspace.Workspace) error {
	if home.Inert {
		return nil
	}
	from, path := home.MemoryPath(w), to.MemoryPath(w)
	_, err := os.Lstat(path)
	if err == nil {
		return nil
	}
	if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
		return workspace.Errorf(workspace.Conflict, "move the memory of workspace", w.ID.String(),
			"host %s keeps it where it cannot be taken from: it can go on there alone", home.ID)
	}
	if os.Link(from, path) == nil { // nobody writes to it
		return syncDir(to.Dir)
	}
	return bring(ctx, from, path)
}

// Spend removes the memory of a guest that has gone on from a copy of it on
// another host with the same disks: they have gone on too.
func Spend(home, to *host.Node, w *workspace.Workspace) error {
	if home.ID == to.ID || Apart(home, to) {
		return nil
	}
	return removeMemory(home, w)
}

// sizeOf is how many bytes the workspace has on the host.
func sizeOf(n *host.Node, w *workspace.Workspace) (sum int64) {
	paths := []string{n.MemoryPath(w)}
	for i := range w.Spec.Disks {
		path, _ := Disk(n, w, i)
		paths = append(paths, path)
	}
	for _, path := range paths {
		if info, err := os.Lstat(path); err == nil {
			sum += onDisk(info)
		}
	}
	return sum
}

func (im *Images) unmove(_ context.Context, r *change.Run) (change.Commit, error) {
	if r.Workspace == nil || r.Workspace.Host == "" {
		return nil, nil
	}
	var commit change.Commit
	if r.Workspace.State == workspace.Starting {
		commit = func(tx workspace.Tx) error {
			_, err := workspace.Move(tx, r.Workspace.ID, workspace.TriggerSerOff, "")
			return err
		}
	}
	if Home(r) == r.Workspace.Host {
		return commit, nil
	}
	_, to, apart, err := im.ends(r)
	if err != nil {
		return nil, err
	}
	if apart {
		return commit, clear(to, r.Workspace)
	}
	return commit, removeMemory(to, r.Workspace)
}

func (im *Images) leave(_ context.Context, r *change.Run) (change.Commit, error) {
	if r.Workspace == nil || r.Workspace.Host == "" || Home(r) == r.Workspace.Host {
		return nil, nil
	}
	home, _, apart, err := im.ends(r)
	if err != nil {
		return nil, err
	}
	if apart {
		return nil, clear(home, r.Workspace)
	}
	return nil, removeMemory(home, r.Workspace)
}

// ends returns home and host of a move, and whether they have directories of
// their own: where they share one, the disks stay.
func (im *Images) ends(r *change.Run) (home, to *host.Node, apart bool, err error) {
	if home, err = im.pool.Node(Home(r)); err != nil {
		return nil, nil, false, err
	}
	to, err = im.pool.Node(r.Workspace.Host)
	return home, to, err == nil && Apart(home, to), err
}

// Apart reports whether hosts have directories of their own.
func Apart(a, b *host.Node) bool {
	x, errA := os.Stat(a.Dir)
	y, errB := os.Stat(b.Dir)
	return errA != nil || errB != nil || !os.SameFile(x, y)
}

// clear removes all that the workspace has on the host.
func clear(n *host.Node, w *workspace.Workspace) error {
	for i := range w.Spec.Disks {
		if err := remove(n.DiskPath(w, i)); err != nil {
			return onHost(n, "remove the disks of workspace", w.ID, err)
		}
	}
	return removeMemory(n, w)
}

// removeMemory removes the host's copy of the memory, a half-made one too.
func removeMemory(n *host.Node, w *workspace.Workspace) error {
	for _, path := range []string{n.MemoryPath(w), n.MemoryPath(w) + partSuffix} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return onHost(n, "remove the memory of workspace", w.ID, err)
		}
	}
	return nil
}

// partSuffix ends the name of a file that is still coming.
var partSuffix = workspace.Leftovers[0]
