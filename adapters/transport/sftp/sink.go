package sftp

import (
	"context"
	"errors"
	"hash/crc32"
	"io"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sink is told the image's bytes in their order. It adds up the checksums and
// keeps account of how far it is. The cheap sum of its own is for
// the next Fetch: after a power cut the half-made file may lack what the account says.
type sink struct {
	g   *getter
	c   *connection
	sum *transfer.Sum
	at  int64
	crc uint32
}

func newSink(g *getter, c *connection) *sink {
	s := &sink{g: g, c: c}
	if g.expected != "" {
		s.sum = transfer.NewSum()
	}
	return s
}

// add takes in the next bytes.
func (s *sink) add(b []byte) {
	s.sum.Add(b)
	s.crc = crc32.Update(s.crc, castagnoli, b)
	s.at += int64(len(b))
}

// checkpoint writes the account.
func (s *sink) checkpoint() error {
	if s.at == 0 {
		return errors.New("nothing came yet")
	}
	account := newState(s.g.Location, s.g.src.info)
	account.Offset, account.CRC32C = s.at, s.crc
	return account.save(s.g.Path + stateSuffix)
}

// recall reads what an earlier Fetch left and tells whether it is what the
// account says. Holes at its end, which the file's length does not show, count.
func (s *sink) recall(ctx context.Context, last state) (bool, error) {
	if err := s.g.part.Cut(last.Offset); err != nil {
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
	return s.crc == last.CRC32C, nil
}
