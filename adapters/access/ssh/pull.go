package ssh

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Pull has the host fetch a file by its own sftp, scp or curl. Secrets reach it for
// this one transfer: a key stays here and is lent through agent forwarding, what
// curl needs to know comes by its standard input. What came is judged on the host
// as if we had fetched it: its size, its header, its checksum.
func (a *Access) Pull(ctx context.Context, p workspace.Pull) (workspace.ImageInfo, error) {
	info, err := a.pull(ctx, p)
	if err != nil {
		return workspace.ImageInfo{}, failed("pull the image to", p.Path, err)
	}
	return info, nil
}

func (a *Access) pull(ctx context.Context, p workspace.Pull) (workspace.ImageInfo, error) {
	if err := checked(p.Path); err != nil {
		return workspace.ImageInfo{}, err
	}
	if p.SHA256 != "" {
		sum, err := checksum.Normal(p.SHA256)
		if err != nil {
			return workspace.ImageInfo{}, transfer.Invalid("%w", err)
		}
		p.SHA256 = sum
	}
	release, err := a.alone(p.Path)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer release()
	g := &puller{Pull: p, part: p.Path + transfer.Suffix, known: p.Path + accountSuffix,
		limits: a.tunnel.limits}
	err = a.apart(ctx, func(s *session) error {
		g.s = s
		if done, err := g.found(ctx); done || err != nil {
			return err
		}
		if err := g.run(ctx); err != nil {
			return g.abandon(err)
		}
		return nil
	})
	return g.info, err
}

// apart lends f a session on a connection of its own: the agent that is lent over
// it can be reached by nothing else, and is gone with it.
func (a *Access) apart(ctx context.Context, f func(s *session) error) error {
	pool := login.NewPool(a.Server, login.Limits{DialTimeout: a.tunnel.limits.DialTimeout,
		StallTimeout: a.tunnel.limits.StallTimeout, IdleTimeout: time.Minute, Connections: 1},
		a.begin)
	defer pool.Close()
	return pool.Hold(ctx, f)
}

// puller is one Pull under way.
type puller struct {
	workspace.Pull
	s           *session
	limits      login.Limits
	part, known string // the half-made file; whom the host is to trust
	resumed     bool
	offset      int64  // so much was there when it began
	passed      string // the checksum of what passed by; empty: none was computed
	forwards    bool   // the agent is lent
	info        workspace.ImageInfo
}

// found tells whether an earlier call has done the work, which only a checksum can
// prove.
func (g *puller) found(ctx context.Context) (bool, error) {
	there, err := g.s.Lstat(g.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !there.Mode().IsRegular():
		return false, inTheWay(there.Mode())
	case g.SHA256 == "" || g.Size > 0 && there.Size() != g.Size:
		return false, nil
	}
	g.info, err = examine(ctx, g.s, g.Path, g.MaxBytes, true)
	return err == nil && g.info.SHA256 == g.SHA256, nil
}

func (g *puller) run(ctx context.Context) error {
	if err := g.prepare(); err != nil {
		return err
	}
	meter := transfer.NewMeter(g.Progress, g.Size)
	stop := follow(meter, func() (int64, error) {
		info, err := g.s.Lstat(g.part)
		if err != nil {
			return 0, nil // not there yet
		}
		return info.Size(), nil
	})
	err := g.fetch(ctx)
	stop()
	if err != nil {
		return err
	}
	if err := g.judge(ctx); err != nil {
		return err
	}
	t := target{path: g.Path, mode: diskMode}
	if err := t.land(g.s); err != nil {
		return err
	}
	meter.Reach(g.info.Size)
	return remove(g.s, g.known)
}

// prepare leaves what an earlier call fetched only where the checksum will tell
// whether it is of the same image.
func (g *puller) prepare() error {
	info, err := g.s.Lstat(g.part)
	if err == nil && info.Mode().IsRegular() && info.Size() > 0 && g.SHA256 != "" &&
		(g.Size == 0 || info.Size() < g.Size) {
		g.resumed, g.offset = true, info.Size()
		return nil
	}
	if err := remove(g.s, g.part); err != nil {
		return err
	}
	f, err := g.s.OpenFile(g.part, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return g.s.WhyFailed(g.part, err)
	}
	return errors.Join(f.Chmod(diskMode), f.Close())
}

// trust writes what the host is to trust, which is no secret, into a file for the
// program that fetches.
func (g *puller) trust(text string) error {
	if err := remove(g.s, g.known); err != nil {
		return err
	}
	f, err := g.s.OpenFile(g.known, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return g.s.WhyFailed(g.known, err)
	}
	_, err = f.Write([]byte(text))
	return errors.Join(err, f.Close())
}

func (g *puller) fetch(ctx context.Context) error {
	switch {
	case g.Growing:
		return g.fetchPassed(ctx)
	case g.Source.Scheme == "sftp", g.Source.Scheme == "scp":
		return g.fetchSSH(ctx)
	case g.Source.Scheme == "http", g.Source.Scheme == "https":
		return g.fetchWeb(ctx)
	}
	return workspace.Refuse(workspace.Unavailable, "hosts cannot fetch by %q", g.Source.Scheme)
}

// judge looks at what came as a Fetch would.
func (g *puller) judge(ctx context.Context) error {
	f, err := open(g.s, g.part)
	if err != nil {
		return err
	}
	size := f.info.Size()
	f.Close()
	if g.Size > 0 && size != g.Size {
		return transfer.Changed("%d bytes came, expected %d", size, g.Size)
	}
	if g.info, err = g.examine(ctx, size); err != nil {
		return err
	}
	if g.info.SHA256 != g.SHA256 {
		err := workspace.Refuse(workspace.Invalid, "its SHA-256 is %s, expected %s",
			g.info.SHA256, g.SHA256)
		if g.resumed {
			return transfer.Changed("it went bad while half made; the next try begins anew: %v",
				err)
		}
		return err
	}
	// Programs write zeros that an image has as holes; where this cannot be mended
	// it costs room alone.
	_, err = g.s.tool(ctx, "fallocate", "--dig-holes", "--", g.part)
	if ctx.Err() != nil {
		return err
	}
	return nil
}

// examine looks at what came. A file of another of our hosts may hold anything.
func (g *puller) examine(ctx context.Context, size int64) (workspace.ImageInfo, error) {
	if !g.Trusted {
		info, err := examine(ctx, g.s, g.part, g.MaxBytes, g.SHA256 != "" && g.passed == "")
		info.SHA256 = cmp.Or(g.passed, info.SHA256)
		return info, err
	}
	info := workspace.ImageInfo{Size: size}
	var err error
	if info.SHA256 = g.passed; g.SHA256 != "" && g.passed == "" {
		info.SHA256, err = sumOf(ctx, g.s, g.part)
	}
	return info, err
}

// abandon keeps what came when going on with it makes sense, else removes it,
// and returns cause.
func (g *puller) abandon(cause error) error {
	cause = g.s.Explain(cause)
	if g.s.Line().Dead() {
		return cause
	}
	left := remove(g.s, g.known)
	kind := transfer.Kind(cause)
	again := kind == workspace.Transient || kind == workspace.Unavailable
	info, err := g.s.Lstat(g.part)
	if g.SHA256 != "" && again && !transfer.HasChanged(cause) && err == nil && info.Size() > 0 {
		return errors.Join(cause, left)
	}
	return errors.Join(cause, left, remove(g.s, g.part))
}

// full finds out whether a program failed because the disk is full, when its
// words do not tell.
func (g *puller) full(err error) error {
	if kind := transfer.Kind(err); kind != workspace.Transient && kind != workspace.Internal {
		return err
	}
	fs, failed := g.s.StatVFS(g.part)
	if failed != nil || fs.Bavail*fs.Frsize > 1<<20 {
		return err
	}
	return workspace.Refuse(workspace.NoResource, "the host's disk is full, %d bytes are left: %w",
		fs.Bavail*fs.Frsize, err)
}

// Offer says how other hosts fetch the file: by sftp, with the key with which we
// log in. Where that is a password they cannot.
func (a *Access) Offer(path string) (workspace.Source, bool) {
	if checked(path) != nil {
		return workspace.Source{}, false
	}
	source, err := login.Lend(a.Server, a.Peer)
	source.Scheme, source.Path = "sftp", path
	return source, err == nil && !strings.ContainsAny(path, unsayable)
}
