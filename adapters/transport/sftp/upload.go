package sftp

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync"

	pkgsftp "github.com/pkg/sftp"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// lanes is how many packets are on their way at once. Chunk n goes out when
// chunk n-lanes has arrived, and so have all before that.
const lanes = packetsAtOnce

// uploader sends a file's data, in the order of the file as far as it matters.
type uploader struct {
	g     *putter
	c     *connection
	to    *pkgsftp.File
	sum   *transfer.Sum
	meter *transfer.Meter
	lanes [lanes]lane
	ends  [lanes]int64 // where the last chunk of each lane ends
	next  int
	saved int64 // the account has it that so much arrived

	handed int64 // all before it was handed to the lanes

	mu     sync.Mutex
	err    error
	failed int64 // with err: the lowest offset that did not arrive
}

// lane sends one chunk at a time.
type lane struct {
	work chan chunk
	free chan []byte // its one buffer, when it is not in use
}

type chunk struct {
	data   []byte
	offset int64
}

func newUploader(g *putter, c *connection, to *pkgsftp.File) *uploader {
	return &uploader{g: g, c: c, to: to, sum: transfer.NewSum(),
		meter:  transfer.NewMeter(g.Progress, g.stat.Size()),
		handed: g.offset, saved: g.offset}
}

// run sends what is not there yet, and computes the checksum of all.
func (u *uploader) run(ctx context.Context) error {
	r := u.c.line.Reader(io.NewSectionReader(u.g.from, 0, u.g.offset))
	if err := u.sum.AddReader(ctx, r); err != nil {
		return err
	}
	u.meter.Reach(u.g.offset)
	var workers sync.WaitGroup
	for i := range u.lanes {
		l := &u.lanes[i]
		l.work, l.free = make(chan chunk), make(chan []byte, 1)
		l.free <- nil
		workers.Go(func() { u.send(l) })
	}
	err := u.feed(ctx)
	for i := range u.lanes {
		close(u.lanes[i].work)
	}
	workers.Wait()
	if err = errors.Join(err, u.failure()); err != nil {
		return errors.Join(err, u.g.account(u.arrived()))
	}
	u.meter.Reach(u.g.stat.Size())
	return nil
}

// send is the work of one lane.
func (u *uploader) send(l *lane) {
	for c := range l.work {
		if _, err := sparse.WriteAt(u.to, c.data, c.offset); err != nil {
			u.fail(c.offset, err)
		}
		l.free <- c.data
	}
}

// fail notes that the chunk at offset did not arrive.
func (u *uploader) fail(offset int64, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err == nil || offset < u.failed {
		u.failed = offset
	}
	u.err = cmp.Or(u.err, err)
}

// arrived returns the offset before which all has arrived, once the lanes are done.
func (u *uploader) arrived() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err != nil {
		return u.failed
	}
	return u.handed
}

func (u *uploader) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

// feed reads the file's data and hands it to the lanes.
func (u *uploader) feed(ctx context.Context) error {
	at, size := u.g.offset, u.g.stat.Size()
	for extent, err := range sparse.Extents(u.g.from, at, size) {
		if err != nil {
			return err
		}
		if err := u.zeros(ctx, extent.Offset-at); err != nil {
			return err
		}
		if err := u.extent(ctx, extent); err != nil {
			return err
		}
		at = extent.End()
	}
	return u.zeros(ctx, size-at)
}

// zeros adds a hole to the checksum, which may take its time.
func (u *uploader) zeros(ctx context.Context, n int64) error {
	for n > 0 {
		u.c.touch()
		step := min(n, checkpointBytes)
		if err := u.sum.AddZeros(ctx, step); err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// checkpoint keeps the account for the case that we are killed. The lane whose
// turn it is has just come free: its last chunk has arrived.
func (u *uploader) checkpoint() error {
	arrived := u.ends[u.next%lanes]
	if arrived-u.saved < checkpointBytes || u.failure() != nil {
		return nil
	}
	u.saved = arrived
	return u.g.account(arrived)
}

// extent hands one stretch of data to the lanes, cut at multiples of the
// packet's size.
func (u *uploader) extent(ctx context.Context, e sparse.Extent) error {
	for at := e.Offset; at < e.End(); {
		if err := errors.Join(ctx.Err(), u.failure()); err != nil {
			return err
		}
		l := &u.lanes[u.next%lanes]
		b := <-l.free
		if err := u.checkpoint(); err != nil {
			return err
		}
		if b == nil {
			b = make([]byte, packetBytes)
		}
		b = b[:min(e.End()-at, packetBytes-at%packetBytes)]
		n, err := u.g.from.ReadAt(b, at)
		if err == io.EOF && n < len(b) {
			err = errChanged(u.g.Path)
		}
		if n < len(b) {
			return err
		}
		u.c.touch()
		u.sum.Add(b)
		l.work <- chunk{b, at}
		at += int64(n)
		u.ends[u.next%lanes] = at
		u.next++
		u.handed = at
		u.meter.Reach(at)
	}
	return nil
}
