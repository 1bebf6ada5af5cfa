package image_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/image/ext4"
	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// small is a host whose disk has so many MB, and a repository beside it.
type small struct {
	t          *testing.T
	n          *host.Node
	repository string
	images     *image.Images
}

func newSmall(t *testing.T, mb string) *small {
	t.Helper()
	s := &small{t: t, repository: t.TempDir()}
	dir := t.TempDir()
	s.run("mount", "-t", "tmpfs", "-o", "size="+mb+"m", "tmpfs", dir)
	t.Cleanup(func() { s.run("umount", dir) })
	transport, err := file.Open(s.repository)
	s.check(err)
	s.n = &host.Node{Host: workspace.Host{ID: "a"}, Access: local.Access{}, Dir: dir, CacheMB: 64,
		Customiser: ext4.Customiser{Access: local.Access{}}}
	s.images = image.New(image.Options{Pool: host.NewPool(s.n),
		Transports: map[string]workspace.Transport{"file": transport}})
	return s
}

func (s *small) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *small) run(name string, args ...string) {
	s.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// put puts an image of so many MB, a file system full of data, into the repository.
func (s *small) put(name string, mb int) {
	s.t.Helper()
	path := filepath.Join(s.repository, name)
	root := s.t.TempDir()
	data := bytes.Repeat([]byte("philoxenia"), (mb-2)<<20/10)
	s.check(os.WriteFile(filepath.Join(root, "data"), data, 0o600))
	s.run("truncate", "-s", strconv.Itoa(mb)+"M", path)
	s.run("mke2fs", "-q", "-t", "ext2", "-m", "0", "-d", root, path)
	out, err := exec.Command("sha256sum", path).Output()
	s.check(err)
	s.check(os.WriteFile(path+".sha256", out[:64], 0o600))
}

// fill takes all but so many KB of the host's disk, until the next call.
func (s *small) fill(leave int64) {
	s.t.Helper()
	path := filepath.Join(s.n.Dir, "others")
	s.check(s.n.Access.Remove(context.Background(), path))
	free, _, err := s.n.Access.Space(s.t.Context(), s.n.Dir)
	s.check(err)
	s.check(os.WriteFile(path, make([]byte, max(0, free-leave<<10)), 0o600))
}

// left lists the host's files but for those of others, the cache's with them.
func (s *small) left() (names []string) {
	s.t.Helper()
	s.check(filepath.WalkDir(s.n.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "others" {
			names = append(names, d.Name())
		}
		return err
	}))
	return names
}

func (s *small) fails(what string, f change.Func, r *change.Run) {
	s.t.Helper()
	if _, err := f(s.t.Context(), r); err == nil ||
		workspace.KindOf(err) != workspace.NoResource {
		s.t.Errorf("%s on a full disk: %v, want that there is no room", what, err)
	}
}

// TestFullDisk has the host's disk be full at each stage. Each says so, is undone
// without a trace, and succeeds when there is room.
func TestFullDisk(t *testing.T) {
	s := newSmall(t, "40")
	s.put("one", 8)
	r := on(1, "a", "", "file://one")
	r.Workspace.Spec.Files = []workspace.File{
		{Path: "/big", Content: strings.Repeat("x", 600<<10)}}
	propagate, discard := s.images.Propagate().Do, s.images.Discard().Do
	again := func() {
		t.Helper()
		_, err := discard(t.Context(), r)
		s.check(err)
	}

	s.fill(4 << 10)
	s.fails("propagate", propagate, r)
	again()
	if left := s.left(); len(left) != 0 {
		t.Errorf("after the propagation that failed: %v", left)
	}
	s.fill(30 << 10)
	_, err := propagate(t.Context(), r)
	s.check(err)
	again()

	s.fill(0)
	s.fails("clone", propagate, r)
	again()
	if left := s.left(); len(left) != 1 {
		t.Errorf("after the clone that failed: %v, want the cached image alone", left)
	}

	s.fill(30 << 10)
	_, err = propagate(t.Context(), r)
	s.check(err)
	s.fill(300)
	if _, err := s.images.Customise().Do(t.Context(), r); err == nil {
		t.Error("files were written into a disk that had no room")
	}
	s.fill(30 << 10)
	_, err = s.images.Customise().Do(t.Context(), r)
	s.check(err)

	s.fill(2 << 10)
	r.Change.Argument = "file://saved"
	s.fails("save", s.images.Return().Do, r)
	if left := s.left(); len(left) != 3 {
		t.Errorf("after the save that failed: %v, want disk, its base and the image", left)
	}
	s.fill(30 << 10)
	_, err = s.images.Return().Do(t.Context(), r)
	s.check(err)
	saved := filepath.Join(s.repository, "saved")
	s.run("e2fsck", "-fn", saved)
	again()
	if left := s.left(); len(left) != 1 {
		t.Errorf("in the end: %v, want the cached image alone", left)
	}
}

// TestPartitions gives a guest three disks beside the root: one of an image, one
// that it may only read, and one that is blank.
func TestPartitions(t *testing.T) {
	s := newSmall(t, "64")
	s.put("one", 8)
	s.put("two", 4)
	r := on(1, "a", "", "file://one")
	r.Workspace.Spec.Disks = append(r.Workspace.Spec.Disks,
		workspace.Disk{Role: workspace.PartitionDisk, Location: "file://two", MountAs: "sda2"},
		workspace.Disk{Role: workspace.PartitionDisk, Location: "file://two", MountAs: "sda3",
			ReadOnly: true},
		workspace.Disk{Role: workspace.BlankDisk, MountAs: "sdb", SizeMB: 16})
	for range 2 {
		_, err := s.images.Propagate().Do(t.Context(), r)
		s.check(err)
	}
	for i, name := range []string{"one", "two", "two"} {
		path, format, err := image.Disk(t.Context(), s.n, r.Workspace, i)
		s.check(err)
		whole := filepath.Join(t.TempDir(), "whole")
		s.run("qemu-img", "convert", "-f", format, "-O", "raw", path, whole)
		s.run("cmp", whole, filepath.Join(s.repository, name))
	}
	path, format, err := image.Disk(t.Context(), s.n, r.Workspace, 3)
	s.check(err)
	if info, err := os.Stat(path); err != nil || info.Size() != 16<<20 || format != "raw" {
		t.Errorf("the blank disk is %v, %s, %v", info, format, err)
	}
	if n := len(s.left()); n != 3*2+1+2 {
		t.Errorf("%d files: %v", n, s.left())
	}
	_, err = s.images.Discard().Do(t.Context(), r)
	s.check(err)
	if left := s.left(); len(left) != 2 {
		t.Errorf("in the end: %v, want the two cached images", left)
	}
}

// TestAnotherImageThanAskedFor refuses what has not the checksum of the request.
func TestAnotherImageThanAskedFor(t *testing.T) {
	s := newSmall(t, "40")
	s.put("one", 4)
	r := on(1, "a", "", "file://one")
	asked := strings.Repeat("ab", 32)
	r.Workspace.Spec.Disks[0].SHA256 = asked
	_, err := s.images.Propagate().Do(t.Context(), r)
	is, failed := os.ReadFile(filepath.Join(s.repository, "one.sha256"))
	s.check(failed)
	if workspace.KindOf(err) != workspace.Invalid || !strings.Contains(err.Error(), asked) ||
		!strings.Contains(err.Error(), string(is)) {
		t.Errorf("got %v, want both checksums", err)
	}
	if left := s.left(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
