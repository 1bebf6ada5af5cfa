package notify

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Service is what a Watcher asks of the service; *client.Client is one.
type Service interface {
	State(ctx context.Context, workspace wsa.EPR) (client.State, error)
	Current(ctx context.Context) (report.CurrentWorkspaces, error)
	Subscribe(ctx context.Context, s client.Subscription) (client.Subscribed, error)
	Destroy(ctx context.Context, resource wsa.EPR) error
	Workspace(key string) wsa.EPR
	AllWorkspaces() wsa.EPR
}

// Options adjust a Watcher; zero values mean the defaults named.
type Options struct {
	Receiver Receiver      // on which notifications come; nil: poll. The caller runs it
	Poll     time.Duration // between reads without notifications, 2 s
	Resync   time.Duration // between reads with notifications, 15 s
	Grace    time.Duration // what a read grants to notifications under way, 3 s
	Leases   bool          // tell of leases too, where notifications come: Event.Lease
	// Transfers tells of images on their way too, where notifications come:
	// Event.Transfer.
	Transfers bool
	// Trouble is told why notifications cannot be had, and when the service
	// stops answering, once each time; may be nil.
	Trouble func(error)
}

// grace is longer than a PullPoint rests after failures: where the service has been
// away, what it had to tell comes before a read is believed.
const grace = pullRest + time.Second

// Watcher follows a set of workspaces. It is used by one goroutine.
type Watcher struct {
	service       Service
	options       Options
	targets       []*target
	byKey         map[string]*target
	subscriptions []wsa.EPR
	all           bool // whatever the caller has is followed, those to come included
	wide          bool // one subscription tells of all
	polling       bool
	troubled      bool
	next          time.Time // when every state is read again
	see           func(Event) bool
	enough        bool // see said so
}

// A target is one workspace that is followed.
type target struct {
	epr      wsa.EPR
	key      string
	state    string    // last known; empty: nothing yet
	seen     bool      // Run has told of it
	doubtful bool      // a read differs, but the notifications that lead there may be under way
	believe  time.Time // when doubt ends
	ahead    *ahead    // what was told last was read; nil: it was notified, or known before
}

// New returns a watcher that follows nothing yet.
func New(service Service, options Options) *Watcher {
	options.Poll = cmp.Or(max(options.Poll, 0), 2*time.Second)
	options.Resync = cmp.Or(max(options.Resync, 0), 15*time.Second)
	options.Grace = cmp.Or(max(options.Grace, 0), grace)
	return &Watcher{
		service: service, options: options, byKey: map[string]*target{},
		polling: options.Receiver == nil,
	}
}

// Add subscribes to workspaces and follows them from now on. known is the
// state that the caller already knows of, or "". Where the service refuses the
// subscription the watcher polls instead. A workspace that does not exist is
// followed too: the first read says Gone. Add fails when the service cannot be
// reached, or ctx ends.
func (w *Watcher) Add(ctx context.Context, known string, workspaces ...wsa.EPR) error {
	for _, epr := range workspaces {
		if w.byKey[client.Key(epr)] != nil {
			continue
		}
		w.follow(epr, known)
		if err := w.subscribe(ctx, epr); err != nil {
			return err
		}
	}
	return nil
}

// follow takes a workspace in, whose state is read at once.
func (w *Watcher) follow(epr wsa.EPR, known string) *target {
	t := &target{epr: epr, key: client.Key(epr), state: known}
	w.targets = append(w.targets, t)
	w.byKey[t.key] = t
	w.next = time.Time{}
	return t
}

// subscribe asks for what happens to a workspace, or turns to polling.
func (w *Watcher) subscribe(ctx context.Context, epr wsa.EPR) error {
	if w.polling {
		return w.reachable(ctx, epr)
	}
	for _, topics := range w.topics(epr) {
		s, err := w.subscription(ctx, epr, topics)
		switch {
		case err == nil:
			w.subscriptions = append(w.subscriptions, s.EPR)
		case client.IsUnknown(err):
			return nil
		case client.IsFault(err):
			w.polling = true
			w.trouble(err)
			return nil
		default:
			return err
		}
	}
	return w.subscribeAside(ctx, epr)
}

// subscribeAside asks for what face one has no topics of, where the workspace is
// followed there. A service that has none tells of states alone.
func (w *Watcher) subscribeAside(ctx context.Context, epr wsa.EPR) error {
	topics := w.everything()
	if len(topics) == 0 || len(w.topics(epr)) == 1 {
		return nil
	}
	s, err := w.service.Subscribe(ctx, client.Subscription{
		Producer: epr, Consumer: w.options.Receiver.Reference(), Topics: topics[len(ofStates):],
	})
	switch {
	case err == nil:
		w.subscriptions = append(w.subscriptions, s.EPR)
	case !client.IsFault(err) && !errors.Is(err, client.ErrNoFace):
		return err
	}
	return nil
}

// subscription asks for topics of a producer. A service that has no topic of
// transfers, or none of leases, or refuses them, is asked for the others.
func (w *Watcher) subscription(
	ctx context.Context, producer wsa.EPR, topics []client.Topic,
) (client.Subscribed, error) {
	wish := client.Subscription{
		Producer: producer, Consumer: w.options.Receiver.Reference(), Topics: topics,
	}
	for {
		s, err := w.service.Subscribe(ctx, wish)
		if len(wish.Topics) < 2 || !client.IsFault(err) || client.IsUnknown(err) {
			return s, err
		}
		last := len(wish.Topics) - 1
		if last == len(ofStates) || wish.Topics[last] != client.TopicTransfer {
			last = 0 // nothing is left that would have to be named
		}
		wish.Topics = wish.Topics[:last]
	}
}

// topics returns what each subscription to a workspace is to. Face one has one
// topic a subscription; in face two one subscription tells everything, in one
// order.
func (w *Watcher) topics(epr wsa.EPR) [][]client.Topic {
	_, pulls := w.options.Receiver.(*PullPoint) // of face two, and so are its subscriptions
	if pulls || client.FaceOf(epr) == wsdl.Two {
		return [][]client.Topic{w.everything()}
	}
	return [][]client.Topic{{client.TopicState}, {client.TopicTermination}}
}

// ofStates and ofLeases are what is told on the topics of states, and of leases.
var (
	ofStates = []client.Topic{client.TopicState, client.TopicTermination}
	ofLeases = []client.Topic{client.TopicWarning, client.TopicLease}
)

// everything returns the topics of a subscription to all that the watcher tells
// of: without a filter that is states and ends, the others have to be named.
func (w *Watcher) everything() []client.Topic {
	if !w.options.Leases && !w.options.Transfers {
		return nil
	}
	topics := slices.Clone(ofStates)
	if w.options.Leases {
		topics = append(topics, ofLeases...)
	}
	if w.options.Transfers {
		topics = append(topics, client.TopicTransfer)
	}
	return topics
}

// reachable fails when the service cannot be reached.
func (w *Watcher) reachable(ctx context.Context, epr wsa.EPR) error {
	_, err := w.service.State(ctx, epr)
	if client.IsFault(err) {
		return nil
	}
	return err
}

// trouble tells of a failure that the watcher lives with.
func (w *Watcher) trouble(err error) {
	if w.options.Trouble != nil {
		w.options.Trouble(err)
	}
}

// Sync reads the states of the workspaces now, so that Run can tell what
// changed since. It returns them by key; those that cannot be read are missing.
func (w *Watcher) Sync(ctx context.Context) (map[string]string, error) {
	states := map[string]string{}
	for _, t := range w.targets {
		state, err := w.read(ctx, t)
		if err != nil {
			return nil, err
		}
		if state != nil {
			t.state = state.Name
			states[t.key] = state.Name
		}
	}
	return states, nil
}

// Run hands events to see, in order for each workspace, until see returns
// false or every workspace is gone: then it returns nil. The first event of a
// workspace tells its present state even when that is known already. Run
// returns the error of ctx, or the fault with which the service answered a
// read. While the service cannot be reached it goes on trying. It may be called
// again, after workspaces were added too.
func (w *Watcher) Run(ctx context.Context, see func(Event) bool) error {
	w.see, w.enough = see, false
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !w.enough && !w.allGone() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-w.notifications():
			if err := w.take(ctx, e); err != nil {
				return err
			}
		case <-timer.C:
			if !time.Now().Before(w.next) {
				if err := w.readAll(ctx); err != nil {
					return err
				}
				w.next = time.Now().Add(w.period())
			}
			if err := w.settle(ctx); err != nil {
				return err
			}
		}
		timer.Reset(time.Until(w.due()))
	}
	return nil
}

// notifications returns the channel of the receiver; nil, which never yields,
// without one.
func (w *Watcher) notifications() <-chan Event {
	if w.options.Receiver == nil {
		return nil
	}
	return w.options.Receiver.Events()
}

// period returns the time between two reads.
func (w *Watcher) period() time.Duration {
	if w.polling || w.troubled || w.all && !w.wide {
		return w.options.Poll
	}
	return w.options.Resync
}

// due returns when there is something to do next: a read, or a doubt to settle.
func (w *Watcher) due() time.Time {
	next := w.next
	for _, t := range w.targets {
		if t.doubtful && t.believe.Before(next) {
			next = t.believe
		}
	}
	return next
}

// take handles what the receiver hands out.
func (w *Watcher) take(ctx context.Context, e Event) error {
	switch e.Source {
	case Missed:
		w.next = time.Time{} // what was lost only reading tells
		return nil
	case Reopened:
		return w.again(ctx)
	}
	if e.Lease != "" && !w.options.Leases || e.Transfer != nil && !w.options.Transfers {
		return nil
	}
	t := w.byKey[e.Workspace]
	if t == nil && w.all {
		next := w.next // its state is being told
		t = w.follow(w.service.Workspace(e.Workspace), "")
		w.next = next
	}
	if t == nil || t.state == client.Gone {
		return nil
	}
	if !e.ofState() {
		e.Was = t.state
		w.tell(e)
		return nil
	}
	return w.admit(ctx, t, client.State{Name: e.State, Fault: e.Fault})
}

// again subscribes anew after the receiver has lost its subscriptions. What
// cannot be subscribed to now is polled until the receiver is Reopened the next
// time.
func (w *Watcher) again(ctx context.Context) error {
	w.subscriptions, w.next, w.polling = nil, time.Time{}, false
	err := w.subscribeAgain(ctx)
	if err != nil && ctx.Err() == nil {
		w.polling = true
		w.trouble(err)
	}
	return ctx.Err()
}

// subscribeAgain subscribes to everything that is followed.
func (w *Watcher) subscribeAgain(ctx context.Context) error {
	if w.all {
		if err := w.subscribeAll(ctx); err != nil || w.wide {
			return err
		}
	}
	for _, t := range w.targets {
		if t.state == client.Gone {
			continue
		}
		if err := w.subscribe(ctx, t.epr); err != nil {
			return err
		}
	}
	return nil
}

// readAll reads the state of every workspace that is not gone.
func (w *Watcher) readAll(ctx context.Context) error {
	if w.all {
		return w.readList(ctx)
	}
	for _, t := range w.targets {
		if t.state == client.Gone && t.seen || w.enough {
			continue
		}
		state, err := w.read(ctx, t)
		if err != nil {
			return err
		}
		if state != nil {
			w.weigh(t, *state)
		}
	}
	return nil
}

// read asks for the state of one workspace. Failing to reach the service
// yields neither state nor error: it may be restarting.
func (w *Watcher) read(ctx context.Context, t *target) (*client.State, error) {
	state, err := w.service.State(ctx, t.epr)
	if client.IsUnknown(err) {
		state, err = client.State{Name: client.Gone}, nil
	}
	if answered, err := w.answered(ctx, err); !answered {
		return nil, err
	}
	return &state, nil
}

// answered reports whether a read was answered; an error ends the watch.
func (w *Watcher) answered(ctx context.Context, err error) (bool, error) {
	switch {
	case err == nil: // before the end of ctx: what was read is not forgotten
		w.troubled = false
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case client.IsFault(err):
		return false, err
	case !w.troubled:
		w.trouble(err)
	}
	w.troubled = true
	return false, nil
}

// weigh decides what a read is worth. Where notifications come, those that
// lead to the new state may be under way, and are waited for a little, so that
// a watcher sees each step once and in order.
func (w *Watcher) weigh(t *target, state client.State) {
	switch {
	case state.Name == t.state && t.seen:
		t.settled()
	case state.Name == t.state:
		w.emit(t, state, Read)
	case w.polling || t.state == "":
		w.emit(t, state, Read)
	case !t.doubtful:
		t.doubtful, t.believe = true, time.Now().Add(w.options.Grace)
	}
}

// settle reads again where no notification has caught up with a read, and
// believes the answer.
func (w *Watcher) settle(ctx context.Context) error {
	for _, t := range w.targets {
		if !t.doubtful || time.Now().Before(t.believe) {
			continue
		}
		t.settled()
		state, err := w.read(ctx, t)
		if err != nil {
			return err
		}
		if state != nil && state.Name != t.state {
			w.emit(t, *state, Read)
		}
	}
	return nil
}

// emit hands one event on.
func (w *Watcher) emit(t *target, state client.State, source Source) {
	e := Event{
		Workspace: t.key, Was: t.state, State: state.Name, Fault: state.Fault,
		At: time.Now().UTC(), Source: source,
	}
	switch {
	case source == Notified:
		t.ahead = nil
	case e.Changed() && !w.polling:
		t.ahead = new(ahead)
	}
	t.state, t.seen = state.Name, true
	w.tell(e)
}

// tell hands an event to see, unless that has had enough.
func (w *Watcher) tell(e Event) {
	if !w.enough && !w.see(e) {
		w.enough = true
	}
}

// allGone reports whether nothing is left to follow.
func (w *Watcher) allGone() bool {
	if w.all {
		return false
	}
	for _, t := range w.targets {
		if t.state != client.Gone || !t.seen {
			return false
		}
	}
	return true
}

// Polling reports whether the watcher asks rather than being told.
func (w *Watcher) Polling() bool { return w.polling }

// Close ends the subscriptions. One that went with its workspace is no error.
func (w *Watcher) Close(ctx context.Context) error {
	var failed error
	for _, s := range w.subscriptions {
		if err := w.service.Destroy(ctx, s); err != nil && !client.IsUnknown(err) {
			failed = err
		}
	}
	w.subscriptions = nil
	return failed
}
