package image

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// partSuffix ends the name of a file that is still coming.
var partSuffix = workspace.Leftovers[0]

// giveBack delivers the root disk: as a whole, in the format in which its image
// came, though what is on the host may be what differs from that image alone.
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
		path, err := im.whole(ctx, r, n, i)
		if err != nil {
			return nil, onHost(n, "prepare the disk of workspace", w.ID, short(ctx, n, 0, err))
		}
		if err := im.deliver(ctx, r, t, delivery{n, path, target}); err != nil {
			return nil, err
		}
		if strings.Contains(path, flatInfix) {
			if err := n.Access.Remove(ctx, path); err != nil {
				return nil, onHost(n, "remove a copy of the disk of workspace", w.ID, err)
			}
		}
	}
	return nil, nil
}

// whole returns a file that holds all of the i-th disk, and nothing else. It is
// the disk itself unless that has a base: then it is made, once for the change.
func (im *Images) whole(
	ctx context.Context, r *change.Run, n *host.Node, i int,
) (string, error) {
	path, format, err := Disk(ctx, n, r.Workspace, i)
	if err != nil || n.Inert {
		return path, err
	}
	disk := n.DiskPath(r.Workspace, i)
	from, ok, err := behind(ctx, n, disk)
	if err != nil || !ok {
		return path, err
	}
	if format == "raw" && from.format == "raw" {
		return path, nil
	}
	flat := disk + flatInfix + strconv.FormatInt(int64(r.Change.ID), 10)
	if there, err := exists(ctx, n.Access, flat); there || err != nil {
		return flat, err
	}
	if err := stale(ctx, n, disk); err != nil {
		return "", err
	}
	err = convert(ctx, n, conversion{path, format, flat, from.format})
	if err != nil {
		half := n.Access.Remove(context.WithoutCancel(ctx), flat+partSuffix)
		return "", errors.Join(err, half)
	}
	return flat, nil
}

// stale removes what an earlier change made whole: the guest may have written since.
func stale(ctx context.Context, n *host.Node, disk string) error {
	list, err := n.Access.List(ctx, n.Dir)
	if err != nil {
		return err
	}
	var old []string
	for _, f := range list {
		if strings.HasPrefix(f.Path, disk+flatInfix) {
			old = append(old, f.Path)
		}
	}
	return n.Access.Remove(ctx, old...)
}

// A conversion is an image to be made of another.
type conversion struct{ from, format, to, into string }

// convert has the host write an image anew, without what stands behind it, holes
// left out. It appears under its name when it is complete.
func convert(ctx context.Context, n *host.Node, c conversion) error {
	part := c.to + partSuffix
	err := n.Access.Run(ctx, workspace.Command{Args: []string{
		"qemu-img", "convert", "-q", "-f", c.format, "-O", c.into, c.from, part}})
	if err != nil {
		return fullOr(ctx, n, err)
	}
	err = n.Access.Run(ctx, workspace.Command{Args: []string{"sync", part}})
	if err != nil {
		return fullOr(ctx, n, err)
	}
	return n.Access.Rename(ctx, part, c.to)
}

// fullOr says that the disk of the host is full, where that is why a program failed.
func fullOr(ctx context.Context, n *host.Node, err error) error {
	const low = 1 << 20
	text := err.Error()
	if strings.Contains(text, "No space left") || strings.Contains(text, "quota exceeded") {
		return workspace.Refuse(workspace.NoResource, "its disk is full: %w", err)
	}
	free, _, failed := n.Access.Space(context.WithoutCancel(ctx), n.Dir)
	if failed == nil && free < low {
		return workspace.Refuse(workspace.NoResource, "its disk is full: %w", err)
	}
	return err
}

// short says of an error for want of room how much there is on the host, and how much
// was needed where that is known; others stay as they are.
func short(ctx context.Context, n *host.Node, needed int64, err error) error {
	var later *change.Retry
	if err == nil || errors.As(err, &later) || workspace.KindOf(err) != workspace.NoResource {
		return err
	}
	free, _, failed := n.Access.Space(context.WithoutCancel(ctx), n.Dir)
	switch {
	case failed != nil:
		return err
	case needed > 0:
		return workspace.Refuse(workspace.NoResource, "of the %d bytes that are needed, %d are "+
			"free in %s: %w", needed, free, n.Dir, err)
	}
	return workspace.Refuse(workspace.NoResource, "%d bytes are free in %s: %w", free, n.Dir, err)
}

// A delivery is a file of a host on its way to a repository.
type delivery struct {
	n      *host.Node
	path   string
	target string
}

// deliver brings a file of the host to the repository. What is on another
// machine comes to the spool first.
func (im *Images) deliver(
	ctx context.Context, r *change.Run, t workspace.Transport, d delivery,
) error {
	share, leave := im.link.enter()
	defer leave()
	put := workspace.Deliver{
		Path: d.path, Location: d.target, Progress: r.Progress, Rate: share,
	}
	if d.n.Access.Local() {
		_, err := t.Deliver(ctx, put)
		return err
	}
	file, err := d.n.Access.Stat(ctx, d.path)
	if err != nil {
		return onHost(d.n, "return the disk of workspace", r.Workspace.ID, err)
	}
	s, err := im.spool.take(filepath.Base(d.path)+"@"+string(d.n.ID), file.Size)
	if err != nil {
		return err
	}
	defer s.drop()
	if err := s.short(d.n.Access.Get(ctx, d.path, s.path, r.Progress)); err != nil {
		return onHost(d.n, "return the disk of workspace", r.Workspace.ID, err)
	}
	put.Path = s.path
	_, err = t.Deliver(ctx, put)
	return err
}
