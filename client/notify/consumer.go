package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// consumerPath is where the original client listens too.
const consumerPath = "/wsrf/services/NotificationConsumerService"

// ConsumerOptions adjust a Consumer.
type ConsumerOptions struct {
	// Listen is the address to listen on, HOST:PORT; port 0 takes a free one.
	// Empty means 127.0.0.1:0.
	Listen string
	// Advertise is the HOST or HOST:PORT that the service is told, where it
	// differs from the one listened on.
	Advertise string
	// Buffer is how many events may wait to be taken, 256. While it is full
	// the service is told to come again.
	Buffer int
}

// Consumer receives notifications over HTTP and hands them out as events.
type Consumer struct {
	listener net.Listener
	address  string
	key      string
	events   chan Event
	turn     chan struct{} // held by who takes a message: one after the other, in order
	seen     memory        // under turn
}

// Listen opens the address; Run serves it. A consumer that is never run must
// be closed by Close.
func Listen(o ConsumerOptions) (*Consumer, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Buffer <= 0 {
		o.Buffer = 256
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for notifications: %w", err)
	}
	return &Consumer{
		listener: l, address: advertised(o.Advertise, l.Addr().String()),
		key: uuid.NewString(), events: make(chan Event, o.Buffer), turn: make(chan struct{}, 1),
	}, nil
}

// advertised returns the HOST:PORT to tell the service.
func advertised(wish, listening string) string {
	if wish == "" {
		return listening
	}
	if _, _, err := net.SplitHostPort(wish); err == nil {
		return wish
	}
	_, port, err := net.SplitHostPort(listening)
	if err != nil {
		return wish
	}
	return net.JoinHostPort(strings.Trim(wish, "[]"), port)
}

// Reference returns the reference to subscribe with. Its key is known to the
// service alone: a message without it is refused.
func (c *Consumer) Reference() wsa.EPR {
	return wsa.NewEPR("http://"+c.address+consumerPath, wsn.ConsumerKey, c.key)
}

// Events returns the events, in the order in which they came. The channel is
// never closed.
func (c *Consumer) Events() <-chan Event { return c.events }

// Close stops listening without having run.
func (c *Consumer) Close() error { return c.listener.Close() }

// Run serves until ctx ends, and then returns nil.
func (c *Consumer) Run(ctx context.Context) error {
	server := &http.Server{
		Handler:           http.HandlerFunc(c.serve),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		// A message that is being taken is answered; a peer that dawdles is cut.
		brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(brief) != nil {
			server.Close()
		}
	}()
	err := server.Serve(c.listener)
	if errors.Is(err, http.ErrServerClosed) {
		<-stopped
		return nil
	}
	return err
}

// serve takes one Notify. The answer is an empty 200, as the original's; any
// other makes the service keep the message and come again.
func (c *Consumer) serve(w http.ResponseWriter, q *http.Request) {
	if q.Method != http.MethodPost || q.URL.Path != consumerPath {
		http.NotFound(w, q)
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, q.Body, int64(xmlstrict.DefaultLimits().Bytes)))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	events, id, err := c.read(data)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := c.accept(q.Context(), id, events); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", soap.V11.ContentType())
	w.WriteHeader(http.StatusOK)
}

// read parses one message and checks that it is meant for this consumer.
func (c *Consumer) read(data []byte) ([]Event, string, error) {
	m, err := soap.Parse(data, xmlstrict.DefaultLimits())
	if err != nil {
		return nil, "", err
	}
	if key := m.Header(wsn.ConsumerKey); key == nil || xmlstrict.Text(key) != c.key {
		return nil, "", errors.New("this consumer is unknown here")
	}
	header, err := wsa.ParseHeader(m)
	if err != nil {
		return nil, "", err
	}
	body, err := m.Payload()
	if err != nil {
		return nil, "", err
	}
	notifications, err := wsn.ParseNotify(m.Doc, body)
	if err != nil {
		return nil, "", err
	}
	events, err := translate(m.Doc, notifications)
	return events, header.MessageID, err
}

// accept queues the events of a message, all or none, and once however often
// the message comes.
func (c *Consumer) accept(ctx context.Context, id string, events []Event) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.seen.knows(id) {
		return nil
	}
	if len(events) > cap(c.events)-len(c.events) {
		return errors.New("the consumer is busy")
	}
	for _, e := range events {
		c.events <- e // never blocks: there was room, and nobody else puts events in
	}
	c.seen.add(id)
	return nil
}

// translate turns notifications into events.
func translate(doc *xmlstrict.Document, all []wsn.Notification) ([]Event, error) {
	var events []Event
	for _, n := range all {
		if n.Producer == nil {
			return nil, errors.New("the notification does not say which workspace it is about")
		}
		e := Event{Workspace: client.Key(*n.Producer), At: time.Now().UTC(), Source: Notified}
		switch value, ok := n.NewValue(); {
		case ok:
			state, err := client.ParseState(doc, value)
			if err != nil {
				return nil, err
			}
			e.State, e.Fault = state.Name, state.Fault
		default:
			if _, ended := n.Terminated(); !ended {
				return nil, fmt.Errorf("the notification on %s says nothing known", n.Topic)
			}
			e.State = client.Gone
		}
		events = append(events, e)
	}
	return events, nil
}
