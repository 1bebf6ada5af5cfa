package notify

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
)

// TestTransfersChangeNoState tells of a transfer between two states, and keeps it
// back from who did not ask.
func TestTransfersChangeNoState(t *testing.T) {
	for _, wanted := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := silent()
			c.events = make(chan Event, 16)
			f := &fakeService{state: "Unpropagated"}
			w := New(f, Options{Receiver: c, Transfers: wanted})
			if err := w.Add(t.Context(), "", seven); err != nil {
				t.Fatal(err)
			}
			half := report.Transfer{Task: "propagate", Done: 1, Total: 2}
			c.events <- Event{Workspace: "7", Source: Notified, Transfer: &half}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var saw []string
			_ = w.Run(ctx, func(e Event) bool {
				if e.Transfer != nil {
					saw = append(saw, e.Transfer.Task+" while "+e.Was)
				} else {
					saw = append(saw, e.Was+">"+e.State)
				}
				return true
			})
			want, topics := []string{">Unpropagated"}, 2
			if wanted { // the topic is of face two alone: it takes a subscription of its own
				want, topics = []string{"propagate while ", ">Unpropagated"}, 3
			}
			// Which of what is there at once is seen first is left to chance.
			if len(saw) == 2 && saw[0] == want[0] && wanted {
				want[0] = saw[0]
			} else if wanted {
				want = []string{">Unpropagated", "propagate while Unpropagated"}
			}
			if diff := cmp.Diff(want, saw); diff != "" || len(f.subscribe) != topics {
				t.Errorf("wanted %v: %s, %d subscriptions", wanted, diff, len(f.subscribe))
			}
		})
	}
}

// TestTopicsThatAServiceLacks leaves out what it refuses, one kind after the other.
func TestTopicsThatAServiceLacks(t *testing.T) {
	f := &fakeService{refuse: &client.Fault{Kind: "invalid"}}
	w := New(f, Options{Receiver: silent(), Leases: true, Transfers: true})
	_, err := w.subscription(t.Context(), f.AllWorkspaces(), w.everything())
	if !client.IsFault(err) {
		t.Errorf("a service that refuses everything: %v", err)
	}
	var asked []int
	for _, s := range f.subscribe {
		asked = append(asked, len(s.Topics))
	}
	if diff := cmp.Diff([]int{5, 4, 0}, asked); diff != "" {
		t.Errorf("numbers of topics asked for (-want +got):\n%s", diff)
	}
}

// TestTransferOfAMessage: repeats of it are known, others are not.
func TestTransferOfAMessage(t *testing.T) {
	numbers := translator{}
	message := func(n, done int64) client.Notification {
		return client.Notification{Producer: seven, Number: n,
			Transfer: &report.Transfer{Task: "propagate", Done: done, Total: 9}}
	}
	events, err := numbers.translate("way",
		[]client.Notification{message(1, 1), message(1, 1), message(2, 2)})
	if err != nil || len(events) != 2 || events[1].Transfer.Done != 2 || events[1].Changed() {
		t.Errorf("events are %+v, %v", events, err)
	}
}
