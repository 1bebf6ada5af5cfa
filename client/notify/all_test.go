package notify

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// listed is the list of workspaces in states, by pairs of key and state.
func listed(pairs ...string) report.CurrentWorkspaces {
	var list report.CurrentWorkspaces
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, report.CurrentWorkspace{
			EPR:   wsa.NewEPR(seven.Address, workspaceKey, pairs[i]),
			State: report.CurrentState{State: pairs[i+1]},
		})
	}
	return list
}

// A scene is something that happens to what a caller has.
type scene struct {
	after time.Duration
	list  report.CurrentWorkspaces // what reads find from now on; nil: as before
	err   error                    // what reads fail with from now on
	state string                   // what reads of one workspace alone find; "": as before
	come  []Event                  // what the receiver hands out
}

// watchAll runs a watcher of all through the scenes and returns what it saw as
// "SOURCE WORKSPACE WAS>STATE".
func watchAll(t *testing.T, f *fakeService, scenes []scene) []string {
	t.Helper()
	c := silent()
	c.events = make(chan Event, 16)
	w := New(f, Options{Receiver: c})
	if err := w.AddAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() {
		for _, s := range scenes {
			time.Sleep(s.after)
			f.mu.Lock()
			if f.err = s.err; s.list != nil {
				f.list = s.list
			}
			if s.state != "" {
				f.state = s.state
				delete(f.states, "8")
			}
			f.mu.Unlock()
			for _, e := range s.come {
				c.events <- e
			}
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var saw []string
	err := w.Run(ctx, func(e Event) bool {
		saw = append(saw, fmt.Sprintf("%s %s %s>%s", e.Source, e.Workspace, e.Was, e.State))
		return true
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run: %v; it ends when it is told to", err)
	}
	return saw
}

// tells is a notification of a state.
func tells(key, state string) Event {
	return Event{Workspace: key, State: state, Source: Notified}
}

// A sceneTest is a run through scenes, and what is to be seen.
type sceneTest struct {
	name   string
	scenes []scene
	want   []string
}

// runScenes runs tests of a watcher of all, each at a service with two workspaces.
func runScenes(t *testing.T, tests []sceneTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeService{list: listed("7", "Running", "8", "Paused")}
				f.become("Paused", nil) // of workspace 8, where it alone is read
				f.states = map[string]string{"7": client.Gone, "8": "Running"}
				saw := watchAll(t, f, test.scenes)
				if diff := cmp.Diff(test.want, saw); diff != "" {
					t.Error(diff)
				}
				all := f.AllWorkspaces().Address
				if len(f.subscribe) != 1 || f.subscribe[0].Producer.Address != all {
					t.Errorf("subscribed to %+v, expected one subscription to all", f.subscribe)
				}
			})
		})
	}
}

func TestWatchingAll(t *testing.T) {
	const second = time.Second
	unreachable := errors.New("connection refused")
	runScenes(t, []sceneTest{
		{"what is there", nil, []string{"read 7 >Running", "read 8 >Paused"}},
		{"what comes is told", []scene{
			{after: second, come: []Event{tells("9", "Unstaged"), tells("9", "Running")},
				list: listed("7", "Running", "8", "Paused", "9", "Running")},
			{after: second, come: []Event{tells("7", client.Gone)},
				list: listed("8", "Paused", "9", "Running")},
		}, []string{"read 7 >Running", "read 8 >Paused", "notification 9 >Unstaged",
			"notification 9 Unstaged>Running", "notification 7 Running>Gone"}},
		{"what was missed is read", []scene{
			{after: second, list: listed("8", "Running", "9", "Propagated"),
				come: []Event{{Source: Missed}}},
		}, []string{"read 7 >Running", "read 8 >Paused", "read 9 >Propagated",
			"read 7 Running>Gone", "read 8 Paused>Running"}},
		{"what is not told is read in the end", []scene{
			{after: second, list: listed("8", "Paused")},
		}, []string{"read 7 >Running", "read 8 >Paused", "read 7 Running>Gone"}},
		{"an outage is no end", []scene{
			{after: second, err: unreachable, come: []Event{{Source: Missed}}},
			{after: 20 * second, list: listed("7", "Running", "8", "Running")},
		}, []string{"read 7 >Running", "read 8 >Paused", "read 8 Paused>Running"}},
	})
}

// TestReadsAheadOfNotifications tells nothing twice and leaves no step out where a
// state is read while notifications are under way.
func TestReadsAheadOfNotifications(t *testing.T) {
	const second = time.Second
	runScenes(t, []sceneTest{
		{"what led to a read is not told after it", []scene{
			{after: second, list: listed("7", "Running", "8", "Running", "9", "Running"),
				come: []Event{{Source: Missed}}},
			{after: 5 * second, state: "Paused", come: []Event{tells("9", "Unstaged"),
				tells("9", "Propagated"), tells("9", "Running"), tells("9", "Paused")},
				list: listed("7", "Running", "8", "Running", "9", "Paused")},
		}, []string{"read 7 >Running", "read 8 >Paused", "read 9 >Running",
			"read 8 Paused>Running", "notification 9 Running>Running",
			"notification 9 Running>Paused"}},
		{"what led to a read that still holds is not told", []scene{
			{after: second, list: listed("7", "Running", "8", "Paused", "9", "Running"),
				come: []Event{{Source: Missed}}},
			{after: second, state: "Running", come: []Event{tells("9", "Unstaged"),
				tells("9", "Propagated")}},
			{after: second, come: []Event{tells("9", "Running")}},
		}, []string{"read 7 >Running", "read 8 >Paused", "read 9 >Running",
			"notification 9 Running>Running"}},
		{"each step since a read is told", []scene{
			{after: second, state: "Running", list: listed("7", "Running", "8", "Running"),
				come: []Event{tells("8", "Staged"), tells("8", "Propagated"),
					tells("8", "Running")}},
		}, []string{"read 7 >Running", "read 8 >Paused", "notification 8 Paused>Staged",
			"notification 8 Staged>Propagated", "notification 8 Propagated>Running"}},
		{"steps to an end are told", []scene{
			{after: second, list: listed("8", "Paused"),
				come: []Event{tells("7", "Paused"), tells("7", client.Gone)}},
		}, []string{"read 7 >Running", "read 8 >Paused", "notification 7 Running>Paused",
			"notification 7 Paused>Gone"}},
		{"notifications that break off are no longer waited for", []scene{
			{after: second, state: "Corrupted", list: listed("7", "Running", "8", "Corrupted"),
				come: []Event{tells("8", "Propagated")}},
		}, []string{"read 7 >Running", "read 8 >Paused", "read 8 Paused>Corrupted"}},
	})
}

func TestWatchingAllWithoutFaceTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeService{list: listed("7", "Running"), state: "Running", lacks: true}
		saw := watchAll(t, f, []scene{
			{after: time.Second, list: listed("7", "Running", "8", "Unstaged")},
			{after: 5 * time.Second, come: []Event{tells("8", "Running")},
				list: listed("7", "Running", "8", "Running")},
		})
		want := []string{"read 7 >Running", "read 8 >Unstaged", "notification 8 Unstaged>Running"}
		if diff := cmp.Diff(want, saw); diff != "" {
			t.Error(diff)
		}
		if len(f.subscribe) != 4 {
			t.Errorf("%d subscriptions, expected one for each topic of both", len(f.subscribe))
		}
		if f.reads < 28 || f.reads > 34 {
			t.Errorf("%d reads in a minute; nobody tells of what is new, so one each 2 s", f.reads)
		}
	})
}

func TestLostSubscriptionsAreMadeAnew(t *testing.T) {
	for _, all := range []bool{false, true} {
		t.Run(fmt.Sprintf("all %t", all), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeService{list: listed("7", "Running"), state: "Running"}
				c := silent()
				c.events = make(chan Event, 16)
				w := New(f, Options{Receiver: c})
				add := func() error { return w.Add(t.Context(), "", seven) }
				if all {
					add = func() error { return w.AddAll(t.Context()) }
				}
				if err := add(); err != nil {
					t.Fatal(err)
				}
				before := len(f.subscribe)
				c.events <- Event{Source: Reopened}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_ = w.Run(ctx, func(Event) bool { return true })
				if len(f.subscribe) != 2*before || w.Polling() {
					t.Errorf("%d subscriptions, before %d, polling %t", len(f.subscribe), before,
						w.Polling())
				}
				c.events <- Event{Source: Reopened}
				f.refuse = errors.New("connection refused")
				ctx, cancel = context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_ = w.Run(ctx, func(Event) bool { return true })
				if !w.Polling() {
					t.Error("what cannot be subscribed to is not polled")
				}
			})
		})
	}
}
