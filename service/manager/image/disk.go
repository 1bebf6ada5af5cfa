package image

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// The names of a workspace's files on its host all begin with KEY-N-ROLE, for its
// N-th disk, and go on with what the file is:
//
//	KEY-N-ROLE                   the disk, raw
//	KEY-N-ROLE.qcow2             the disk, qcow2
//	KEY-N-ROLE.base-IMAGE[.qcow2]  another name of the cached image behind it
//	KEY-N-ROLE.flat-CHANGE       the disk as it is brought back to its repository
//	KEY-N-ROLE.clone             a disk that has not got its name yet
//
// and those of workspace.Leftovers, for what is half made.
const (
	// qcow2Suffix marks a disk file that is a qcow2 image; all others are raw.
	// The name is how a later start knows the format without looking inside,
	// where a guest may have written anything.
	qcow2Suffix = ".qcow2"
	baseInfix   = ".base-"
	flatInfix   = ".flat-"
	cloneSuffix = ".clone"
)

// Disk returns the file of the i-th disk and its format.
func Disk(
	ctx context.Context, n *host.Node, w *workspace.Workspace, i int,
) (path, format string, err error) {
	path = n.DiskPath(w, i)
	there, err := exists(ctx, n.Access, path+qcow2Suffix)
	if there {
		return path + qcow2Suffix, "qcow2", nil
	}
	return path, "raw", err
}

// made reports whether the disk is there, in either format.
func made(ctx context.Context, n *host.Node, path string) (bool, error) {
	there, err := exists(ctx, n.Access, path+qcow2Suffix)
	if there || err != nil {
		return there, err
	}
	return exists(ctx, n.Access, path)
}

// exists reports whether there is a file of that name.
func exists(ctx context.Context, a workspace.Access, path string) (bool, error) {
	_, err := a.Stat(ctx, path)
	switch {
	case err == nil:
		return true, nil
	case workspace.KindOf(err) == workspace.NotFound:
		return false, nil
	}
	return false, err
}

// A base is the cached image behind a disk, under a name of the disk's own: it
// stays when the cache drops the image.
type base struct {
	path   string
	image  string // its name in caches
	format string
}

// basePath is the name of the base of a disk.
func basePath(disk, image, format string) string {
	path := disk + baseInfix + image
	if format == "qcow2" {
		path += qcow2Suffix
	}
	return path
}

// baseOf reads a name that basePath made.
func baseOf(path string) (b base, ok bool) {
	_, image, ok := strings.Cut(filepath.Base(path), baseInfix)
	if !ok || isHalf(image) {
		return base{}, false
	}
	image, qcow2 := strings.CutSuffix(image, qcow2Suffix)
	b = base{path, image, "raw"}
	if qcow2 {
		b.format = "qcow2"
	}
	return b, true
}

// isHalf reports whether the name is that of a file that is not ready.
func isHalf(name string) bool {
	return slices.ContainsFunc(workspace.Leftovers, func(suffix string) bool {
		return strings.HasSuffix(name, suffix)
	})
}

// behind finds the base of the disk; ok is false where there is none.
func behind(ctx context.Context, n *host.Node, disk string) (b base, ok bool, err error) {
	list, err := n.Access.List(ctx, n.Dir)
	if err != nil {
		return base{}, false, err
	}
	for _, f := range list {
		if !strings.HasPrefix(f.Path, disk+baseInfix) {
			continue
		}
		if b, ok = baseOf(f.Path); ok {
			return b, true, nil
		}
	}
	return base{}, false, nil
}

// clear removes all that the workspace has on the host.
func clear(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	var gone []string
	for i := range w.Spec.Disks {
		gone = append(gone, plain(n.DiskPath(w, i))...)
	}
	if !n.Inert || !n.Access.Local() { // elsewhere nothing else is ever made
		list, err := n.Access.List(ctx, n.Dir)
		if err != nil {
			return onHost(n, "remove the disks of workspace", w.ID, err)
		}
		gone = disksOf(list, w.ID)
	}
	if err := n.Access.Remove(ctx, gone...); err != nil {
		return onHost(n, "remove the disks of workspace", w.ID, err)
	}
	return removeMemory(ctx, n, w)
}

// plain returns the names that a disk without a base can have.
func plain(disk string) (names []string) {
	for _, path := range []string{disk, disk + qcow2Suffix} {
		names = append(names, path)
		for _, suffix := range workspace.Leftovers {
			names = append(names, path+suffix)
		}
	}
	return names
}

// disksOf picks the files of the workspace's disks: those named KEY-N-. What has
// a base goes before it.
func disksOf(list []workspace.FileStat, id workspace.ID) (paths []string) {
	for _, f := range list {
		rest, ours := strings.CutPrefix(filepath.Base(f.Path), id.String()+"-")
		number, _, ok := strings.Cut(rest, "-")
		if _, err := strconv.Atoi(number); ours && ok && err == nil && !f.Dir {
			paths = append(paths, f.Path)
		}
	}
	slices.SortStableFunc(paths, func(a, b string) int {
		return strings.Count(a, baseInfix) - strings.Count(b, baseInfix)
	})
	return paths
}

// removeMemory removes the host's copy of the memory, a half-made one too.
func removeMemory(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	gone := []string{n.MemoryPath(w)}
	for _, suffix := range workspace.Leftovers {
		gone = append(gone, n.MemoryPath(w)+suffix)
	}
	return onHost(n, "remove the memory of workspace", w.ID, n.Access.Remove(ctx, gone...))
}

// onHost says of an error of a host where it happened; nil, and what is to be
// tried again as it is, stays as it is.
func onHost(n *host.Node, op string, id workspace.ID, err error) error {
	var later *change.Retry
	if err == nil || errors.As(err, &later) {
		return err
	}
	return &workspace.Error{
		Op: op, Kind: workspace.KindOf(err), ID: id.String(),
		Err: fmt.Errorf("host %s: %w", n.ID, err),
	}
}
