package image_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/adapters/transport/packed"
	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// mounted mounts a disk of so many MB.
func mounted(s *small, mb string) string {
	s.t.Helper()
	dir := s.t.TempDir()
	s.run("mount", "-t", "tmpfs", "-o", "size="+mb+"m", "tmpfs", dir)
	s.t.Cleanup(func() { s.run("umount", "--lazy", dir) }) // a repository stays open
	return dir
}

// says expects that there is no room, and what the owner reads of it.
func (s *small) says(what string, f change.Func, r *change.Run, words ...string) {
	s.t.Helper()
	_, err := f(s.t.Context(), r)
	if err == nil || workspace.KindOf(err) != workspace.NoResource {
		s.t.Errorf("%s on a full disk: %v, want that there is no room", what, err)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			s.t.Errorf("%s: %q does not say %q", what, err, word)
		}
	}
}

// files lists what is in a directory and below.
func (s *small) files(dir string) (names []string) {
	s.t.Helper()
	s.check(filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "others" {
			names = append(names, d.Name())
		}
		return err
	}))
	return names
}

// occupy takes all but so many KB in a directory, until the next call.
func (s *small) occupy(dir string, leave int64) {
	s.t.Helper()
	path := filepath.Join(dir, "others")
	s.check(local.Access{}.Remove(context.Background(), path))
	free, _, err := local.Access{}.Space(s.t.Context(), dir)
	s.check(err)
	s.check(os.WriteFile(path, make([]byte, max(0, free-leave<<10)), 0o600))
}

// TestFullDiskOfAMove has the disk of the host be full to which a suspended workspace
// comes, at its memory, at the image below its disk, and at the disk: what came is
// removed, what it has at home stays, and with room it comes.
func TestFullDiskOfAMove(t *testing.T) {
	s := newSmall(t, "64")
	s.put("one", 8)
	to := &host.Node{Host: workspace.Host{ID: "b"}, Access: local.Access{}, CacheMB: 64,
		Dir: mounted(s, "40")}
	transport, err := file.Open(s.repository)
	s.check(err)
	im := image.New(image.Options{Pool: host.NewPool(s.n, to),
		Transports: map[string]workspace.Transport{"file": transport}})
	home := on(1, "a", "", "file://one")
	_, err = im.Propagate().Do(t.Context(), home)
	s.check(err)
	disk, _, err := image.Disk(t.Context(), s.n, home.Workspace, 0)
	s.check(err)
	s.run("qemu-io", "-f", "qcow2", "-c", "write 0 4M", disk)
	memory := bytes.Repeat([]byte("memory"), 1<<19)
	s.check(os.WriteFile(s.n.MemoryPath(home.Workspace), memory, 0o600))
	before := s.left()
	moving := on(1, "b", "a", "file://one")
	for stage, leave := range map[string]int64{"memory": 100, "base": 4 << 10, "disk": 11 << 10} {
		s.occupy(to.Dir, leave)
		s.says("moving the "+stage, im.Move().Do, moving, "host b", to.Dir, "bytes", "needed")
		_, err := im.Move().Undo(t.Context(), moving)
		s.check(err)
		if left := s.files(to.Dir); len(left) != 0 {
			t.Errorf("moving the %s left %v", stage, left)
		}
		if now := s.left(); len(now) != len(before) {
			t.Errorf("at home are %v, were %v", now, before)
		}
	}
	s.occupy(to.Dir, 30<<10)
	_, err = im.Move().Do(t.Context(), moving)
	s.check(err)
	_, err = im.Leave().Do(t.Context(), moving)
	s.check(err)
	if left := s.left(); len(left) != 1 {
		t.Errorf("at home are left %v, want the cached image alone", left)
	}
	_, err = im.Discard().Do(t.Context(), moving)
	s.check(err)
	if left := s.files(to.Dir); len(left) != 0 {
		t.Errorf("in the end are left %v", left)
	}
}

// TestFullSpoolAndRepository stages files in and out over a full spool and into a full
// repository.
func TestFullSpoolAndRepository(t *testing.T) {
	s := newSmall(t, "40")
	s.put("one", 8)
	spool, target := mounted(s, "20"), mounted(s, "20")
	from, err := file.Open(s.repository)
	s.check(err)
	to, err := file.Open(target)
	s.check(err)
	im := image.New(image.Options{Pool: host.NewPool(s.n), Spool: spool,
		Transports: map[string]workspace.Transport{"file": from, "scp": aliased{to}}})
	r := on(1, "a", "", "file://one")
	r.Workspace.Spec.StageIn = &workspace.Transfer{Source: "file://one",
		Destination: "scp://staged"}
	r.Workspace.Spec.StageOut = r.Workspace.Spec.StageIn
	for name, task := range map[string]change.Func{
		"in": im.StageIn().Do, "out": im.StageOut().Do,
	} {
		s.occupy(spool, 2<<10)
		s.says("staging "+name+" over the spool", task, r, spool, "8388608 bytes", "free")
		s.occupy(spool, 15<<10)
		s.occupy(target, 2<<10)
		s.says("staging "+name+" to the repository", task, r, "staged")
		if left := append(s.files(spool), s.files(target)...); len(left) != 0 {
			t.Errorf("staging %s left %v", name, left)
		}
		s.occupy(target, 15<<10)
		_, err := task(t.Context(), r)
		s.check(err)
		if left := s.files(target); len(left) == 0 || len(s.files(spool)) != 0 {
			t.Errorf("staged %s are %v, in the spool %v", name, left, s.files(spool))
		}
		for _, left := range s.files(target) {
			s.check(os.Remove(filepath.Join(target, left)))
		}
	}
}

// aliased is a transport under another scheme.
type aliased struct{ workspace.Transport }

func plainOf(location string) string { return strings.Replace(location, "scp://", "file://", 1) }

func (a aliased) CheckLocation(l string) error { return a.Transport.CheckLocation(plainOf(l)) }

func (a aliased) Deliver(
	ctx context.Context, d workspace.Deliver,
) (workspace.ImageInfo, error) {
	d.Location = plainOf(d.Location)
	return a.Transport.Deliver(ctx, d)
}

// TestFullDiskWhereImagesGrow fetches a packed image that is larger than the disk, which
// shows only as it is expanded.
func TestFullDiskWhereImagesGrow(t *testing.T) {
	for name, cacheMB := range map[string]int64{"to the cache": 64, "to the disk": 0} {
		t.Run(name, func(t *testing.T) {
			s := newSmall(t, "24")
			s.n.CacheMB = cacheMB
			s.put("one", 16)
			plain, err := os.ReadFile(filepath.Join(s.repository, "one"))
			s.check(err)
			var packedImage bytes.Buffer
			w := gzip.NewWriter(&packedImage)
			_, err = w.Write(plain)
			s.check(err)
			s.check(w.Close())
			path := filepath.Join(s.repository, "one.gz")
			s.check(os.WriteFile(path, packedImage.Bytes(), 0o600))
			s.run("sh", "-c", "sha256sum "+path+" | cut -c-64 > "+path+".sha256")
			transport, err := file.Open(s.repository)
			s.check(err)
			im := image.New(image.Options{Pool: host.NewPool(s.n), Transports: map[string]workspace.
				Transport{"file": packed.New(transport)}})
			r := on(1, "a", "", "file://one.gz")
			s.fill(6 << 10)
			s.says("expanding", im.Propagate().Do, r, "host a", s.n.Dir, "bytes are free")
			_, err = im.Discard().Do(t.Context(), r)
			s.check(err)
			if left := s.left(); len(left) != 0 {
				t.Errorf("after the expansion that failed: %v", left)
			}
			s.fill(22 << 10)
			_, err = im.Propagate().Do(t.Context(), r)
			s.check(err)
		})
	}
}
