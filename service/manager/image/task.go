package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// qcow2Suffix marks a disk file that is a qcow2 image; all others are raw.
// The name is how a later start knows the format without looking inside,
// where a guest may have written anything.
const qcow2Suffix = ".qcow2"

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
	return err == nil && n.Customiser != nil && len(w.Spec.Files) > 0
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
			err = blank(n, w.ID, path, d.SizeMB)
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

func (im *Images) fetch(
	ctx context.Context, r *change.Run, n *host.Node, d workspace.Disk, path string,
) error {
	t, err := im.transport(d.Location)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path + qcow2Suffix); err == nil {
		return nil // an earlier try came this far
	}
	w := want{n, t, d.Location, d.SHA256, path, r.Progress}
	done, err := im.throughCache(ctx, w)
	if done || err != nil {
		return onHost(n, "make the disk of workspace", r.Workspace.ID, err)
	}
	info, err := im.timed(ctx, w, workspace.Fetch{
		Location: d.Location, Path: path, SHA256: d.SHA256, MaxBytes: n.MaxImageMB << 20,
		Sync: !n.Inert, Share: n.Inert, Progress: r.Progress,
	})
	if err != nil || info.Format != "qcow2" {
		return err
	}
	if err := os.Rename(path, path+qcow2Suffix); err != nil {
		return onHost(n, "name the image of workspace", r.Workspace.ID, err)
	}
	return nil
}

// timed fetches, and tells how long that took.
func (im *Images) timed(
	ctx context.Context, w want, f workspace.Fetch,
) (workspace.ImageInfo, error) {
	begun := time.Now()
	info, err := w.t.Fetch(ctx, f)
	if err == nil {
		im.took.Tell(learn.Transfer, w.n.ID, info.Size>>20, time.Since(begun))
	}
	return info, err
}

// blank makes a sparse raw disk. An existing one is left as it is.
func blank(n *host.Node, id workspace.ID, path string, sizeMB int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return onHost(n, "make a blank disk of workspace", id, err)
	}
	err = errors.Join(f.Truncate(sizeMB<<20), f.Close())
	return onHost(n, "make a blank disk of workspace", id, err)
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
		path, format := Disk(n, w, i)
		if err := n.Customiser.Customise(ctx, path, format, w.Spec.Files); err != nil {
			return nil, err
		}
	}
	return arrived(w.ID), nil
}

func (im *Images) giveBack(ctx context.Context, r *change.Run) (change.Commit, error) {
	w := r.Workspace
	n, err := im.pool.Node(w.Host)
	if err != nil {
		return nil, err
	}
	target := r.Change.Argument
	if target == "" {
		target = w.SaveTarget()
	}
	t, err := im.transport(target)
	if err != nil {
		return nil, err
	}
	for i, d := range w.Spec.Disks {
		if d.Role != workspace.RootDisk {
			continue
		}
		path, _ := Disk(n, w, i)
		_, err := t.Deliver(ctx, workspace.Deliver{
			Path: path, Location: target, Progress: r.Progress,
		})
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (im *Images) discard(_ context.Context, r *change.Run) (change.Commit, error) {
	if r.Workspace == nil || r.Workspace.Host == "" {
		return nil, nil
	}
	n, err := im.pool.Node(r.Workspace.Host)
	if err != nil {
		return nil, err
	}
	return nil, clear(n, r.Workspace)
}

// remove removes a disk in either format and what an unfinished transfer left.
func remove(path string) error {
	for _, disk := range []string{path, path + qcow2Suffix} {
		if err := os.Remove(disk); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, suffix := range workspace.Leftovers {
			if err := os.Remove(disk + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// Disk returns the file of the i-th disk and its format.
func Disk(n *host.Node, w *workspace.Workspace, i int) (path, format string) {
	path = n.DiskPath(w, i)
	if _, err := os.Lstat(path + qcow2Suffix); err == nil {
		return path + qcow2Suffix, "qcow2"
	}
	return path, "raw"
}

// arrived is the commit of the last task that prepares the image.
func arrived(id workspace.ID) change.Commit {
	return func(tx workspace.Tx) error {
		_, err := workspace.Move(tx, id, workspace.TriggerArrived, "")
		return err
	}
}

// onHost wraps an error of the host's file system; nil, and what says enough by
// itself, stays as it is.
func onHost(n *host.Node, op string, id workspace.ID, err error) error {
	var known *workspace.Error
	var later *change.Retry
	if err == nil || errors.As(err, &known) || errors.As(err, &later) {
		return err
	}
	kind := workspace.Internal
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		kind = workspace.NoResource
	}
	return &workspace.Error{
		Op: op, Kind: kind, ID: id.String(), Err: fmt.Errorf("host %s: %w", n.ID, err),
	}
}
