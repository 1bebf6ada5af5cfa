package notify

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// serve runs a consumer until the test ends.
func serve(t *testing.T, o ConsumerOptions) *Consumer {
	t.Helper()
	c, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Errorf("Run: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return c
}

// stateOf is a notification of a state of workspace 7.
func stateOf(state string) wsn.Notification {
	return wsn.Notification{
		Topic:    wsn.Draft.SimpleTopic(report.PropertyState),
		Producer: &seven,
		Content:  wsn.Draft.ValueChange(report.CurrentState{State: state}.Write),
	}
}

// ended is a notification that workspace 7 ended.
func ended() wsn.Notification {
	return wsn.Notification{
		Topic: wsn.Draft.SimpleTopic(wsrf.Draft.Names().ResourceTermination), Producer: &seven,
		Content: wsn.Draft.Termination(time.Now()),
	}
}

// envelope is a Notify to the consumer.
func envelope(to wsa.EPR, id string, all ...wsn.Notification) []byte {
	enc := new(xmlstrict.Encoder)
	h := wsa.Header{Version: wsa.V200403, MessageID: id, Action: wsn.Draft.NotifyAction()}
	soap.Write(enc, soap.V11, func(enc *xmlstrict.Encoder) { h.WriteRequest(enc, soap.V11, to) },
		func(enc *xmlstrict.Encoder) { wsn.Draft.WriteNotify(enc, all...) })
	return bytes.Clone(enc.Bytes())
}

// post sends a message and returns the status.
func post(t *testing.T, url string, data []byte) int {
	t.Helper()
	p, err := http.Post(url, "text/xml; charset=utf-8", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	p.Body.Close()
	return p.StatusCode
}

// waiting returns the events that wait, as WORKSPACE STATE.
func waiting(c *Consumer) string {
	var all []string
	for len(c.Events()) > 0 {
		e := <-c.Events()
		all = append(all, e.Workspace+" "+e.State)
	}
	return strings.Join(all, ", ")
}

func TestConsumerTakesMessagesOnceAndInOrder(t *testing.T) {
	c := serve(t, ConsumerOptions{})
	to := c.Reference()
	messages := [][]byte{
		envelope(to, "uuid:1", stateOf("Propagated")),
		envelope(to, "uuid:2", stateOf("Running"), stateOf("Paused")),
		envelope(to, "uuid:1", stateOf("Propagated")), // again
		envelope(to, "", stateOf("Running")),
		envelope(to, "", stateOf("Running")), // without an id nothing is known to be a repeat
		envelope(to, "uuid:3", ended()),
	}
	for i, m := range messages {
		if status := post(t, to.Address, m); status != http.StatusOK {
			t.Errorf("message %d: status %d", i, status)
		}
	}
	want := "7 Propagated, 7 Running, 7 Paused, 7 Running, 7 Running, 7 " + client.Gone
	if got := waiting(c); got != want {
		t.Errorf("events %q, expected %q", got, want)
	}
}

func TestConsumerRefuses(t *testing.T) {
	c := serve(t, ConsumerOptions{})
	to := c.Reference()
	stranger := wsa.NewEPR(to.Address, wsn.ConsumerKey, "guessed")
	nobody := stateOf("Running")
	nobody.Producer = nil
	tests := []struct {
		name, url string
		data      []byte
		status    int
	}{
		{"another key", to.Address, envelope(stranger, "uuid:1", stateOf("Running")), 400},
		{"another path", strings.TrimSuffix(to.Address, "Service"), nil, 404},
		{"no XML", to.Address, []byte("hello"), 400},
		{"no producer", to.Address, envelope(to, "uuid:2", nobody), 400},
		{"no state of the schema", to.Address, envelope(to, "uuid:3", stateOf("Asleep")), 400},
		{"too long", to.Address, bytes.Repeat([]byte(" "), 1<<20+1), 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if status := post(t, test.url, test.data); status != test.status {
				t.Errorf("status %d, expected %d", status, test.status)
			}
		})
	}
	if got := waiting(c); got != "" {
		t.Errorf("events %q from messages that were refused", got)
	}
}

func TestFullConsumerSaysComeAgain(t *testing.T) {
	c := serve(t, ConsumerOptions{Buffer: 1})
	to := c.Reference()
	second := envelope(to, "uuid:2", stateOf("Paused"))
	if status := post(t, to.Address, envelope(to, "uuid:1", stateOf("Running"))); status != 200 {
		t.Fatalf("status %d", status)
	}
	if status := post(t, to.Address, second); status != http.StatusServiceUnavailable {
		t.Errorf("status %d while full", status)
	}
	if got := waiting(c); got != "7 Running" {
		t.Errorf("events %q", got)
	}
	if status := post(t, to.Address, second); status != 200 || waiting(c) != "7 Paused" {
		t.Errorf("status %d when there is room again", status)
	}
}

func TestAdvertisedAddress(t *testing.T) {
	tests := []struct{ name, wish, listening, want string }{
		{"none", "", "127.0.0.1:99", "127.0.0.1:99"},
		{"a host", "me.example", "0.0.0.0:99", "me.example:99"},
		{"host and port", "me.example:80", "0.0.0.0:99", "me.example:80"},
		{"IPv6", "[2001:db8::1]", "[::]:99", "[2001:db8::1]:99"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := advertised(test.wish, test.listening); got != test.want {
				t.Errorf("%q, expected %q", got, test.want)
			}
		})
	}
}

func TestMemoryForgetsTheOldest(t *testing.T) {
	var m memory
	for i := range remembered + 1 {
		m.add(fmt.Sprint(i))
	}
	if m.knows("0") || !m.knows("1") || len(m.order) != remembered || len(m.known) != remembered {
		t.Errorf("%d ids in order, %d known", len(m.order), len(m.known))
	}
}
