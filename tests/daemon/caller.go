package daemon

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// callLimit ends a call whose answer does not come. No answer of the daemon
// waits for anything slower than its own disk.
const callLimit = 60 * time.Second

// keepLimit is how long a connection is kept that is not used: the daemon closes it
// after a minute, perhaps just when the next request goes out.
const keepLimit = 30 * time.Second

// Caller sends requests over one keep-alive connection. It is a bare HTTP/1.1
// client, so that it takes little of the processor that the daemon needs.
// It serves one goroutine at a time.
type Caller struct {
	addr string
	conn net.Conn
	used time.Time // last
	r    *bufio.Reader
	out  bytes.Buffer
	in   bytes.Buffer
}

// NewCaller returns a caller of the daemon at HOST:PORT.
func NewCaller(addr string) *Caller { return &Caller{addr: addr} }

// Call posts body to path and returns the status and the body of the reply,
// which is valid until the next call. After an error the outcome is unknown
// and the next call dials anew.
func (c *Caller) Call(path, action string, body []byte) (int, []byte, error) {
	if time.Since(c.used) > keepLimit {
		c.Close()
	}
	if c.conn == nil {
		if err := c.dial(); err != nil {
			return 0, nil, err
		}
	}
	status, reply, err := c.exchange(path, action, body)
	if c.used = time.Now(); err != nil {
		c.Close()
	}
	return status, reply, err
}

// Close closes the connection; the caller can be used again.
func (c *Caller) Close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

func (c *Caller) dial() error {
	conn, err := net.DialTimeout("tcp", c.addr, callLimit)
	if err != nil {
		return err
	}
	c.conn, c.r = conn, bufio.NewReaderSize(conn, 32<<10)
	return nil
}

func (c *Caller) exchange(path, action string, body []byte) (int, []byte, error) {
	c.out.Reset()
	fmt.Fprintf(&c.out, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/xml; charset=utf-8"+
		"\r\nSOAPAction: \"%s\"\r\nContent-Length: %d\r\n\r\n", path, c.addr, action, len(body))
	c.out.Write(body)
	if err := c.conn.SetDeadline(time.Now().Add(callLimit)); err != nil {
		return 0, nil, err
	}
	if _, err := c.conn.Write(c.out.Bytes()); err != nil {
		return 0, nil, err
	}
	return c.reply()
}

// reply reads one response with a Content-Length or in chunks.
func (c *Caller) reply() (int, []byte, error) {
	line, err := c.line()
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 {
		return 0, nil, fmt.Errorf("not an HTTP status line: %q", line)
	}
	status, err := strconv.Atoi(line[9:12])
	if err != nil {
		return 0, nil, fmt.Errorf("not an HTTP status line: %q", line)
	}
	h, err := c.header()
	if err != nil {
		return 0, nil, err
	}
	c.in.Reset()
	if h.chunked {
		err = c.chunks()
	} else {
		_, err = io.CopyN(&c.in, c.r, h.length)
	}
	if h.closes {
		c.Close()
	}
	return status, c.in.Bytes(), err
}

// A header is what matters here of a response's header.
type header struct {
	length  int64
	chunked bool
	closes  bool
}

func (c *Caller) header() (header, error) {
	var h header
	for {
		line, err := c.line()
		if err != nil || line == "" {
			return h, err
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "content-length":
			if h.length, err = strconv.ParseInt(value, 10, 64); err != nil {
				return h, err
			}
		case "transfer-encoding":
			h.chunked = value == "chunked"
		case "connection":
			h.closes = value == "close"
		}
	}
}

func (c *Caller) chunks() error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(line, 16, 64)
		if err != nil {
			return fmt.Errorf("not a chunk's size: %q", line)
		}
		if _, err := io.CopyN(&c.in, c.r, n); err != nil {
			return err
		}
		if end, err := c.line(); err != nil || end != "" {
			return errors.Join(err, errors.New("chunk without its end"))
		}
		if n == 0 {
			return nil
		}
	}
}

func (c *Caller) line() (string, error) {
	line, err := c.r.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}
