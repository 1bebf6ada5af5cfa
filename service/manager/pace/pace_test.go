package pace

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

var policy = learn.Policy{Times: map[learn.What]time.Duration{learn.Boot: time.Minute}}

var quiet = slog.New(slog.DiscardHandler)

// open opens a record and what was learned in it.
func open(t *testing.T, path string) (*sqlite.Store, *Pace) {
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	p := New(policy, func(workspace.HostID) bool { return true }, quiet)
	if err := p.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return s, p
}

// TestWhatIsLearnedIsKept boots guests, and asks after a restart.
func TestWhatIsLearnedIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "r.db")
		s, p := open(t, path)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx, s) }()
		for range 40 {
			p.Took(learn.Boot, "h", 512, 5*time.Second)
			time.Sleep(5 * time.Second)
		}
		want := p.Expect(learn.Boot, "h", 512)
		if want < 5*time.Second || want > 6*time.Second {
			t.Errorf("a boot takes %v, want little more than 5s", want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close()
		s, p = open(t, path)
		defer s.Close()
		if got := p.Expect(learn.Boot, "h", 512); got != want {
			t.Errorf("after a restart a boot takes %v, took %v before", got, want)
		}
	})
}

func TestUnreadableIsLearnedAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	s, _ := open(t, path)
	err := s.Update(t.Context(), func(tx workspace.Tx) error { return tx.PutLearned([]byte("?")) })
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	s, p := open(t, path)
	defer s.Close()
	if got := p.Expect(learn.Boot, "h", 512); got != time.Minute {
		t.Errorf("a boot takes %v", got)
	}
}
