package image

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// reservoir is a spool of 100 bytes.
type reservoir struct {
	*testing.T
	spool
}

var errLost = workspace.Refuse(workspace.Unavailable, "the line broke")

func (r *reservoir) held(key string, size int64) *place {
	r.Helper()
	p, err := r.take(key, size)
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// begun is a place to which something has come.
func (r *reservoir) begun(key string, size int64) *place {
	r.Helper()
	p := r.held(key, size)
	if err := os.WriteFile(p.path+".part", []byte(key), 0o600); err != nil {
		r.Fatal(err)
	}
	return p
}

// left ends a transfer.
func (r *reservoir) left(p *place, by error) {
	r.Helper()
	if err := p.leave(by); !errors.Is(err, by) {
		r.Errorf("it left with %v", err)
	}
}

// holds fails the test unless just these are there, of so many bytes.
func (r *reservoir) holds(when string, used int64, keys ...string) {
	r.Helper()
	left, err := filepath.Glob(filepath.Join(r.dir, "*"))
	if err != nil || len(left) != len(keys) || r.used != used {
		r.Errorf("%s there are %v of %d bytes, expected %v of %d", when, left, r.used, keys, used)
	}
	for _, key := range keys {
		if _, err := os.Stat(filepath.Join(r.dir, nameOf(key)+".part")); err != nil {
			r.Errorf("%s: %v", when, err)
		}
	}
}

func newReservoir(t *testing.T) *reservoir {
	return &reservoir{t, spool{dir: t.TempDir(), limit: 100, open: map[string]*place{}}}
}

// TestSpoolKeeps what was broken off, and its room, until somebody goes on with it, or
// needs the room.
func TestSpoolKeeps(t *testing.T) {
	r := newReservoir(t)
	for _, key := range []string{"a", "b", "c"} {
		r.left(r.begun(key, 30), errLost)
	}
	r.holds("broken off,", 90, "a", "b", "c")
	r.left(r.held("a", 30), errLost)
	r.holds("broken off again,", 90, "a", "b", "c")
	d := r.begun("d", 40) // for which the oldest goes
	r.holds("with another,", 100, "a", "c", "d")

	var later *change.Retry
	if _, err := r.take("c", 80); !errors.As(err, &later) {
		t.Errorf("there is room for more than there is: %v", err)
	}
	r.holds("asked in vain,", 70, "c", "d")
	r.left(d, nil)
	r.holds("done,", 30, "c")
	r.left(r.held("c", 30), nil)
	r.holds("in the end", 0)
}

// TestSpoolForgets what nobody will go on with, and keeps nothing of what would be of no
// use.
func TestSpoolForgets(t *testing.T) {
	r := newReservoir(t)
	forget := func(key string) {
		t.Helper()
		if err := r.forget(key); err != nil {
			t.Error(err)
		}
	}
	r.left(r.begun("a", 30), errLost)
	for range 2 {
		forget("a")
		r.holds("forgotten,", 0)
	}
	b := r.begun("b", 200) // larger than all the spool
	forget("b")
	r.holds("forgotten under way,", 200, "b")
	r.left(b, errLost)
	r.holds("which then broke off,", 0)
	r.left(r.begun("c", 10), workspace.Refuse(workspace.Invalid, "it is another"))
	r.left(r.held("d", 10), errLost) // nothing came
	r.holds("in the end", 0)
}
