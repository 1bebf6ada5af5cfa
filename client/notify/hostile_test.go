package notify

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
)

// A posting is an HTTP request that somebody makes to a listener.
type posting struct {
	method, kind, encoding string
	body                   []byte
}

// take hands a posting to a consumer, and returns the status of the answer.
func (p posting) take(c *Consumer) int {
	q := httptest.NewRequest(p.method, consumerPath, bytes.NewReader(p.body))
	q.Header.Set("Content-Type", p.kind)
	if p.encoding != "" {
		q.Header.Set("Content-Encoding", p.encoding)
	}
	w := httptest.NewRecorder()
	c.serve(w, q)
	return w.Code
}

// unheard is a consumer that does not listen.
func unheard() *Consumer {
	return &Consumer{
		address: "127.0.0.1:1", events: make(chan Event, 64), turn: make(chan struct{}, 1),
		numbers: translator{}, keys: map[string]bool{},
	}
}

func TestHostilePostings(t *testing.T) {
	c := unheard()
	to := c.Reference()
	good := envelope(to, "", stateOf("Running"))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(good)
	_ = z.Close()
	const xml = "text/xml; charset=utf-8"
	tests := []struct {
		name string
		p    posting
		want int
	}{
		{"good", posting{"POST", xml, "", good}, 200},
		{"GET", posting{"GET", xml, "", nil}, 404},
		{"PUT", posting{"PUT", xml, "", good}, 404},
		{"no content type", posting{"POST", "", "", good}, 415},
		{"JSON", posting{"POST", "application/json", "", good}, 415},
		{"a form", posting{"POST", "application/x-www-form-urlencoded", "", good}, 415},
		{"an attachment", posting{"POST", `multipart/related; type="application/xop+xml"`, "",
			good}, 415},
		{"a content type that is none", posting{"POST", ";;", "", good}, 415},
		{"compressed", posting{"POST", xml, "gzip", packed.Bytes()}, 415},
		{"a document type", posting{"POST", xml, "", append([]byte("<!DOCTYPE x>"), good...)}, 400},
		{"two roots", posting{"POST", xml, "", append(good, "<x/>"...)}, 400},
		{"deep", posting{"POST", xml, "", []byte(strings.Repeat("<a>", 100_000))}, 400},
		{"long", posting{"POST", xml, "", bytes.Repeat([]byte("<a/>"), 1<<19)}, 400},
		{"no envelope", posting{"POST", xml, "", []byte("<a/>")}, 400},
		{"nothing", posting{"POST", xml, "", nil}, 400},
		{"an empty key", posting{"POST", xml, "",
			envelope(wsa.NewEPR(to.Address, wsn.ConsumerKey, ""), "", stateOf("Running"))}, 400},
		{"no key", posting{"POST", xml, "",
			envelope(wsa.EPR{Address: to.Address}, "", stateOf("Running"))}, 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.p.take(c); got != test.want {
				t.Errorf("status %d, expected %d", got, test.want)
			}
		})
	}
	if got := waiting(c); got != "7 Running" {
		t.Errorf("events %q, expected the good one's", got)
	}
}

// TestManyMessagesAtOnce gives a listener more than it has room for: that waits
// when it comes alone, and is refused while others wait.
func TestManyMessagesAtOnce(t *testing.T) {
	c := unheard()
	c.events = make(chan Event, 4)
	var many []wsn.Notification
	for range 64 {
		many = append(many, stateOf("Running"))
	}
	p := posting{"POST", "text/xml", "", envelope(c.Reference(), "uuid:1", many...)}
	c.events <- Event{}
	if status := p.take(c); status != http.StatusServiceUnavailable {
		t.Errorf("status %d while others wait", status)
	}
	<-c.events
	status := make(chan int)
	go func() { status <- p.take(c) }()
	for i := range many {
		if e := <-c.events; e.State != client.Running {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
	if got := <-status; got != http.StatusOK {
		t.Errorf("status %d", got)
	}
}

// pipes is a listener that accepts one connection, which is a pipe.
type pipes struct {
	conn   chan net.Conn
	closed chan struct{}
}

func newPipes(conn net.Conn) *pipes {
	p := &pipes{make(chan net.Conn, 1), make(chan struct{})}
	p.conn <- conn
	return p
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conn:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestSlowPosters cuts off who takes his time: with the header, with the body,
// and with the next request.
func TestSlowPosters(t *testing.T) {
	tests := []struct {
		name, says string
		limit      time.Duration
	}{
		{"nothing", "", 11 * time.Second},
		{"half a header", "POST / HTTP/1.1\r\nHost: x\r\nX: ", 11 * time.Second},
		{"half a body", "POST " + consumerPath + " HTTP/1.1\r\nHost: x\r\n" +
			"Content-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<a", 31 * time.Second},
		{"no second request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 121 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := unheard()
				ours, theirs := net.Pipe()
				c.listener = newPipes(theirs)
				ctx, cancel := context.WithCancel(t.Context())
				stopped := make(chan error, 1)
				go func() { stopped <- c.Run(ctx) }()
				go func() { _, _ = io.WriteString(ours, test.says) }()
				began := time.Now()
				_, _ = io.Copy(io.Discard, bufio.NewReader(ours))
				if took := time.Since(began); took > test.limit {
					t.Errorf("cut off after %s, expected within %s", took, test.limit)
				}
				ours.Close()
				cancel()
				if err := <-stopped; err != nil {
					t.Errorf("Run: %v", err)
				}
			})
		})
	}
}

// FuzzPosting posts anything to a listener: it must answer, and hand out
// nothing that is not made as it must be.
func FuzzPosting(f *testing.F) {
	c := unheard()
	to := c.Reference()
	key := client.Key(to)
	for _, n := range [][]wsn.Notification{
		{stateOf("Running")}, {stateOf("Paused"), ended()}, {stateOf("Asleep")},
	} {
		text := strings.ReplaceAll(string(envelope(to, "uuid:1", n...)), key, "KEY")
		f.Add("text/xml", []byte(text))
		f.Add("application/soap+xml", []byte(text[:len(text)/2]))
	}
	f.Add("text/xml; charset=utf-16", []byte("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		body = bytes.ReplaceAll(body, []byte("KEY"), []byte(key))
		done := make(chan int, 1)
		go func() { done <- posting{"POST", kind, "", body}.take(c) }()
		status, events := 0, 0
		for status == 0 {
			select {
			case e := <-c.events:
				checkEvent(t, e)
				events++
			case status = <-done:
			}
		}
		for len(c.events) > 0 {
			checkEvent(t, <-c.events)
			events++
		}
		if status != 200 && status != 400 && status != 415 || status != 200 && events > 0 {
			t.Errorf("status %d with %d events", status, events)
		}
	})
}

// checkEvent refuses an event that tells nothing.
func checkEvent(t *testing.T, e Event) {
	t.Helper()
	if e.Source != Missed && (e.Workspace == "" || e.State == "") {
		t.Errorf("event %+v", e)
	}
}
