package dispatch_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A consumer is where the replayed subscriptions have their messages sent, and
// what is wanted of them, by the recorded keys of workspaces.
type consumer struct {
	url    string
	came   chan string // the envelopes, in order
	states map[string]bool
	ends   map[string]message
}

func newConsumer(t *testing.T) *consumer {
	t.Helper()
	c := &consumer{
		came:   make(chan string, 100),
		states: map[string]bool{"16 Paused": true, "16 Running": true},
		ends: map[string]message{
			"13": readMessage(t, "testdata/notify/25-subscribe-notify-request.txt"),
			"16": readMessage(t,
				"testdata/notify/44-destroy-while-subscribed-notify-request.txt"),
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.came <- string(body)
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// judge waits for the messages that the original sent, each about the end of a
// workspace, and compares them in structure; and for those that it should have
// sent about states.
func (c *consumer) judge(r *replay) {
	limit := time.After(patience)
	for len(c.states)+len(c.ends) > 0 {
		select {
		case envelope := <-c.came:
			for _, key := range []string{"13", "16"} {
				c.match(r, key, envelope)
			}
		case <-limit:
			r.t.Fatalf("these messages did not come: %v, and the ends of %d", c.states, len(c.ends))
		}
	}
}

// match crosses a message out if it is one of those wanted about the workspace.
func (c *consumer) match(r *replay, key, envelope string) {
	if !strings.Contains(envelope, "WorkspaceKey xmlns:k=\""+spaceW+"\">"+r.keys[key]+"<") {
		return
	}
	for _, state := range []string{"Paused", "Running"} {
		if strings.Contains(envelope, "state>"+state+"<") {
			delete(c.states, key+" "+state)
		}
	}
	if want, ok := c.ends[key]; ok && strings.Contains(envelope, "TerminationTime>") {
		delete(c.ends, key)
		compared := comparison{keys: r.keys}
		compared.elements("", parse(r.t, "the recorded message", want.body),
			parse(r.t, "our message", envelope))
		for _, found := range compared.found {
			if found == "/Envelope/Header: has SequenceNumber besides" {
				continue // ours, for consumers that look for gaps; others pass over it
			}
			r.t.Errorf("end of %s: %s", key, found)
		}
	}
}
