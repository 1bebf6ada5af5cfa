package sftp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp/lanes"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Check says whether the image at location could be fetched. SHA256 is what
// the checksum beside it says, unverified.
func (t *Transport) Check(ctx context.Context, loc string) (workspace.ImageInfo, error) {
	var info workspace.ImageInfo
	p, err := t.place(loc)
	if err == nil {
		err = p.Pool.Use(ctx, func(c *connection) error {
			info, err = c.check(p)
			return err
		})
	}
	return transfer.Result("check the image", loc, info, err)
}

func (c *connection) check(p place) (workspace.ImageInfo, error) {
	src, err := c.open(p)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer src.Close()
	info, err := transfer.Inspect(src, src.info.Size(), 0)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	transfer.Mark(&info, src.info)
	info.SHA256, err = c.expected(p)
	return info, err
}

// Fetch brings an image to the host. When it is broken off, by ctx or by the
// network, what came so far is kept beside the target and the next Fetch goes on
// from there, unless the image changed meanwhile. When it fails for good, or
// because the host's disk is full, the half-made file is removed: running guests need
// the room more.
func (t *Transport) Fetch(ctx context.Context, f workspace.Fetch) (workspace.ImageInfo, error) {
	info, err := t.fetch(ctx, f)
	return transfer.Result("fetch the image", f.Location, info, err)
}

func (t *Transport) fetch(ctx context.Context, f workspace.Fetch) (workspace.ImageInfo, error) {
	p, err := t.place(f.Location)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	if !filepath.IsAbs(f.Path) {
		return workspace.ImageInfo{}, fmt.Errorf("the target %q is no absolute path", f.Path)
	}
	g := &getter{place: p, Fetch: f}
	if err := p.Pool.Use(ctx, func(c *connection) error { return g.get(ctx, c) }); err != nil {
		return workspace.ImageInfo{}, g.abandon(err)
	}
	if g.part == nil {
		return g.info, nil // the work was done before
	}
	if err := g.land(); err != nil {
		return workspace.ImageInfo{}, g.abandon(err)
	}
	return g.info, nil
}

// getter is one Fetch under way.
type getter struct {
	place
	workspace.Fetch

	src      *source
	expected string
	part     *transfer.Part // nil: none needed
	sink     *sink
	resumed  bool
	spoilt   bool // what came so far must not be gone on with
	info     workspace.ImageInfo
}

func (g *getter) get(ctx context.Context, c *connection) error {
	src, err := c.open(g.place)
	if err != nil {
		return err
	}
	defer src.Close()
	g.src = src
	if err := transfer.Promised(g.Fetch, src.info.Size()); err != nil {
		return err
	}
	if g.expected, err = c.wanted(g.place, g.SHA256); err != nil {
		return err
	}
	if g.info, err = transfer.Inspect(src, src.info.Size(), g.MaxBytes); err != nil {
		return err
	}
	if g.found(ctx, c) {
		return nil
	}
	if g.part, err = transfer.Open(transfer.Host{}, g.Path); err != nil {
		return err
	}
	if err := g.begin(ctx, c); err != nil {
		return err
	}
	if err := g.stream(ctx, c); err != nil {
		return err
	}
	return g.verify(c)
}

// found tells whether an earlier Fetch has done the work.
func (g *getter) found(ctx context.Context, c *connection) bool {
	size, modified := g.src.info.Size(), g.src.info.ModTime()
	if !transfer.Landed(transfer.Host{}, g.Path, size, modified) {
		return false
	}
	if g.expected == "" {
		return true
	}
	f, err := os.Open(g.Path)
	if err != nil {
		return false
	}
	defer f.Close()
	sum := transfer.NewSum()
	err = sum.AddReader(ctx, c.Line().Reader(f))
	g.info.SHA256 = sum.Text()
	return err == nil && sum.Verify(g.expected) == nil
}

// begin finds out how much of an earlier Fetch can be gone on with.
func (g *getter) begin(ctx context.Context, c *connection) error {
	g.sink = newSink(g, c)
	last := loadState(g.Path + stateSuffix)
	if last.of(g.Location, g.src.info) && last.Offset > 0 {
		again, err := g.sink.recall(ctx, last)
		if err != nil {
			return err
		}
		g.resumed = again
	}
	if !g.resumed {
		g.sink = newSink(g, c)
	}
	return g.part.Cut(g.sink.at)
}

// stream fetches what is not there yet, over two connections where a second is to be had.
func (g *getter) stream(ctx context.Context, c *connection) error {
	size := g.src.info.Size()
	from, touch := []*lanes.Source{g.src.Source}, c.Line().Touch
	return g.beside(ctx, size-g.sink.at, func(more []*connection) error {
		for _, other := range more {
			src, err := other.again(g.src)
			if err != nil {
				return err
			}
			defer src.Close()
			from = append(from, src)
			touch = func() { c.Line().Touch(); other.Line().Touch() }
		}
		d := lanes.Download{From: from, To: g.part.File, Size: size, Offset: g.sink.at,
			Extents: []sparse.Extent{{Length: size}}, Touch: touch, Passing: g.sink.add,
			Meter:   transfer.NewMeter(g.Progress, size),
			Account: func(int64) error { return g.sink.checkpoint() },
			Pace:    transfer.NewPace(g.Rate, touch)}
		return d.Run(ctx)
	})
}

// verify makes sure that all came, that it was one image all the time, and
// that it is the expected one.
func (g *getter) verify(c *connection) error {
	now, err := g.src.Stat()
	if err != nil {
		return err
	}
	if !transfer.Same(now, g.src.info) || g.sink.at != now.Size() {
		g.spoilt = true
		return workspace.Errorf(workspace.Transient, "read the image", "",
			"it changed meanwhile: %d bytes of %s came, now it has %d of %s", g.sink.at,
			g.src.info.ModTime().UTC(), now.Size(), now.ModTime().UTC())
	}
	g.info.SHA256 = g.sink.sum.Text()
	err = g.sink.sum.Verify(g.expected)
	if err == nil {
		return nil
	}
	g.spoilt = true
	named, nerr := c.Stat(g.src.path)
	if g.resumed || nerr != nil || !transfer.Same(named, g.src.info) {
		return workspace.Errorf(workspace.Transient, "read the image", "",
			"it was replaced meanwhile, or went bad while half made; the next try begins anew: %w",
			err)
	}
	return err
}

// land judges what came, not what was announced, and puts it in its place.
func (g *getter) land() error {
	size := g.src.info.Size()
	if err := g.part.Truncate(size); err != nil {
		return err
	}
	seen, err := transfer.Inspect(g.part, size, g.MaxBytes)
	if err != nil {
		return err
	}
	g.info.Format = seen.Format
	if err := g.part.Land(g.Sync, g.src.info.ModTime()); err != nil {
		return err
	}
	g.part.Close()
	os.Remove(g.Path + stateSuffix)
	return nil
}

// abandon keeps what came so far when going on with it makes sense, else
// removes it, and returns cause.
func (g *getter) abandon(cause error) error {
	if g.part == nil {
		return cause
	}
	defer g.part.Close()
	kind := transfer.Kind(cause)
	keep := !g.spoilt && !transfer.HasChanged(cause) &&
		(kind == workspace.Transient || kind == workspace.Unavailable)
	if keep && g.sink != nil && g.sink.checkpoint() == nil {
		return cause
	}
	os.Remove(g.Path + stateSuffix)
	return errors.Join(cause, g.part.Discard())
}
