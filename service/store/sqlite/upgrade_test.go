package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// previous makes a record of a version as the program of that version wrote it.
func previous(t *testing.T, version int) Options {
	t.Helper()
	o := small(t)
	text, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("version-%d.sql", version)))
	if err != nil {
		t.Fatal(err)
	}
	tamper(t, o.Path, string(text)+fmt.Sprintf("PRAGMA application_id = %d;", applicationID))
	return o
}

// TestSubscriptionsSurviveTheUpgrade opens a record of the version that knew
// one topic, one format and no numbers, with messages that wait.
func TestSubscriptionsSurviveTheUpgrade(t *testing.T) {
	o := previous(t, 3)
	for range 2 { // migrated, and read again
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[workspace.SubscriptionID]string{
			"state":  "2:1:Paused 4:2:Running 6:3:Corrupted last 3",
			"bare":   "3:1:Running 5:2:Corrupted last 2",
			"paused": "last 0",
			"end":    "7:1:Corrupted last 1",
		} {
			if got := waitingFor(t, s, id); got != want {
				t.Errorf("for %s waits %q, want %q", id, got, want)
			}
		}
		checkUpgraded(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// waitingFor returns the sequence number, number and state of each message.
func waitingFor(t *testing.T, s *Store, id workspace.SubscriptionID) string {
	t.Helper()
	messages, err := s.Pending(t.Context(), id, 10)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, m := range messages {
		text += fmt.Sprint(m.Seq, ":", m.Number, ":", m.State, " ")
	}
	sub, err := s.Subscription(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(text, "last ", sub.Last)
}

func checkUpgraded(t *testing.T, s *Store) {
	t.Helper()
	sub, err := s.Subscription(t.Context(), "end")
	if err != nil {
		t.Fatal(err)
	}
	const expression = `<n:TopicExpression xmlns:n="http://docs.oasis-open.org/wsn/2004/06/` +
		`wsn-WS-BaseNotification-1.2-draft-01.xsd" xmlns:t="http://docs.oasis-open.org/wsrf/` +
		`2004/06/wsrf-WS-ResourceLifetime-1.2-draft-01.xsd" Dialect="http://docs.oasis-open.` +
		`org/wsn/2004/06/TopicExpression/Simple">t:ResourceTermination</n:TopicExpression>`
	if string(sub.Expression) != expression || sub.Format != "gt4" || sub.Filter != nil {
		t.Errorf("the subscription to the end is %+v", sub)
	}
	if sub.Workspace != 1 || sub.Owner != "/CN=Ada" || !sub.UseNotify || sub.Expires.IsZero() ||
		!sub.About(workspace.TopicTermination) || sub.About(workspace.TopicState) ||
		!strings.HasPrefix(string(sub.Consumer), "<n:ConsumerReference ") ||
		sub.Address != "http://192.0.2.1/end" || sub.PullPoint != "" {
		t.Errorf("the subscription to the end is %+v", sub)
	}
	bare, err := s.Subscription(t.Context(), "bare")
	if err != nil || bare.UseNotify || !bare.About(workspace.TopicState) {
		t.Errorf("the bare subscription is %+v, %v", bare, err)
	}
	if paused, err := s.Subscription(t.Context(), "paused"); err != nil || !paused.Paused ||
		paused.PausedWhy != "" {
		t.Errorf("the paused subscription is %+v, %v", paused, err)
	}
}

// TestUndeliverableMessageIsDropped opens a record in which a message outlived its
// subscription, as happened before version 11.
func TestUndeliverableMessageIsDropped(t *testing.T) {
	o := previous(t, 4)
	tamper(t, o.Path, `DELETE FROM subscription`)
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if waiting, err := s.Waiting(t.Context()); err != nil || len(waiting) > 0 {
		t.Errorf("messages wait for %v, %v", waiting, err)
	}
}

// TestDemandsSurviveTheUpgrade opens a record of the version that knew no
// bookings: what its workspaces demand is what they were made with.
func TestDemandsSurviveTheUpgrade(t *testing.T) {
	o := previous(t, 4)
	for range 2 { // migrated, and read again
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.Workspace(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		want := workspace.Allocation{MemoryMB: 256, CPUs: 2, CPUPercent: 40,
			Architecture: "x86", CPUsGiven: true}
		if w.Demand != want || w.Booking != 0 || w.Parked || w.Lease.Warn != 0 {
			t.Errorf("the workspace is %+v, want it to demand %+v, without a booking", w, want)
		}
		hosts, _ := s.Hosts(t.Context())
		takes := workspace.Capacity{CPUs: 1, CPUShare: 80, MemoryMB: 256}
		if used := hosts[0].Used; used != takes {
			t.Errorf("used is %+v", used)
		}
		bookings, err := s.Bookings(t.Context())
		if err != nil || len(bookings) > 0 {
			t.Errorf("there are bookings: %v, %v", bookings, err)
		}
		messages, err := s.Pending(t.Context(), "s", 9)
		if err != nil || len(messages) != 1 || messages[0].Lease != "" ||
			!messages[0].End.IsZero() {
			t.Errorf("what waits is %+v, %v", messages, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
