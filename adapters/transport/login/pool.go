package login

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// Session is what is done over one connection.
type Session interface {
	// Line returns the connection below.
	Line() *Conn
	// End ends the session and its connection.
	End()
	// Explain returns the reason behind an error of the session.
	Explain(err error) error
}

// Limits are those of a Pool.
type Limits struct {
	DialTimeout  time.Duration // to connect and log in
	StallTimeout time.Duration // without any traffic during a transfer
	IdleTimeout  time.Duration // how long an unused connection stays
	Connections  int           // at once
}

// Complete fills in what is left out.
func (l Limits) Complete() Limits {
	l.DialTimeout = cmp.Or(l.DialTimeout, 20*time.Second)
	l.StallTimeout = cmp.Or(l.StallTimeout, 30*time.Second)
	l.IdleTimeout = cmp.Or(l.IdleTimeout, time.Minute)
	l.Connections = cmp.Or(l.Connections, 4)
	return l
}

var errClosed = errors.New("the transport is closed")

// Pool holds the sessions with one server: at most so many at once, each used
// by one transfer at a time, so that transfers do not wait for each other's packets.
type Pool[S Session] struct {
	Server Server
	limits Limits
	begin  func(*Conn) (S, error)
	slots  chan struct{}

	mu     sync.Mutex
	idle   []unused[S]
	closed bool
}

// unused is a session that waits for the next transfer.
type unused[S Session] struct {
	session S
	expiry  *time.Timer
}

// NewPool returns a pool that begins sessions when they are needed.
func NewPool[S Session](server Server, l Limits, begin func(*Conn) (S, error)) *Pool[S] {
	return &Pool[S]{Server: server, limits: l, begin: begin,
		slots: make(chan struct{}, l.Connections)}
}

// Use lends f a session. Its connection is watched meanwhile: when ctx ends,
// or nothing moves any more, it is closed and f's calls fail. What f returns comes
// back with the cause of the connection's end, if that was it.
func (p *Pool[S]) Use(ctx context.Context, f func(s S) error) error {
	return p.lend(ctx, ctx, f)
}

// grace is how long what is held may go on after its context: what it started on the
// server is killed there meanwhile, and would be nobody's if the connection was closed.
const grace = 20 * time.Second

// Hold is Use for what ends in good order by itself when ctx does: the
// connection is closed only some seconds later.
func (p *Pool[S]) Hold(ctx context.Context, f func(s S) error) error {
	watched, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() {
		late := time.AfterFunc(grace, func() { cancel(ctx.Err()) })
		context.AfterFunc(watched, func() { late.Stop() })
	})
	defer stop()
	return p.lend(ctx, watched, f)
}

// lend waits for a session until ctx ends, and closes its connection when
// watched does.
func (p *Pool[S]) lend(ctx, watched context.Context, f func(s S) error) error {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s, err := p.take(ctx)
	if err != nil {
		return err
	}
	release := s.Line().Watch(watched, p.limits.StallTimeout)
	err = f(s)
	release()
	if err != nil {
		err = s.Explain(err)
	}
	p.give(s)
	return err
}

// Beside lends f one session more, watched as Use does, or none: when half of the
// connections are in use already, so that no transfer takes another's, and when no
// connection can be had now.
func (p *Pool[S]) Beside(ctx context.Context, f func(more []S) error) error {
	if len(p.slots) > cap(p.slots)/2 {
		return f(nil)
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		return f(nil)
	}
	s, err := p.take(ctx)
	if err != nil {
		return f(nil)
	}
	release := s.Line().Watch(ctx, p.limits.StallTimeout)
	err = f([]S{s})
	release()
	if err != nil && s.Line().Dead() {
		err = s.Explain(err)
	}
	p.give(s)
	return err
}

// take returns an idle session that still lives, or begins one.
func (p *Pool[S]) take(ctx context.Context) (S, error) {
	for {
		var none S
		u, found, err := p.pop()
		if err != nil {
			return none, err
		}
		if !found {
			return p.dial(ctx)
		}
		if u.expiry.Stop() && !u.session.Line().Dead() {
			return u.session, nil
		}
		u.session.End()
	}
}

func (p *Pool[S]) dial(ctx context.Context) (S, error) {
	var none S
	line, err := Dial(ctx, p.Server, p.limits.DialTimeout)
	if err != nil {
		return none, err
	}
	release := line.Watch(ctx, p.limits.StallTimeout)
	s, err := p.begin(line)
	release()
	if err != nil {
		err = line.Explain(err)
		line.Close()
	}
	return s, err
}

func (p *Pool[S]) pop() (u unused[S], found bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return u, false, Unavailable(p.Server.Address, errClosed)
	}
	if len(p.idle) == 0 {
		return u, false, nil
	}
	last := len(p.idle) - 1
	u = p.idle[last]
	p.idle = p.idle[:last]
	return u, true, nil
}

// give keeps a session for the next transfer, for a while.
func (p *Pool[S]) give(s S) {
	p.mu.Lock()
	keep := !p.closed && !s.Line().Dead()
	if keep {
		expiry := time.AfterFunc(p.limits.IdleTimeout, func() { p.expire(s) })
		p.idle = append(p.idle, unused[S]{s, expiry})
	}
	p.mu.Unlock()
	if !keep {
		s.End()
	}
}

func (p *Pool[S]) expire(s S) {
	p.mu.Lock()
	for i := range p.idle {
		if p.idle[i].session.Line() == s.Line() {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			break
		}
	}
	p.mu.Unlock()
	s.End()
}

// Close closes the unused connections at once and the others when their
// transfers end. No transfer may begin after it.
func (p *Pool[S]) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, u := range idle {
		u.expiry.Stop()
		u.session.End()
	}
}
