package image

import (
	"context"
	"errors"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A want is a disk that is to be made of an image of a repository.
type want struct {
	n        *host.Node
	t        workspace.Transport
	location string
	sha256   string // that it must have; empty: what the repository says
	size     int64  // as the repository says; 0: not known
	name     string // in caches; empty: it is none for them
	version  string // as the repository says
	packed   bool   // size and checksum are of the file in the repository alone
	path     string // of the disk
	in       giver  // the cache to which it comes first, if to any, and its name there
	progress workspace.Progress
	rate     workspace.Rate // of the repository's link; nil: all of it
}

// bring fetches the image from its repository to the path on the host, and
// tells how long that took. To this machine it comes straight; another one
// fetches it itself, and where it cannot, the image passes through the spool.
func (im *Images) bring(
	ctx context.Context, w want, path string,
) (info workspace.ImageInfo, err error) {
	begun := time.Now()
	var leave func()
	w.rate, leave = im.link.enter()
	defer leave()
	switch {
	case w.n.Access.Local():
		info, err = w.t.Fetch(ctx, w.fetch(path))
	default:
		info, err = im.bringFar(ctx, w, path)
	}
	if err == nil {
		err = w.same(ctx, path)
	}
	if err == nil {
		im.took.Tell(learn.Transfer, w.n.ID, info.Size>>20, time.Since(begun))
	}
	return info, err
}

// same makes sure that an image of which no checksum is known is the one that it was
// before it was fetched: programs of hosts may have read half of one and half of
// another.
func (w want) same(ctx context.Context, path string) error {
	if w.sha256 != "" || w.version == "" {
		return nil
	}
	now, err := w.t.Check(ctx, w.location)
	if err == nil && now.Version != w.version {
		err = workspace.Errorf(workspace.Transient, "fetch the image", w.location,
			"it was replaced meanwhile; the next try begins anew")
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, w.n.Access.Remove(ctx, path))
}

// fetch is what a transport is asked for.
func (w want) fetch(path string) workspace.Fetch {
	return workspace.Fetch{
		Location: w.location, Path: path, SHA256: w.sha256, MaxBytes: w.n.MaxImageMB << 20,
		Sync: !w.n.Inert, Share: w.n.Inert, Progress: w.progress, Rate: w.rate,
	}
}

// bringFar brings the image to another machine.
func (im *Images) bringFar(
	ctx context.Context, w want, path string,
) (workspace.ImageInfo, error) {
	info, reason := im.pullTo(ctx, w, path)
	if reason == nil || workspace.KindOf(reason) != workspace.Unavailable {
		return info, reason
	}
	// A host that is out of reach altogether gets it by no way.
	if _, err := w.n.Access.Stat(ctx, w.n.Dir); err != nil {
		return info, errors.Join(err, reason)
	}
	im.log.Info("image passes through this machine", "host", w.n.ID, "image", w.location,
		"error", reason)
	info, err := im.bringThrough(ctx, w, path)
	if err != nil {
		return info, errors.Join(err, reason)
	}
	return info, nil
}

// pullTo has the host fetch the image itself. Unavailable: it cannot.
func (im *Images) pullTo(
	ctx context.Context, w want, path string,
) (workspace.ImageInfo, error) {
	var none workspace.ImageInfo
	d, ok := w.t.(workspace.Directed)
	if !ok {
		return none, workspace.Refuse(workspace.Unavailable,
			"hosts cannot fetch from such repositories")
	}
	source, ok := d.Source(w.location)
	if !ok {
		return none, workspace.Refuse(workspace.Unavailable,
			"hosts cannot fetch such an image from its repository")
	}
	return im.pull(ctx, w, workspace.Pull{
		Source: source, Path: path, Size: w.size, SHA256: w.sha256,
		MaxBytes: w.n.MaxImageMB << 20, Progress: w.progress, Rate: now(w.rate),
	})
}

// bringThrough brings the image to the spool, and from there to the host.
func (im *Images) bringThrough(
	ctx context.Context, w want, path string,
) (info workspace.ImageInfo, err error) {
	s, err := im.spool.take(w.location+"\n"+w.sha256, w.size)
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, s.drop()) }()
	f := w.fetch(s.path)
	f.Sync, f.Progress, f.Promised = false, halfOf(w.progress, 0), w.size
	if w.packed && f.MaxBytes == 0 {
		f.MaxBytes = im.spool.limit
	}
	if info, err = w.t.Fetch(ctx, f); err != nil {
		return info, s.short(err)
	}
	return info, w.n.Access.Put(ctx, s.path, path, halfOf(w.progress, 1))
}
