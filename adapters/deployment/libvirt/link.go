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

// call is one that was made, on a session, and is waited for.
type call[T any] struct {
	on       *session
	answered chan answer[T]
}

type answer[T any] struct {
	value T
	err   error
}

func begin[T any](
	ctx context.Context, l *link, ask func(*libvirt.Libvirt) (T, error),
) (*call[T], error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := l.session(ctx)
	if err != nil {
		return nil, err
	}
	c := &call[T]{s, make(chan answer[T], 1)}
	l.calls.Go(func() {
		value, err := ask(s.rpc)
		c.answered <- answer[T]{value, err}
	})
	return c, nil
}

// await returns the answer. A daemon that owes it for too long is doubted.
func (c *call[T]) await(ctx context.Context, l *link) (T, error) {
	select {
	case a := <-c.answered:
		return a.value, a.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			l.doubt(c.on)
		}
		var none T
		return none, ctx.Err()
	}
}

// ask makes one call with a deadline. A call that is given up goes on without
// us, so it may still have its effect: all calls of this package can be repeated.
func ask[T any](
	ctx context.Context, l *link, limit time.Duration, make func(*libvirt.Libvirt) (T, error),
) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c, err := begin(ctx, l, make)
	if err != nil {
		var none T
		return none, err
	}
	return c.await(ctx, l)
}

// order is ask for a call that has no answer but its success. Where that soon comes,
// it is waited for though nobody wants the effect any more: libvirt works on what it
// is asked side by side, and what undoes the effect must not be there before it.
func order(
	ctx context.Context, l *link, limit time.Duration, make func(*libvirt.Libvirt) error,
) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c, err := begin(limited, l, func(rpc *libvirt.Libvirt) (struct{}, error) {
		return struct{}{}, make(rpc)
	})
	if err != nil {
		return err
	}
	_, err = c.await(limited, l)
	if !errors.Is(err, context.Canceled) || limit >= saveLimit {
		return err
	}
	l.doubt(c.on) // or a daemon that is silent would be waited for
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer stop()
	_, err = c.await(late, l)
	return err
}
