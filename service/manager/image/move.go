package image

import (
	"cmp"
	"context"
	"path/filepath"
	"strings"
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
	home, to, apart, err := im.ends(ctx, r)
	if err != nil {
		return nil, err
	}
	begun, w := time.Now(), r.Workspace
	if err := im.moveMemory(ctx, home, to, w); err != nil {
		return nil, onHost(to, "move the memory of workspace", w.ID,
			short(ctx, to, sizeOf(ctx, home, w), err))
	}
	if !apart {
		return nil, nil
	}
	for i := range w.Spec.Disks {
		if err := im.moveDisk(ctx, r, home, to, i); err != nil {
			return nil, onHost(to, "move the disks of workspace", w.ID,
				short(ctx, to, sizeOf(ctx, home, w), err))
		}
	}
	im.took.Tell(learn.Migrate, to.ID, sizeOf(ctx, to, w)>>20, time.Since(begun))
	return nil, nil
}

// moveDisk gives the host the disk, and before it what the disk stands on.
func (im *Images) moveDisk(
	ctx context.Context, r *change.Run, home, to *host.Node, i int,
) error {
	from, _, err := Disk(ctx, home, r.Workspace, i)
	if err != nil {
		return err
	}
	path := filepath.Join(to.Dir, filepath.Base(from))
	if to.Inert {
		if home.Access.Local() && to.Access.Link(ctx, from, path) == nil {
			return nil
		}
		return im.carry(ctx, cargo{from: home, to: to, path: from, as: path, progress: r.Progress})
	}
	b, based, err := behind(ctx, home, home.DiskPath(r.Workspace, i))
	if err != nil {
		return err
	}
	if !based {
		return im.carry(ctx, cargo{from: home, to: to, path: from, as: path, progress: r.Progress})
	}
	return im.moveClone(ctx, r, clone{base: b, home: home, to: to, from: from, path: path})
}

// A clone is a disk with a base that goes from host to host.
type clone struct {
	base
	home, to   *host.Node
	from, path string // of the disk
}

// moveClone brings the base, from the host's own cache if it is there, then the
// disk, and makes it stand on the one that is there.
func (im *Images) moveClone(ctx context.Context, r *change.Run, c clone) error {
	there, err := exists(ctx, c.to.Access, c.path)
	if there || err != nil {
		return err
	}
	under := filepath.Join(c.to.Dir, filepath.Base(c.base.path))
	if err := im.moveBase(ctx, r, c, under); err != nil {
		return err
	}
	fresh := c.path + cloneSuffix
	if err := c.to.Access.Remove(ctx, fresh); err != nil { // maybe it stands on it already
		return err
	}
	err = im.carry(ctx, cargo{from: c.home, to: c.to, path: c.from, as: fresh,
		progress: r.Progress})
	if err != nil {
		return err
	}
	if strings.HasSuffix(c.path, qcow2Suffix) && under != c.base.path {
		err := c.to.Access.Run(ctx, workspace.Command{Args: []string{"qemu-img", "rebase", "-q",
			"-u", "-f", "qcow2", "-F", c.format, "-b", under, fresh}})
		if err != nil {
			return fullOr(ctx, c.to, err)
		}
	}
	return c.to.Access.Rename(ctx, fresh, c.path)
}

// moveBase gives the host the image that a clone stands on.
func (im *Images) moveBase(ctx context.Context, r *change.Run, c clone, under string) error {
	there, err := exists(ctx, c.to.Access, under)
	if there || err != nil {
		return err
	}
	own := im.cacheOf(c.to)
	own.hold(c.image)
	defer own.leave(c.image, false)
	format, ok, err := own.find(ctx, c.to.Access, c.image)
	if err != nil {
		return err
	}
	if ok && c.to.Access.Link(ctx, own.file(c.image, format), under) == nil {
		return nil
	}
	return im.carry(ctx, cargo{from: c.home, to: c.to, path: c.base.path, as: under,
		fixed: true, progress: r.Progress})
}

// moveMemory gives the host the memory under its own name. Simulated guests
// have none.
func (im *Images) moveMemory(
	ctx context.Context, home, to *host.Node, w *workspace.Workspace,
) error {
	if home.Inert {
		return nil
	}
	from, path := home.MemoryPath(w), to.MemoryPath(w)
	there, err := exists(ctx, to.Access, path)
	if there || err != nil {
		return err
	}
	there, err = exists(ctx, home.Access, from)
	if err != nil {
		return err
	}
	if !there {
		return workspace.Errorf(workspace.Conflict, "move the memory of workspace", w.ID.String(),
			"host %s keeps it where it cannot be taken from: it can go on there alone", home.ID)
	}
	if home.Access.Local() && to.Access.Local() && to.Access.Link(ctx, from, path) == nil {
		return nil // nobody writes to it
	}
	return im.carry(ctx, cargo{from: home, to: to, path: from, as: path})
}

// Spend removes the memory of a guest that has gone on from a copy of it on
// another host with the same disks: they have gone on too.
func Spend(ctx context.Context, home, to *host.Node, w *workspace.Workspace) error {
	if home.ID == to.ID {
		return nil
	}
	apart, err := host.Apart(ctx, home, to, w.ID)
	if apart || err != nil {
		return err
	}
	return removeMemory(ctx, home, w)
}

// sizeOf is how many bytes the workspace has on the host.
func sizeOf(ctx context.Context, n *host.Node, w *workspace.Workspace) (sum int64) {
	paths := []string{n.MemoryPath(w)}
	for i := range w.Spec.Disks {
		if path, _, err := Disk(ctx, n, w, i); err == nil {
			paths = append(paths, path)
		}
	}
	for _, path := range paths {
		if info, err := n.Access.Stat(ctx, path); err == nil {
			sum += info.OnDisk
		}
	}
	return sum
}

func (im *Images) unmove(ctx context.Context, r *change.Run) (change.Commit, error) {
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
	_, to, apart, err := im.ends(ctx, r)
	if err != nil {
		return nil, err
	}
	if apart {
		err = clear(ctx, to, r.Workspace)
	} else {
		err = removeMemory(ctx, to, r.Workspace)
	}
	if err != nil {
		return nil, err
	}
	return commit, nil
}

func (im *Images) leave(ctx context.Context, r *change.Run) (change.Commit, error) {
	if r.Workspace == nil || r.Workspace.Host == "" || Home(r) == r.Workspace.Host {
		return nil, nil
	}
	home, _, apart, err := im.ends(ctx, r)
	if err != nil {
		return nil, err
	}
	if apart {
		return nil, clear(ctx, home, r.Workspace)
	}
	return nil, removeMemory(ctx, home, r.Workspace)
}

// ends returns home and host of a move, and whether they have directories of
// their own: where they share one, the disks stay.
func (im *Images) ends(
	ctx context.Context, r *change.Run,
) (home, to *host.Node, apart bool, err error) {
	if home, err = im.pool.Node(Home(r)); err != nil {
		return nil, nil, false, err
	}
	if to, err = im.pool.Node(r.Workspace.Host); err != nil {
		return nil, nil, false, err
	}
	apart, err = host.Apart(ctx, home, to, r.Workspace.ID)
	return home, to, apart, err
}
