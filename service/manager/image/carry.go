package image

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A cargo is a file of one host on its way to another.
type cargo struct {
	from, to *host.Node
	path     string // on from
	as       string // on to
	sha256   string // that it must have; empty: not checked
	fixed    bool   // nobody ever writes to it: within a machine another name will do
	progress workspace.Progress
}

// carry copies a file from host to host: within this machine, to or from it, from
// one to the other directly, or else through the spool. It appears there complete,
// or not at all; one that is there already is taken to be it.
func (im *Images) carry(ctx context.Context, c cargo) error {
	there, err := exists(ctx, c.to.Access, c.as)
	if there || err != nil {
		return err
	}
	switch near, far := c.from.Access.Local(), c.to.Access.Local(); {
	case near && far:
		if c.fixed && c.to.Access.Link(ctx, c.path, c.as) == nil {
			return nil
		}
		return c.to.Access.Copy(ctx, c.path, c.as, c.progress)
	case near:
		return c.to.Access.Put(ctx, c.path, c.as, c.progress)
	case far:
		return c.from.Access.Get(ctx, c.path, c.as, c.progress)
	}
	reason := c.directly(ctx)
	if reason == nil || workspace.KindOf(reason) != workspace.Unavailable {
		return reason
	}
	im.log.Info("file passes through this machine", "from", c.from.ID, "host", c.to.ID,
		"error", reason)
	return c.throughSpool(ctx, im, reason)
}

// directly has the one host fetch from the other. Unavailable: it cannot.
func (c cargo) directly(ctx context.Context) error {
	source, ok := c.from.Access.Offer(c.path)
	if !ok {
		return workspace.Refuse(workspace.Unavailable, "host %s offers no files to others",
			c.from.ID)
	}
	file, err := c.from.Access.Stat(ctx, c.path)
	if err != nil {
		return err
	}
	_, err = c.to.Access.Pull(ctx, workspace.Pull{
		Source: source, Path: c.as, Size: file.Size, SHA256: c.sha256, Trusted: true,
		Progress: c.progress,
	})
	return err
}

// throughSpool brings the file here and on from here, after it could not go directly.
func (c cargo) throughSpool(ctx context.Context, im *Images, reason error) error {
	file, err := c.from.Access.Stat(ctx, c.path)
	if err != nil {
		return errors.Join(err, reason)
	}
	s, err := im.spool.take(filepath.Base(c.path)+"@"+string(c.from.ID)+"@"+string(c.to.ID),
		file.Size)
	if err != nil {
		return err
	}
	err = s.short(c.from.Access.Get(ctx, c.path, s.path, halfOf(c.progress, 0)))
	if err == nil {
		err = c.to.Access.Put(ctx, s.path, c.as, halfOf(c.progress, 1))
	}
	if err != nil {
		err = errors.Join(err, reason)
	}
	return errors.Join(err, s.drop())
}

// halfOf is the progress of one of two ways of the same bytes.
func halfOf(p workspace.Progress, before int64) workspace.Progress {
	if p == nil {
		return nil
	}
	return func(done, total int64) { p((before*total+done)/2, total) }
}
