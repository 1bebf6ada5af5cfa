package dispatch_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
)

// arrivals is a listener of connections from the addresses, which then closes.
type arrivals struct {
	net.Listener
	from []string
}

func (l *arrivals) Accept() (net.Conn, error) {
	if len(l.from) == 0 {
		return nil, net.ErrClosed
	}
	here, _ := net.Pipe()
	c := &arrival{here, remote(l.from[0])}
	l.from = l.from[1:]
	return c, nil
}

// arrival is one end of a pipe that says it comes from an address.
type arrival struct {
	net.Conn
	from net.Addr
}

func (a *arrival) RemoteAddr() net.Addr { return a.from }

// TestConnectionsAreLimited has connections arrive and counts which are handed
// on and which are closed.
func TestConnectionsAreLimited(t *testing.T) {
	limits := dispatch.Limits{Connections: 5, PeerConnections: 2}
	tests := map[string]struct {
		from []string
		want int // handed on
	}{
		"one address":           {[]string{"192.0.2.1", "192.0.2.1", "192.0.2.1"}, 2},
		"the same, mapped":      {[]string{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"}, 2},
		"two addresses":         {[]string{"192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2"}, 4},
		"one network of IPv6":   {[]string{"2001:db8::1", "2001:db8::2", "2001:db8::ffff:3"}, 2},
		"two networks of IPv6":  {[]string{"2001:db8::1", "2001:db8::2", "2001:db8:0:1::3"}, 3},
		"loopback":              {[]string{"127.0.0.1", "127.0.0.1", "127.0.0.2", "::1"}, 4},
		"all together":          {[]string{"::1", "::1", "::1", "::1", "::1", "::1"}, 5},
		"refused do not count":  {[]string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "::1"}, 3},
		"no address of the net": {[]string{"", "", "", ""}, 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := dispatch.NewListener(&arrivals{from: tt.from}, limits)
			if got := acceptAll(l); len(got) != tt.want {
				t.Errorf("%d connections were handed on, want %d", len(got), tt.want)
			}
		})
	}
}

// TestClosedConnectionsMakeRoom closes connections, one of them twice.
func TestClosedConnectionsMakeRoom(t *testing.T) {
	from := []string{"192.0.2.1", "192.0.2.1", "192.0.2.1"}
	all := &arrivals{from: from}
	l := dispatch.NewListener(all, dispatch.Limits{Connections: 2, PeerConnections: 2})
	got := acceptAll(l)
	for _, c := range append(got, got[0]) {
		_ = c.Close()
	}
	all.from = from
	if got := acceptAll(l); len(got) != 2 {
		t.Errorf("%d connections were handed on after all had ended, want 2", len(got))
	}
}

// acceptAll returns the connections that the listener hands on until its end.
func acceptAll(l net.Listener) (all []net.Conn) {
	for {
		c, err := l.Accept()
		if err != nil {
			return all
		}
		all = append(all, c)
	}
}

func remote(ip string) net.Addr {
	if ip == "" {
		return &net.UnixAddr{Name: "/run/x", Net: "unix"}
	}
	return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1}
}

// TestRefusedConnectionEnds makes one connection too many to a real server: it
// is closed without a word, and there is room again when another ends.
func TestRefusedConnectionEnds(t *testing.T) {
	m := newCore()
	m.put(ada)
	h, _ := m.face(t, authn.Fixed(ada))
	address := listen(t, h, dispatch.Limits{Connections: 1})
	first := dial(t, address)
	if _, err := io.WriteString(first, hostile{body: goodBody}.text()); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Read(make([]byte, 1)); err != nil {
		t.Fatalf("the first connection is not served: %v", err)
	}
	if _, err := dial(t, address).Read(make([]byte, 1)); isTimeout(err) || err == nil {
		t.Errorf("the second connection ends with %v, want it closed", err)
	}
	_ = first.Close()
	for { // the server sees the end in its own time
		c := dial(t, address)
		_, _ = io.WriteString(c, hostile{body: goodBody}.text())
		if _, err := c.Read(make([]byte, 1)); err == nil {
			return
		} else if isTimeout(err) {
			t.Fatal(err)
		}
	}
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
