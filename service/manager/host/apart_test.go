package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// far is a way to this machine's files that says it leads elsewhere, and lets something
// happen before it first reads.
type far struct {
	local.Access
	before func()
	after  func() error
}

func (*far) Local() bool { return false }

func (f *far) Read(ctx context.Context, path string, most int64) ([]byte, error) {
	if before := f.before; before != nil {
		f.before = nil
		before()
	}
	return f.Access.Read(ctx, path, most)
}

// TestApartAtOnce asks whether hosts share a directory while somebody else does, who waits:
// both hear what is so, there is one file of theirs at a time, and none in the end.
func TestApartAtOnce(t *testing.T) {
	for name, shared := range map[string]bool{"shared": true, "their own": false} {
		t.Run(name, func(t *testing.T) {
			one, two := t.TempDir(), t.TempDir()
			if shared {
				two = one
			}
			synctest.Test(t, func(t *testing.T) {
				way, heard := &far{}, make(chan error, 1)
				a := &Node{Host: workspace.Host{ID: "a"}, Dir: one, Access: way}
				b := &Node{Host: workspace.Host{ID: "b"}, Dir: two, Access: way}
				ask := func(ctx context.Context) error {
					apart, err := Apart(ctx, a, b, 7)
					if err == nil && apart == shared {
						err = fmt.Errorf("they are said to be apart: %v", apart)
					}
					return err
				}
				way.before = func() {
					go func() { heard <- ask(t.Context()) }()
					hasty, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					if err := ask(hasty); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("who asks in between hears %v", err)
					}
					holds(t, one, "7-0-shared")
				}
				if err := errors.Join(ask(t.Context()), <-heard); err != nil {
					t.Error(err)
				}
				holds(t, one)
			})
		})
	}
}

// holds checks which files are in a directory.
func holds(t *testing.T, dir string, want ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range list {
		got = append(got, f.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
}

// TestApartAfterADeath asks again after a daemon was killed while it asked: what that left is
// removed.
func TestApartAfterADeath(t *testing.T) {
	dir := t.TempDir()
	way := &far{}
	a := &Node{Host: workspace.Host{ID: "a"}, Dir: dir, Access: way}
	b := &Node{Host: workspace.Host{ID: "b"}, Dir: t.TempDir(), Access: way}
	way.before = func() { // all that the file system knows is copied, and comes back after it
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 1 {
			t.Fatalf("while it asks there are %v, %v", left, err)
		}
		name := filepath.Join(dir, left[0].Name())
		way.after = func() error { return os.WriteFile(name, nil, 0o600) }
	}
	for range 2 {
		if apart, err := Apart(t.Context(), a, b, 7); err != nil || !apart {
			t.Errorf("they are said to be apart: %v, %v", apart, err)
		}
		if way.after != nil {
			if err := way.after(); err != nil {
				t.Fatal(err)
			}
			way.after = nil
		}
	}
	holds(t, dir)
}
