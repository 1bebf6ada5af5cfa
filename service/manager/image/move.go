package image

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/philoxenia/philoxenia/service/change"
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
// what came.
func (im *Images) Move() change.Handler {
	return change.Handler{Do: im.move, Undo: im.unmove}
}

// Leave removes the files from the home that the workspace has left.
func (im *Images) Leave() change.Handler {
	return change.Handler{Do: im.leave}
}

// ends returns home and host of a move; ok is false when there is nothing to
// move, because they are the same or share their directory.
func (im *Images) ends(r *change.Run) (home, to *host.Node, ok bool, err error) {
	if r.Workspace == nil || r.Workspace.Host == "" || Home(r) == r.Workspace.Host {
		return nil, nil, false, nil
	}
	if home, err = im.pool.Node(Home(r)); err != nil {
		return nil, nil, false, err
	}
	if to, err = im.pool.Node(r.Workspace.Host); err != nil {
		return nil, nil, false, err
	}
	return home, to, !sameFile(home.Dir, to.Dir), nil
}

func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

func (im *Images) move(ctx context.Context, r *change.Run) (change.Commit, error) {
	home, to, ok, err := im.ends(r)
	if err != nil || !ok {
		return nil, err
	}
	for _, name := range files(home, r.Workspace) {
		err := bring(ctx, filepath.Join(home.Dir, name), filepath.Join(to.Dir, name))
		if err != nil {
			return nil, onHost(to, "move the files of workspace", r.Workspace.ID, err)
		}
	}
	return nil, nil
}

func (im *Images) unmove(_ context.Context, r *change.Run) (change.Commit, error) {
	_, to, ok, err := im.ends(r)
	if err != nil || !ok {
		return nil, err
	}
	return nil, clear(to, r.Workspace)
}

func (im *Images) leave(_ context.Context, r *change.Run) (change.Commit, error) {
	home, _, ok, err := im.ends(r)
	if err != nil || !ok {
		return nil, err
	}
	return nil, clear(home, r.Workspace)
}

// files are the names of what the workspace has on the host.
func files(n *host.Node, w *workspace.Workspace) []string {
	var names []string
	for i := range w.Spec.Disks {
		path, _ := Disk(n, w, i)
		names = append(names, filepath.Base(path))
	}
	if _, err := os.Lstat(n.MemoryPath(w)); err == nil {
		names = append(names, filepath.Base(n.MemoryPath(w)))
	}
	return names
}

// clear removes all that the workspace has on the host.
func clear(n *host.Node, w *workspace.Workspace) error {
	for i := range w.Spec.Disks {
		if err := remove(n.DiskPath(w, i)); err != nil {
			return onHost(n, "remove the disks of workspace", w.ID, err)
		}
	}
	for _, suffix := range []string{"", partSuffix} {
		err := os.Remove(n.MemoryPath(w) + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return onHost(n, "remove the memory of workspace", w.ID, err)
		}
	}
	return nil
}

// partSuffix ends the name of a file that is still coming.
var partSuffix = workspace.Leftovers[0]
