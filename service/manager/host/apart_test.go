package host

import (
	"context"
	"os"
	"path/filepath"
	"testing"

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

// TestApartAtOnce asks whether hosts share a directory while somebody else does: both
// hear what is so, and nothing of the question is left.
func TestApartAtOnce(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	for name, c := range map[string]struct {
		dir  string
		want bool
	}{"shared": {one, false}, "their own": {two, true}} {
		t.Run(name, func(t *testing.T) {
			way := &far{}
			a := &Node{Host: workspace.Host{ID: "a"}, Dir: one, Access: way}
			b := &Node{Host: workspace.Host{ID: "b"}, Dir: c.dir, Access: way}
			ask := func() {
				if apart, err := Apart(t.Context(), a, b, 7); err != nil || apart != c.want {
					t.Errorf("they are said to be apart: %v, %v, want %v", apart, err, c.want)
				}
			}
			way.before = ask
			ask()
			if left, err := os.ReadDir(one); err != nil || len(left) > 0 {
				t.Errorf("left are %v, %v", left, err)
			}
		})
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
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}
