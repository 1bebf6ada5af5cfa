package image_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// files lists what the host has, the cache left out.
func (l *lab) files(n *host.Node) (names []string) {
	l.t.Helper()
	list, err := os.ReadDir(n.Dir)
	l.must(err)
	for _, f := range list {
		if !f.IsDir() {
			names = append(names, f.Name())
		}
	}
	return names
}

// scribble has a guest write into its first disk.
func (l *lab) scribble(id workspace.ID, at workspace.HostID) {
	l.t.Helper()
	path, format, err := image.Disk(l.t.Context(), l.node(at), on(id, at, "", "").Workspace, 0)
	l.must(err)
	out, err := exec.Command("qemu-io", "-f", format, "-c", "write -P 119 4096 512", path).
		CombinedOutput()
	if err != nil {
		l.t.Fatalf("%v: %s", err, out)
	}
}

func (s *shelf) Deliver(_ context.Context, d workspace.Deliver) (workspace.ImageInfo, error) {
	data, err := os.ReadFile(d.Path)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.images[d.Location] = data
	}
	return workspace.ImageInfo{}, err
}

// TestDiskOutlivesTheCache has the cache lose the image that disks stand on.
func TestDiskOutlivesTheCache(t *testing.T) {
	l := newLab(t, 10)
	n := l.node("a")
	l.put("mem://one", 'x', 1)
	l.must(l.propagate(1, "a", "mem://one"))
	l.must(l.propagate(2, "a", "mem://one"))
	l.must(os.RemoveAll(filepath.Join(n.Dir, "cache")))
	l.scribble(1, "a")
	if got, _ := l.disk(2, "a", "mem://one"); got != "x" {
		t.Errorf("the disk begins with %q", got)
	}
	l.must(l.discard(1, "a", "mem://one"))
	if got, _ := l.disk(2, "a", "mem://one"); got != "x" {
		t.Errorf("the disk begins with %q after the other went", got)
	}
	l.must(l.discard(2, "a", "mem://one"))
	if left := l.files(n); len(left) != 0 {
		t.Errorf("left on the host: %v", left)
	}
}

// TestCloneIsReturnedWhole saves disks that stand on an image: the repository
// gets all of it, in the format in which it gave it.
func TestCloneIsReturnedWhole(t *testing.T) {
	for _, at := range []string{"mem://one", "mem://two.qcow2"} {
		t.Run(at, func(t *testing.T) {
			l := newLab(t, 10)
			l.put(at, 'x', 1)
			format := l.shelf.info(at).Format
			l.must(l.propagate(1, "a", at))
			l.scribble(1, "a")
			for change := range workspace.ChangeID(2) { // a save is asked for twice
				r := on(1, "a", "mem://saved", at)
				r.Change.ID = change + 1
				for range 2 {
					_, err := l.images.Return().Do(t.Context(), r)
					l.must(err)
				}
			}
			got := l.converted(l.shelf.images["mem://saved"], format, "raw")
			want := bytes.Repeat([]byte{'x'}, 1<<20)
			copy(want[4096:4608], bytes.Repeat([]byte{119}, 512))
			if !bytes.Equal(got, want) {
				t.Errorf("the repository has %d other bytes", len(got))
			}
			if left := l.files(l.node("a")); len(left) != 2 {
				t.Errorf("on the host are %v, want the disk and what it stands on", left)
			}
			l.must(l.discard(1, "a", at))
			if left := l.files(l.node("a")); len(left) != 0 {
				t.Errorf("left on the host: %v", left)
			}
		})
	}
}

// TestMoveOfClone takes a disk to another host, where it stands on an image of
// its own: on one that the other host has in its cache, or one that comes with it.
func TestMoveOfClone(t *testing.T) {
	for _, cached := range []bool{false, true} {
		l := newLab(t, 10)
		const at = "mem://one"
		l.put(at, 'x', 1)
		l.must(l.propagate(1, "a", at))
		if cached {
			l.must(l.propagate(2, "b", at))
		}
		l.scribble(1, "a")
		w := on(1, "b", "a", at)
		l.must(os.WriteFile(l.node("a").MemoryPath(w.Workspace), []byte("memory"), 0o600))
		for range 2 {
			l.do(l.images.Move().Do, "a")
		}
		l.do(l.images.Leave().Do, "a")
		if left := l.files(l.node("a")); len(left) != 0 {
			t.Errorf("left at home: %v", left)
		}
		l.must(os.RemoveAll(filepath.Join(l.node("a").Dir, "cache")))
		path, _, err := image.Disk(t.Context(), l.node("b"), w.Workspace, 0)
		l.must(err)
		out, err := exec.Command("qemu-io", "-f", "qcow2", "-c", "read -P 119 4096 512",
			"-c", "read -P 120 0 4096", path).CombinedOutput()
		if err != nil || strings.Contains(string(out), "erification failed") {
			t.Errorf("cached %v: %v: %s", cached, err, out)
		}
	}
}
