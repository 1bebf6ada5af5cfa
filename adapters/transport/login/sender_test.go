package login

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// sending gives f a sender and the other end of its connection, of which a Read returns
// what came with one call at most. All goroutines must have ended after f.
func sending(t *testing.T, f func(t *testing.T, s *sender, there net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		s := newSender(here)
		f(t, s, there)
		s.Close()
	})
}

// write has s take what the test says.
func write(t *testing.T, s *sender, text string) {
	t.Helper()
	if n, err := s.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("it takes %d bytes of %q: %v", n, text, err)
	}
}

// TestSenderGathers: what is written while something is sent goes out with one call.
func TestSenderGathers(t *testing.T) {
	sending(t, func(t *testing.T, s *sender, there net.Conn) {
		for _, text := range []string{"one", "two ", "and ", "three"} {
			write(t, s, text)
			synctest.Wait() // the first is being sent, and the others wait for it
		}
		b := make([]byte, 100)
		for _, want := range []string{"one", "two and three"} {
			if n, err := there.Read(b); string(b[:n]) != want || err != nil {
				t.Errorf("a call sends %q, %v, not %q", b[:n], err, want)
			}
		}
	})
}

// TestSenderWaits: a peer that does not read holds the writer, and what is only pending is
// no sign of life. All arrives in order when it reads.
func TestSenderWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		var moved atomic.Int64
		s := newSender(newCounted(here, &moved))
		data := make([]byte, 5*pendingBytes+1)
		for i := range data {
			data[i] = byte(i % 251)
		}
		var taken atomic.Int64
		go func() {
			n, err := s.Write(data)
			if err != nil {
				t.Error(err)
			}
			taken.Store(int64(n))
			s.Close()
		}()
		synctest.Wait()
		if taken.Load() != 0 || moved.Load() != 0 {
			t.Errorf("nothing is read, %d bytes are taken and %d moved", taken.Load(), moved.Load())
		}
		came, err := io.ReadAll(there)
		if !bytes.Equal(came, data) || err != nil {
			t.Errorf("%d of %d bytes came, or others: %v", len(came), len(data), err)
		}
		if n := int64(len(data)); taken.Load() != n || moved.Load() != n {
			t.Errorf("of %d bytes %d are taken and %d moved", n, taken.Load(), moved.Load())
		}
	})
}

// TestSenderFails: why something could not be sent comes back from who waits for room,
// from the next Write, and ends what is read.
func TestSenderFails(t *testing.T) {
	for name, fail := range map[string]struct {
		does func(s *sender, there net.Conn)
		err  error
	}{
		"the peer is gone": {func(_ *sender, there net.Conn) { there.Close() }, io.ErrClosedPipe},
		"the deadline passes": {func(s *sender, _ net.Conn) {
			s.SetWriteDeadline(time.Now().Add(time.Hour))
		}, os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			sending(t, func(t *testing.T, s *sender, there net.Conn) {
				write(t, s, "a few bytes")
				time.AfterFunc(time.Minute, func() { fail.does(s, there) })
				if n, err := s.Write(make([]byte, 3*pendingBytes)); !errors.Is(err, fail.err) {
					t.Errorf("who waited had %d bytes taken: %v", n, err)
				}
				if n, err := s.Write([]byte("more")); n != 0 || !errors.Is(err, fail.err) {
					t.Errorf("the next had %d bytes taken: %v", n, err)
				}
				if n, err := s.Read(make([]byte, 1)); err == nil {
					t.Errorf("%d bytes are read", n)
				}
			})
		})
	}
}

// TestSenderCloses: what is pending is sent before the connection is closed, to a peer
// that reads late, and nothing is taken any more.
func TestSenderCloses(t *testing.T) {
	sending(t, func(t *testing.T, s *sender, there net.Conn) {
		write(t, s, "first, ")
		synctest.Wait()
		write(t, s, "last")
		came := make(chan string)
		go func() {
			time.Sleep(linger / 2)
			b, _ := io.ReadAll(there)
			came <- string(b)
		}()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got := <-came; got != "first, last" {
			t.Errorf("the peer has %q", got)
		}
		_, err := s.Write([]byte("more"))
		var network *net.OpError
		if !errors.Is(err, net.ErrClosed) || !errors.As(err, &network) {
			t.Errorf("after that it says %v", err)
		}
	})
}

// TestSenderLeaves: a peer that reads nothing holds Close for a short while only, and who
// waits for room not at all.
func TestSenderLeaves(t *testing.T) {
	sending(t, func(t *testing.T, s *sender, _ net.Conn) {
		began := time.Now() // of the test's own clock
		go func() {
			if _, err := s.Write(make([]byte, 3*pendingBytes)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("who waited is told %v", err)
			}
			if took := time.Since(began); took != 0 {
				t.Errorf("who waited is told after %s", took)
			}
		}()
		synctest.Wait()
		s.Close()
		if took := time.Since(began); took != linger {
			t.Errorf("Close takes %s", took)
		}
	})
}
