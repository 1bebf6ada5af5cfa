package dispatch

import (
	"net"
	"net/netip"
	"sync"
)

// NewListener returns a listener over inner that hands on as many connections
// as the limits allow, in all and of one remote address. One too many is closed
// at once: left in the queue it would keep the next waiting, and nobody would
// know why. Loopback counts in all alone, because front ends live there.
func NewListener(inner net.Listener, limits Limits) net.Listener {
	return &listener{
		Listener: inner, limits: limits.withDefaults(), peers: make(map[netip.Prefix]int),
	}
}

// A listener counts the connections that are open.
type listener struct {
	net.Listener
	limits Limits

	mu    sync.Mutex
	open  int
	peers map[netip.Prefix]int // open ones by whom they are from
}

// Accept returns the next connection that is within the limits.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := peerOf(c.RemoteAddr())
		if l.enter(peer) {
			return &connection{c, sync.OnceFunc(func() { l.leave(peer) })}, nil
		}
		_ = c.Close()
	}
}

// enter counts a connection, unless it is one too many.
func (l *listener) enter(peer netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.limits.Connections ||
		peer.IsValid() && l.peers[peer] >= l.limits.PeerConnections {
		return false
	}
	l.open++
	if peer.IsValid() {
		l.peers[peer]++
	}
	return true
}

func (l *listener) leave(peer netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.peers[peer]--; l.peers[peer] <= 0 {
		delete(l.peers, peer)
	}
}

// peerOf returns whom connections from the address count for; no prefix at all
// for those that have no limit of their own. Of an IPv6 address the network
// counts, because one host has all of its 2^64 addresses to call from.
func peerOf(remote net.Addr) netip.Prefix {
	a, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := a.AddrPort().Addr().Unmap().WithZone("")
	if !ip.IsValid() || ip.IsLoopback() {
		return netip.Prefix{}
	}
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(ip, bits).Masked()
}

// A connection tells when it ends.
type connection struct {
	net.Conn
	leave func() // may be called again
}

// Close ends the connection.
func (c *connection) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
