package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// ErrListen says that the address of a Consumer cannot be listened on.
var ErrListen = errors.New("cannot listen for notifications")

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

// Consumer receives notifications over HTTP and hands them out as events. It is
// a Receiver.
type Consumer struct {
	listener net.Listener
	address  string
	events   chan Event
	turn     chan struct{} // held by who takes a message: one after the other, in order
	seen     memory        // under turn
	numbers  translator    // under turn

	mu   sync.Mutex
	keys map[string]bool // given out with references
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
		return nil, fmt.Errorf("%w: %w", ErrListen, err)
	}
	return &Consumer{
		listener: l, address: advertised(o.Advertise, l.Addr().String()),
		// Each message may need room for a mark that others are missing.
		events: make(chan Event, 2*o.Buffer), turn: make(chan struct{}, 1),
		numbers: translator{}, keys: map[string]bool{},
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

// Reference returns a reference to subscribe with, a new one each time: its key
// tells the subscriptions apart, and is known to the service alone. A message
// without one of them is refused.
func (c *Consumer) Reference() wsa.EPR {
	key := uuid.NewString()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys[key] = true
	return wsa.NewEPR("http://"+c.address+consumerPath, wsn.ConsumerKey, key)
}

// knows reports whether a key was given out.
func (c *Consumer) knows(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys[key]
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
	if status, err := c.post(w, q); err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	w.Header().Set("Content-Type", soap.V11.ContentType())
	w.WriteHeader(http.StatusOK)
}

// post takes the content of a request; an error goes with its HTTP status.
func (c *Consumer) post(w http.ResponseWriter, q *http.Request) (int, error) {
	if q.Header.Get("Content-Encoding") != "" {
		return http.StatusUnsupportedMediaType, errors.New("compressed messages are not accepted")
	}
	media, _, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err != nil || media != "text/xml" && media != "application/soap+xml" {
		return http.StatusUnsupportedMediaType, errors.New("this is no SOAP message")
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, q.Body, int64(xmlstrict.DefaultLimits().Bytes)))
	if err != nil {
		return http.StatusBadRequest, err
	}
	m, err := c.read(data)
	if err != nil {
		return http.StatusBadRequest, err
	}
	if err := c.accept(q.Context(), m); errors.Is(err, errNobody) {
		return http.StatusBadRequest, err
	} else if err != nil {
		return http.StatusServiceUnavailable, err
	}
	return http.StatusOK, nil
}

// A parcel is a message to this consumer.
type parcel struct {
	key, id string // of the consumer's reference, of the message
	content []client.Notification
}

// read parses one message and checks that it is meant for this consumer.
func (c *Consumer) read(data []byte) (parcel, error) {
	m, err := soap.Parse(data, xmlstrict.DefaultLimits())
	if err != nil {
		return parcel{}, err
	}
	p := parcel{key: xmlstrict.Text(m.Header(wsn.ConsumerKey))}
	if !c.knows(p.key) {
		return p, errors.New("this consumer is unknown here")
	}
	header, err := wsa.ParseHeader(m)
	if err != nil {
		return p, err
	}
	p.id = header.MessageID
	p.content, err = client.ReadNotify(m)
	return p, err
}

// accept queues the events of a message, all or none, in the order in which
// messages came and once however often they come.
func (c *Consumer) accept(ctx context.Context, p parcel) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.seen.knows(p.id) {
		return nil
	}
	// One that has no room even alone is let in when nothing else waits.
	if 2*len(p.content) > cap(c.events)-len(c.events) && len(c.events) > 0 {
		return errors.New("the consumer is busy")
	}
	events, err := c.numbers.translate(p.key, p.content)
	if err != nil {
		return err
	}
	for _, e := range events {
		select {
		case c.events <- e:
		case <-ctx.Done():
			c.numbers = translator{} // what comes again must not pass for known
			return ctx.Err()
		}
	}
	c.seen.add(p.id)
	return nil
}
