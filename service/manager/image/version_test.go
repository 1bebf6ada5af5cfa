package image_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// unsummed is a lab whose repository says of its images when they were changed, and
// no checksums.
func unsummed(t *testing.T) *lab {
	l := newLab(t, 10)
	l.shelf.bare, l.shelf.versions = true, map[string]int{}
	l.shelf.changed = time.Now().Add(-time.Hour)
	return l
}

func (l *lab) begins(id workspace.ID, at workspace.HostID, want string) {
	l.t.Helper()
	if got, _ := l.disk(id, at, "mem://one"); got != want {
		l.t.Errorf("disk %d begins with %q, want %q", id, got, want)
	}
}

func (l *lab) fetched(want int) {
	l.t.Helper()
	if n := len(l.shelf.fetched); n != want {
		l.t.Errorf("%d transfers, want %d", n, want)
	}
}

// TestImageWithoutChecksumIsCached has it come once, and again when it was replaced.
func TestImageWithoutChecksumIsCached(t *testing.T) {
	l := unsummed(t)
	l.put("mem://one", 'x', 1)
	for id := workspace.ID(1); id <= 3; id++ {
		l.must(l.propagate(id, "a", "mem://one"))
		l.begins(id, "a", "x")
	}
	l.fetched(1)
	if !l.images.Cached(t.Context(), "a", "mem://one") {
		t.Error("the host is told not to have it")
	}
	l.put("mem://one", 'y', 1)
	if l.images.Cached(t.Context(), "a", "mem://one") {
		t.Error("the host is told to have what replaced it")
	}
	l.must(l.propagate(4, "a", "mem://one"))
	l.begins(4, "a", "y")
	l.begins(1, "a", "x")
	l.fetched(2)
	l.put("mem://two", 'z', 1) // of the same version, by its number
	l.must(l.propagate(5, "a", "mem://two"))
	l.begins(5, "a", "z")
	l.fetched(3)
}

// TestFreshImageWithoutChecksumIsNotCached: what replaces it may have the same time.
func TestFreshImageWithoutChecksumIsNotCached(t *testing.T) {
	l := unsummed(t)
	for _, changed := range []time.Time{time.Now(), time.Now().Add(time.Hour)} {
		l.shelf.fetched, l.shelf.changed = nil, changed
		l.put("mem://one", 'x', 1)
		l.must(l.propagate(1, "a", "mem://one"))
		l.must(l.discard(1, "a", "mem://one"))
		l.must(l.propagate(1, "a", "mem://one"))
		l.must(l.discard(1, "a", "mem://one"))
		l.fetched(2)
	}
	l.shelf.fetched, l.shelf.changed = nil, time.Time{} // its version is no time
	l.must(l.propagate(2, "a", "mem://one"))
	l.must(l.propagate(3, "a", "mem://one"))
	l.fetched(1)
}

// TestImageWithoutChecksumIsReplacedAsItComes: what came is not kept.
func TestImageWithoutChecksumIsReplacedAsItComes(t *testing.T) {
	l := unsummed(t)
	l.put("mem://one", 'x', 1)
	l.shelf.replace = func() {
		l.shelf.images["mem://one"] = append([]byte("y"), l.shelf.images["mem://one"][1:]...)
		l.shelf.versions["mem://one"]++
	}
	err := l.propagate(1, "a", "mem://one")
	if err == nil || workspace.KindOf(err) != workspace.Transient {
		t.Errorf("got %v, want something transient", err)
	}
	left, err := os.ReadDir(filepath.Join(l.node("a").Dir, "cache"))
	if err != nil || len(left) != 0 || len(l.files(l.node("a"))) != 0 {
		t.Errorf("left on the host: %v, %v, %v", left, l.files(l.node("a")), err)
	}
	l.must(l.propagate(1, "a", "mem://one"))
	l.begins(1, "a", "y")
	l.must(l.propagate(2, "a", "mem://one"))
	l.fetched(2)
}

func TestOnlyImagesWithChecksumsAreCached(t *testing.T) {
	l := unsummed(t)
	l.images = image.New(image.Options{Pool: l.pool, OnlySummed: true,
		Transports: map[string]workspace.Transport{"mem": l.shelf}})
	l.put("mem://one", 'x', 1)
	l.must(l.propagate(1, "a", "mem://one"))
	l.must(l.propagate(2, "a", "mem://one"))
	l.fetched(2)
}

// TestImageWithoutChecksumIsPassedOn has hosts give each other one of which only the
// version is known.
func TestImageWithoutChecksumIsPassedOn(t *testing.T) {
	l, all := newYard(t, 3)
	l.shelf.bare, l.shelf.versions = true, map[string]int{}
	l.put("mem://one", 'x', 1)
	l.reopen(open{l.shelf, t.TempDir()})
	for i, f := range all {
		l.must(patiently(t, l.images.Propagate().Do, on(workspace.ID(i+1), f.id, "", "mem://one")))
		l.begins(workspace.ID(i+1), f.id, "x")
	}
	l.fetched(1)
	if want := "repository>h1"; len(all[0].yard.ways) != 3 || all[0].yard.ways[0] != want {
		t.Errorf("came by %v", all[0].yard.ways)
	}
}

// TestOneImageUnderTwoNames comes once to a host, and is told under both. One
// whose checksum is only asked for must be where it is said to be.
func TestOneImageUnderTwoNames(t *testing.T) {
	l := newLab(t, 10)
	l.put("mem://one", 'x', 1)
	l.put("mem://other", 'x', 1)
	l.must(l.propagate(1, "a", "mem://one"))
	l.must(l.propagate(2, "a", "mem://other"))
	l.fetched(1)
	want := []string{"a mem://one 1 true", "a mem://other 1 true"}
	if !slices.Equal(l.kept, want) {
		t.Errorf("told of %q, want %q", l.kept, want)
	}
	l.must(l.discard(1, "a", "mem://one"))
	l.must(l.discard(2, "a", "mem://other"))
	l.kept = nil
	for i := range 11 { // which drive it out
		name := "mem://" + string(rune('a'+i))
		l.put(name, byte('a'+i), 1)
		l.must(l.propagate(10, "a", name))
		l.must(l.discard(10, "a", name))
	}
	for _, gone := range []string{"a mem://one 1 false", "a mem://other 1 false"} {
		if !slices.Contains(l.kept, gone) {
			t.Errorf("%q is not told, but %q", gone, l.kept)
		}
	}

	l.must(l.propagate(3, "a", "mem://one"))
	l.shelf.bare = true
	l.shelf.fetched = nil
	r := on(4, "a", "", "mem://other")
	r.Workspace.Spec.Disks[0].SHA256 = sumOf(l.shelf.images["mem://one"])
	l.must(patiently(t, l.images.Propagate().Do, r))
	l.fetched(1)
}
