package web

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Check says whether the image at location could be fetched. SHA256 is what
// the checksum beside it says, unverified.
func (t *Transport) Check(ctx context.Context, loc string) (workspace.ImageInfo, error) {
	info, err := t.check(ctx, loc)
	return transfer.Result("check the image", loc, info, err)
}

func (t *Transport) check(ctx context.Context, loc string) (workspace.ImageInfo, error) {
	p, err := t.place(loc)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	ctx, watch := t.watch(ctx)
	defer watch.stop()
	src, err := p.look(ctx)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	info, err := src.inspect(ctx, 0)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	if src.tag != "" {
		info.Version = src.tag
	} else if !src.modified.IsZero() {
		transfer.MarkTime(&info, src.modified)
	}
	info.SHA256, err = p.expected(ctx)
	return info, err
}

// Fetch brings an image to the host, in several ranges at a time where the
// server gives ranges. When it is broken off, by ctx or by the network, what
// came so far is kept beside the target and the next Fetch goes on from there,
// unless the image changed meanwhile. When it fails for good, or because the
// host's disk is full, the half-made file is removed.
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
	ctx, watch := t.watch(ctx)
	defer watch.stop()
	g := &getter{Fetch: f, watch: watch}
	if err := g.begin(ctx, p); err != nil || g.part == nil {
		return g.info, err
	}
	defer g.part.Close()
	err = g.run(ctx)
	if err == nil {
		err = g.land()
	}
	if err != nil {
		return workspace.ImageInfo{}, g.abandon(ctx, err)
	}
	return g.info, nil
}

// getter is one Fetch under way.
type getter struct {
	workspace.Fetch
	watch *watch

	src      *source
	expected string
	info     workspace.ImageInfo
	part     *transfer.Part // nil: the work was done before
	account  *account
	resumed  bool // some of it came with an earlier Fetch
}

// begin finds out what there is to do.
func (g *getter) begin(ctx context.Context, p place) error {
	src, err := p.look(ctx)
	if err != nil {
		return err
	}
	g.src = src
	if err := transfer.Promised(g.Fetch, src.size); err != nil {
		return err
	}
	g.expected, err = transfer.Wanted(g.SHA256, func() (string, error) { return p.expected(ctx) })
	if err != nil {
		return err
	}
	if g.info, err = src.inspect(ctx, g.MaxBytes); err != nil {
		return err
	}
	if g.found(ctx) {
		return nil
	}
	g.part, err = transfer.Open(transfer.Host{}, g.Path)
	return err
}

// found tells whether an earlier Fetch has done the work.
func (g *getter) found(ctx context.Context) bool {
	if g.src.modified.IsZero() ||
		!transfer.Landed(transfer.Host{}, g.Path, g.src.size, g.src.modified) {
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
	err = sum.AddReader(ctx, g.watch.reader(f))
	g.info.SHA256 = sum.Text()
	return err == nil && sum.Verify(g.expected) == nil
}

// run brings what is missing and makes sure that it is one image, and the
// expected one.
func (g *getter) run(ctx context.Context) error {
	g.account = g.recall(ctx)
	if g.account == nil {
		if err := g.part.Cut(0); err != nil {
			return err
		}
		g.account = newAccount(g.Location, g.src)
	}
	if err := g.part.Truncate(g.src.size); err != nil {
		return err
	}
	if err := g.bring(ctx); err != nil {
		return err
	}
	if err := g.src.unchanged(ctx); err != nil {
		return err
	}
	return g.verify(ctx)
}

// verify compares the checksum, where one is known.
func (g *getter) verify(ctx context.Context) error {
	if g.expected == "" {
		return nil
	}
	sum, err := g.sum(ctx)
	if err != nil {
		return err
	}
	g.info.SHA256 = sum.Text()
	err = sum.Verify(g.expected)
	if err != nil && g.resumed {
		return &spoilt{workspace.Refuse(workspace.Transient,
			"it went bad while half made; the next try begins anew: %w", err)}
	}
	return err
}

// land judges what came, not what was announced, and puts it in its place.
func (g *getter) land() error {
	seen, err := transfer.Inspect(g.part, g.src.size, g.MaxBytes)
	if err != nil {
		return err
	}
	g.info.Format = seen.Format
	if err := g.part.Land(g.Sync, g.src.modified); err != nil {
		return err
	}
	os.Remove(g.Path + stateSuffix)
	return nil
}

// spoilt wraps an error after which what came so far must not be gone on with.
type spoilt struct{ error }

// Unwrap returns the cause.
func (s *spoilt) Unwrap() error { return s.error }

// abandon keeps what came so far when going on with it makes sense, else
// removes it, and returns cause. An image that came to an end too soon may have
// been replaced: then it does not make sense.
func (g *getter) abandon(ctx context.Context, cause error) error {
	var bad *spoilt
	kind := transfer.Kind(cause)
	keep := kind == workspace.Transient || kind == workspace.Unavailable
	if keep && ctx.Err() == nil && errors.Is(g.src.unchanged(ctx), errReplaced) {
		cause = errReplaced
	}
	if errors.As(cause, &bad) || errors.Is(cause, errReplaced) {
		keep = false
	}
	if keep && g.account != nil && g.account.save(g.Path+stateSuffix) == nil {
		return cause
	}
	os.Remove(g.Path + stateSuffix)
	return errors.Join(cause, g.part.Discard())
}

// watch ends a transfer in which nothing moves.
type watch struct {
	timer  *time.Timer
	limit  time.Duration
	cancel context.CancelCauseFunc
}

// watch returns a context that ends when nothing is touched for too long.
func (t *Transport) watch(ctx context.Context) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{limit: t.stall, cancel: cancel}
	w.timer = time.AfterFunc(t.stall, func() {
		cancel(workspace.Refuse(workspace.Unavailable, "nothing moved for %s", t.stall))
	})
	return ctx, w
}

func (w *watch) touch() { w.timer.Reset(w.limit) }

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}
