package libvirtdtest

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// Fate is what a Relay does with a call.
type Fate int

// The fates.
const (
	Pass    Fate = iota // on to the daemon, and its answer back
	Cut                 // the connection ends before the daemon hears of the call
	Lose                // the daemon does it, the connection ends instead of the answer
	During              // the daemon is killed while it is at it
	Before              // the daemon is killed before it hears of the call
	After               // the daemon is killed when it has answered, and nobody hears
	Swallow             // nothing passes on this connection any more, either way, nor does it end
)

// Call is one call of libvirt's main program, by its number in the protocol.
type Call struct{ Procedure uint32 }

// Relay stands between a client and a daemon's socket.
type Relay struct {
	t       testing.TB
	target  string
	kill    func()
	listens net.Listener
	all     sync.WaitGroup

	mu    sync.Mutex
	judge func(Call) Fate
	open  map[net.Conn]struct{}
}

// NewRelay starts a relay before the daemon's socket. It judges nothing yet.
func NewRelay(d *Daemon) *Relay {
	d.t.Helper()
	l, err := net.Listen("unix", filepath.Join(d.Dir, "relay-sock"))
	if err != nil {
		d.t.Fatal(err)
	}
	return relay(d.t, l, "unix", d.Socket(), d.Kill)
}

// RelayTo starts a relay at an address of the test's machine before a TCP address.
// It does not look into what it passes on.
func RelayTo(t testing.TB, here, there string) *Relay {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(here, "0"))
	if err != nil {
		t.Fatal(err)
	}
	return relay(t, l, "tcp", there, nil)
}

func relay(t testing.TB, l net.Listener, network, target string, kill func()) *Relay {
	r := &Relay{t: t, target: target, kill: kill, listens: l, open: make(map[net.Conn]struct{})}
	r.all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			r.all.Go(func() { r.serve(near, network) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		r.cutAll()
		r.all.Wait()
	})
	return r
}

// Address is where the relay listens.
func (r *Relay) Address() string { return r.listens.Addr().String() }

// Judge has f decide what becomes of each call from now on; nil: all pass.
func (r *Relay) Judge(f func(Call) Fate) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.judge = f
}

// hold remembers a connection.
func (r *Relay) hold(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[c] = struct{}{}
}

func (r *Relay) drop(c net.Conn) {
	c.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
}

func (r *Relay) cutAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.open {
		c.Close()
	}
}

// serve joins one client to the daemon, until either ends.
func (r *Relay) serve(near net.Conn, network string) {
	r.hold(near)
	defer r.drop(near)
	far, err := net.Dial(network, r.target)
	if err != nil {
		return
	}
	r.hold(far)
	defer r.drop(far)
	p := &pair{Relay: r, near: near, far: far}
	var back sync.WaitGroup
	defer back.Wait()
	back.Go(func() {
		defer p.cut()
		if r.kill == nil {
			io.Copy(near, far)
			return
		}
		p.answers()
	})
	defer p.cut()
	if r.kill == nil {
		io.Copy(far, near)
		return
	}
	p.calls()
}

// pair is one client's connection on both sides.
type pair struct {
	*Relay
	near, far net.Conn

	mu     sync.Mutex
	doomed map[uint32]Fate // calls whose answer nobody shall hear, by serial
	mute   atomic.Bool     // nothing passes any more
}

func (p *pair) cut() {
	p.near.Close()
	p.far.Close()
}

// What libvirt's packets are made of.
const (
	lengthBytes = 4
	headBytes   = lengthBytes + 6*4
	mainProgram = 0x20008086
)

// packet reads one packet, its length included.
func packet(from io.Reader) ([]byte, error) {
	length := make([]byte, lengthBytes)
	if _, err := io.ReadFull(from, length); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length)
	if n < headBytes || n > 64<<20 {
		return nil, errors.New("no packet of libvirt's has this length")
	}
	all := make([]byte, n)
	copy(all, length)
	_, err := io.ReadFull(from, all[lengthBytes:])
	return all, err
}

// word is the nth word of a packet's header: program, version, procedure, type,
// serial, status.
func word(packet []byte, n int) uint32 {
	return binary.BigEndian.Uint32(packet[lengthBytes*(n+1):])
}

// calls passes the client's calls on.
func (p *pair) calls() {
	for {
		b, err := packet(p.near)
		if err != nil {
			return
		}
		fate := p.fate(b)
		switch fate {
		case Cut:
			return
		case Before:
			p.kill()
			return
		case Swallow:
			p.mute.Store(true)
			io.Copy(io.Discard, p.near)
			return
		case Lose, After:
			p.doom(word(b, 4), fate)
		}
		if _, err := p.far.Write(b); err != nil {
			return
		}
		if fate == During {
			p.kill()
			return
		}
	}
}

func (p *pair) fate(b []byte) Fate {
	p.Relay.mu.Lock()
	judge := p.judge
	p.Relay.mu.Unlock()
	if judge == nil || word(b, 0) != mainProgram || word(b, 3) != 0 {
		return Pass
	}
	return judge(Call{word(b, 2)})
}

func (p *pair) doom(serial uint32, f Fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.doomed == nil {
		p.doomed = make(map[uint32]Fate)
	}
	p.doomed[serial] = f
}

// answers passes the daemon's answers and events back.
func (p *pair) answers() {
	for {
		b, err := packet(p.far)
		if err != nil {
			return
		}
		p.mu.Lock()
		fate := p.doomed[word(b, 4)]
		p.mu.Unlock()
		if word(b, 3) == 1 && fate != Pass {
			if fate == After {
				p.kill()
			}
			return
		}
		if p.mute.Load() {
			continue
		}
		if _, err := p.near.Write(b); err != nil {
			return
		}
	}
}
