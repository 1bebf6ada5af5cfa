package image

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestSpoolKeeps what was broken off, and its room, until somebody goes on with it, needs
// the room, or will never go on. In the end nothing is held.
func TestSpoolKeeps(t *testing.T) {
	s := &spool{dir: t.TempDir(), limit: 100, open: map[string]*place{}}
	lost := workspace.Refuse(workspace.Unavailable, "the line broke")
	take := func(key string, size int64) *place {
		t.Helper()
		p, err := s.take(key, size)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	begin := func(key string, size int64) *place {
		t.Helper()
		p := take(key, size)
		if err := os.WriteFile(p.path+".part", []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	holds := func(when string, used int64, keys ...string) {
		t.Helper()
		left, err := filepath.Glob(filepath.Join(s.dir, "*"))
		if err != nil || len(left) != len(keys) || s.used != used {
			t.Errorf("%s there are %v of %d bytes, expected %v of %d", when, left, s.used, keys,
				used)
		}
		for _, key := range keys {
			if _, err := os.Stat(filepath.Join(s.dir, nameOf(key)+".part")); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
	}
	for _, key := range []string{"a", "b", "c"} {
		if err := begin(key, 30).leave(lost); !errors.Is(err, lost) {
			t.Errorf("it left with %v", err)
		}
	}
	holds("broken off,", 90, "a", "b", "c")
	if err := take("a", 30).leave(lost); !errors.Is(err, lost) {
		t.Errorf("it left with %v", err)
	}
	holds("broken off again,", 90, "a", "b", "c")
	d := begin("d", 40) // for which the oldest goes
	holds("with another,", 100, "a", "c", "d")

	var later *change.Retry
	if _, err := s.take("c", 80); !errors.As(err, &later) {
		t.Errorf("there is room for more than there is: %v", err)
	}
	holds("asked in vain,", 70, "c", "d")
	if err := d.leave(nil); err != nil {
		t.Error(err)
	}
	holds("done,", 30, "c")
	if err := errors.Join(s.forget("c"), s.forget("c"), s.forget("never seen")); err != nil {
		t.Error(err)
	}
	holds("forgotten,", 0)

	e := begin("e", 200) // larger than all the spool
	if err := s.forget("e"); err != nil {
		t.Error(err)
	}
	holds("forgotten under way,", 200, "e")
	if err := e.leave(lost); !errors.Is(err, lost) {
		t.Errorf("it left with %v", err)
	}
	holds("which then broke off,", 0)
	bad := workspace.Refuse(workspace.Invalid, "it is another")
	if err := begin("f", 10).leave(bad); !errors.Is(err, bad) {
		t.Errorf("it left with %v", err)
	}
	if err := take("g", 10).leave(lost); !errors.Is(err, lost) { // nothing came
		t.Errorf("it left with %v", err)
	}
	holds("in the end", 0)
}
