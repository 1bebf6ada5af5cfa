package sftp

import (
	"context"
	"sync"
	"time"
)

// pool holds the connections to one server: at most so many at once, each used
// by one transfer at a time, so that transfers do not wait for each other's packets.
type pool struct {
	server Server
	limits Options
	slots  chan struct{}

	mu     sync.Mutex
	idle   []*connection
	closed bool
}

func newPool(server Server, o Options) *pool {
	return &pool{server: server, limits: o, slots: make(chan struct{}, o.Connections)}
}

// use lends f a connection. The connection is watched meanwhile: when ctx ends,
// or nothing moves any more, it is closed and f's calls fail. What f returns comes
// back with the cause of the connection's end, if that was it.
func (p *pool) use(ctx context.Context, f func(c *connection) error) error {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	c, err := p.take(ctx)
	if err != nil {
		return err
	}
	release := c.watch(ctx, p.limits.StallTimeout)
	err = f(c)
	release()
	if err != nil {
		err = c.explain(err)
	}
	p.give(c)
	return err
}

// take returns an idle connection that still lives, or makes one.
func (p *pool) take(ctx context.Context) (*connection, error) {
	for {
		c, err := p.pop()
		if err != nil {
			return nil, err
		}
		if c == nil {
			return dial(ctx, p.server, p.limits.DialTimeout)
		}
		if c.expiry.Stop() && !c.dead() {
			return c, nil
		}
		c.close()
	}
}

func (p *pool) pop() (*connection, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, unavailable(p.server.Address, errClosed)
	}
	if len(p.idle) == 0 {
		return nil, nil
	}
	last := len(p.idle) - 1
	c := p.idle[last]
	p.idle = p.idle[:last]
	return c, nil
}

// give keeps a connection for the next transfer, for a while.
func (p *pool) give(c *connection) {
	p.mu.Lock()
	keep := !p.closed && !c.dead()
	if keep {
		c.expiry = time.AfterFunc(p.limits.IdleTimeout, func() { p.expire(c) })
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		c.close()
	}
}

func (p *pool) expire(c *connection) {
	p.mu.Lock()
	for i, other := range p.idle {
		if other == c {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			break
		}
	}
	p.mu.Unlock()
	c.close()
}

func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		c.expiry.Stop()
		c.close()
	}
}
