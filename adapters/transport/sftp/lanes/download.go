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

// chunkBytes is what one lane fetches, in several packets: the fewer turns goroutines
// take, the better. So many chunks make packetsAtOnce.
const (
	chunkBytes   = 4 * packetBytes
	chunksAtOnce = packetsAtOnce * packetBytes / chunkBytes
)

// Download fetches stretches of a file, in the order of the file as far as it matters.
type Download struct {
	// From is the file on the server, opened once over each connection to use.
	From []*Source
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
	// Passing, when set, is given all bytes of the extents in their order, one call at
	// a time and each before Account hears of it.
	Passing func(b []byte)

	mu      sync.Mutex
	space   sync.Cond // of mu: flight has become shorter
	passing bool      // somebody hands over what is first in flight
	free    [][]byte  // buffers that nobody uses
	extent  int       // the next chunk is of this extent
	at      int64     // and begins here
	flight  []*fetched
	arrived int64
	since   int64 // so much data arrived since the account was written
	err     error
}

// fetched is one chunk on its way, in the list of those by rising offset.
type fetched struct {
	offset int64
	length int
	data   []byte // once it has come
}

// Run fetches what is not there yet.
func (d *Download) Run(ctx context.Context) error {
	d.at, d.arrived = d.Offset, d.Offset
	d.space.L = &d.mu
	d.Meter.Reach(d.Offset)
	var workers sync.WaitGroup
	for i := range chunksAtOnce {
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
func (d *Download) lane(ctx context.Context, from *Source) {
	for {
		c, b := d.take(ctx)
		if c == nil {
			return
		}
		n, err := from.fetch(b, c.offset)
		if n == c.length {
			err = nil // the end of the file may be told with its last bytes
		} else if err == io.EOF { // wrapped, it says that the request could not be sent
			err = transfer.Changed("it ended early, at %d", c.offset+int64(n))
		}
		if err == nil {
			err = d.write(b[:n], c.offset)
		}
		d.finish(c, b, err)
	}
}

// write writes packet by packet: for more at once, file systems look for stretches of
// memory that are slow to get.
func (d *Download) write(b []byte, offset int64) error {
	for at := 0; at < len(b); at += packetBytes {
		_, err := sparse.WriteAt(d.To, b[at:min(len(b), at+packetBytes)], offset+int64(at))
		if err != nil {
			return err
		}
	}
	return nil
}

// take returns the next chunk to fetch, and room for it; nil when there is none,
// or no use.
func (d *Download) take(ctx context.Context) (*fetched, []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.err == nil && len(d.flight) >= 2*chunksAtOnce {
		d.space.Wait()
	}
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
		c := &fetched{offset: at, length: int(min(e.End()-at, chunkBytes-at%chunkBytes))}
		if d.err = d.Pace.Wait(ctx, c.length); d.err != nil {
			break
		}
		d.at = at + int64(c.length)
		d.flight = append(d.flight, c)
		return c, d.room()[:c.length]
	}
	return nil, nil
}

// room returns a buffer that nobody uses.
func (d *Download) room() []byte {
	last := len(d.free) - 1
	if last < 0 {
		return make([]byte, chunkBytes, chunkBytes+dataHeadBytes)
	}
	b := d.free[last]
	d.free = d.free[:last]
	return b
}

// finish notes that a chunk has come, or has not.
func (d *Download) finish(c *fetched, b []byte, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Touch()
	if err != nil {
		if d.err == nil {
			d.err = err
		}
		d.space.Broadcast()
		return
	}
	c.data = b
	if d.passing {
		return // who hands over will find it
	}
	d.passing = true
	for len(d.flight) > 0 && d.flight[0].data != nil {
		d.pass(d.flight[0])
	}
	d.passing = false
	d.Meter.Reach(d.arrived)
}

// pass hands over the first chunk in flight, while others go on.
func (d *Download) pass(c *fetched) {
	if d.Passing != nil {
		d.mu.Unlock()
		d.Passing(c.data)
		d.mu.Lock()
	}
	d.arrived = c.offset + int64(c.length)
	d.flight = d.flight[1:]
	d.free = append(d.free, c.data[:chunkBytes])
	d.space.Signal()
	d.since += int64(c.length)
	if d.since >= checkpointBytes && d.err == nil {
		d.since = 0
		arrived := d.arrived
		d.mu.Unlock()
		err := d.Account(arrived)
		d.mu.Lock()
		d.err = cmp.Or(d.err, err)
	}
}
