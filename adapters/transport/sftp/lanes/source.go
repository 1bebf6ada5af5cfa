package lanes

import (
	"cmp"
	"io"
)

// Source is a file on the server, opened for reading.
type Source struct {
	*File
	wire   *wire
	handle string
}

// Source opens a file for reading. Nothing else may be opened over the session at the same
// time: whose handle came is told by the order.
func (s *Session) Source(path string) (*Source, error) {
	f, err := s.Open(path)
	if err != nil {
		return nil, err
	}
	return &Source{f, s.wire, s.wire.lastHandle()}, nil
}

// fetch is ReadAt without the detours, in requests of one packet each. It may use what
// room b has behind its end.
func (s *Source) fetch(b []byte, offset int64) (int, error) {
	var all []question
	for at := 0; at < len(b); at += packetBytes {
		piece := b[at:min(len(b), at+packetBytes)]
		all = append(all, question{b: piece, offset: offset + int64(at)})
	}
	for len(all) > 0 {
		s.wire.fetch(s.handle, all)
		rest := all[:0]
		for _, q := range all {
			if q.came == 0 {
				n, err := s.ReadAt(q.b, q.offset)
				if n < len(q.b) {
					return int(q.offset-offset) + n, cmp.Or(err, io.ErrNoProgress)
				}
			} else if q.came < len(q.b) {
				rest = append(rest, question{b: q.b[q.came:], offset: q.offset + int64(q.came)})
			}
		}
		all = rest
	}
	return len(b), nil
}
