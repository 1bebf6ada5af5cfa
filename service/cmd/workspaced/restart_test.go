package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// many is how many subscriptions a restart must leave as they were.
const many = 10_000

// A tally is a consumer that counts what comes for each path.
type tally struct {
	mu   sync.Mutex
	came map[string]int
	all  chan struct{} // closed when it came for many
}

func (c *tally) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.came[r.URL.Path]++
	if c.came[r.URL.Path] == 1 && len(c.came) == many {
		close(c.all)
	}
}

// subscribed returns the n-th subscription.
func subscribed(n int, url string) *workspace.Subscription {
	address := fmt.Sprintf("%s/%d", url, n)
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	s := &workspace.Subscription{
		ID: workspace.SubscriptionID(fmt.Sprintf("s%05d", n)), Workspace: 1, Owner: "/CN=me",
		Topics: []workspace.Topic{workspace.TopicState}, Format: "gt4", UseNotify: n%2 == 0,
		Expression: []byte("<e/>"), Address: address, Created: noon, Last: 1,
		Consumer: []byte(`<c xmlns:a="http://schemas.xmlsoap.org/ws/2004/03/addressing">` +
			`<a:Address>` + address + `</a:Address></c>`),
	}
	if n%3 == 0 {
		s.Expires = time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	}
	return s
}

// record opens the record of the daemon's directory.
func record(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(dir, "data", "record.db"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestManySubscriptionsSurviveARestart starts on a record of ten thousand
// subscriptions that are each owed a message: all are delivered, and all
// subscriptions are as they were.
func TestManySubscriptionsSurviveARestart(t *testing.T) {
	c := &tally{came: make(map[string]int), all: make(chan struct{})}
	server := httptest.NewServer(c)
	defer server.Close()
	dir := t.TempDir()
	f := site(t, dir, "[notify]\nallow_loopback = true\ntimeout = \"5m\"\n")
	_, end := begin(t, f)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	want := make([]*workspace.Subscription, many)
	leave(t, filepath.Join(dir, "data"), "away")
	s := record(t, dir)
	err := s.Update(t.Context(), func(tx workspace.Tx) error {
		var all error
		for i := range want {
			want[i] = subscribed(i, server.URL)
			all = errors.Join(all, tx.PutSubscription(want[i]))
		}
		return errors.Join(all, tx.Emit(workspace.Event{Workspace: 1,
			Topic: workspace.TopicState, State: workspace.Paused, At: time.Now()}))
	})
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	l, end := begin(t, f)
	l.waitFor(t, fmt.Sprint("undelivered=", many))
	select {
	case <-c.all:
	case <-time.After(longEnough):
		t.Error("not all was delivered")
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	s = record(t, dir)
	defer s.Close()
	for _, w := range want {
		got, err := s.Subscription(t.Context(), w.ID)
		if err != nil || !reflect.DeepEqual(got, w) {
			t.Fatalf("the subscription is %+v, %v; want %+v", got, err, w)
		}
	}
	// The last were told, and the daemon stopped before it could note it.
	if waiting, err := s.Waiting(t.Context()); err != nil || len(waiting) > 64 {
		t.Errorf("messages wait for %d subscriptions, %v", len(waiting), err)
	}
	if len(c.came) != many {
		t.Errorf("%d consumers were told, want %d", len(c.came), many)
	}
}
