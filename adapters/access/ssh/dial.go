package ssh

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	cryptossh "golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// tunnel is the one connection over which all that is dialled goes: OpenSSH
// sets no limit to forwarded connections, and none waits for another's bytes.
type tunnel struct {
	server login.Server
	limits login.Limits

	mu     sync.Mutex
	conn   *login.Conn
	stop   context.CancelFunc
	watch  sync.WaitGroup
	closed bool
}

// Dial connects from the host to an address that it reaches.
func (a *Access) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network != "tcp" && network != "unix" {
		return nil, failed("connect to", address,
			transfer.Invalid("the network is %q, expected tcp or unix", network))
	}
	c, err := a.tunnel.dial(ctx, network, address)
	return c, failed("connect to", address, err)
}

func (t *tunnel) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := t.line(ctx)
	if err != nil {
		return nil, err
	}
	far, err := conn.DialContext(ctx, network, address)
	var refused *cryptossh.OpenChannelError
	switch {
	case err == nil:
		return timed(far), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &refused) && refused.Reason == cryptossh.Prohibited:
		return nil, workspace.Refuse(workspace.Denied, "the host's SSH server forwards no %s "+
			"connections; set AllowTcpForwarding and AllowStreamLocalForwarding there: %w",
			network, err)
	}
	return nil, workspace.Refuse(workspace.Unavailable, "%w", err)
}

// line returns the connection, made anew when it is gone.
func (t *tunnel) line(ctx context.Context) (*login.Conn, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, login.Unavailable(t.server.Address, errors.New("the access is closed"))
	}
	if t.conn != nil && !t.conn.Dead() {
		return t.conn, nil
	}
	t.drop()
	conn, err := login.Dial(ctx, t.server, t.limits.DialTimeout)
	if err != nil {
		return nil, err
	}
	t.conn = conn
	attended, stop := context.WithCancel(context.Background())
	t.stop = stop
	t.watch.Go(func() {
		defer conn.Watch(attended, t.limits.StallTimeout)()
		defer conn.Attend()()
		<-attended.Done()
	})
	return conn, nil
}

// drop ends the connection, if there is one.
func (t *tunnel) drop() {
	if t.conn == nil {
		return
	}
	t.stop()
	t.conn.Close()
	t.watch.Wait()
	t.conn = nil
}

func (t *tunnel) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.drop()
	return nil
}

// timed gives a forwarded connection what SSH's channels lack: deadlines.
func timed(far net.Conn) net.Conn {
	near, inner := net.Pipe()
	go func() {
		io.Copy(inner, far) // until either end is closed
		inner.Close()
		far.Close()
	}()
	go func() {
		io.Copy(far, inner)
		inner.Close()
		far.Close()
	}()
	return near
}
