package login

import (
	"cmp"
	"net"
	"sync"
	"time"
)

// sender is a connection whose writes a goroutine of its own sends: what has gathered
// while the last portion went out goes with one call. The SSH library cuts each packet
// in two, which costs a call for every 4 KiB that begin one.
//
// What Write has taken may never arrive. Why comes back from the next Write, and the
// connection is closed at once, so that who reads from it hears of that, too. Deadlines
// are those of the connection below; one that passes while something is sent is such a
// failure.
type sender struct {
	net.Conn
	done chan struct{} // closed when nothing is sent any more

	mu      sync.Mutex
	changed sync.Cond // pending or err has
	pending []byte
	err     error // why nothing more is taken
}

// pendingBytes is how much gathers at most, two packets with room to spare: Write waits
// when there is more. It is also the most that is sent with one call, after which a slow
// line is seen to live.
const pendingBytes = 96 << 10

// linger is how long Close waits for the peer to take what is pending.
const linger = 2 * time.Second

// newSender returns a sender to c. Its goroutine ends with Close, or when c fails.
func newSender(c net.Conn) *sender {
	s := &sender{Conn: c, done: make(chan struct{})}
	s.changed.L = &s.mu
	go s.run()
	return s
}

// Write takes b, and waits only for room.
func (s *sender) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := 0; ; {
		for len(s.pending) == pendingBytes && s.err == nil {
			s.changed.Wait()
		}
		if s.err != nil {
			return n, s.err
		}
		more := min(len(b)-n, pendingBytes-len(s.pending))
		s.pending = append(s.pending, b[n:n+more]...)
		s.changed.Broadcast()
		if n += more; n == len(b) {
			return n, nil
		}
	}
}

// Close sends what is pending, if the peer takes it soon, and closes the connection.
func (s *sender) Close() error {
	s.end(&net.OpError{Op: "write", Net: "tcp", Err: net.ErrClosed})
	s.Conn.SetWriteDeadline(time.Now().Add(linger))
	<-s.done
	return s.Conn.Close()
}

// end has nothing more taken, for the first reason that was given.
func (s *sender) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = cmp.Or(s.err, err)
	s.changed.Broadcast()
}

// run sends what is pending until there is an end.
func (s *sender) run() {
	defer close(s.done)
	var b []byte
	for {
		if b = s.take(b); len(b) == 0 {
			return
		}
		if _, err := s.Conn.Write(b); err != nil {
			s.end(err)
			s.Conn.Close()
			return
		}
	}
}

// take waits until something is pending and returns it, in exchange for the room of
// what was sent; nothing when there is an end and all is sent.
func (s *sender) take(room []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.pending) == 0 && s.err == nil {
		s.changed.Wait()
	}
	b := s.pending
	s.pending = room[:0]
	s.changed.Broadcast()
	return b
}
