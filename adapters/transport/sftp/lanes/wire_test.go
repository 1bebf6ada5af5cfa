package lanes

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// packetInit is the client's greeting.
const packetInit = 1

// A script is a server that says what a test wants.
type script struct {
	answer func(q request) []byte // to all but the greeting; nil: hangs up
	pieces int                    // of so many bytes is all that it says
	conn   net.Conn
}

// request is what the client asks.
type request struct {
	kind   byte
	id     []byte
	offset uint64 // of a read
	length uint32
}

// run answers until the line ends.
func (s *script) run() {
	defer s.conn.Close()
	for {
		head := make([]byte, 4)
		if _, err := io.ReadFull(s.conn, head); err != nil {
			return
		}
		p := make([]byte, binary.BigEndian.Uint32(head))
		if _, err := io.ReadFull(s.conn, p); err != nil {
			return
		}
		reply := []byte{0, 0, 0, 5, packetVersion, 0, 0, 0, 3}
		if p[0] != packetInit {
			q := request{kind: p[0], id: p[1:5]}
			if p[0] == packetRead {
				q.offset = binary.BigEndian.Uint64(p[len(p)-12:])
				q.length = binary.BigEndian.Uint32(p[len(p)-4:])
			}
			if reply = s.answer(q); reply == nil {
				return
			}
		}
		for len(reply) > 0 {
			n := min(len(reply), s.pieces)
			if _, err := s.conn.Write(reply[:n]); err != nil {
				return
			}
			reply = reply[n:]
		}
	}
}

// converse opens a session with a script and gives it to f. It fails the test when any
// goroutine outlives the session.
func converse(t *testing.T, pieces int, answer func(q request) []byte, f func(s *Session)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		script := &script{answer: answer, pieces: pieces, conn: server}
		go script.run()
		s, err := over(client, channel{client})
		if err != nil {
			t.Fatal(err)
		}
		s.line = &login.Conn{}
		f(s)
		s.Client.Close()
	})
}

// channel is a pipe that, like a channel of SSH, says of its end no more than EOF.
type channel struct{ net.Conn }

func (c channel) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = io.EOF
	}
	return n, err
}

// packet is one of the kind, of which the length is right.
func packet(kind byte, id []byte, body ...byte) []byte {
	p := binary.BigEndian.AppendUint32(nil, uint32(headBytes-4+len(body)))
	return append(append(append(p, kind), id...), body...)
}

// told is a packet that says another length than it has.
func told(p []byte, length uint32) []byte {
	binary.BigEndian.PutUint32(p, length)
	return p
}

// content is what the script's file holds.
var content = random(3*packetBytes + 777)

// honest answers a request in full.
func honest(q request) []byte {
	switch {
	case q.kind == packetOpen:
		return packet(packetHandle, q.id, 0, 0, 0, 2, 'h', 'x')
	case q.kind != packetRead:
		return packet(packetStatus, q.id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	case q.offset >= uint64(len(content)):
		return packet(packetStatus, q.id, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	rest := content[q.offset:]
	return dataPacket(q.id, rest[:min(int(q.length), len(rest))])
}

// fetchAll fetches the content by one call, and returns the error as a caller sees it.
func fetchAll(s *Session) ([]byte, error) {
	src, err := s.Source("/image")
	if err != nil {
		return nil, s.Explain(err)
	}
	b := make([]byte, len(content), len(content)+dataHeadBytes)
	n, err := src.fetch(b, 0)
	if err == nil || err == io.EOF {
		return b[:n], err
	}
	return b[:n], s.Explain(err)
}

// TestWireInPieces: packets come in pieces of any size, and several at once.
func TestWireInPieces(t *testing.T) {
	for _, pieces := range []int{1, 3, 8, 9, 12, 13, 14, 255, 4096, packetBytes, 1 << 20} {
		converse(t, pieces, honest, func(s *Session) {
			got, err := fetchAll(s)
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("in pieces of %d: %d bytes, others or fewer: %v", pieces, len(got), err)
			}
		})
	}
}

// TestWireTakesWhatIsGood: what is not quite as asked, but of use.
func TestWireTakesWhatIsGood(t *testing.T) {
	var held []byte
	strikes := 0
	tests := map[string]func(q request) []byte{
		"one byte less": func(q request) []byte {
			q.length = max(1, q.length-1)
			return honest(q)
		},
		"a tenth": func(q request) []byte {
			q.length = q.length/10 + 1
			return honest(q)
		},
		"more": func(q request) []byte {
			q.length++
			return honest(q)
		},
		"a status between the data": func(q request) []byte {
			if strikes++; strikes%2 == 0 && q.id[0]&0x80 != 0 {
				return failure(q.id)
			}
			return honest(q)
		},
		"a packet of another kind": func(q request) []byte {
			if strikes++; strikes%2 == 0 && q.id[0]&0x80 != 0 {
				return packet(packetName, q.id, 255, 255, 255, 255)
			}
			return honest(q)
		},
		"the last first": func(q request) []byte {
			if q.id[0] < 0x80 || q.offset > 2*packetBytes && held == nil {
				return honest(q)
			}
			if held = append(honest(q), held...); q.offset < 2*packetBytes {
				return []byte{}
			}
			defer func() { held = []byte{} }()
			return held
		},
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			converse(t, 100_000, ofReads(answer), func(s *Session) {
				got, err := fetchAll(s)
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("%d bytes came, others or fewer: %v", len(got), err)
				}
			})
		})
	}
}

// ofReads answers reads so, and all else honestly.
func ofReads(answer func(q request) []byte) func(q request) []byte {
	return func(q request) []byte {
		if q.kind != packetRead {
			return honest(q)
		}
		return answer(q)
	}
}

// TestWireRefusesLies: a server that breaks the rules, or the line, is unavailable; it
// does not bring the daemon down, nor does the image count as changed.
func TestWireRefusesLies(t *testing.T) {
	saying := func(length uint32) func(q request) []byte {
		return func(q request) []byte { return told(honest(q), length) }
	}
	tests := map[string]struct {
		answer func(q request) []byte
		says   string
	}{
		"unasked": {func(request) []byte {
			return dataPacket([]byte{200, 0, 0, 9}, content[:9])
		}, ""},
		"unasked of the library": {func(request) []byte {
			return failure([]byte{0, 99, 0, 0})
		}, ""},
		"twice":            {func(q request) []byte { return append(honest(q), honest(q)...) }, ""},
		"no length":        {saying(0), "announces 4"},
		"less than a head": {saying(4), "announces 8"},
		"length below 0":   {saying(1<<32 - 1), "announces"},
		"length of 1 MiB":  {saying(1 << 20), "announces"},
		"no data": {func(q request) []byte { return dataPacket(q.id, nil) },
			"does not hold"},
		"data of a lie": {func(q request) []byte {
			return packet(packetData, q.id, 0, 2, 0, 0, 'a', 'b')
		}, "does not hold"},
		"data below 0": {func(q request) []byte {
			return packet(packetData, q.id, 255, 255, 255, 255, 'a', 'b')
		}, "does not hold"},
		"data without a length": {func(q request) []byte { return packet(packetData, q.id) },
			"does not hold"},
		"status without a code": {func(q request) []byte { return packet(packetStatus, q.id, 0) },
			"does not hold"},
		"done instead of data": {func(q request) []byte {
			return packet(packetStatus, q.id, 0, 0, 0, 0)
		}, "tells nothing"},
		"hangs up": {func(request) []byte { return nil }, ""},
		"hangs up within a head": {func(q request) []byte {
			if q.offset > 0 {
				return nil
			}
			return honest(q)[:7]
		}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			converse(t, 5000, ofReads(test.answer), func(s *Session) {
				_, err := fetchAll(s)
				if workspace.KindOf(err) != workspace.Unavailable || transfer.HasChanged(err) ||
					!strings.Contains(err.Error(), test.says) {
					t.Errorf("%v, want it to be unavailable and to say %q", err, test.says)
				}
			})
		})
	}
}

// TestWireRefusesLiesToTheLibrary, which would end the process: strings that are longer
// than their packet, lists that memory cannot hold.
func TestWireRefusesLiesToTheLibrary(t *testing.T) {
	open := func(s *Session) error { _, err := s.Source("/image"); return err }
	stat := func(s *Session) error { _, err := s.Stat("/image"); return err }
	real := func(s *Session) error { _, err := s.RealPath("/image"); return err }
	list := func(s *Session) error { _, err := s.ReadDir("/"); return err }
	const short = "does not hold what it announces"
	tests := map[string]struct {
		call func(s *Session) error
		kind byte
		body []byte
		says string
	}{
		"handle of a lie":    {open, packetHandle, []byte{0, 0, 1, 0, 'h'}, short},
		"handle without one": {open, packetHandle, nil, short},
		"attributes of a lie": {stat, packetAttrs,
			[]byte{128, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0}, short},
		"no attributes":    {stat, packetAttrs, []byte{0, 0, 0, 1, 0}, short},
		"name of a lie":    {real, packetName, []byte{0, 0, 0, 1, 255, 255, 255, 255, 'n'}, short},
		"more names":       {list, packetName, []byte{255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, short},
		"no room for data": {stat, packetData, []byte{128}, short},
		"opened what":      {open, packetStatus, make([]byte, 12), "tells nothing"},
		"found what":       {stat, packetStatus, make([]byte, 12), "tells nothing"},
		"named what":       {real, packetStatus, make([]byte, 12), "tells nothing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			answer := func(q request) []byte {
				if test.kind == packetName && q.kind == 11 { // OPENDIR
					return packet(packetHandle, q.id, 0, 0, 0, 1, 'd')
				}
				return packet(test.kind, q.id, test.body...)
			}
			converse(t, 7, answer, func(s *Session) {
				err := s.Explain(test.call(s))
				if workspace.KindOf(err) != workspace.Unavailable ||
					!strings.Contains(err.Error(), test.says) {
					t.Errorf("%v, want it to be unavailable and to say why", err)
				}
			})
		})
	}
}

// TestWireEndsAtCancel: who waits for a silent server goes when the session is closed.
func TestWireEndsAtCancel(t *testing.T) {
	silent := ofReads(func(request) []byte { return []byte{} })
	converse(t, 1000, silent, func(s *Session) {
		src, err := s.Source("/image")
		if err != nil {
			t.Error(err)
			return
		}
		ended := make(chan error)
		for range 4 {
			go func() {
				_, err := src.fetch(make([]byte, 2*packetBytes), 0)
				ended <- err
			}()
		}
		synctest.Wait()
		s.Client.Close()
		for range 4 {
			if err := <-ended; err == nil || err == io.EOF {
				t.Errorf("%v, want what says that the session ended", err)
			}
		}
		if err := s.wire.wrong(); err != nil || len(s.wire.asked) > 0 {
			t.Errorf("%v, and %d questions are left", err, len(s.wire.asked))
		}
	})
}

// FuzzWire: whatever a server answers, the session lives or ends, and so do all calls.
func FuzzWire(f *testing.F) {
	f.Add(byte(packetData), []byte{0, 0, 0, 2, 'a', 'b'})
	f.Add(byte(packetName), []byte{0, 0, 0, 1, 0, 0, 0, 1, 'n', 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add(byte(packetAttrs), []byte{128, 0, 0, 15, 0, 0, 0, 9})
	f.Add(byte(packetStatus), []byte{0, 0, 0, 4, 0, 0, 1, 0})
	f.Add(byte(packetHandle), []byte{0, 0, 0, 1, 'h', 0})
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		if kind == packetData && len(body) > 4 && bytes.HasPrefix(body, []byte{0, 0}) {
			return // some bytes at a time, which is right and long
		}
		honestly := 0
		answer := func(q request) []byte {
			if honestly--; honestly >= 0 {
				return honest(q)
			}
			return packet(kind, q.id, body...)
		}
		calls := []func(s *Session) error{
			func(s *Session) error {
				info, err := s.Stat("/x")
				if err == nil {
					info.Size()
				}
				return err
			},
			func(s *Session) error { _, err := s.RealPath("/x"); return err },
			func(s *Session) error { honestly = 1; _, err := fetchAll(s); return err },
			func(s *Session) error { _, err := s.StatVFS("/x"); return err },
			func(s *Session) error { return s.Remove("/x") },
		}
		for _, call := range calls {
			honestly = 0
			converse(t, 4096, answer, func(s *Session) {
				if err := call(s); errors.Is(err, io.ErrShortWrite) {
					t.Error(err)
				}
			})
		}
	})
}
