package expire_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/service/manager"
	"github.com/philoxenia/philoxenia/service/manager/expire"
	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A record is a store whose disk can refuse.
type record struct {
	*sqlite.Store
	refuse error
}

func (r *record) Update(ctx context.Context, f func(workspace.Tx) error) error {
	if r.refuse != nil {
		return r.refuse
	}
	return r.Store.Update(ctx, f)
}

// nobody carries changes out.
type nobody struct{ manager.Work }

func (nobody) Interrupt(workspace.ID) {}

// A scene is a record that is swept, and what was logged.
type scene struct {
	*testing.T
	record *record
	log    bytes.Buffer
	stop   func()
}

func newScene(t *testing.T) *scene {
	store, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "record.db"),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{T: t, record: &record{Store: store}}
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	m := manager.New(manager.Options{Store: s.record, Work: nobody{}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- expire.New(s.record, m, log).Run(ctx) }()
	s.stop = func() {
		cancel()
		if err := errors.Join(<-done, store.Close()); err != nil {
			t.Error(err)
		}
	}
	return s
}

// put records a workspace whose lease takes so long, subscriptions that end
// after so long, and returns the workspace's key.
func (s *scene) put(
	lease time.Duration, ends map[workspace.SubscriptionID]time.Duration,
) (id workspace.ID) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	err := s.record.Store.Update(s.Context(), func(tx workspace.Tx) error {
		id = tx.NextID()
		err := tx.PutWorkspace(&workspace.Workspace{
			ID: id, Owner: "ada", State: workspace.Running, Initial: workspace.Running,
			Lease: workspace.Lease{Start: now, Duration: lease, Grace: time.Hour},
		})
		for sub, after := range ends {
			err = errors.Join(err, tx.PutSubscription(&workspace.Subscription{
				ID: sub, Workspace: id, Owner: "ada", Expires: now.Add(after),
			}))
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return id
}

func (s *scene) has(id workspace.SubscriptionID) bool {
	_, err := s.record.Subscription(s.Context(), id)
	return err == nil
}

func TestSubscriptionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		defer s.stop()
		s.put(time.Hour, map[workspace.SubscriptionID]time.Duration{
			"short": 10 * time.Second, "long": time.Minute,
		})
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if !s.has("short") {
			t.Error("a subscription ended early")
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if s.has("short") || !s.has("long") {
			t.Errorf("short is there: %v, long is there: %v", s.has("short"), s.has("long"))
		}
	})
}

// TestLeaseEndsOnce ends a lease while the disk refuses at first:
// it is told once that it cannot be done, and the mechanism is queued once.
func TestLeaseEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		id := s.put(10*time.Second, nil)
		s.record.refuse = errors.New("the disk is full")
		time.Sleep(time.Minute)
		synctest.Wait()
		s.record.refuse = nil
		time.Sleep(time.Minute)
		synctest.Wait()
		changes, err := s.record.Changes(t.Context())
		if err != nil || len(changes) != 1 || changes[0].Workspace != id {
			t.Errorf("changes are %+v (%v), want one shutdown", changes, err)
		}
		s.stop()
		for _, line := range []string{"cannot sweep the record", "lease has ended"} {
			if n := strings.Count(s.log.String(), line); n != 1 {
				t.Errorf("%q was logged %d times:\n%s", line, n, s.log.String())
			}
		}
	})
}
