package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

var workspaceKey = xmlstrict.Name{
	Space: "http://www.globus.org/2008/06/workspace", Local: "WorkspaceKey",
}

// seven is a reference to the workspace of most tests.
var seven = wsa.NewEPR("http://h/wsrf/services/WorkspaceService", workspaceKey, "7")

// errUnknown is how the service says that a workspace does not exist.
var errUnknown = &client.Fault{Name: wsrf.Draft.Names().UnknownToProperties}

// A fakeService has one workspace.
type fakeService struct {
	mu        sync.Mutex
	state     string
	err       error // of reads
	refuse    error // of subscriptions
	reads     int
	subscribe []client.Subscription
	list      report.CurrentWorkspaces
	states    map[string]string // of single workspaces that differ from state
	lacks     bool              // face two
	destroyed int
}

// State implements Service.
func (f *fakeService) State(_ context.Context, epr wsa.EPR) (client.State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if state := f.states[client.Key(epr)]; state == client.Gone {
		return client.State{}, errUnknown
	} else if state != "" {
		return client.State{Name: state}, f.err
	}
	return client.State{Name: f.state}, f.err
}

// become changes what reads find, unless there is no change.
func (f *fakeService) become(state string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state != "" || err != nil {
		f.state, f.err = state, err
	}
}

// Workspace implements Service.
func (f *fakeService) Workspace(key string) wsa.EPR {
	return wsa.NewEPR(seven.Address, workspaceKey, key)
}

// AllWorkspaces implements Service.
func (f *fakeService) AllWorkspaces() wsa.EPR { return wsa.EPR{Address: "http://h/ws/Workspaces"} }

// Current implements Service.
func (f *fakeService) Current(context.Context) (report.CurrentWorkspaces, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	return f.list, f.err
}

// Subscribe implements Service.
func (f *fakeService) Subscribe(
	_ context.Context, s client.Subscription,
) (client.Subscribed, error) {
	if f.lacks && client.FaceOf(s.Producer) == wsdl.Two {
		return client.Subscribed{}, client.ErrNoFace
	}
	f.subscribe = append(f.subscribe, s)
	epr := wsa.NewEPR("http://h/s", wsn.SubscriptionKey, fmt.Sprint(len(f.subscribe)))
	return client.Subscribed{EPR: epr}, f.refuse
}

// Destroy implements Service.
func (f *fakeService) Destroy(context.Context, wsa.EPR) error {
	f.destroyed++
	return nil
}

// silent is a consumer that nobody can reach.
func silent() *Consumer { return &Consumer{keys: map[string]bool{}} }

// A moment is something that happens at the service or arrives from it.
type moment struct {
	after    time.Duration
	state    string // what a read finds from now on
	err      error  // what a read fails with from now on
	notified string // the state that a notification tells
}

// watch runs a watcher through the moments and returns what it saw as
// "SOURCE WAS>STATE".
func watch(t *testing.T, f *fakeService, c *Consumer, known string, moments []moment) []string {
	t.Helper()
	var saw []string
	synctest.Test(t, func(t *testing.T) {
		if c != nil {
			c.events = make(chan Event, 16) // a channel belongs to the bubble that made it
		}
		var receiver Receiver
		if c != nil {
			receiver = c
		}
		w := New(f, Options{Receiver: receiver})
		if err := w.Add(t.Context(), known, seven); err != nil {
			t.Fatal(err)
		}
		go func() {
			for _, m := range moments {
				time.Sleep(m.after)
				f.become(m.state, m.err)
				if m.notified != "" {
					c.events <- Event{Workspace: "7", State: m.notified, Source: Notified}
				}
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_ = w.Run(ctx, func(e Event) bool {
			saw = append(saw, fmt.Sprintf("%s %s>%s", e.Source, e.Was, e.State))
			return true
		})
	})
	return saw
}

func TestWatching(t *testing.T) {
	const second = time.Second
	tests := []struct {
		name    string
		known   string
		begins  string
		moments []moment
		want    []string
	}{
		{"the first state is read", "", "Running", nil, []string{"read >Running"}},
		{"notifications in order", "", "Propagated", []moment{
			{after: second, state: "Running", notified: "Running"},
			{after: second, state: "Paused", notified: "Paused"},
		}, []string{"read >Propagated", "notification Propagated>Running",
			"notification Running>Paused"}},
		{"a read that is ahead waits for the notifications under way", "Unstaged", "Running",
			[]moment{
				{after: 10 * time.Millisecond, notified: "Propagated"},
				{after: 10 * time.Millisecond, notified: "Running"},
			}, []string{"notification Unstaged>Propagated", "notification Propagated>Running"}},
		{"those that a busy machine sends late too", "Unstaged", "Running",
			[]moment{{after: second, notified: "Propagated"}, {after: second, notified: "Running"}},
			[]string{"notification Unstaged>Propagated", "notification Propagated>Running"}},
		{"a read is believed when no notification comes", "Unstaged", "Running", nil,
			[]string{"read Unstaged>Running"}},
		{"a gap is found by reading", "", "Running", []moment{{after: second, state: "Corrupted"}},
			[]string{"read >Running", "read Running>Corrupted"}},
		{"the end is told", "", "Running", []moment{{after: second, notified: client.Gone}},
			[]string{"read >Running", "notification Running>Gone"}},
		{"the end is found", "", "Running", []moment{{after: second, err: errUnknown}},
			[]string{"read >Running", "read Running>Gone"}},
		{"nothing comes after the end", "", "Running", []moment{
			{after: second, notified: client.Gone}, {notified: "Running"},
		}, []string{"read >Running", "notification Running>Gone"}},
		{"a restart of the service is lived through", "", "Running", []moment{
			{after: second, err: errors.New("connection refused")},
			{after: 20 * second, state: "Paused"},
		}, []string{"read >Running", "read Running>Paused"}},
		{"the same again is told", "", "Running",
			[]moment{{after: second, notified: "Running"}},
			[]string{"read >Running", "notification Running>Running"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := &fakeService{state: test.begins}
			saw := watch(t, f, silent(), test.known, test.moments)
			if diff := cmp.Diff(test.want, saw); diff != "" {
				t.Error(diff)
			}
			if len(f.subscribe) != 2 {
				t.Errorf("subscribed to %v, expected both topics", f.subscribe)
			}
		})
	}
}

func TestPolling(t *testing.T) {
	tests := []struct {
		name     string
		consumer *Consumer
		refuse   error
	}{
		{"no consumer", nil, nil},
		{"the service refuses the subscription", silent(), &client.Fault{
			Name: wsn.Draft.Names().SubscribeCreationFailed, Description: "forbidden address"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := &fakeService{state: "Running", refuse: test.refuse}
			saw := watch(t, f, test.consumer, "", []moment{
				{after: 10 * time.Second, state: "Paused"},
				{after: 10 * time.Second, err: errUnknown},
			})
			want := []string{"read >Running", "read Running>Paused", "read Paused>Gone"}
			if diff := cmp.Diff(want, saw); diff != "" {
				t.Error(diff)
			}
			if f.reads < 9 || f.reads > 14 {
				t.Errorf("%d reads in 20 s, expected one each 2 s", f.reads)
			}
		})
	}
}

func TestTroubleIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeService{}
		told := 0
		w := New(f, Options{Trouble: func(error) { told++ }})
		if err := w.Add(t.Context(), "", seven, seven); err != nil {
			t.Fatal(err)
		}
		f.become("", errors.New("connection refused"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := w.Run(ctx, func(Event) bool { return true })
		if !errors.Is(err, context.DeadlineExceeded) || told != 1 || f.reads < 20 {
			t.Errorf("%v, told %d times over %d reads", err, told, f.reads)
		}
	})
}

func TestUnreachableServiceIsFoundAtOnce(t *testing.T) {
	refused := errors.New("connection refused")
	for name, w := range map[string]*Watcher{
		"polling":    New(&fakeService{err: refused}, Options{}),
		"subscribed": New(&fakeService{refuse: refused}, Options{Receiver: silent()}),
	} {
		if err := w.Add(t.Context(), "", seven); !errors.Is(err, refused) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// A lastWord is a service whose answer comes just before its caller loses patience.
type lastWord struct {
	*fakeService
	end context.CancelFunc
}

// State implements Service.
func (l lastWord) State(ctx context.Context, epr wsa.EPR) (client.State, error) {
	defer l.end()
	return l.fakeService.State(ctx, epr)
}

func TestTheLastWordIsHeard(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := New(lastWord{&fakeService{state: "Running"}, cancel}, Options{Receiver: silent()})
	if err := w.Add(ctx, "", seven); err != nil {
		t.Fatal(err)
	}
	saw := ""
	err := w.Run(ctx, func(e Event) bool { saw += e.State; return true })
	if !errors.Is(err, context.Canceled) || saw != "Running" {
		t.Errorf("%v after %q; what was read at last is not told", err, saw)
	}
}

func TestFaultsEndAWatch(t *testing.T) {
	f := &fakeService{err: &client.Fault{Op: "read", Description: "you may not"}}
	w := New(f, Options{})
	if err := w.Add(t.Context(), "", seven); err != nil {
		t.Fatal(err)
	}
	if err := w.Run(t.Context(), func(Event) bool { return true }); !client.IsFault(err) {
		t.Errorf("error %v, expected the fault", err)
	}
}

func TestEnoughIsEnough(t *testing.T) {
	f := &fakeService{state: "Running"}
	w := New(f, Options{Receiver: silent()})
	eight := wsa.NewEPR("http://h/w", workspaceKey, "8")
	if err := w.Add(t.Context(), "", seven, eight); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err := w.Run(t.Context(), func(Event) bool { seen++; return false })
	if err != nil || seen != 1 {
		t.Errorf("%v after %d events, expected one", err, seen)
	}
	if err := w.Close(t.Context()); err != nil || f.destroyed != 4 {
		t.Errorf("%v, %d subscriptions ended, expected 4", err, f.destroyed)
	}
}
