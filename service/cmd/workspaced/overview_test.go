package main

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestOverviewTellsWhoListens asks for the overview of a record with two dead
// consumers, one of which the service has given up for now.
func TestOverviewTellsWhoListens(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	leave(t, filepath.Join(dir, "data"), "away")
	store := record(t, dir)
	t.Cleanup(func() { _ = store.Close() })
	err := store.Update(t.Context(), func(tx workspace.Tx) error {
		var all error
		for n := range 3 {
			s := subscribed(n, "http://192.0.2.1")
			if n > 0 {
				s.Failing = time.Date(2026, 6, 1, 12, n, 0, 0, time.UTC)
			}
			if n == 2 {
				s.Paused, s.PausedWhy = true, "it takes nothing"
			}
			all = errors.Join(all, tx.PutSubscription(s))
		}
		return errors.Join(all, tx.PutPullPoint(&workspace.PullPoint{ID: "p", Owner: "/CN=me"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	l := new(log)
	o := overview{store: store, pool: host.NewPool(), log: slog.New(slog.NewTextHandler(l, nil))}
	if err := o.full(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.waitFor(t, "undelivered=0 subscriptions=3 paused=0 pull_points=1 unfetched=0 failing=2")
	l.waitFor(t, `msg="consumer takes no messages" address=http://192.0.2.1/1 `+
		`since=2026-06-01T12:01:00.000Z subscriptions=1`)
	l.waitFor(t, `msg="consumer takes no messages, paused until its owner resumes" `+
		`address=http://192.0.2.1/2 since=2026-06-01T12:02:00.000Z subscriptions=1`)
}
