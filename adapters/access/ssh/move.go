package ssh

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/sftp/lanes"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// accountSuffix is what the account of a half-made file has after the target's name.
const accountSuffix = transfer.Suffix + ".state"

// account says how much of a file has been brought. It stands beside the half-made
// file, on the host for Put, here for Get.
type account struct {
	Size    int64
	Changed time.Time // of the source
	Offset  int64     // all before it is there
}

func (c account) of(info fs.FileInfo) bool {
	return c.Size == info.Size() && c.Changed.Equal(info.ModTime())
}

// Put brings a file of this machine to the host: its data alone, in many
// packets at once. It is flushed to the host's disk, and given its name when all is
// there. What an earlier call brought is gone on with, and then the host's checksum
// of the whole is compared with ours; what came in one go SSH has verified.
func (a *Access) Put(ctx context.Context, from, to string, p workspace.Progress) error {
	return failed("put the image at", to, a.put(ctx, from, to, p))
}

func (a *Access) put(ctx context.Context, from, to string, p workspace.Progress) error {
	if err := checked(from, to); err != nil {
		return err
	}
	release, err := a.alone(to)
	if err != nil {
		return err
	}
	defer release()
	src, info, err := transfer.OpenHost(from)
	if err != nil {
		return err
	}
	defer src.Close()
	g := &putter{src: src, info: info, to: to, part: to + transfer.Suffix, report: p}
	return a.moves.Hold(ctx, func(s *session) error {
		if err := g.put(ctx, s); err != nil {
			return g.abandon(s, s.WhyFailed(g.part, err))
		}
		return nil
	})
}

// putter is one Put under way.
type putter struct {
	src      *os.File
	info     fs.FileInfo
	to, part string
	report   workspace.Progress
	offset   int64 // so much is there of an earlier call
	begun    bool
}

func (g *putter) put(ctx context.Context, s *session) error {
	there, err := s.Lstat(g.to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case there.IsDir():
		return inTheWay(there.Mode())
	case there.Mode().IsRegular() && there.Size() == g.info.Size() &&
		there.ModTime().Unix() == g.info.ModTime().Unix():
		return nil
	}
	f, err := g.open(s)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := g.send(ctx, s, f); err != nil {
		return err
	}
	t := target{path: g.to, mode: diskMode, changed: g.info.ModTime()}
	if err := t.land(s); err != nil {
		return err
	}
	return remove(s, g.to+accountSuffix)
}

// open opens the half-made file, and finds out how much of it can be gone on with.
func (g *putter) open(s *session) (*lanes.File, error) {
	last, known := g.account(s)
	info, err := s.Lstat(g.part)
	if err == nil && known && info.Mode().IsRegular() && info.Size() <= g.info.Size() {
		if f, err := s.OpenFile(g.part, os.O_RDWR); err == nil {
			g.offset, g.begun = min(last.Offset, info.Size()), true
			return f, nil
		}
	}
	if err := remove(s, g.part); err != nil {
		return nil, err
	}
	f, err := s.OpenFile(g.part, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err == nil {
		g.begun = true
		err = f.Chmod(diskMode)
	}
	return f, err
}

// account reads what an earlier call noted of the same file.
func (g *putter) account(s *session) (account, bool) {
	f, err := open(s, g.to+accountSuffix)
	if err != nil {
		return account{}, false
	}
	defer f.Close()
	var last account
	if !transfer.ReadAccount(f, &last) {
		return last, false
	}
	return last, last.of(g.info)
}

// note writes the account onto the host.
func (g *putter) note(s *session, offset int64) error {
	name := g.to + accountSuffix
	f, err := s.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	err = transfer.WriteAccount(f, account{g.info.Size(), g.info.ModTime(), offset})
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, remove(s, name+".new"))
	}
	return s.Replace(name+".new", name)
}

func (g *putter) send(ctx context.Context, s *session, f *lanes.File) error {
	u := lanes.Upload{From: g.src, Size: g.info.Size(), Offset: g.offset, To: []io.WriterAt{f},
		Meter:   transfer.NewMeter(g.report, g.info.Size()),
		Account: func(offset int64) error { return g.note(s, offset) }, Touch: s.Line().Touch}
	if g.offset > 0 {
		u.Sum = transfer.NewSum()
	}
	if err := u.Run(ctx); err != nil {
		return err
	}
	if err := f.Truncate(g.info.Size()); err != nil {
		return err
	}
	if err := transfer.Unchanged(g.src, g.info); err != nil {
		return err
	}
	there, err := f.Stat()
	if err != nil {
		return err
	}
	if there.Size() != g.info.Size() {
		return workspace.Refuse(workspace.Transient, "%d bytes arrived, expected %d",
			there.Size(), g.info.Size())
	}
	if g.offset == 0 {
		return nil
	}
	sum, err := sumOf(ctx, s, g.part)
	if err == nil && sum != u.Sum.Text() {
		err = transfer.Changed("what arrived has the SHA-256 %s, expected %s; the next try "+
			"begins anew", sum, u.Sum.Text())
	}
	return err
}

// abandon keeps what is there when going on with it makes sense, else removes
// it, and returns cause.
func (g *putter) abandon(s *session, cause error) error {
	cause = s.Explain(cause)
	kind := transfer.Kind(cause)
	again := kind == workspace.Transient || kind == workspace.Unavailable
	if !g.begun || s.Line().Dead() || again && !transfer.HasChanged(cause) {
		return cause
	}
	return errors.Join(cause, remove(s, g.part), remove(s, g.to+accountSuffix))
}

// Get brings a file of the host to this machine: the stretches of data alone,
// as the host's tar lists them. What an earlier call brought is gone on with, and
// then the host's checksum of the whole is compared with ours.
func (a *Access) Get(ctx context.Context, from, to string, p workspace.Progress) error {
	err := checked(from, to)
	if err == nil {
		err = a.moves.Hold(ctx, func(s *session) error {
			g := &getter{from: from, to: to, report: p}
			if err := g.get(ctx, s); err != nil {
				return g.abandon(s, err)
			}
			return nil
		})
	}
	return failed("get the image to", to, err)
}

// getter is one Get under way.
type getter struct {
	from, to string
	report   workspace.Progress
	src      *file
	part     *transfer.Part
	offset   int64 // so much is there
}

func (g *getter) get(ctx context.Context, s *session) error {
	var err error
	if g.src, err = open(s, g.from); err != nil {
		return err
	}
	defer g.src.Close()
	if transfer.Landed(transfer.Host{}, g.to, g.src.info.Size(), g.src.info.ModTime()) {
		return nil
	}
	if g.part, err = transfer.Open(transfer.Host{}, g.to); err != nil {
		return err
	}
	resumed := g.recall()
	if err := g.part.Cut(g.offset); err != nil {
		return err
	}
	if err := g.receive(ctx, s); err != nil {
		return err
	}
	if err := transfer.Unchanged(g.src, g.src.info); err != nil {
		return err
	}
	if resumed {
		if err := g.compare(ctx, s); err != nil {
			return err
		}
	}
	if err := g.part.Land(true, g.src.info.ModTime()); err != nil {
		return err
	}
	os.Remove(g.to + accountSuffix)
	return g.part.Close()
}

// recall finds out how much of an earlier call can be gone on with.
func (g *getter) recall() bool {
	var last account
	info, err := g.part.Stat()
	if err != nil || !transfer.LoadAccount(g.to+accountSuffix, &last) || !last.of(g.src.info) {
		return false
	}
	g.offset = min(last.Offset, info.Size())
	return g.offset > 0
}

func (g *getter) receive(ctx context.Context, s *session) error {
	extents, err := extentsOf(ctx, s, g.src, g.from)
	if err != nil {
		return err
	}
	d := lanes.Download{From: []*lanes.Source{g.src.Source}, To: g.part.File, Extents: extents,
		Size: g.src.info.Size(), Offset: g.offset, Touch: s.Line().Touch,
		Meter: transfer.NewMeter(g.report, g.src.info.Size()), Account: g.note}
	if err := d.Run(ctx); err != nil {
		return err
	}
	return g.part.Truncate(g.src.info.Size())
}

func (g *getter) note(offset int64) error {
	return transfer.SaveAccount(g.to+accountSuffix,
		account{g.src.info.Size(), g.src.info.ModTime(), offset})
}

// compare compares what came with what lies on the host.
func (g *getter) compare(ctx context.Context, s *session) error {
	expected, err := sumOf(ctx, s, g.from)
	if err != nil {
		return err
	}
	sum := transfer.NewSum()
	whole := io.NewSectionReader(g.part, 0, g.src.info.Size())
	if err := sum.AddReader(ctx, s.Line().Reader(whole)); err != nil {
		return err
	}
	if sum.Text() != expected {
		return transfer.Changed("what came has the SHA-256 %s, expected %s; the next try "+
			"begins anew", sum.Text(), expected)
	}
	return nil
}

// abandon keeps what came when going on with it makes sense, else removes it,
// and returns cause.
func (g *getter) abandon(s *session, cause error) error {
	if g.part == nil {
		return cause
	}
	defer g.part.Close()
	cause = s.Explain(cause)
	kind := transfer.Kind(cause)
	again := kind == workspace.Transient || kind == workspace.Unavailable
	if again && !transfer.HasChanged(cause) {
		return cause
	}
	os.Remove(g.to + accountSuffix)
	return errors.Join(cause, g.part.Discard())
}
