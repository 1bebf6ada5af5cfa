package scp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/image/format"
	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Check says whether the image at location could be fetched. SHA256 is what
// the checksum beside it says, unverified.
func (t *Transport) Check(ctx context.Context, loc string) (workspace.ImageInfo, error) {
	var info workspace.ImageInfo
	p, err := t.place(loc)
	if err == nil {
		err = p.Pool.Use(ctx, func(c line) error {
			var src *source
			if src, info, err = p.inspect(c, 0); err != nil {
				return err
			}
			src.close()
			transfer.MarkTime(&info, src.modified)
			info.SHA256, err = p.expected(c)
			return err
		})
	}
	return transfer.Result("check the image", loc, info, err)
}

// inspect makes the server send the image and looks at its header. The caller
// reads on where the header ends, or leaves the rest where it is.
func (p place) inspect(
	c line, maxBytes int64,
) (*source, workspace.ImageInfo, error) {
	src, err := ask(c, p.Full())
	if err != nil {
		return nil, workspace.ImageInfo{}, err
	}
	info, err := src.inspect(maxBytes)
	if err != nil {
		src.close()
		return nil, info, err
	}
	return src, info, nil
}

func (s *source) inspect(maxBytes int64) (workspace.ImageInfo, error) {
	if err := s.agree(); err != nil {
		return workspace.ImageInfo{}, s.ended(err)
	}
	s.begin = make([]byte, min(s.size, format.HeadBytes))
	if _, err := io.ReadFull(s.out, s.begin); err != nil {
		return workspace.ImageInfo{}, s.ended(err)
	}
	seen, err := format.InspectHead(s.begin, s.size)
	if err == nil {
		err = seen.Admit(maxBytes)
	}
	return workspace.ImageInfo{Size: s.size, Format: seen.Format}, err
}

// data reads the image from its beginning, once.
func (s *source) data() io.Reader { return io.MultiReader(bytes.NewReader(s.begin), s.out) }

// expected returns the checksum beside the image, "" when there is none.
func (p place) expected(c line) (string, error) {
	return transfer.Beside(p.Full(), c.sums)
}

// sums opens a file of checksums, of which all must come that may be read: a part of it
// may be another image's.
func (l line) sums(path string) (io.ReadCloser, error) {
	src, err := ask(l, path)
	if err != nil {
		return nil, err
	}
	defer src.close()
	if err := src.agree(); err != nil {
		return nil, err
	}
	text := make([]byte, min(src.size, checksum.MaxListBytes+1))
	if _, err := io.ReadFull(src.out, text); err != nil {
		return nil, src.ended(err)
	}
	return io.NopCloser(bytes.NewReader(text)), nil
}

// Fetch brings an image to the host. The protocol knows no beginning in the
// middle: what was broken off begins anew, and what came of it is removed.
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
	err = p.Pool.Use(ctx, func(c line) error { return g.get(ctx, c) })
	if err == nil && g.part != nil {
		err = g.land()
	}
	if g.part != nil {
		if err != nil {
			err = errors.Join(err, g.part.Discard())
		}
		g.part.Close()
	}
	return g.info, err
}

// getter is one Fetch under way.
type getter struct {
	place
	workspace.Fetch
	src      *source // as it was at first
	expected string
	info     workspace.ImageInfo
	part     *transfer.Part // nil: the work was done before
	sum      *transfer.Sum
}

func (g *getter) get(ctx context.Context, c line) error {
	var err error
	beside := func() (string, error) { return g.place.expected(c) }
	if g.expected, err = transfer.Wanted(g.SHA256, beside); err != nil {
		return err
	}
	if g.src, g.info, err = g.inspect(c, g.MaxBytes); err != nil {
		return err
	}
	defer g.src.close()
	if err := transfer.Promised(g.Fetch, g.src.size); err != nil {
		return err
	}
	if g.found(ctx, c) {
		return nil
	}
	if g.part, err = transfer.Create(transfer.Host{}, g.Path); err != nil {
		return err
	}
	if g.expected != "" {
		g.sum = transfer.NewSum()
	}
	err = g.stream(ctx, c)
	if err == nil {
		g.info.SHA256 = g.sum.Text()
		err = g.sum.Verify(g.expected)
	}
	return g.replaced(c, err)
}

// found tells whether an earlier Fetch has done the work.
func (g *getter) found(ctx context.Context, c line) bool {
	if !transfer.Landed(transfer.Host{}, g.Path, g.src.size, g.src.modified) {
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
	err = sum.AddReader(ctx, c.Reader(f))
	g.info.SHA256 = sum.Text()
	return err == nil && sum.Verify(g.expected) == nil
}

// stream copies what the server sends, without its zeros.
func (g *getter) stream(ctx context.Context, c line) error {
	meter := transfer.NewMeter(g.Progress, g.src.size)
	meter.Reach(0)
	buffer := transfer.Buffer()
	defer transfer.Recycle(buffer)
	data := transfer.NewPace(g.Rate, c.Touch).Reader(ctx, g.src.data())
	for at := int64(0); at < g.src.size; {
		n, err := data.Read((*buffer)[:min(int64(len(*buffer)), g.src.size-at)])
		if err != nil {
			return g.src.ended(err)
		}
		if _, err := sparse.WriteAt(g.part, (*buffer)[:n], at); err != nil {
			return err
		}
		g.sum.Add((*buffer)[:n])
		at += int64(n)
		c.Touch()
		meter.Reach(at)
	}
	return g.src.answer()
}

// replaced makes sure that the image was one all the time; if not, that is why
// it came out wrong.
func (g *getter) replaced(c line, cause error) error {
	lost := c.Gone() && transfer.Kind(cause) == workspace.Internal
	if cause != nil && (lost || c.Failed()) {
		return cause
	}
	now, err := ask(c, g.Full())
	if err != nil {
		return first(cause, err)
	}
	defer now.close()
	if now.same(g.src) {
		return cause
	}
	return workspace.Refuse(workspace.Transient, "it was replaced while it was read: %d bytes "+
		"of %s, now %d of %s", g.src.size, g.src.modified.UTC(), now.size, now.modified.UTC())
}

// first returns the first error that there is.
func first(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// land judges what came, not what was announced, and puts it in its place.
func (g *getter) land() error {
	if err := g.part.Truncate(g.src.size); err != nil {
		return err
	}
	seen, err := transfer.Inspect(g.part, g.src.size, g.MaxBytes)
	if err != nil {
		return err
	}
	g.info.Format = seen.Format
	return g.part.Land(g.Sync, g.src.modified)
}
