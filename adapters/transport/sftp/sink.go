package sftp

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// checkpointBytes is how much may have to be fetched again after a kill.
const checkpointBytes = 64 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sink takes in the image's bytes in their order. It leaves out zeros, adds up
// the checksums and keeps account of how far it is. The cheap sum of its own is for
// the next Fetch: after a power cut the half-made file may lack what the account says.
type sink struct {
	g     *getter
	c     *connection
	sum   *transfer.Sum
	meter *transfer.Meter
	at    int64
	crc   uint32
	saved int64
	wait  func(n int) error // keeps the pace
	err   error             // the host's own failure, which is not the server's
}

func newSink(g *getter, c *connection) *sink {
	s := &sink{g: g, c: c, meter: transfer.NewMeter(g.Progress, g.src.info.Size())}
	if g.expected != "" {
		s.sum = transfer.NewSum()
	}
	return s
}

// Write takes in the next bytes.
func (s *sink) Write(b []byte) (int, error) {
	if s.at+int64(len(b)) > s.g.src.info.Size() {
		return 0, fmt.Errorf("the image grew beyond its %d bytes", s.g.src.info.Size())
	}
	if n, err := sparse.WriteAt(s.g.part, b, s.at); err != nil {
		s.err = err
		return n, err
	}
	s.add(b)
	s.c.Line().Touch()
	s.meter.Reach(s.at)
	if s.at-s.saved >= checkpointBytes {
		s.err = s.checkpoint()
	}
	if s.err == nil {
		s.err = s.wait(len(b))
	}
	return len(b), s.err
}

func (s *sink) add(b []byte) {
	s.sum.Add(b)
	s.crc = crc32.Update(s.crc, castagnoli, b)
	s.at += int64(len(b))
}

// checkpoint writes the account. The file's length is made to agree with it,
// for the zeros that were left out at its end.
func (s *sink) checkpoint() error {
	if s.at == 0 {
		return errors.New("nothing came yet")
	}
	account := newState(s.g.Location, s.g.src.info)
	account.Offset, account.CRC32C = s.at, s.crc
	s.saved = s.at
	return account.save(s.g.Path + stateSuffix)
}

// recall reads what an earlier Fetch left and tells whether it is what the
// account says. Holes at its end, which the file's length does not show, count.
func (s *sink) recall(ctx context.Context, last state) (bool, error) {
	if err := s.g.part.Truncate(last.Offset); err != nil {
		return false, err
	}
	buffer := transfer.Buffer()
	defer transfer.Recycle(buffer)
	r := io.NewSectionReader(s.g.part, 0, last.Offset)
	for s.at < last.Offset {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := r.Read(*buffer)
		if n == 0 {
			return false, err
		}
		s.add((*buffer)[:n])
		s.c.Line().Touch()
	}
	s.saved = s.at
	return s.crc == last.CRC32C, nil
}
