package web

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"sync"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// pieceBytes is the length of a range; after so many pieces the account is
// written, which is how much may have to be fetched again after a kill.
const (
	pieceBytes = 1 << 20
	mostPieces = 1 << 16
	accountFor = 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// bring fetches the pieces that are missing, several at a time. The first that
// fails ends the others.
func (g *getter) bring(ctx context.Context) error {
	if !g.src.ranges {
		return g.stream(ctx)
	}
	c := g.courier()
	c.arrived(g.account.bytes())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	missing := g.account.missing()
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(g.src.Parallel, len(missing)) {
		workers.Go(func() {
			for i := range next {
				if err := c.piece(ctx, i); err != nil {
					c.fail(err)
					cancel()
					return
				}
			}
		})
	}
	for _, i := range missing {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	workers.Wait()
	if c.err == nil && len(missing) > 0 {
		c.err = ctx.Err()
	}
	return c.err
}

// courier brings the pieces of one image.
type courier struct {
	*getter
	pace  *transfer.Pace
	mu    sync.Mutex // of all below, and of the account
	meter *transfer.Meter
	done  int64
	owed  int // pieces that the account does not know yet
	err   error
}

func (g *getter) courier() *courier {
	return &courier{getter: g, meter: transfer.NewMeter(g.Progress, g.src.size),
		pace: transfer.NewPace(g.Rate, g.watch.touch)}
}

func (c *courier) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

func (c *courier) arrived(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
	c.meter.Reach(c.done)
}

// piece fetches one range and writes it where it belongs.
func (c *courier) piece(ctx context.Context, i int) error {
	start, end := c.account.span(i)
	body, err := c.src.open(ctx, start, end)
	if err != nil {
		return err
	}
	defer body.Close()
	sum, err := c.copy(ctx, body, start, end)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.account.Pieces[i] = piece{true, sum}
	if c.owed++; c.owed < accountFor {
		return nil
	}
	c.owed = 0
	return c.account.save(c.Path + stateSuffix)
}

// copy writes the bytes of a range, leaving out zeros, and returns their CRC.
func (c *courier) copy(
	ctx context.Context, body io.Reader, at, end int64,
) (sum uint32, err error) {
	buffer := transfer.Buffer()
	defer transfer.Recycle(buffer)
	for at < end {
		n, err := body.Read((*buffer)[:min(int64(len(*buffer)), end-at)])
		if n > 0 {
			b := (*buffer)[:n]
			if _, err := sparse.WriteAt(c.part, b, at); err != nil {
				return 0, err
			}
			sum = crc32.Update(sum, castagnoli, b)
			at += int64(n)
			c.watch.touch()
			c.arrived(int64(n))
			if err := c.pace.Wait(ctx, n); err != nil {
				return 0, lost(ctx, err)
			}
		}
		if at == end {
			break
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, lost(ctx, err)
		}
	}
	return sum, nil
}

// stream fetches the image in one piece from its beginning, from a server that
// gives no ranges. What came is no use to a later Fetch.
func (g *getter) stream(ctx context.Context) error {
	body, err := g.src.open(ctx, 0, g.src.size)
	if err != nil {
		return err
	}
	defer body.Close()
	c := g.courier()
	c.arrived(0)
	if _, err = c.copy(ctx, body, 0, g.src.size); err != nil {
		return &spoilt{err}
	}
	return nil
}

// sum reads what came for its checksum: pieces arrive in any order.
func (g *getter) sum(ctx context.Context) (*transfer.Sum, error) {
	sum := transfer.NewSum()
	r := g.watch.reader(io.NewSectionReader(g.part, 0, g.src.size))
	return sum, sum.AddReader(ctx, r)
}

// recall reads what an earlier Fetch left and returns the account of those
// pieces that are there as it says; nil when nothing is of use, or nothing would tell that
// it is of another image.
func (g *getter) recall(ctx context.Context) *account {
	last := loadAccount(g.Path + stateSuffix)
	if !last.of(g.Location, g.src) || g.expected == "" && !g.src.marked() {
		return nil
	}
	if info, err := g.part.Stat(); err != nil || info.Size() != g.src.size {
		return nil
	}
	buffer := transfer.Buffer()
	defer transfer.Recycle(buffer)
	for i, p := range last.Pieces {
		if !p.There {
			continue
		}
		start, end := last.span(i)
		sum, hash := uint32(0), io.NewSectionReader(g.part, start, end-start)
		for at := start; at < end && ctx.Err() == nil; {
			n, err := hash.Read(*buffer)
			if n == 0 && err != nil {
				return nil
			}
			sum = crc32.Update(sum, castagnoli, (*buffer)[:n])
			at += int64(n)
			g.watch.touch()
		}
		if sum != p.CRC32C {
			return nil
		}
		g.resumed = true
	}
	if !g.resumed || g.wipe(last) != nil {
		return nil
	}
	return last
}

// wipe makes holes of the pieces that are missing: a piece that came in part
// left bytes where the whole may have zeros, which are not written.
func (g *getter) wipe(last *account) error {
	for _, i := range last.missing() {
		start, end := last.span(i)
		if err := sparse.Punch(g.part.File, start, end-start); err != nil {
			return err
		}
	}
	return nil
}

// reader is r with a touch of the watch at each read.
func (w *watch) reader(r io.Reader) io.Reader { return touching{r, w} }

type touching struct {
	io.Reader
	w *watch
}

// Read reads and touches.
func (t touching) Read(b []byte) (int, error) {
	t.w.touch()
	return t.Reader.Read(b)
}
