package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A crowd is the consumers of notifications: each has a path of its own on one
// of a few listeners. It is a bare HTTP/1.1 server that reads each request to
// its end and accepts it, so that it takes little of the processor that the
// daemon needs.
type crowd struct {
	listeners []net.Listener

	mu    sync.Mutex
	heard []hearing // by consumer
	total int
	posts int
	goal  int
	all   chan struct{} // closed when total reaches goal
}

// A hearing is when one consumer's messages came, in order.
type hearing []time.Time

// newCrowd returns n consumers on so many listeners.
func newCrowd(n, listeners int) (*crowd, error) {
	c := &crowd{heard: make([]hearing, n)}
	for range listeners {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			c.close()
			return nil, err
		}
		c.listeners = append(c.listeners, l)
		go c.attend(l)
	}
	return c, nil
}

func (c *crowd) close() {
	for _, l := range c.listeners {
		_ = l.Close()
	}
}

// address returns the URL of the n-th consumer.
func (c *crowd) address(n int) string {
	l := c.listeners[n%len(c.listeners)]
	return fmt.Sprintf("http://%s/%d", l.Addr(), n)
}

func (c *crowd) attend(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go c.listen(conn)
	}
}

// listen takes the requests of one connection until it ends.
func (c *crowd) listen(conn net.Conn) {
	defer conn.Close()
	r := textproto.NewReader(bufio.NewReaderSize(conn, 16<<10))
	var body []byte
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		size := 0
		for header := "."; header != ""; {
			if header, err = r.ReadLine(); err != nil {
				return
			}
			if name, value, _ := strings.Cut(header, ": "); name == "Content-Length" {
				size, _ = strconv.Atoi(value)
			}
		}
		if cap(body) < size {
			body = make([]byte, size)
		}
		body = body[:size]
		if _, err := io.ReadFull(r.R, body); err != nil {
			return
		}
		c.take(line, bytes.Count(body, []byte("NotificationMessage>"))/2)
		if _, err := io.WriteString(conn, accepted); err != nil {
			return
		}
	}
}

const accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

// take writes down n messages that came by one request.
func (c *crowd) take(line string, n int) {
	now := time.Now()
	_, path, _ := strings.Cut(line, " /")
	path, _, _ = strings.Cut(path, " ")
	who, err := strconv.Atoi(path)
	if err != nil || who >= len(c.heard) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		c.heard[who] = append(c.heard[who], now)
	}
	c.posts++
	before := c.total
	if c.total += n; before < c.goal && c.total >= c.goal {
		close(c.all)
	}
}

// expect forgets what was heard and returns what waits until n messages came.
func (c *crowd) expect(n int) func(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.heard {
		c.heard[i] = nil
	}
	all := make(chan struct{})
	c.total, c.posts, c.goal, c.all = 0, 0, n, all
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
		select {
		case <-all:
			return nil
		case <-ctx.Done():
			c.mu.Lock()
			defer c.mu.Unlock()
			return fmt.Errorf("%d of %d notifications came: %w", c.total, n, ctx.Err())
		}
	}
}
