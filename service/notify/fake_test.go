package notify

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// outbox is a Source in memory.
type outbox struct {
	mu            sync.Mutex
	subscriptions map[workspace.SubscriptionID]*workspace.Subscription
	pending       map[workspace.SubscriptionID][]workspace.Message
	seq           int64
	changed       chan struct{} // closed at each Delivered
}

func newOutbox() *outbox {
	return &outbox{
		subscriptions: make(map[workspace.SubscriptionID]*workspace.Subscription),
		pending:       make(map[workspace.SubscriptionID][]workspace.Message),
		changed:       make(chan struct{}),
	}
}

// subscribe makes a subscription whose consumer is at the URL.
func (o *outbox) subscribe(id workspace.SubscriptionID, url string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.subscriptions[id] = &workspace.Subscription{
		ID: id, Workspace: 7, Topics: []workspace.Topic{workspace.TopicState}, Format: "plain",
		Address: url, UseNotify: true,
		Consumer: []byte(url + " " + string(id)),
	}
}

// plain is a Format that names the subscription and the workspaces.
type plain struct{}

func (plain) Encode(batch []Delivery) (Envelope, error) {
	var text string
	for _, d := range batch {
		text += fmt.Sprintln(d.Subscription.ID, d.Message.Workspace)
	}
	return Envelope{Body: []byte(text), ContentType: "text/plain", Action: "u:a"}, nil
}

// now returns the subscription as it is.
func (o *outbox) now(id workspace.SubscriptionID) workspace.Subscription {
	o.mu.Lock()
	defer o.mu.Unlock()
	return *o.subscriptions[id]
}

// replace puts another version of the subscription.
func (o *outbox) replace(s workspace.Subscription) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.subscriptions[s.ID] = &s
}

// put queues an event of the workspace numbered n for the subscription.
func (o *outbox) put(id workspace.SubscriptionID, n workspace.ID) {
	o.event(id, workspace.Event{
		Workspace: n, Topic: workspace.TopicState, State: workspace.Running, At: time.Now(),
	})
}

func (o *outbox) event(id workspace.SubscriptionID, e workspace.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seq++
	o.pending[id] = append(o.pending[id],
		workspace.Message{Seq: o.seq, Subscription: id, Event: e})
}

func (o *outbox) Waiting(context.Context) ([]workspace.SubscriptionID, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var ids []workspace.SubscriptionID
	for id, messages := range o.pending {
		if len(messages) > 0 {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (o *outbox) Pending(
	_ context.Context, id workspace.SubscriptionID, limit int,
) ([]workspace.Message, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.pending[id]
	return slices.Clone(all[:min(limit, len(all))]), nil
}

func (o *outbox) Delivered(_ context.Context, id workspace.SubscriptionID, seq int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending[id] = slices.DeleteFunc(o.pending[id],
		func(m workspace.Message) bool { return m.Seq <= seq })
	close(o.changed)
	o.changed = make(chan struct{})
	return nil
}

func (o *outbox) Subscription(
	_ context.Context, id workspace.SubscriptionID,
) (*workspace.Subscription, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := o.subscriptions[id]; s != nil {
		return s, nil
	}
	return nil, workspace.Errorf(workspace.NotFound, "find the subscription", string(id), "gone")
}

// Update implements Source on the subscriptions alone.
func (o *outbox) Update(_ context.Context, f func(workspace.Tx) error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return f(amending{o: o})
}

// amending is as much of a transaction as a Notifier needs.
type amending struct {
	workspace.Tx
	o *outbox
}

func (a amending) Subscription(id workspace.SubscriptionID) (*workspace.Subscription, error) {
	if s := a.o.subscriptions[id]; s != nil {
		copied := *s
		return &copied, nil
	}
	return nil, workspace.Errorf(workspace.NotFound, "find the subscription", string(id), "gone")
}

func (a amending) PutSubscription(s *workspace.Subscription) error {
	a.o.subscriptions[s.ID] = s
	return nil
}

// left returns how many messages wait, and what to wait on for a change.
func (o *outbox) left() (int, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, messages := range o.pending {
		n += len(messages)
	}
	return n, o.changed
}

// waitEmpty waits until everything is delivered.
func (o *outbox) waitEmpty(t *testing.T) {
	t.Helper()
	o.waitLeft(t, 0)
}

func (o *outbox) waitLeft(t *testing.T, want int) {
	t.Helper()
	limit := time.After(10 * time.Minute) // only what hangs takes as long
	for {
		n, changed := o.left()
		if n == want {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("%d messages are left, want %d", n, want)
		}
	}
}

// listener is a consumer that writes down what it got.
type listener struct {
	mu      sync.Mutex
	got     []received
	handler func(n int, w http.ResponseWriter) // of the n-th request, from 0
}

// received is one request: its messages, and those alone.
type received []told

// told is what a listener understood of a message.
type told struct {
	Subscription string
	Workspace    string // the producer's key
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var all received
	for {
		var t told
		if _, err := fmt.Fscanln(r.Body, &t.Subscription, &t.Workspace); err != nil {
			break
		}
		all = append(all, t)
	}
	l.mu.Lock()
	n := len(l.got)
	l.got = append(l.got, all)
	l.mu.Unlock()
	if l.handler != nil {
		l.handler(n, w)
	}
}

// requests returns what came so far.
func (l *listener) requests() []received {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.got)
}

// all returns the messages that came so far.
func (l *listener) all() []told { return slices.Concat(l.requests()...) }

// order returns the producers' keys in the order they came.
func (l *listener) order() string {
	var keys []string
	for _, r := range l.all() {
		keys = append(keys, r.Workspace)
	}
	return strings.Join(keys, " ")
}

// serve starts a consumer.
func serve(t *testing.T, l *listener) string {
	t.Helper()
	s := httptest.NewServer(l)
	t.Cleanup(s.Close)
	return s.URL + "/wsrf/services/NotificationConsumerService"
}

// start runs a Notifier until the test, or stop, ends it.
func start(t *testing.T, o *outbox, options Options) (n *Notifier, stop func()) {
	t.Helper()
	options.Guard = Guard{Allow: Loopback()}
	n = newNotifier(o, options)
	stop = run(t, n)
	t.Cleanup(stop)
	return n, stop
}

// newNotifier returns a Notifier that writes plainly.
func newNotifier(o *outbox, options Options) *Notifier {
	options.Formats = map[string]Format{"plain": plain{}, "other": plain{}}
	return New(o, options)
}

func ids(n int) []workspace.SubscriptionID {
	all := make([]workspace.SubscriptionID, n)
	for i := range all {
		all[i] = workspace.SubscriptionID(fmt.Sprintf("s%03d", i))
	}
	return all
}

// run runs a Notifier as it is until the returned function is called.
func run(t *testing.T, n *Notifier) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

// inProcess is a transport that hands requests to a handler.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// hosts is a transport that knows some hosts.
type hosts map[string]http.RoundTripper

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	return h[r.URL.Host].RoundTrip(r)
}

// never is a host that does not answer.
type never struct{}

func (never) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}
