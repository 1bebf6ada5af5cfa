package sftp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	pkgsftp "github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// packetBytes is the payload of one packet. OpenSSH takes packets of 256 KiB in
// all; 255 KiB leave room for their heads.
const packetBytes = 255 << 10

// packetsAtOnce hides the latency of a link: 4 MiB on their way. SSH itself
// lets no more than 2 MiB go unacknowledged, and more would only leave the caches.
const packetsAtOnce = 16

// connection is one SSH connection with an SFTP session on it.
type connection struct {
	*pkgsftp.Client
	server Server
	ssh    *ssh.Client
	moved  *atomic.Int64 // counts traffic; local work counts itself in by touch
	ended  chan struct{} // closed when the connection is gone
	expiry *time.Timer   // of an idle connection
	root   string        // what Root is without symbolic links; "" until asked

	mu    sync.Mutex
	cause error // why we closed it
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

func newCounted(c net.Conn) *counted {
	return &counted{Conn: c, reader: bufio.NewReaderSize(c, readBytes), moved: new(atomic.Int64)}
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

// dial connects, checks the host key and logs in.
func dial(ctx context.Context, s Server, timeout time.Duration) (*connection, error) {
	config, verdict, err := clientConfig(s)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(limited, "tcp", s.Address)
	if err != nil {
		return nil, cmpContext(ctx, unavailable(s.Address, err))
	}
	stop := context.AfterFunc(limited, func() { raw.Close() })
	c, err := login(newCounted(raw), s, config)
	if !stop() && err == nil {
		c.close()
		err = unavailable(s.Address, context.Cause(limited))
	}
	if err == nil {
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

func login(conn *counted, s Server, config *ssh.ClientConfig) (*connection, error) {
	sshConn, channels, requests, err := ssh.NewClientConn(conn, s.Address, config)
	if err != nil && strings.Contains(err.Error(), "unable to authenticate") {
		return nil, denied("%s does not let %q in: %w", s.Address, s.User, err)
	}
	if err != nil {
		return nil, unavailable(s.Address, err)
	}
	client := ssh.NewClient(sshConn, channels, requests)
	session, err := pkgsftp.NewClient(client, pkgsftp.MaxPacketUnchecked(packetBytes),
		pkgsftp.MaxConcurrentRequestsPerFile(packetsAtOnce), pkgsftp.UseFstat(true))
	if err != nil {
		client.Close()
		return nil, unavailable(s.Address, fmt.Errorf("no SFTP there: %w", err))
	}
	c := &connection{Client: session, server: s, ssh: client, moved: conn.moved,
		ended: make(chan struct{})}
	go func() {
		client.Wait()
		close(c.ended)
	}()
	return c, nil
}

// close ends the connection and waits until it is gone.
func (c *connection) close() {
	c.Client.Close()
	c.ssh.Close()
	<-c.ended
}

func (c *connection) dead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause != nil || c.gone()
}

// fail breaks the connection off: every call that waits on it returns.
func (c *connection) fail(cause error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = cause
	}
	c.mu.Unlock()
	c.ssh.Close()
}

// touch tells the watch that there is progress although nothing goes over the wire.
func (c *connection) touch() { c.moved.Add(1) }

// watch breaks the connection off when ctx ends or nothing moved for the time
// of stall, until release is called.
func (c *connection) watch(ctx context.Context, stall time.Duration) (release func()) {
	forget := context.AfterFunc(ctx, func() { c.fail(ctx.Err()) })
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
				c.fail(unavailable(c.server.Address, fmt.Errorf("it was silent for %s", stall)))
				return
			}
			last = now
		}
	})
	return func() {
		forget()
		close(done)
		watcher.Wait()
	}
}

// explain returns the reason behind an error of a call on the connection.
func (c *connection) explain(err error) error {
	c.mu.Lock()
	cause := c.cause
	c.mu.Unlock()
	switch {
	case cause != nil:
		return cause
	case transfer.Kind(err) != workspace.Internal:
		return err
	// A call whose request could not be sent ends in EOF, before c.ended tells.
	case errors.Is(err, pkgsftp.ErrSSHFxConnectionLost), errors.Is(err, io.EOF), c.gone():
		return unavailable(c.server.Address, fmt.Errorf("the connection was lost: %w", err))
	}
	return &workspace.Error{Op: "do it on the server", Kind: workspace.Transient, Err: err}
}

// gone tells whether the connection is gone.
func (c *connection) gone() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}
