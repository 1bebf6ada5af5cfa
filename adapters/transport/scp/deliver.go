package scp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Deliver brings an image of the host to the server, with its checksum beside
// it. It is sent under another name and renamed there when its size is right.
// What was broken off begins anew.
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
	f, stat, err := transfer.OpenHost(d.Path)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer f.Close()
	g := &putter{place: p, Deliver: d, from: f, stat: stat}
	if g.info, err = transfer.Inspect(f, stat.Size(), 0); err != nil {
		return workspace.ImageInfo{}, err
	}
	g.temp = transfer.Passing(g.Full(), g.Path)
	return g.info, p.Pool.Use(ctx, func(c line) error { return g.put(ctx, c) })
}

// putter is one Deliver under way.
type putter struct {
	place
	workspace.Deliver
	from *os.File
	stat os.FileInfo
	info workspace.ImageInfo
	temp string // beside the target
}

func (g *putter) put(ctx context.Context, c line) error {
	if err := g.replaceable(c); err != nil {
		return err
	}
	done, err := g.found(ctx, c)
	if done || err != nil {
		return err
	}
	if err := g.send(ctx, c); err != nil {
		return g.abandon(c, err)
	}
	if err := g.install(c); err != nil {
		return g.abandon(c, err)
	}
	return nil
}

// replaceable refuses a target that is no file. One that is not there, or may
// be written and not read, will do.
func (g *putter) replaceable(c line) error {
	src, err := ask(c, g.Full())
	if workspace.KindOf(err) == workspace.Invalid {
		return err
	}
	if src != nil {
		src.close()
	}
	return nil
}

// found tells whether an earlier Deliver has done the work.
func (g *putter) found(ctx context.Context, c line) (bool, error) {
	src, err := ask(c, g.Full())
	if err != nil {
		return false, nil
	}
	src.close()
	if src.size != g.stat.Size() || src.modified.Unix() != g.stat.ModTime().Unix() {
		return false, nil
	}
	beside, err := transfer.BesideAlone(g.Full(), c.sums)
	if err != nil || beside == "" {
		return false, nil
	}
	sum := transfer.NewSum()
	if err := sum.AddReader(ctx, c.Reader(g.whole())); err != nil {
		return false, err
	}
	g.info.SHA256 = sum.Text()
	return g.info.SHA256 == beside, nil
}

// whole reads the image from its beginning.
func (g *putter) whole() io.Reader { return io.NewSectionReader(g.from, 0, g.stat.Size()) }

// send sends the image under its passing name and makes sure that it arrived.
func (g *putter) send(ctx context.Context, c line) error {
	w, err := put(c, g.temp, g.stat)
	if err != nil {
		return err
	}
	defer w.close()
	sum, err := g.pour(ctx, c, w)
	if err != nil {
		return err
	}
	g.info.SHA256 = sum.Text()
	if _, err := w.in.Write([]byte{answerOK}); err != nil {
		return w.ended(err)
	}
	if err := w.answer(); err != nil {
		return err
	}
	if err := w.done(); err != nil {
		return err
	}
	if err := transfer.Unchanged(g.from, g.stat); err != nil {
		return err
	}
	there, err := ask(c, g.temp)
	if err != nil {
		return err
	}
	there.close()
	if there.size != g.stat.Size() {
		return workspace.Refuse(workspace.Transient, "%d bytes arrived, expected %d",
			there.size, g.stat.Size())
	}
	return nil
}

// pour writes the image's bytes. A server that cannot store them says so only
// at the end.
func (g *putter) pour(ctx context.Context, c line, w *wire) (*transfer.Sum, error) {
	meter := transfer.NewMeter(g.Progress, g.stat.Size())
	meter.Reach(0)
	sum := transfer.NewSum()
	buffer := transfer.Buffer()
	defer transfer.Recycle(buffer)
	r := transfer.NewPace(g.Rate, c.Touch).Reader(ctx, g.whole())
	for at := int64(0); at < g.stat.Size(); {
		n, err := r.Read(*buffer)
		if n == 0 {
			return nil, workspace.Refuse(workspace.Transient,
				"%s ended after %d of %d bytes: %w", g.Path, at, g.stat.Size(), err)
		}
		sum.Add((*buffer)[:n])
		if _, err := w.in.Write((*buffer)[:n]); err != nil {
			return nil, w.ended(err)
		}
		at += int64(n)
		c.Touch()
		meter.Reach(at)
	}
	return sum, nil
}

// install gives the image its name and the checksum its place. The old checksum
// goes first, so that none ever stands beside an image that is not its own.
func (g *putter) install(c line) error {
	sums := g.Full() + checksum.Suffix
	text := checksum.Line(g.info.SHA256, path.Base(g.Name))
	return run(c, strings.NewReader(text), fmt.Sprintf(
		"rm -f -- %[2]s && mv -f -- %[1]s %[3]s && cat > %[4]s && mv -f -- %[4]s %[2]s",
		quote(g.temp), quote(sums), quote(g.Full()), quote(sums+transfer.Suffix)))
}

// abandon removes what was sent, unless it was us who broke off.
func (g *putter) abandon(c line, cause error) error {
	if !c.Failed() {
		run(c, nil, "rm -f -- "+quote(g.temp))
	}
	return cause
}

// run runs a command of the server's shell.
func run(c line, input io.Reader, command string) error {
	w := new(wire)
	session, err := c.Start(command, func(s *ssh.Session) error {
		s.Stdin, s.Stderr = input, &limited{&w.errors, longest}
		return nil
	})
	if err != nil {
		return err
	}
	defer session.Close()
	if err := session.Wait(); err != nil {
		if said := strings.TrimSpace(w.errors.String()); said != "" {
			return w.failure(said)
		}
		return errors.Join(errors.New("the server's shell fails"), err)
	}
	return nil
}
