package lanes

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// lanes is how many packets are on their way at once. Chunk n goes out when
// chunk n-lanes has arrived, and so have all before that.
const lanes = packetsAtOnce

// checkpointBytes is how much may have to be sent again after a kill.
const checkpointBytes = 64 << 20

// Upload sends a file's data, in the order of the file as far as it matters.
type Upload struct {
	From   *os.File
	Size   int64
	Offset int64 // so much is there already
	// To is the file on the server, opened once over each connection to use.
	To    []io.WriterAt
	Sum   *transfer.Sum // of the whole file; nil: not wanted
	Meter *transfer.Meter
	// Account notes that all before the offset has arrived.
	Account func(offset int64) error
	Touch   func() // tells that we are at work
	Pace    *transfer.Pace

	lanes [lanes]lane
	ends  [lanes]int64 // where the last chunk of each lane ends
	next  int
	since int64 // so much data was handed to the lanes since the account was written

	handed int64 // all before it was handed to the lanes

	mu     sync.Mutex
	err    error
	failed int64 // with err: the lowest offset that did not arrive
}

// lane sends one chunk at a time.
type lane struct {
	to   io.WriterAt
	work chan chunk
	free chan []byte // its one buffer, when it is not in use
}

type chunk struct {
	data   []byte
	offset int64
}

// Run sends what is not there yet, and computes the checksum of all.
func (u *Upload) Run(ctx context.Context) error {
	u.handed = u.Offset
	if err := u.recall(ctx); err != nil {
		return err
	}
	u.Meter.Reach(u.Offset)
	var workers sync.WaitGroup
	for i := range u.lanes {
		l := &u.lanes[i]
		l.to = u.To[i%len(u.To)]
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
		return errors.Join(err, u.Account(u.arrived()))
	}
	u.Meter.Reach(u.Size)
	return nil
}

// recall adds to the checksum what was sent before.
func (u *Upload) recall(ctx context.Context) error {
	if u.Sum == nil || u.Offset == 0 {
		return nil
	}
	return u.Sum.AddReader(ctx, touching{io.NewSectionReader(u.From, 0, u.Offset), u.Touch})
}

type touching struct {
	io.Reader
	touch func()
}

// Read reads and tells.
func (t touching) Read(b []byte) (int, error) {
	t.touch()
	return t.Reader.Read(b)
}

// send is the work of one lane.
func (u *Upload) send(l *lane) {
	for c := range l.work {
		if _, err := sparse.WriteAt(l.to, c.data, c.offset); err != nil {
			u.fail(c.offset, err)
		}
		l.free <- c.data
	}
}

// fail notes that the chunk at offset did not arrive.
func (u *Upload) fail(offset int64, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err == nil || offset < u.failed {
		u.failed = offset
	}
	u.err = cmp.Or(u.err, err)
}

// arrived returns the offset before which all has arrived, once the lanes are done.
func (u *Upload) arrived() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err != nil {
		return u.failed
	}
	return u.handed
}

func (u *Upload) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

// feed reads the file's data and hands it to the lanes.
func (u *Upload) feed(ctx context.Context) error {
	at, size := u.Offset, u.Size
	for extent, err := range sparse.Extents(u.From, at, size) {
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
func (u *Upload) zeros(ctx context.Context, n int64) error {
	for n > 0 && u.Sum != nil {
		u.Touch()
		step := min(n, checkpointBytes)
		if err := u.Sum.AddZeros(ctx, step); err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// checkpoint keeps the account for the case that we are killed. The lane whose
// turn it is has just come free: its last chunk has arrived.
func (u *Upload) checkpoint() error {
	arrived := u.ends[u.next%lanes]
	if u.since < checkpointBytes || u.failure() != nil {
		return nil
	}
	u.since = 0
	return u.Account(arrived)
}

// extent hands one stretch of data to the lanes, cut at multiples of the
// packet's size.
func (u *Upload) extent(ctx context.Context, e sparse.Extent) error {
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
		n, err := u.From.ReadAt(b, at)
		if err == io.EOF && n < len(b) {
			err = transfer.Changed("%s ended early", u.From.Name())
		}
		if n < len(b) {
			return err
		}
		u.Touch()
		u.Sum.Add(b)
		if err := u.Pace.Wait(ctx, n); err != nil {
			return err
		}
		l.work <- chunk{b, at}
		at += int64(n)
		u.since += int64(n)
		u.ends[u.next%lanes] = at
		u.next++
		u.handed = at
		u.Meter.Reach(at)
	}
	return nil
}
