package notify

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// longEnough is for what takes no time at all, but on a machine that is busy.
const longEnough = 5 * time.Minute

// A liar is a name server that gives each address once, in order, with no time
// to live, and says nothing about IPv6.
type liar struct {
	mu      sync.Mutex
	answers []netip.Addr
}

// serve answers until the test ends, and returns the resolver that asks it.
func (l *liar) serve(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buffer := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(l.reply(buffer[:n]), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(
		ctx context.Context, _, _ string,
	) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// reply answers a question (RFC 1035, section 4).
func (l *liar) reply(query []byte) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // the root label, type and class
	reply := append([]byte(nil), query[:end]...)
	copy(reply[2:12], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
	if query[end-3] != 1 { // not A
		return reply
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.answers) == 0 {
		return reply
	}
	address := l.answers[0].As4()
	l.answers = l.answers[1:]
	reply[7] = 1
	reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
	return append(reply, address[:]...)
}

// door starts a server at the address and counts who comes.
func door(t *testing.T, address string) (port string, came func() int) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return doorAt(t, listener)
}

// doorAt is a door that has its address.
func doorAt(t *testing.T, listener net.Listener) (port string, came func() int) {
	t.Helper()
	var mu sync.Mutex
	n := 0
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		n++
	}))
	s.Listener.Close()
	s.Listener = listener
	s.Start()
	t.Cleanup(s.Close)
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port, func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// twoDoors starts servers at two addresses that have one port, which whoever runs
// beside this test has at neither.
func twoDoors(t *testing.T, one, two string) (port string, first, second func() int) {
	t.Helper()
	for {
		a, err := net.Listen("tcp", one+":0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ = net.SplitHostPort(a.Addr().String())
		b, err := net.Listen("tcp", two+":"+port)
		if err == nil {
			_, first = doorAt(t, a)
			_, second = doorAt(t, b)
			return port, first, second
		}
		a.Close()
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
}

// TestNameThatChangesItsAddress is DNS rebinding: the name is harmless when it
// is asked for first, and points to a closed address the next time.
func TestNameThatChangesItsAddress(t *testing.T) {
	port, harmless, closed := twoDoors(t, "127.0.0.2", "127.0.0.3")
	l := &liar{answers: []netip.Addr{
		netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3"),
	}}
	g := Guard{Allow: prefixes("127.0.0.2/32")}
	client := newClient(g, longEnough, l.serve(t))
	for i, ok := range []bool{true, false} {
		response, err := client.Get("http://consumer.example:" + port + "/")
		if (err == nil) != ok {
			t.Errorf("request %d ended with %v", i, err)
		}
		if err == nil {
			response.Body.Close()
		} else if !strings.Contains(err.Error(), "loopback") {
			t.Errorf("request %d ended with %v, want the guard's reason", i, err)
		}
		client.CloseIdleConnections()
	}
	if harmless() != 1 || closed() != 0 {
		t.Errorf("%d came to the harmless address, %d to the closed one", harmless(), closed())
	}
}

// TestRedirectIsNotFollowed sends a client from an open address to a closed one.
func TestRedirectIsNotFollowed(t *testing.T) {
	port, inside := door(t, "127.0.0.1:0")
	open := httptest.NewUnstartedServer(http.RedirectHandler(
		"http://127.0.0.1:"+port+"/", http.StatusTemporaryRedirect))
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	open.Listener.Close()
	open.Listener = listener
	open.Start()
	defer open.Close()
	client := NewClient(Guard{Allow: prefixes("127.0.0.0/8")}, longEnough)
	response, err := client.Post(open.URL, "text/xml", strings.NewReader("<a/>"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	client.CloseIdleConnections()
	if response.StatusCode != http.StatusTemporaryRedirect || inside() != 0 {
		t.Errorf("status %d, and %d requests went on", response.StatusCode, inside())
	}
}

// TestClosedAddressesAreNotDialled tries other spellings of an address on
// which somebody listens, and the server's own.
func TestClosedAddressesAreNotDialled(t *testing.T) {
	port, came := door(t, "127.0.0.1:0")
	own := netip.MustParseAddrPort("127.0.0.1:" + port)
	self := Guard{Loopback(), []netip.AddrPort{own}}
	for name, tt := range map[string]struct {
		guard Guard
		host  string
		ok    bool
	}{
		"loopback":               {Guard{}, "127.0.0.1", false},
		"IPv4-mapped":            {Guard{}, "[::ffff:127.0.0.1]", false},
		"IPv4-mapped, in hex":    {Guard{}, "[::ffff:7f00:1]", false},
		"a local name":           {Guard{}, "localhost", false},
		"a number":               {Guard{}, "2130706433", false},
		"unspecified":            {Guard{}, "0.0.0.0", false},
		"own":                    {self, "127.0.0.1", false},
		"own, mapped":            {self, "[::ffff:127.0.0.1]", false},
		"allowed":                {Guard{Allow: Loopback()}, "127.0.0.1", true},
		"allowed, in other form": {Guard{Allow: Loopback()}, "[::ffff:127.0.0.1]", true},
	} {
		before := came()
		patience := 10 * time.Second // where the machine's name servers do not answer
		if tt.ok {
			patience = longEnough
		}
		client := NewClient(tt.guard, patience)
		response, err := client.Get("http://" + tt.host + ":" + port + "/")
		if err == nil {
			response.Body.Close()
		}
		client.CloseIdleConnections()
		if (err == nil) != tt.ok || (came() > before) != tt.ok {
			t.Errorf("%s: %d requests came, error is %v", name, came()-before, err)
		}
	}
}
