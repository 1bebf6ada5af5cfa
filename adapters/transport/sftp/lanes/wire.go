package lanes

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Packets of SFTP that a wire knows: draft-ietf-secsh-filexfer-02, section 3.
const (
	packetOpen   = 3
	packetRead   = 5
	packetHandle = 102
	packetData   = 103
)

// Of each packet: the length of what follows (4 bytes), the type (1), the number of
// the request (4); then, of data and of handles, their length (4).
const (
	headBytes     = 9
	dataHeadBytes = headBytes + 4
)

// mostBytes is more than any packet has that answers us, and as much as the library
// takes in.
const mostBytes = 4 + 256<<10

// wire stands between an SSH channel and the SFTP library. The library makes a buffer
// for each packet of data and copies out of it, which costs a fifth of our end of a
// transfer. What is asked for here goes from the channel to where it is wanted. All
// else passes through if it is sound, and whatever is not the data asked for is left to
// the library to ask again, and to judge.
type wire struct {
	in  io.Reader
	out io.WriteCloser

	// Of the one goroutine that reads.
	store [dataHeadBytes]byte
	ahead []byte // of store: has come, and is not yet taken
	whole []byte // the last packet that came for the library
	given int    // so much of it has the library

	writing sync.Mutex
	unsent  int // so much of the library's packet is not written; writing is held

	mu     sync.Mutex
	last   uint32
	asked  map[uint32]*question
	ended  bool
	why    error           // with ended: what the server did wrong, if so
	handle string          // the last that came for the library
	told   map[uint32]bool // the library's requests that want to be told something
}

// question is a request for data.
type question struct {
	b      []byte
	offset int64
	came   int // so much of b; 0: ask the library
	of     *asking
}

// asking is several questions of which all must be answered.
type asking struct {
	left int // of wire.mu
	done chan struct{}
}

// ours marks the numbers of our requests. The library counts from one.
const ours = 1 << 31

func newWire(in io.Reader, out io.WriteCloser) *wire {
	return &wire{in: in, out: out, asked: map[uint32]*question{}, told: map[uint32]bool{}}
}

// fetch asks all questions at one stroke and waits for the answers. It may use the room
// that the last has behind its end.
func (w *wire) fetch(handle string, all []question) {
	a := &asking{left: len(all), done: make(chan struct{})}
	var p []byte
	first, ok := w.ask(all, a)
	if !ok {
		return
	}
	for i := range all {
		p = binary.BigEndian.AppendUint32(p, uint32(headBytes-4+4+len(handle)+12))
		p = binary.BigEndian.AppendUint32(append(p, packetRead), first+uint32(i)|ours)
		p = append(binary.BigEndian.AppendUint32(p, uint32(len(handle))), handle...)
		p = binary.BigEndian.AppendUint64(p, uint64(all[i].offset))
		p = binary.BigEndian.AppendUint32(p, uint32(len(all[i].b)))
	}
	w.writing.Lock()
	_, err := w.out.Write(p)
	w.writing.Unlock()
	if err != nil {
		w.end(nil)
	}
	<-a.done
}

// ask notes questions under new numbers, of which it returns the first; false: nothing
// comes any more.
func (w *wire) ask(all []question, a *asking) (first uint32, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first = w.last
	w.last += uint32(len(all))
	for i := range all {
		all[i].came, all[i].of = 0, a
		if !w.ended {
			w.asked[first+uint32(i)|ours] = &all[i]
		}
	}
	return first, !w.ended
}

// answered takes back the question of the number; nil: it is not ours.
func (w *wire) answered(id uint32) *question {
	if id < ours {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	q := w.asked[id]
	delete(w.asked, id)
	return q
}

// came notes how much came of what was asked for.
func (w *wire) came(q *question, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	q.came = n
	if q.of.left--; q.of.left == 0 {
		close(q.of.done)
	}
}

// end answers all questions: nothing comes any more.
func (w *wire) end(why error) {
	w.mu.Lock()
	var u *unsoundError
	if !w.ended && errors.As(why, &u) {
		w.why = why
	}
	w.ended = true
	lost := w.asked
	w.asked = map[uint32]*question{}
	w.mu.Unlock()
	for _, q := range lost {
		w.came(q, 0)
	}
}

// Write sends what the library writes. It writes some packets in two parts, between
// which nothing of ours may come.
func (w *wire) Write(b []byte) (int, error) {
	if w.unsent == 0 {
		w.writing.Lock()
		if len(b) >= 4 {
			w.unsent = 4 + int(binary.BigEndian.Uint32(b))
		}
		if len(b) >= headBytes && tells(b[4]) {
			w.mu.Lock()
			w.told[binary.BigEndian.Uint32(b[5:])] = true
			w.mu.Unlock()
		}
	}
	n, err := w.out.Write(b)
	if w.unsent -= n; w.unsent <= 0 || err != nil {
		w.unsent = 0
		w.writing.Unlock()
	}
	return n, err
}

// Close ends what is written.
func (w *wire) Close() error {
	w.end(nil)
	return w.out.Close()
}

// Read reads what is the library's.
func (w *wire) Read(b []byte) (int, error) {
	for w.given == len(w.whole) {
		if err := w.packet(); err != nil {
			w.end(err)
			return 0, err
		}
	}
	n := copy(b, w.whole[w.given:])
	w.given += n
	return n, nil
}

// packet takes in the next packet: to where it is wanted if it is ours, else as a
// whole.
func (w *wire) packet() error {
	if err := w.fill(headBytes); err != nil {
		return err
	}
	length := 4 + int64(binary.BigEndian.Uint32(w.ahead))
	if length < headBytes || length > mostBytes {
		return unsound(w.ahead[:headBytes], fmt.Sprintf("announces %d", length))
	}
	kind, id := w.ahead[4], binary.BigEndian.Uint32(w.ahead[5:])
	if q := w.answered(id); q != nil {
		n, err := w.answer(kind, length, q)
		w.came(q, n)
		return err
	}
	if int64(cap(w.whole)) < length {
		w.whole = make([]byte, max(length, 512))
	}
	w.whole, w.given = w.whole[:length], 0
	have := copy(w.whole, w.ahead)
	w.ahead = w.ahead[have:]
	if _, err := io.ReadFull(w.in, w.whole[have:]); err != nil {
		return err
	}
	if kind == packetVersion { // has no number, and the library has an eye on it
		return nil
	}
	return w.judge(id)
}

// judge refuses what the library must not see, and looks for a handle.
func (w *wire) judge(id uint32) error {
	if err := sound(w.whole); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told[id] && silent(w.whole) {
		return unsound(w.whole, "tells nothing")
	}
	delete(w.told, id)
	if w.whole[4] == packetHandle {
		n := binary.BigEndian.Uint32(w.whole[headBytes:])
		w.handle = string(w.whole[dataHeadBytes:][:n])
	}
	return nil
}

// wrong returns what the server did wrong, when the session ended by that.
func (w *wire) wrong() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why
}

// lastHandle returns the handle that came last.
func (w *wire) lastHandle() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.handle
}

// fill sees to it that so much of the packet is in ahead.
func (w *wire) fill(n int) error {
	have := copy(w.store[:], w.ahead)
	w.ahead = w.store[:have]
	if have >= n {
		return nil
	}
	came, err := io.ReadAtLeast(w.in, w.store[have:], n-have)
	w.ahead = w.store[:have+came]
	return err
}

// answer takes in the answer to q, a packet of so many bytes. What is no data, or
// not what was asked for, is passed over.
func (w *wire) answer(kind byte, length int64, q *question) (int, error) {
	if kind == packetData && length > dataHeadBytes {
		if err := w.fill(dataHeadBytes); err != nil {
			return 0, err
		}
		n := int64(binary.BigEndian.Uint32(w.ahead[headBytes:]))
		if n == length-dataHeadBytes && n <= int64(len(q.b)) {
			w.ahead = w.ahead[dataHeadBytes:]
			return w.take(q.b, int(n))
		}
	}
	over := min(int64(len(w.ahead)), length)
	w.ahead = w.ahead[over:]
	_, err := io.CopyN(io.Discard, w.in, length-over)
	return 0, err
}

// take reads n bytes into b, and with them the head of the next packet when it is
// there: SSH acknowledges each read by a packet, so that few are to be preferred.
func (w *wire) take(b []byte, n int) (int, error) {
	have := copy(b[:n], w.ahead)
	w.ahead = w.ahead[have:]
	if have == n {
		return n, nil
	}
	room := b[:min(cap(b), n+dataHeadBytes)]
	var behind [dataHeadBytes]byte // may be what came of another question
	copy(behind[:], room[n:])
	came, err := io.ReadAtLeast(w.in, room[have:], n-have)
	if err != nil {
		return 0, err
	}
	w.ahead = w.store[:copy(w.store[:], room[n:have+came])]
	copy(room[n:], behind[:])
	return n, nil
}
