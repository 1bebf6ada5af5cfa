package libvirt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/digitalocean/go-libvirt"
)

// Limits of calls whose context has none, and of looks at a daemon's health.
const (
	callLimit = time.Minute
	saveLimit = time.Hour // writing a machine's memory to disk takes what it takes
	pingLimit = 5 * time.Second
)

// errClosed is the end of a Host that was closed.
var errClosed = errors.New("the adapter is closed")

// link keeps one connection to a libvirtd and makes a new one when it breaks:
// the library does neither, nor can its calls be given a deadline.
type link struct {
	at   endpoint
	dial dialer
	log  *slog.Logger
	tell func(event)

	turn   chan struct{} // a lock that a context can give up waiting for
	now    *session      // guarded by turn
	closed bool          // guarded by turn
	calls  sync.WaitGroup
}

func newLink(at endpoint, dial dialer, log *slog.Logger, tell func(event)) *link {
	return &link{at: at, dial: dial, log: log, tell: tell, turn: make(chan struct{}, 1)}
}

// session is one connection, from dialling to its end.
type session struct {
	rpc     *libvirt.Libvirt
	conn    *wire
	gone    <-chan struct{} // closed when the connection has ended
	heard   sync.WaitGroup  // the listener to its events
	suspect atomic.Bool     // its health is being looked at
}

// dialled hands the library a connection that is already there.
type dialled struct{ net.Conn }

func (d dialled) Dial() (net.Conn, error) { return d.Conn, nil }

// session returns the connection, a new one when the last one broke.
func (l *link) session(ctx context.Context) (*session, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l.closed {
		return nil, errClosed
	}
	if l.now != nil && !ended(l.now.gone) {
		return l.now, nil
	}
	s, err := l.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	l.now = s
	l.log.Info("connected to host", "uri", l.at.uri, "address", l.at.address)
	return s, nil
}

// errUnreachable marks what kept us from asking at all.
var errUnreachable = errors.New("the host's libvirtd is out of reach")

func ended(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// connect dials, opens the driver and listens to its events.
func (l *link) connect(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	conn, err := l.dial(ctx)
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	s := &session{conn: &wire{conn, life.Done(), end}, gone: life.Done()}
	s.rpc = libvirt.NewWithDialer(dialled{s.conn})
	// A daemon that accepts and says nothing is woken up from by closing.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	err = s.open(life, l.at.uri, l.tell)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		s.end()
		return nil, errors.Join(ctx.Err(), err)
	}
	return s, nil
}

// open says hello and subscribes. The subscriptions end with the connection, whose
// life ctx is: one that ends alone asks the daemon, which may not answer, and one that
// outlives the connection nobody ends.
func (s *session) open(ctx context.Context, uri string, tell func(event)) error {
	if err := s.rpc.ConnectToURI(libvirt.ConnectURI(uri)); err != nil {
		return err
	}
	lives, err := s.rpc.LifecycleEvents(ctx)
	if err != nil {
		return err
	}
	s.heard.Go(func() {
		for e := range lives {
			tell(event{domain: e.Dom})
		}
		tell(event{lost: true})
	})
	boots, err := s.rpc.SubscribeEvents(ctx, libvirt.DomainEventIDReboot, nil)
	if err != nil {
		return err
	}
	s.heard.Go(func() {
		for e := range boots {
			if m, ok := e.(*libvirt.DomainEventCallbackRebootMsg); ok {
				tell(event{domain: m.Msg.Dom, reboot: true})
			}
		}
	})
	return nil
}

// end closes the connection and waits until nothing of it is left.
func (s *session) end() {
	s.conn.Close()
	<-s.gone
	s.heard.Wait()
}

// doubt looks whether a daemon that kept a call waiting still answers, and
// ends the connection when it does not: that frees every call that waits on it.
func (l *link) doubt(s *session) {
	if !s.suspect.CompareAndSwap(false, true) {
		return
	}
	l.calls.Go(func() {
		defer s.suspect.Store(false)
		answered := make(chan error, 1)
		l.calls.Go(func() { _, err := s.rpc.ConnectGetLibVersion(); answered <- err })
		select {
		case <-answered:
		case <-s.gone:
		case <-time.After(pingLimit):
			l.log.Warn("host does not answer, closing the connection")
			s.conn.Close()
		}
	})
}

// close ends the connection and waits for every call.
func (l *link) close() {
	l.turn <- struct{}{}
	l.closed = true
	if l.now != nil {
		l.now.end()
	}
	<-l.turn
	l.calls.Wait()
}

// ask makes one call with a deadline. A call that is given up goes on without
// us, so it may still have its effect: all calls of this package can be repeated.
func ask[T any](
	ctx context.Context, l *link, limit time.Duration, call func(*libvirt.Libvirt) (T, error),
) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return none, err
	}
	s, err := l.session(ctx)
	if err != nil {
		return none, err
	}
	answered := make(chan answer, 1)
	l.calls.Go(func() {
		value, err := call(s.rpc)
		answered <- answer{value, err}
	})
	select {
	case a := <-answered:
		return a.value, a.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			l.doubt(s)
		}
		return none, ctx.Err()
	}
}

// order is ask for a call that has no answer but its success.
func order(
	ctx context.Context, l *link, limit time.Duration, call func(*libvirt.Libvirt) error,
) error {
	_, err := ask(ctx, l, limit, func(rpc *libvirt.Libvirt) (struct{}, error) {
		return struct{}{}, call(rpc)
	})
	return err
}
