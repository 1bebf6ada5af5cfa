package notify

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Source is where messages and the subscriptions they are for come from.
type Source interface {
	workspace.Outbox
	Subscription(ctx context.Context, id workspace.SubscriptionID) (*workspace.Subscription, error)
	Update(ctx context.Context, f func(workspace.Tx) error) error
}

// Options say how to deliver. The zero value of a number means its default.
type Options struct {
	Formats map[string]Format // by workspace.Subscription.Format
	Guard   Guard
	Logger  *slog.Logger // slog.Default() when nil

	Timeout    time.Duration // for one delivery; 10 s
	First      time.Duration // wait after a first failure; 0.5 s
	Most       time.Duration // longest wait between two tries; 60 s
	PauseAfter time.Duration // of failures, after which subscriptions are paused; 1 h
	GiveUp     time.Duration // age at which an undelivered message is dropped; 24 h
	Look       time.Duration // how often all that waits is looked at; 10 min
	Workers    int           // deliveries at once to consumers that answer; 64
	Doubted    int           // deliveries at once to consumers that last failed; 16
}

func (o Options) withDefaults() Options {
	setDefault(&o.Timeout, 10*time.Second)
	setDefault(&o.First, 500*time.Millisecond)
	setDefault(&o.Most, time.Minute)
	setDefault(&o.PauseAfter, time.Hour)
	setDefault(&o.GiveUp, 24*time.Hour)
	setDefault(&o.Look, 10*time.Minute)
	setDefault(&o.Workers, 64)
	setDefault(&o.Doubted, 16)
	setDefault(&o.Logger, slog.Default())
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Notifier delivers what lies in the outbox. Consumers are served apart from
// each other; one that failed waits its turn in a smaller pool, and those at one
// host and port have a share of the pool, so that dead consumers, however many,
// never hold up one that answers. There is a goroutine for a consumer only while
// something is being sent to it.
type Notifier struct {
	source  Source
	options Options
	client  *http.Client

	mu   sync.Mutex
	told []workspace.SubscriptionID // not yet looked at
	due  []*consumer                // whose wait is over
	bell chan struct{}              // rung when either has something
}

// New returns a Notifier that is idle until Run.
func New(source Source, options Options) *Notifier {
	o := options.withDefaults()
	return &Notifier{
		source: source, options: o, client: NewClient(o.Guard, o.Timeout),
		bell: make(chan struct{}, 1),
	}
}

// Tell says that messages wait for the subscriptions. It never blocks, and may
// be called before Run.
func (n *Notifier) Tell(ids []workspace.SubscriptionID) {
	n.mu.Lock()
	n.told = append(n.told, ids...)
	n.mu.Unlock()
	n.ring()
}

func (n *Notifier) ring() {
	select {
	case n.bell <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends, beginning with what was left over from before.
// It returns nil once every goroutine of its own has ended.
func (n *Notifier) Run(ctx context.Context) error {
	waiting, err := n.source.Waiting(ctx)
	if err != nil {
		return workspace.Errorf(workspace.KindOf(err), "read the outbox", "", "%w", err)
	}
	n.Tell(waiting)
	d := &desk{
		Notifier: n, consumers: make(map[string]*consumer), done: make(chan outcome),
		healthy: newQueue(n.options.Workers), doubted: newQueue(n.options.Doubted),
	}
	d.serve(ctx)
	n.client.CloseIdleConnections()
	return nil
}

// backoff returns how long to wait after so many failures in a row: doubling,
// up to the limit, with a jitter of a quarter either way.
func (o Options) backoff(failures int) time.Duration {
	wait := o.Most
	if shift := failures - 1; shift < 16 && o.First<<shift < o.Most {
		wait = o.First << shift
	}
	return wait*3/4 + rand.N(wait/2+1)
}

// gone reports whether the error says that the subscription is no more.
func gone(err error) bool { return workspace.KindOf(err) == workspace.NotFound }
