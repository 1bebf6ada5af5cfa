package image_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// shelf is a repository in memory, which counts what is fetched.
type shelf struct {
	workspace.Transport
	bare bool // no checksums lie beside the images
	// What tells versions where those are missing: how often each was replaced, and how
	// long ago, if they tell that. Not used unless there is a map.
	versions map[string]int
	changed  time.Time
	replace  func() // while the next image is fetched; may be nil

	mu      sync.Mutex
	images  map[string][]byte
	fetched []string
	begun   chan struct{} // closed by a fetch that waits
	hold    chan struct{} // for this; nil: none does
}

func (s *shelf) CheckLocation(string) error { return nil }

func (s *shelf) Check(_ context.Context, location string) (workspace.ImageInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info(location), nil
}

func (s *shelf) info(location string) workspace.ImageInfo {
	data := s.images[location]
	info := workspace.ImageInfo{Size: int64(len(data)), Format: "raw", SHA256: sumOf(data)}
	if strings.HasSuffix(location, ".qcow2") {
		info.Format = "qcow2"
	}
	if s.bare {
		info.SHA256 = ""
	}
	if s.versions != nil {
		info.Version, info.Changed = fmt.Sprint(s.versions[location]), s.changed
	}
	return info
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (s *shelf) Fetch(_ context.Context, f workspace.Fetch) (workspace.ImageInfo, error) {
	if s.hold != nil {
		close(s.begun)
		<-s.hold
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := os.Lstat(f.Path); err == nil {
		return s.info(f.Location), nil
	}
	s.fetched = append(s.fetched, f.Location)
	if size := int64(len(s.images[f.Location])); f.MaxBytes > 0 && size > f.MaxBytes {
		return workspace.ImageInfo{}, workspace.Refuse(workspace.Invalid, "it has %d bytes", size)
	}
	if s.replace != nil {
		defer s.replace()
		s.replace = nil
	}
	return s.info(f.Location), os.WriteFile(f.Path, s.images[f.Location], 0o600)
}

// lab is Images over two hosts with directories of their own.
type lab struct {
	t      *testing.T
	shelf  *shelf
	pool   *host.Pool
	images *image.Images

	mu   sync.Mutex
	took []learn.What
	kept []string // what hosts have, as told
}

func newLab(t *testing.T, cacheMB int64) *lab {
	l := &lab{t: t, shelf: &shelf{images: map[string][]byte{}}, pool: host.NewPool()}
	for _, id := range []workspace.HostID{"a", "b"} {
		l.pool.Add(&host.Node{Host: workspace.Host{ID: id}, Access: local.Access{},
			Dir: t.TempDir(), CacheMB: cacheMB})
	}
	l.images = image.New(image.Options{Pool: l.pool,
		Transports: map[string]workspace.Transport{"mem": l.shelf},
		Took: func(what learn.What, _ workspace.HostID, _ int64, _ time.Duration) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.took = append(l.took, what)
		}, Kept: func(h image.Held) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.kept = append(l.kept,
				fmt.Sprint(h.Host, " ", h.Location, " ", h.SizeMB, " ", h.There))
		}})
	return l
}

// put puts an image of so many MB of a letter into the repository.
func (l *lab) put(location string, letter byte, mb int) {
	l.shelf.mu.Lock()
	defer l.shelf.mu.Unlock()
	data := bytes.Repeat([]byte{letter}, mb<<20)
	if strings.HasSuffix(location, ".qcow2") {
		data = l.converted(data, "raw", "qcow2")
	}
	l.shelf.images[location] = data
	if l.shelf.versions != nil {
		l.shelf.versions[location]++
	}
}

// converted is an image in another format.
func (l *lab) converted(image []byte, from, to string) []byte {
	l.t.Helper()
	dir := l.t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	l.must(os.WriteFile(a, image, 0o600))
	l.must(exec.Command("qemu-img", "convert", "-f", from, "-O", to, a, b).Run())
	data, err := os.ReadFile(b)
	l.must(err)
	return data
}

// on is the run of a change of a workspace on a host.
func on(id workspace.ID, at workspace.HostID, home, location string) *change.Run {
	return &change.Run{Change: &workspace.Change{Argument: home}, Workspace: &workspace.Workspace{
		ID: id, Host: at, Spec: workspace.Spec{Disks: []workspace.Disk{
			{Role: workspace.RootDisk, Location: location, MountAs: "sda1"}}}}}
}

func (l *lab) propagate(id workspace.ID, at workspace.HostID, location string) error {
	_, err := l.images.Propagate().Do(l.t.Context(), on(id, at, "", location))
	return err
}

func (l *lab) discard(id workspace.ID, at workspace.HostID, location string) error {
	_, err := l.images.Discard().Do(l.t.Context(), on(id, at, "", location))
	return err
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// disk reads the workspace's root disk.
func (l *lab) disk(id workspace.ID, at workspace.HostID, location string) (string, string) {
	l.t.Helper()
	path, format, err := image.Disk(l.t.Context(), l.node(at),
		on(id, at, "", location).Workspace, 0)
	l.must(err)
	whole := filepath.Join(l.t.TempDir(), "whole")
	l.must(exec.Command("qemu-img", "convert", "-f", format, "-O", "raw", path, whole).Run())
	data, err := os.ReadFile(whole)
	l.must(err)
	return string(data[:1]), format
}

func TestCacheSavesTransfers(t *testing.T) {
	l := newLab(t, 10)
	const at, other = "mem://one", "mem://two.qcow2"
	l.put(at, 'x', 1)
	l.put(other, 'q', 1)
	if l.images.Cached(t.Context(), "a", at) {
		t.Error("it is there before it was fetched")
	}
	for id := workspace.ID(1); id <= 5; id++ {
		l.must(l.propagate(id, "a", at))
		l.must(l.propagate(10+id, "a", other))
		got, format := l.disk(id, "a", at)
		gotOther, formatOther := l.disk(10+id, "a", other)
		if got != "x" || format != "qcow2" || gotOther != "q" || formatOther != "qcow2" {
			t.Errorf("disks are %q %q and %q %q", got, format, gotOther, formatOther)
		}
	}
	if n := len(l.shelf.fetched); n != 2 {
		t.Errorf("%d transfers for ten disks of two images: %v", n, l.shelf.fetched)
	}
	if len(l.took) != 2 || l.took[0] != learn.Transfer {
		t.Errorf("told of %v", l.took)
	}
	if !l.images.Cached(t.Context(), "a", at) || l.images.Cached(t.Context(), "b", at) {
		t.Error("it is on host a, and only there")
	}

	t.Log("a disk is the workspace's own")
	path, _, err := image.Disk(l.t.Context(), l.node("a"), on(1, "a", "", at).Workspace, 0)
	l.must(err)
	l.must(os.WriteFile(path, []byte("spoilt"), 0o600))
	l.must(l.propagate(6, "a", at))
	if got, _ := l.disk(6, "a", at); got != "x" {
		t.Errorf("what one guest wrote, another reads: %q", got)
	}

	t.Log("an image that changed is another one")
	l.put(at, 'y', 1)
	l.must(l.propagate(7, "a", at))
	if got, _ := l.disk(7, "a", at); got != "y" {
		t.Errorf("the disk is of %q", got)
	}
}

func TestWhatHostsHaveIsTold(t *testing.T) {
	l := newLab(t, 1)
	const one, two = "mem://one", "mem://two"
	l.put(one, 'x', 1)
	l.put(two, 'y', 1)
	info, err := l.images.Check(t.Context(), one)
	l.must(err)
	l.must(l.propagate(1, "a", one))
	l.must(l.propagate(2, "a", two))
	l.must(l.discard(1, "a", one))
	l.must(l.discard(2, "a", two))
	l.must(l.propagate(3, "b", one))
	want := []string{"a mem://one 1 true", "a mem://two 1 true", "a mem://one 1 false",
		"b mem://one 1 true"}
	if !slices.Equal(l.kept, want) {
		t.Errorf("told of %q, want %q", l.kept, want)
	}
	l.kept = nil
	l.images.Survey(t.Context(), one, info)
	l.images.Survey(t.Context(), "mem://bare", workspace.ImageInfo{Size: 1})
	slices.Sort(l.kept)
	if want := []string{"a mem://one 1 false", "b mem://one 1 true"}; !slices.Equal(l.kept, want) {
		t.Errorf("found %q, want %q", l.kept, want)
	}
}

func TestCacheKeepsToItsLimit(t *testing.T) {
	l := newLab(t, 3)
	for i, name := range []string{"a", "b", "c", "d"} {
		l.put("mem://"+name, name[0], 1)
		l.must(l.propagate(workspace.ID(1+i), "a", "mem://"+name))
	}
	for i, name := range []string{"a", "b", "c", "d"} {
		if !l.images.Cached(t.Context(), "a", "mem://"+name) {
			t.Errorf("image %s went while a disk stood on it", name)
		}
		again := image.New(image.Options{Pool: l.pool, // it knows nothing but the files
			Transports: map[string]workspace.Transport{"mem": l.shelf}})
		_, err := again.Discard().Do(t.Context(), on(workspace.ID(1+i), "a", "", "mem://"+name))
		l.must(err)
	}
	for name, want := range map[string]bool{"a": false, "b": true, "c": true, "d": true} {
		if got := l.images.Cached(t.Context(), "a", "mem://"+name); got != want {
			t.Errorf("image %s is there: %v, want %v", name, got, want)
		}
	}
	l.must(l.propagate(10, "a", "mem://b")) // used last, so c goes next
	l.must(l.propagate(11, "a", "mem://a"))
	l.must(l.discard(10, "a", "mem://b"))
	l.must(l.discard(11, "a", "mem://a"))
	kept, dropped := "mem://b", "mem://c"
	if !l.images.Cached(t.Context(), "a", kept) || l.images.Cached(t.Context(), "a", dropped) {
		t.Error("what was used lately goes before what was not")
	}

	t.Log("one that is larger than all of it, or has no checksum, passes by")
	l.put("mem://large", 'l', 4)
	l.must(l.propagate(12, "a", "mem://large"))
	l.shelf.bare = true
	l.put("mem://bare", 'n', 1)
	l.must(l.propagate(13, "a", "mem://bare"))
	list, err := os.ReadDir(filepath.Join(l.node("a").Dir, "cache"))
	l.must(err)
	if len(list) != 3 {
		t.Errorf("the cache has %d images: %v", len(list), list)
	}
}

// TestFetchIsShared has several workspaces ask for an image while it is fetched.
func TestFetchIsShared(t *testing.T) {
	l := newLab(t, 10)
	l.put("mem://one", 'x', 1)
	l.shelf.begun, l.shelf.hold = make(chan struct{}), make(chan struct{})
	first := make(chan error)
	go func() { first <- l.propagate(1, "a", "mem://one") }()
	<-l.shelf.begun
	var later *change.Retry
	if err := l.propagate(2, "a", "mem://one"); !errors.As(err, &later) {
		t.Errorf("got %v, want to be asked again", err)
	}
	close(l.shelf.hold)
	l.must(<-first)
	l.must(l.propagate(2, "a", "mem://one"))
	if n := len(l.shelf.fetched); n != 1 {
		t.Errorf("%d transfers", n)
	}
}

// TestImageTooLargeForOneHost is not bad for all: another takes larger ones.
func TestImageTooLargeForOneHost(t *testing.T) {
	l := newLab(t, 10)
	l.node("a").MaxImageMB = 1
	l.put("mem://one", 'x', 2)
	for range 2 {
		err := l.propagate(1, "a", "mem://one")
		if workspace.KindOf(err) != workspace.Invalid {
			t.Errorf("an image that is too large: %v", err)
		}
	}
	if n := len(l.shelf.fetched); n != 1 {
		t.Errorf("%d transfers to find the same of it at once", n)
	}
	l.must(l.propagate(2, "b", "mem://one"))
}

func (l *lab) node(id workspace.HostID) *host.Node {
	l.t.Helper()
	n, err := l.pool.Node(id)
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}
