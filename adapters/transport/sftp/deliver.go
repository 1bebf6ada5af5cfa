package sftp

import (
	"context"
	"errors"
	"io"
	"os"
	"path"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp/lanes"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// deliverSuffix is what the account of a broken Deliver has after the name of
// the file on the host.
const deliverSuffix = ".deliver.state"

// Deliver brings an image of the host to the server, with its checksum beside
// it. It is written under another name, flushed to the server's disk where the
// server offers that, and renamed when its size is right. When it is broken off, what
// is on the server is kept and the next Deliver goes on from there, and then reads
// the whole back to be sure. When the server's disk is full, or it fails for
// good, what is there is removed: it takes the very room that is missing.
func (t *Transport) Deliver(
	ctx context.Context, d workspace.Deliver,
) (workspace.ImageInfo, error) {
	info, err := t.deliver(ctx, d)
	return transfer.Result("deliver the image", d.Location, info, err)
}

func (t *Transport) deliver(
	ctx context.Context, d workspace.Deliver,
) (workspace.ImageInfo, error) {
	p, err := t.place(d.Location)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	f, info, err := transfer.OpenHost(d.Path)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer f.Close()
	g := &putter{place: p, Deliver: d, from: f, stat: info}
	if g.info, err = transfer.Inspect(f, info.Size(), 0); err != nil {
		return workspace.ImageInfo{}, err
	}
	err = p.Pool.Use(ctx, func(c *connection) error { return g.put(ctx, c) })
	return g.info, err
}

// putter is one Deliver under way.
type putter struct {
	place
	workspace.Deliver

	from   *os.File
	stat   os.FileInfo
	info   workspace.ImageInfo
	target string // on the server, without symbolic links
	temp   string // beside it
	offset int64  // so much is in temp already
}

func (g *putter) put(ctx context.Context, c *connection) error {
	if err := g.locate(c); err != nil {
		return err
	}
	if done, err := g.found(ctx, c); done || err != nil {
		return err
	}
	to, err := g.begin(c)
	if err != nil {
		return err
	}
	defer to.Close()
	err = g.upload(ctx, c, to)
	if err == nil {
		err = g.install(c)
	}
	if err != nil {
		return g.abandon(c, err)
	}
	os.Remove(g.Path + deliverSuffix)
	return nil
}

// locate finds the target's directory and refuses a target that is no file.
func (g *putter) locate(c *connection) error {
	dir, err := c.contain(path.Dir(g.Full()))
	if err != nil {
		return err
	}
	base := path.Base(g.Name)
	g.target = path.Join(dir, base)
	g.temp = transfer.Passing(g.target, g.Path)
	info, err := c.Lstat(g.target)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return transfer.Replaceable(info)
}

// found tells whether an earlier Deliver has done the work: the image there
// has the size and time of ours, and the checksum beside it is that of our bytes.
func (g *putter) found(ctx context.Context, c *connection) (bool, error) {
	info, err := c.Stat(g.target)
	if err != nil || info.Size() != g.stat.Size() ||
		info.ModTime().Unix() != g.stat.ModTime().Unix() {
		return false, nil
	}
	beside, err := transfer.BesideAlone(g.target, c.sums)
	if err != nil || beside == "" {
		return false, nil
	}
	sum := transfer.NewSum()
	r := c.Line().Reader(io.NewSectionReader(g.from, 0, g.stat.Size()))
	if err := sum.AddReader(ctx, r); err != nil {
		return false, err
	}
	g.info.SHA256 = sum.Text()
	return g.info.SHA256 == beside, nil
}

// begin opens the half-made file on the server and finds out how much of it
// can be gone on with.
func (g *putter) begin(c *connection) (*lanes.File, error) {
	last := loadState(g.Path + deliverSuffix)
	info, err := c.Lstat(g.temp)
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if err == nil && info.Mode().IsRegular() && last.of(g.Location, g.stat) {
		g.offset = last.Offset
	}
	if g.offset > 0 {
		flags = os.O_WRONLY
	} else if err == nil {
		// Not what we know, or nothing of worth: it must not be followed if it is a link.
		if err := c.Remove(g.temp); err != nil {
			return nil, err
		}
	}
	if err := g.account(g.offset); err != nil {
		return nil, err
	}
	to, err := c.OpenFile(g.temp, flags)
	if err != nil {
		os.Remove(g.Path + deliverSuffix)
		return nil, err
	}
	if err := c.Chmod(g.temp, 0o600); err != nil {
		to.Close()
		return nil, err
	}
	return to, nil
}

// account notes that all before offset is on the server.
func (g *putter) account(offset int64) error {
	s := newState(g.Location, g.stat)
	s.Offset = offset
	return s.save(g.Path + deliverSuffix)
}

// upload sends the data and makes sure that it arrived.
func (g *putter) upload(ctx context.Context, c *connection, to *lanes.File) error {
	if err := g.send(ctx, c, to); err != nil {
		return c.WhyFailed(g.temp, err)
	}
	if err := to.Truncate(g.stat.Size()); err != nil {
		return err
	}
	if err := c.Flush(to); err != nil {
		return c.WhyFailed(g.temp, err)
	}
	if err := transfer.Unchanged(g.from, g.stat); err != nil {
		return err
	}
	there, err := to.Stat()
	if err != nil {
		return err
	}
	if there.Size() != g.stat.Size() {
		return workspace.Errorf(workspace.Transient, "verify the image", "",
			"%d bytes arrived, expected %d", there.Size(), g.stat.Size())
	}
	if g.offset > 0 {
		return g.readBack(c)
	}
	return nil
}

// send sends what is not there yet, over two connections where a second is to be had.
func (g *putter) send(ctx context.Context, c *connection, to *lanes.File) error {
	files, touch := []io.WriterAt{to}, c.Line().Touch
	var flush func() error // needs a second connection: that stands still meanwhile
	return g.beside(ctx, g.stat.Size()-g.offset, func(more []*connection) error {
		for _, other := range more {
			f, err := other.OpenFile(g.temp, os.O_WRONLY)
			if err != nil {
				return err
			}
			defer f.Close()
			files = append(files, f)
			flush = func() error { return other.Flush(f) }
			touch = func() { c.Line().Touch(); other.Line().Touch() }
		}
		u := lanes.Upload{From: g.from, Size: g.stat.Size(), Offset: g.offset,
			To: files, Sum: transfer.NewSum(), Account: g.account, Touch: touch, Flush: flush,
			Meter: transfer.NewMeter(g.Progress, g.stat.Size()),
			Pace:  transfer.NewPace(g.Rate, touch)}
		err := u.Run(ctx)
		g.info.SHA256 = u.Sum.Text()
		return err
	})
}

// readBack compares what lies on the server with what we sent, when part of it
// was sent by an earlier Deliver.
func (g *putter) readBack(c *connection) error {
	f, err := c.Open(g.temp)
	if err != nil {
		return err
	}
	defer f.Close()
	there := transfer.NewSum()
	if _, err := f.WriteTo(summing{there}); err != nil {
		return err
	}
	if there.Text() == g.info.SHA256 {
		return nil
	}
	return errors.Join(workspace.Errorf(workspace.Transient, "verify the image", "",
		"what arrived has the SHA-256 %s, expected %s; the next try begins anew",
		there.Text(), g.info.SHA256), c.Remove(g.temp))
}

// summing is a writer that adds to a checksum.
type summing struct{ sum *transfer.Sum }

func (s summing) Write(b []byte) (int, error) {
	s.sum.Add(b)
	return len(b), nil
}

// install gives the image its name. An image and its checksum cannot be
// replaced at one stroke, so the old checksum goes first: a crash may then leave an
// image without a checksum, which the next Deliver mends, but never with a wrong one.
func (g *putter) install(c *connection) error {
	if err := c.Chtimes(g.temp, g.stat.ModTime(), g.stat.ModTime()); err != nil {
		return err
	}
	sums := g.target + checksum.Suffix
	if err := c.Remove(sums); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := c.Replace(g.temp, g.target); err != nil {
		return err
	}
	line := checksum.Line(g.info.SHA256, path.Base(g.Name))
	f, err := c.OpenFile(sums+transfer.Suffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if _, err = f.Write([]byte(line)); err == nil {
		err = c.Flush(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return c.Replace(sums+transfer.Suffix, sums)
}

// abandon keeps what is on the server when going on with it makes sense, else
// removes it, and returns cause.
func (g *putter) abandon(c *connection, cause error) error {
	cause = c.Explain(cause)
	kind := transfer.Kind(cause)
	if kind == workspace.Unavailable || kind == workspace.Transient && !transfer.HasChanged(cause) {
		return cause
	}
	os.Remove(g.Path + deliverSuffix)
	if c.Line().Dead() {
		return cause
	}
	return errors.Join(cause, c.Remove(g.temp))
}
