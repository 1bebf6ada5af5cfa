package image

import (
	"context"
	"errors"
	"slices"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Propagate brings every disk of the workspace to its host.
func (im *Images) Propagate() change.Handler {
	return change.Handler{Do: im.propagate, Undo: im.discard}
}

// Customise writes the requested files into the root disk. It completes the
// arrival of the image when there are files to write.
func (im *Images) Customise() change.Handler {
	return change.Handler{Do: im.customise}
}

// Return delivers the root disk to the change's target location.
func (im *Images) Return() change.Handler {
	return change.Handler{Do: im.giveBack}
}

// Discard removes everything that the workspace has on its host.
func (im *Images) Discard() change.Handler {
	return change.Handler{Do: im.discard}
}

// Customises reports whether files will be written into the root disk.
func (im *Images) Customises(w *workspace.Workspace) bool {
	n, err := im.pool.Node(w.Host)
	return err == nil && n.Customiser != nil && len(im.files(w)) > 0
}

// files are those to be written into the root disk.
func (im *Images) files(w *workspace.Workspace) []workspace.File {
	if im.extra == nil {
		return w.Spec.Files
	}
	return slices.Concat(w.Spec.Files, im.extra(w))
}

func (im *Images) propagate(ctx context.Context, r *change.Run) (change.Commit, error) {
	w := r.Workspace
	n, err := im.pool.Node(w.Host)
	if err != nil {
		return nil, err
	}
	for i, d := range w.Spec.Disks {
		path := n.DiskPath(w, i)
		if d.Role == workspace.BlankDisk {
			err = n.Access.Blank(ctx, path, d.SizeMB<<20)
			err = onHost(n, "make a blank disk of workspace", w.ID, short(ctx, n, 0, err))
		} else {
			err = im.fetch(ctx, r, n, d, path)
		}
		if err != nil {
			return nil, err
		}
	}
	if im.Customises(w) {
		return nil, nil
	}
	return arrived(w.ID), nil
}

// fetch makes a disk of an image of a repository.
func (im *Images) fetch(
	ctx context.Context, r *change.Run, n *host.Node, d workspace.Disk, path string,
) error {
	t, err := im.transport(d.Location)
	if err != nil {
		return err
	}
	const op = "make the disk of workspace"
	if there, err := made(ctx, n, path); there || err != nil {
		return onHost(n, op, r.Workspace.ID, err) // an earlier try came this far
	}
	w := want{n: n, t: t, location: d.Location, sha256: d.SHA256, path: path,
		progress: r.Progress}
	if w, err = im.look(ctx, w); err != nil {
		return onHost(n, op, r.Workspace.ID, err)
	}
	done, err := im.throughCache(ctx, w)
	if err != nil {
		return onHost(n, op, r.Workspace.ID, im.shortOf(ctx, w, err))
	}
	if done {
		return nil
	}
	info, err := im.bring(ctx, w, path)
	if err == nil && info.Format == "qcow2" {
		err = n.Access.Rename(ctx, path, path+qcow2Suffix)
	}
	return onHost(n, op, r.Workspace.ID, im.shortOf(ctx, w, err))
}

// shortOf is short for an image, of which the repository says how much it needs, unless
// it is packed there.
func (im *Images) shortOf(ctx context.Context, w want, err error) error {
	if workspace.KindOf(err) != workspace.NoResource {
		return err
	}
	info, failed := w.t.Check(context.WithoutCancel(ctx), w.location)
	if failed != nil || info.Format == "" {
		info.Size = 0
	}
	return short(ctx, w.n, info.Size, err)
}

func (im *Images) customise(ctx context.Context, r *change.Run) (change.Commit, error) {
	w := r.Workspace
	n, err := im.pool.Node(w.Host)
	if err != nil {
		return nil, err
	}
	for i, d := range w.Spec.Disks {
		if d.Role != workspace.RootDisk {
			continue
		}
		if err := im.writeInto(ctx, n, w, i); err != nil {
			return nil, onHost(n, "write files into the disk of workspace", w.ID,
				short(ctx, n, 0, err))
		}
	}
	return arrived(w.ID), nil
}

// writeInto writes the workspace's files into its i-th disk. Where the host
// cannot write into a qcow2 disk, it is made a raw one first.
func (im *Images) writeInto(
	ctx context.Context, n *host.Node, w *workspace.Workspace, i int,
) error {
	path, format, err := Disk(ctx, n, w, i)
	if err != nil {
		return err
	}
	err = n.Customiser.Customise(ctx, path, format, im.files(w))
	if format != "qcow2" || !workspace.Lacking(err) {
		return err
	}
	im.log.Info("disk is made raw, to write files into it", "workspace", w.ID, "host", n.ID,
		"error", err)
	raw := n.DiskPath(w, i)
	if err := convert(ctx, n, conversion{path, "qcow2", raw, "raw"}); err != nil {
		return errors.Join(err, n.Access.Remove(context.WithoutCancel(ctx), raw+partSuffix))
	}
	if err := n.Access.Remove(ctx, path); err != nil {
		return err
	}
	return n.Customiser.Customise(ctx, raw, "raw", im.files(w))
}

func (im *Images) discard(ctx context.Context, r *change.Run) (change.Commit, error) {
	if _, err := im.unstage(ctx, r); err != nil {
		return nil, err
	}
	if r.Workspace == nil || r.Workspace.Host == "" {
		return nil, nil
	}
	n, err := im.pool.Node(r.Workspace.Host)
	if err != nil {
		return nil, err
	}
	if err := clear(ctx, n, r.Workspace); err != nil {
		return nil, err
	}
	if n.CacheMB > 0 && !n.Inert {
		im.trim(ctx, n, im.cacheOf(n))
	}
	return nil, nil
}

// arrived is the commit of the last task that prepares the image.
func arrived(id workspace.ID) change.Commit {
	return func(tx workspace.Tx) error {
		_, err := workspace.Move(tx, id, workspace.TriggerArrived, "")
		return err
	}
}
