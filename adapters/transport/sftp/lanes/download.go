package lanes

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// Download fetches stretches of a file, in the order of the file as far as it matters.
type Download struct {
	// From is the file on the server, opened once over each connection to use.
	From []io.ReaderAt
	To   *os.File // holds nothing after Offset
	Size int64
	// Extents are the stretches to fetch, in order; nothing else holds data.
	Extents []sparse.Extent
	Offset  int64 // so much is there already
	Meter   *transfer.Meter
	// Account notes that all before the offset has come.
	Account func(offset int64) error
	Touch   func() // tells that we are at work
	Pace    *transfer.Pace

	mu      sync.Mutex
	extent  int   // the next chunk is of this extent
	at      int64 // and begins here
	flight  []*fetched
	arrived int64
	saved   int64
	err     error
}

// fetched is one chunk on its way, in the list of those by rising offset.
type fetched struct {
	offset int64
	length int
	done   bool
}

// Run fetches what is not there yet.
func (d *Download) Run(ctx context.Context) error {
	d.at, d.arrived, d.saved = d.Offset, d.Offset, d.Offset
	d.Meter.Reach(d.Offset)
	var workers sync.WaitGroup
	for i := range packetsAtOnce {
		workers.Go(func() { d.lane(ctx, d.From[i%len(d.From)]) })
	}
	workers.Wait()
	if d.err != nil {
		return errors.Join(d.err, d.account())
	}
	d.Meter.Reach(d.Size)
	return nil
}

func (d *Download) account() error {
	if d.arrived == 0 {
		return nil
	}
	// The length must agree with the account, for holes at the end of what came.
	return errors.Join(d.To.Truncate(max(d.arrived, 0)), d.Account(d.arrived))
}

// lane fetches one chunk at a time.
func (d *Download) lane(ctx context.Context, from io.ReaderAt) {
	b := make([]byte, packetBytes)
	for {
		c := d.take(ctx)
		if c == nil {
			return
		}
		n, err := from.ReadAt(b[:c.length], c.offset)
		if n == c.length {
			err = nil // the end of the file may be told with its last bytes
		} else if errors.Is(err, io.EOF) {
			err = transfer.Changed("it ended early, at %d", c.offset+int64(n))
		}
		if err == nil {
			_, err = sparse.WriteAt(d.To, b[:n], c.offset)
		}
		d.finish(c, err)
	}
}

// take returns the next chunk to fetch; nil when there is none, or no use.
func (d *Download) take(ctx context.Context) *fetched {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil {
		d.err = ctx.Err()
	}
	for d.err == nil && d.extent < len(d.Extents) {
		e := d.Extents[d.extent]
		at := max(d.at, e.Offset)
		if at >= e.End() {
			d.extent++
			continue
		}
		c := &fetched{offset: at, length: int(min(e.End()-at, packetBytes-at%packetBytes))}
		if d.err = d.Pace.Wait(ctx, c.length); d.err != nil {
			return nil
		}
		d.at = at + int64(c.length)
		d.flight = append(d.flight, c)
		return c
	}
	return nil
}

// finish notes that a chunk has come, or has not.
func (d *Download) finish(c *fetched, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Touch()
	if err != nil {
		if d.err == nil {
			d.err = err
		}
		return
	}
	c.done = true
	for len(d.flight) > 0 && d.flight[0].done {
		d.arrived = d.flight[0].offset + int64(d.flight[0].length)
		d.flight = d.flight[1:]
	}
	d.Meter.Reach(d.arrived)
	if d.arrived-d.saved >= checkpointBytes && d.err == nil {
		d.saved = d.arrived
		d.err = d.Account(d.arrived)
	}
}
