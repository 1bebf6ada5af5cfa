package image

import (
	"context"
	"errors"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// look asks the repository about the image, where what it says matters: to this machine
// a transport brings what is there.
func (im *Images) look(ctx context.Context, w want) (want, error) {
	if w.n.Inert || w.n.CacheMB == 0 && w.n.Access.Local() {
		return w, nil
	}
	info, err := w.t.Check(ctx, w.location)
	if err != nil {
		return w, err
	}
	w.name = im.cacheName(w.location, info, w.sha256)
	w.size, w.packed, w.version = info.Size, info.Format == "", info.Version
	if w.sha256 == "" { // else one that was replaced meanwhile is not what was asked for
		w.sha256 = info.SHA256
	}
	return w, nil
}

// throughCache makes the disk of the host's copy of the image, which is
// fetched first when it is not there. done is false when the image is none for
// the cache.
func (im *Images) throughCache(ctx context.Context, w want) (done bool, err error) {
	if w.n.CacheMB == 0 || w.n.Inert || w.name == "" || w.size > w.n.CacheMB<<20 {
		return false, nil
	}
	name := w.name
	c := im.cacheOf(w.n)
	if err := c.enter(name); err != nil {
		return false, err
	}
	brought := false
	defer func() {
		c.leave(name, brought)
		im.trim(ctx, w.n, c)
	}()
	format, there, err := c.find(ctx, w.n.Access, name)
	if err != nil {
		return false, err
	}
	if !there {
		if err := c.fetches(name); err != nil {
			return false, err
		}
		brought = true
		if format, err = im.intoCache(ctx, w, c, name); err != nil {
			return false, err
		}
	}
	h := held{w.location, megabytes(w.size)}
	c.learn(name, h)
	im.tell(c, []held{h}, true)
	return true, c.disk(ctx, w.n, w.path, cached{name, format})
}

// intoCache brings the image: from another host that has it, or else from its
// repository. It is known by its final name once it is there and its format is
// settled.
func (im *Images) intoCache(
	ctx context.Context, w want, c *cache, name string,
) (format string, err error) {
	if err := w.n.Access.MakeDir(ctx, c.dir, 0o700); err != nil {
		return "", err
	}
	w.in = giver{c, name}
	if format, err = im.spread(ctx, w); err != nil {
		return "", errors.Join(err, c.forget(ctx, w.n.Access, name, err))
	}
	return format, nil
}

// forget removes what there is of an image that did not come, unless the next try
// may go on with it.
func (c *cache) forget(ctx context.Context, a workspace.Access, name string, why error) error {
	var later *change.Retry
	kind := workspace.KindOf(why)
	if ctx.Err() != nil || errors.As(why, &later) || kind == workspace.Transient ||
		kind == workspace.Unavailable {
		return nil
	}
	fresh := c.file(name, "") + newSuffix
	gone := []string{fresh}
	for _, suffix := range workspace.Leftovers {
		gone = append(gone, fresh+suffix)
	}
	return a.Remove(ctx, gone...)
}

// settle gives an image that has come its final name.
func (c *cache) settle(ctx context.Context, a workspace.Access, i cached) error {
	fresh := c.file(i.name, "") + newSuffix
	if err := a.Rename(ctx, fresh, c.file(i.name, i.format)); err != nil {
		return err
	}
	c.found(i.name, i.format)
	var rest []string // what a transport notes beside it
	for _, suffix := range workspace.Leftovers {
		rest = append(rest, fresh+suffix)
	}
	return a.Remove(ctx, rest...)
}

// cached is an image of the cache.
type cached struct{ name, format string }

// disk makes a disk of an image, in a moment whatever the size where the host can,
// and notes the use. The disk stands on a name of its own of the image, so that
// it lasts longer than the image's place in the cache.
func (c *cache) disk(ctx context.Context, n *host.Node, path string, i cached) error {
	a, from := n.Access, c.file(i.name, i.format)
	if err := a.Touch(ctx, from); err != nil {
		return err
	}
	under := basePath(path, i.name, i.format)
	err := a.Link(ctx, from, under)
	if workspace.KindOf(err) == workspace.Conflict && err != nil {
		return copied(ctx, a, from, path, i.format)
	}
	if err != nil {
		return err
	}
	if err := a.Remove(ctx, path+cloneSuffix); err != nil {
		return err
	}
	format, err := a.Clone(ctx, under, i.format, path+cloneSuffix)
	if workspace.Lacking(err) {
		err = errors.Join(copied(ctx, a, from, path, i.format), a.Remove(ctx, under))
		return err
	}
	if err != nil {
		return fullOr(ctx, n, err)
	}
	if format == "raw" { // blocks are shared: nothing stands on the image
		if err := a.Remove(ctx, under); err != nil {
			return err
		}
		return a.Rename(ctx, path+cloneSuffix, path)
	}
	return a.Rename(ctx, path+cloneSuffix, path+qcow2Suffix)
}

// copied makes a disk that is a full copy: the host has no other way.
func copied(ctx context.Context, a workspace.Access, from, path, format string) error {
	if format == "qcow2" {
		path += qcow2Suffix
	}
	return a.Copy(ctx, from, path, nil)
}
