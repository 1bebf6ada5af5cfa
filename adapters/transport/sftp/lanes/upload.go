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

// lanes is how many packets are on their way at once.
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
	// Flush, when set, has the server write what has arrived to its disk: now and then,
	// one call at a time, while others send. The connection that it is called over
	// stands still meanwhile.
	Flush func() error

	work  chan chunk
	free  chan []byte // buffers, nil where none was made yet
	due   chan struct{}
	since int64 // so much data was handed to the lanes since the account was written

	mu     sync.Mutex
	err    error
	handed int64          // all before it was handed to the lanes
	flight map[int64]bool // where chunks begin that have not arrived
}

// chunk is what a lane sends at a time.
type chunk struct {
	data   []byte
	offset int64
}

// Run sends what is not there yet, and computes the checksum of all.
func (u *Upload) Run(ctx context.Context) error {
	u.handed, u.flight = u.Offset, map[int64]bool{}
	if err := u.recall(ctx); err != nil {
		return err
	}
	u.Meter.Reach(u.Offset)
	u.work, u.free = make(chan chunk), make(chan []byte, lanes)
	u.due = make(chan struct{}, 1)
	var workers sync.WaitGroup
	for i := range lanes {
		u.free <- nil
		workers.Go(func() { u.send(u.To[i%len(u.To)]) })
	}
	if u.Flush != nil {
		workers.Go(u.flush)
	}
	err := u.feed(ctx)
	close(u.work)
	close(u.due)
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

// send is the work of one lane: whichever is free takes the next chunk, so that no
// connection waits for another.
func (u *Upload) send(to io.WriterAt) {
	for c := range u.work {
		_, err := sparse.WriteAt(to, c.data, c.offset)
		u.finish(c.offset, err)
		u.free <- c.data
	}
}

// flush is called for each time that it is due.
func (u *Upload) flush() {
	for range u.due {
		if err := u.Flush(); err != nil {
			u.begin(u.Offset) // nobody knows what of it was lost
			u.finish(u.Offset, err)
		}
	}
}

// begin notes that the chunk at offset is on its way.
func (u *Upload) begin(offset int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.flight[offset] = true
}

// finish notes that the chunk at offset has arrived, or never will.
func (u *Upload) finish(offset int64, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err == nil {
		delete(u.flight, offset)
	}
	u.err = cmp.Or(u.err, err)
}

// arrived returns the offset before which all has arrived.
func (u *Upload) arrived() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	least := u.handed
	for offset := range u.flight {
		least = min(least, offset)
	}
	return least
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

// checkpoint keeps the account for the case that we are killed.
func (u *Upload) checkpoint() error {
	if u.since < checkpointBytes || u.failure() != nil {
		return nil
	}
	u.since = 0
	select {
	case u.due <- struct{}{}:
	default: // none wanted, or one is due already
	}
	return u.Account(u.arrived())
}

// extent hands one stretch of data to the lanes, cut at multiples of the
// packet's size.
func (u *Upload) extent(ctx context.Context, e sparse.Extent) error {
	for at := e.Offset; at < e.End(); {
		if err := errors.Join(ctx.Err(), u.failure(), u.checkpoint()); err != nil {
			return err
		}
		b := <-u.free
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
		u.begin(at)
		u.work <- chunk{b, at}
		at += int64(n)
		u.since += int64(n)
		u.handed = at
		u.Meter.Reach(at)
	}
	return nil
}
