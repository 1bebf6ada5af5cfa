package login

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Conn is one SSH connection.
type Conn struct {
	*ssh.Client // another one after a renewal
	Server      Server
	moved       *atomic.Int64 // counts traffic; local work counts itself in by Touch
	timeout     time.Duration // to connect and log in
	used        bool          // a command was started on it

	mu      sync.Mutex
	ended   chan struct{} // closed when the connection is gone
	redials func()        // ends a renewal under way; nil: there is none
	cause   error         // why we closed it
	stall   time.Duration // after so much silence it is broken off; 0: it is not watched
}

// counted counts the bytes that moved, and reads them in larger portions than
// the SSH library asks for.
type counted struct {
	net.Conn
	reader *bufio.Reader
	moved  *atomic.Int64
}

// readBytes is how much is read from the network at once.
const readBytes = 256 << 10

func newCounted(c net.Conn, moved *atomic.Int64) *counted {
	return &counted{Conn: c, reader: bufio.NewReaderSize(c, readBytes), moved: moved}
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.reader.Read(b)
	c.moved.Add(int64(n))
	return n, err
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.moved.Add(int64(n))
	return n, err
}

// Dial connects, checks the host key and logs in. The error has kind Denied or
// Unavailable.
func Dial(ctx context.Context, s Server, timeout time.Duration) (*Conn, error) {
	return dial(ctx, s, timeout, new(atomic.Int64))
}

// dial is Dial that counts traffic where it is told to.
func dial(
	ctx context.Context, s Server, timeout time.Duration, moved *atomic.Int64,
) (*Conn, error) {
	config, verdict, err := clientConfig(s)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(limited, "tcp", s.Address)
	if err != nil {
		return nil, cmpContext(ctx, Unavailable(s.Address, err))
	}
	stop := context.AfterFunc(limited, func() { raw.Close() })
	c, err := login(newCounted(raw, moved), s, config)
	if !stop() && err == nil {
		c.Close()
		err = Unavailable(s.Address, context.Cause(limited))
	}
	if err == nil {
		c.timeout = timeout
		return c, nil
	}
	raw.Close()
	if *verdict != nil {
		return nil, *verdict
	}
	return nil, cmpContext(ctx, err)
}

// cmpContext returns the context's own error when that is why err happened.
func cmpContext(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func login(conn *counted, s Server, config *ssh.ClientConfig) (*Conn, error) {
	sshConn, channels, requests, err := ssh.NewClientConn(newSender(conn), s.Address, config)
	if err != nil && strings.Contains(err.Error(), "unable to authenticate") {
		return nil, Denied("%s does not let %q in: %w", s.Address, s.User, err)
	}
	if err != nil {
		return nil, Unavailable(s.Address, err)
	}
	c := &Conn{Client: ssh.NewClient(sshConn, channels, requests), Server: s,
		moved: conn.moved, ended: make(chan struct{})}
	go func(client *ssh.Client, ended chan struct{}) {
		client.Wait()
		close(ended)
	}(c.Client, c.ended)
	return c, nil
}

// now returns the connection as it is: a renewal may put another in its place.
func (c *Conn) now() (*ssh.Client, chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Client, c.ended
}

// Close ends the connection and waits until it is gone.
func (c *Conn) Close() error {
	client, ended := c.now()
	err := client.Close()
	<-ended
	return err
}

// Dead reports whether the connection is of no more use.
func (c *Conn) Dead() bool { return c.Failed() || c.Gone() }

// Failed reports whether we broke the connection off.
func (c *Conn) Failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause != nil
}

// Fail breaks the connection off: every call that waits on it returns.
func (c *Conn) Fail(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.cause = cause
	}
	if c.redials != nil {
		c.redials()
	}
	c.Client.Close()
}

// Touch tells the watch that there is progress although nothing goes over the wire.
func (c *Conn) Touch() { c.moved.Add(1) }

// Reader returns r, a reader of local files, of which the watch of the connection
// hears that we are at work.
func (c *Conn) Reader(r io.Reader) io.Reader { return touching{r, c} }

type touching struct {
	io.Reader
	c *Conn
}

// Read reads and tells.
func (t touching) Read(b []byte) (int, error) {
	t.c.Touch()
	return t.Reader.Read(b)
}

// Watch breaks the connection off when ctx ends or nothing moved for the time
// of stall, until release is called.
func (c *Conn) Watch(ctx context.Context, stall time.Duration) (release func()) {
	c.mu.Lock()
	c.stall = stall
	c.mu.Unlock()
	failed := make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		defer close(failed)
		c.Fail(context.Cause(ctx))
	})
	done := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		tick := time.NewTicker(stall)
		defer tick.Stop()
		for last := c.moved.Load(); ; {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			now := c.moved.Load()
			if now == last {
				c.Fail(Unavailable(c.Server.Address, fmt.Errorf("it was silent for %s", stall)))
				return
			}
			last = now
		}
	})
	return func() {
		if !forget() {
			<-failed // or the next who uses the connection would be hit
		}
		close(done)
		watcher.Wait()
	}
}

// usualPulse is how often a server is asked for signs of life when nobody watches.
const usualPulse = 10 * time.Second

// Attend asks the server for signs of life, of which the watch hears, until release is
// called. It is for what may go on there for long without a word: programs, and the
// flushing of a disk that has much to do.
func (c *Conn) Attend() (release func()) {
	c.mu.Lock()
	client, pulse := c.Client, cmp.Or(c.stall/3, usualPulse)
	c.mu.Unlock()
	done := make(chan struct{})
	var asker sync.WaitGroup
	asker.Go(func() {
		beat := time.NewTicker(pulse)
		defer beat.Stop()
		for {
			select {
			case <-done:
				return
			case <-beat.C:
			}
			if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				return
			}
		}
	})
	return func() {
		close(done)
		asker.Wait()
	}
}

// Explain returns the reason behind an error of a call on the connection: why
// we ended it, if so, or that it was lost. One that was lost is of no more use, also
// where the error came before the connection's own end is seen.
func (c *Conn) Explain(err error) error {
	c.mu.Lock()
	cause := c.cause
	c.mu.Unlock()
	var network *net.OpError
	switch {
	case cause != nil:
		return cause
	case transfer.Kind(err) != workspace.Internal:
		return err
	// A call whose request could not be sent ends in EOF, or in what the network
	// says, before c.ended tells.
	case errors.Is(err, io.EOF), errors.As(err, &network), c.Gone():
		err = Unavailable(c.Server.Address, fmt.Errorf("the connection was lost: %w", err))
		return c.lost(err)
	}
	return &workspace.Error{Op: "do it on the server", Kind: workspace.Transient, Err: err}
}

// lost notes that the connection was lost, so that nobody uses it again, and returns why
// it was given up.
func (c *Conn) lost(cause error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cause = cmp.Or(c.cause, cause)
	return c.cause
}

// Gone tells whether the connection is gone.
func (c *Conn) Gone() bool {
	_, ended := c.now()
	select {
	case <-ended:
		return true
	default:
		return false
	}
}
