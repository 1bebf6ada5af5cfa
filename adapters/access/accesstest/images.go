package accesstest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func blank(t *testing.T, h *host) {
	path := h.path("disk")
	ok(t, h.Blank(t.Context(), path, 64<<20))
	info, err := os.Stat(path)
	ok(t, err)
	if info.Size() != 64<<20 || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("it has %d bytes and mode %s", info.Size(), info.Mode())
	}
	thin(t, path)
	h.file(t, "disk", []byte("used"))
	ok(t, h.Blank(t.Context(), path, 64<<20))
	imagetest.Same(t, path, []byte("used"))
	imagetest.Only(t, h.dir, "disk")
	kind(t, h.Blank(t.Context(), h.path("no/such/dir"), 10), workspace.NotFound)
	ok(t, os.Mkdir(h.path("dir"), 0o755))
	kind(t, h.Blank(t.Context(), h.path("dir"), 10), workspace.Conflict)
}

func examine(t *testing.T, h *host) {
	data := imagetest.Random(3<<20+5, 10)
	path := h.file(t, "image", data)
	want := workspace.ImageInfo{Size: int64(len(data)), Format: "raw"}
	for _, withSum := range []bool{false, true} {
		if withSum {
			want.SHA256 = imagetest.Sum(data)
		}
		got, err := h.Examine(t.Context(), path, withSum)
		ok(t, err)
		if got != want {
			t.Errorf("Examine found %+v, expected %+v", got, want)
		}
	}
	qemuImg(t, "create", "-q", "-f", "qcow2", h.path("q"), "1G")
	got, err := h.Examine(t.Context(), h.path("q"), false)
	ok(t, err)
	if got.Format != "qcow2" {
		t.Errorf("Examine found %+v of a qcow2 file", got)
	}
	_, err = h.Examine(t.Context(), h.path("nothing"), false)
	kind(t, err, workspace.NotFound)
	_, err = h.Examine(t.Context(), h.dir, false)
	kind(t, err, workspace.Invalid)
}

// refusedImages are those that would lead a host elsewhere, or deceive it.
func refusedImages(t *testing.T, h *host) {
	base := h.path("base")
	qemuImg(t, "create", "-q", "-f", "qcow2", base, "1G")
	qemuImg(t, "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, h.path("backed"))
	qemuImg(t, "create", "-q", "-f", "qcow2", "-o", "data_file="+h.path("data"),
		h.path("external"), "1G")
	h.file(t, "empty", nil)
	h.file(t, "vmdk", append([]byte("KDMV"), imagetest.Random(8<<10, 11)...))
	h.file(t, "pretender",
		append([]byte("QFI\xfb\x00\x00\x00\x03"), imagetest.Random(8<<10, 12)...))
	for name, word := range map[string]string{
		"backed": "backing", "external": "external", "empty": "empty", "vmdk": "VMDK",
		"pretender": "",
	} {
		_, err := h.Examine(t.Context(), h.path(name), true)
		kind(t, err, workspace.Invalid)
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func copyImage(t *testing.T, h *host) {
	data := imagetest.Random(5<<20+3, 13)
	from := h.file(t, "from", data)
	then := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	ok(t, os.Chtimes(from, then, then))
	last := int64(-1)
	ok(t, h.Copy(t.Context(), from, h.path("to"), func(done, total int64) {
		if done < last || done > total || total != int64(len(data)) {
			t.Errorf("told of %d of %d after %d", done, total, last)
		}
		last = done
	}))
	if last != int64(len(data)) {
		t.Errorf("the last that was told is %d", last)
	}
	imagetest.Same(t, h.path("to"), data)
	info, err := os.Stat(h.path("to"))
	ok(t, err)
	if !info.ModTime().Equal(then) {
		t.Errorf("the copy is of %s", info.ModTime())
	}
	h.file(t, "to", []byte("used"))
	ok(t, h.Copy(t.Context(), from, h.path("to"), nil))
	imagetest.Same(t, h.path("to"), []byte("used"))
	h.file(t, "left.part", imagetest.Random(10<<20, 14)) // of a copy that was killed
	ok(t, h.Copy(t.Context(), from, h.path("left"), nil))
	imagetest.Same(t, h.path("left"), data)
	imagetest.Only(t, h.dir, "from", "left", "to")
	kind(t, h.Copy(t.Context(), h.path("nothing"), h.path("new"), nil), workspace.NotFound)
	kind(t, h.Copy(t.Context(), from, h.path("no/such/dir"), nil), workspace.NotFound)
	imagetest.Only(t, h.dir, "from", "left", "to")
}

func copySparse(t *testing.T, h *host) {
	from := h.sparse(t, "from")
	ok(t, h.Copy(t.Context(), from, h.path("to"), nil))
	equal(t, h.path("to"), from)
	thin(t, h.path("to"))
}

// clone makes disks of images of both formats, which begin as the image and
// leave it as it is.
func clone(t *testing.T, h *host) {
	raw := h.file(t, "raw", imagetest.Random(4<<20, 15))
	qemuImg(t, "convert", "-f", "raw", "-O", "qcow2", raw, h.path("qcow2"))
	for _, image := range []string{"raw", "qcow2"} {
		from, disk := h.path(image), h.path(image+"-disk")
		before, err := os.ReadFile(from)
		ok(t, err)
		made, err := h.Clone(t.Context(), from, image, disk)
		ok(t, err)
		qemuImg(t, "compare", "-f", image, "-F", made, from, disk)
		writeInto(t, disk, made)
		imagetest.Same(t, from, before)
		info, err := os.Stat(disk)
		ok(t, err)
		if info.Mode().Perm()&0o600 != 0o600 {
			t.Errorf("the disk cannot be written to: %s", info.Mode())
		}
	}
	imagetest.Only(t, h.dir, "qcow2", "qcow2-disk", "raw", "raw-disk")
	_, err := h.Clone(t.Context(), h.path("nothing"), "raw", h.path("new"))
	kind(t, err, workspace.NotFound)
	_, err = h.Clone(t.Context(), raw, "raw", h.path("no/such/dir"))
	kind(t, err, workspace.NotFound)
	imagetest.Only(t, h.dir, "qcow2", "qcow2-disk", "raw", "raw-disk")
}

// cloneShares makes disks where the file system can share blocks: they are of the format
// of their image, take next to no room, and stand on nothing.
func cloneShares(t *testing.T, h *host) {
	for _, kind := range []string{"xfs", "btrfs"} {
		dir := imagetest.Mounted(t, kind, 512)
		from := filepath.Join(dir, "image")
		data := imagetest.Random(48<<20, 30)
		ok(t, os.WriteFile(from, data, 0o600))
		unix.Sync() // only what is on the disk counts as taken
		before, _, err := h.Space(t.Context(), dir)
		ok(t, err)
		for i := range 12 { // for as many full copies there is no room
			disk := filepath.Join(dir, fmt.Sprint("disk", i))
			made, err := h.Clone(t.Context(), from, "raw", disk)
			if err != nil || made != "raw" {
				t.Fatalf("%s: made %q, %v", kind, made, err)
			}
			imagetest.Same(t, disk, data)
		}
		unix.Sync()
		after, _, err := h.Space(t.Context(), dir)
		ok(t, err)
		if before-after > 48<<20 {
			t.Errorf("%s: 12 clones of 48 MB take %d bytes", kind, before-after)
		}
		first := filepath.Join(dir, "disk0")
		writeInto(t, first, "raw")
		imagetest.Same(t, from, data)
		imagetest.Same(t, filepath.Join(dir, "disk1"), data)
		ok(t, h.Remove(t.Context(), from))
		imagetest.Same(t, filepath.Join(dir, "disk1"), data)
		qemuImg(t, "convert", "-f", "raw", "-O", "qcow2", first, from)
		made, err := h.Clone(t.Context(), from, "qcow2", filepath.Join(dir, "disk"))
		if err != nil || made != "qcow2" {
			t.Fatalf("%s: made %q, %v", kind, made, err)
		}
		equal(t, filepath.Join(dir, "disk"), from)
	}
}

// writeInto writes to the disk as a guest would.
func writeInto(t *testing.T, disk, format string) {
	t.Helper()
	junk := filepath.Join(t.TempDir(), "junk")
	ok(t, os.WriteFile(junk, imagetest.Random(4<<20, 16), 0o644))
	qemuImg(t, "convert", "-n", "-f", "raw", "-O", format, junk, disk)
}

// cloneAgain makes sure that the answer of a repeated call is that of the
// first, and that a guest who wrote a header into its raw disk does not change it.
func cloneAgain(t *testing.T, h *host) {
	raw := h.file(t, "raw", imagetest.Random(4<<20, 17))
	first, err := h.Clone(t.Context(), raw, "raw", h.path("disk"))
	ok(t, err)
	before, err := os.ReadFile(h.path("disk"))
	ok(t, err)
	again, err := h.Clone(t.Context(), raw, "raw", h.path("disk"))
	ok(t, err)
	if again != first {
		t.Errorf("made %q, then %q", first, again)
	}
	imagetest.Same(t, h.path("disk"), before)
	qemuImg(t, "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", h.path("evil"))
	made, err := h.Clone(t.Context(), raw, "raw", h.path("evil"))
	if err != nil || made != "raw" {
		t.Errorf("a disk that leads elsewhere is taken for %q, %v", made, err)
	}
}

func cloneRefused(t *testing.T, h *host) {
	raw := h.file(t, "raw", imagetest.Random(1<<20, 18))
	for _, image := range []string{"", "vmdk", "-o", "raw,x"} {
		_, err := h.Clone(t.Context(), raw, image, h.path("disk"))
		kind(t, err, workspace.Invalid)
	}
	imagetest.Only(t, h.dir, "raw")
}

func putAndGet(t *testing.T, h *host) {
	for _, size := range []int{1, 4096, 255<<10 + 1, 8<<20 + 7} {
		data := imagetest.Random(size, 19)
		from := filepath.Join(t.TempDir(), "from")
		ok(t, os.WriteFile(from, data, 0o644))
		last := int64(-1)
		told := func(done, total int64) {
			if done < last || total != int64(size) {
				t.Errorf("told of %d of %d after %d", done, total, last)
			}
			last = done
		}
		ok(t, h.Put(t.Context(), from, h.path("disk"), told))
		imagetest.Same(t, h.path("disk"), data)
		imagetest.Only(t, h.dir, "disk")
		if last != int64(size) {
			t.Errorf("the last that was told of %d is %d", size, last)
		}
		last = -1
		back := filepath.Join(t.TempDir(), "back")
		ok(t, h.Get(t.Context(), h.path("disk"), back, told))
		imagetest.Same(t, back, data)
		imagetest.Only(t, filepath.Dir(back), "back")
		imagetest.Only(t, filepath.Dir(from), "from")
		if last != int64(size) {
			t.Errorf("the last that was told of %d is %d", size, last)
		}
	}
}

func putSparse(t *testing.T, h *host) {
	from := h.sparse(t, "from")
	ok(t, h.Put(t.Context(), from, h.path("disk"), nil))
	equal(t, h.path("disk"), from)
	thin(t, h.path("disk"))
	ok(t, h.Get(t.Context(), h.path("disk"), h.path("back"), nil))
	equal(t, h.path("back"), from)
	thin(t, h.path("back"))
	// With more data than may wait on its way, after its list of holes.
	f, err := os.OpenFile(from, os.O_WRONLY, 0)
	ok(t, err)
	_, err = f.WriteAt(imagetest.Random(12<<20, 25), 50<<20)
	ok(t, err)
	ok(t, f.Close())
	ok(t, h.Get(t.Context(), from, h.path("more"), nil))
	equal(t, h.path("more"), from)
}

// putAgain makes sure that finished work is not done again, and that a file that
// has changed is brought anew.
func putAgain(t *testing.T, h *host) {
	from := h.file(t, "from", imagetest.Random(1<<20, 20))
	then := time.Now().Add(-time.Hour).Truncate(time.Second)
	ok(t, os.Chtimes(from, then, then))
	for call, move := range map[string]func(string) error{
		"put": func(to string) error { return h.Put(t.Context(), from, to, nil) },
		"get": func(to string) error { return h.Get(t.Context(), from, to, nil) },
	} {
		to := h.path(call)
		ok(t, move(to))
		first, err := os.Stat(to)
		ok(t, err)
		ok(t, move(to))
		second, err := os.Stat(to)
		ok(t, err)
		if !os.SameFile(first, second) {
			t.Errorf("%s: finished work was done again", call)
		}
		h.file(t, call, []byte("something else"))
		ok(t, move(to))
		equal(t, to, from)
	}
}

// putBroken breaks transfers off, and makes them again.
func putBroken(t *testing.T, h *host) {
	data := imagetest.Random(24<<20+99, 21)
	clear(data[3<<20 : 9<<20])
	from := h.file(t, "from", data)
	for call, move := range map[string]func(context.Context, workspace.Progress, string) error{
		"put": func(ctx context.Context, p workspace.Progress, to string) error {
			return h.Put(ctx, from, to, p)
		},
		"get": func(ctx context.Context, p workspace.Progress, to string) error {
			return h.Get(ctx, from, to, p)
		},
	} {
		for _, offset := range []int64{0, 1 << 20, 12 << 20, 20 << 20} {
			to := h.path(call)
			ctx, report := breakAt(t, offset)
			err := move(ctx, report, to)
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatalf("%s broken off at %d: %v", call, offset, err)
			}
			if _, there := os.Stat(to); err != nil && there == nil {
				t.Fatalf("%s broken off at %d, the target is there", call, offset)
			}
			began := int64(-1)
			ok(t, move(t.Context(), func(done, _ int64) {
				if began < 0 {
					began = done
				}
			}, to))
			imagetest.Same(t, to, data)
			if h.Resumes && err != nil && offset > 16<<20 && began < 1<<20 {
				t.Errorf("%s broken off at %d, it began anew at %d", call, offset, began)
			}
			ok(t, os.Remove(to))
			imagetest.Only(t, h.dir, "from")
		}
	}
}

func putMissing(t *testing.T, h *host) {
	from := h.file(t, "from", imagetest.Random(1000, 22))
	kind(t, h.Put(t.Context(), h.path("nothing"), h.path("to"), nil), workspace.NotFound)
	kind(t, h.Get(t.Context(), h.path("nothing"), h.path("to"), nil), workspace.NotFound)
	kind(t, h.Put(t.Context(), from, h.path("no/such/dir"), nil), workspace.NotFound)
	kind(t, h.Get(t.Context(), from, h.path("no/such/dir"), nil), workspace.NotFound)
	kind(t, h.Put(t.Context(), h.dir, h.path("to"), nil), workspace.Invalid)
	kind(t, h.Get(t.Context(), h.dir, h.path("to"), nil), workspace.Invalid)
	imagetest.Only(t, h.dir, "from")
}

// diskFull fills the host's disk at every stage: nothing half made may stay.
func diskFull(t *testing.T, h *host) {
	image := h.file(t, "image", imagetest.Random(4<<20, 23))
	full := imagetest.Small(t, "1m")
	to := filepath.Join(full, "disk")
	for call, err := range map[string]error{
		"Copy": h.Copy(t.Context(), image, to, nil),
		"Put":  h.Put(t.Context(), image, to, nil),
		"Get":  h.Get(t.Context(), image, to, nil),
	} {
		if err == nil || workspace.KindOf(err) != workspace.NoResource {
			t.Errorf("%s: %v, expected no resource", call, err)
		}
	}
	imagetest.Only(t, full)
	_, err := h.Clone(t.Context(), image, "raw", to) // takes next to nothing
	ok(t, err)
	ok(t, h.Remove(t.Context(), to))
	ok(t, os.WriteFile(filepath.Join(full, "filler"), make([]byte, 1<<20-16<<10), 0o644))
	_, err = h.Clone(t.Context(), image, "raw", to)
	kind(t, err, workspace.NoResource)
	imagetest.Only(t, full, "filler")
}

// symlinks makes sure that a link in the place of a file is neither read nor
// written through.
func symlinks(t *testing.T, h *host) {
	secret := h.file(t, "secret", imagetest.Random(4096, 24))
	link := h.path("link")
	ok(t, os.Symlink("secret", link))
	ctx := t.Context()
	_, err := h.Read(ctx, link, 1<<20)
	kind(t, err, workspace.Invalid)
	_, err = h.Examine(ctx, link, true)
	kind(t, err, workspace.Invalid)
	kind(t, h.Copy(ctx, link, h.path("to"), nil), workspace.Invalid)
	_, err = h.Clone(ctx, link, "raw", h.path("to"))
	kind(t, err, workspace.Invalid)
	kind(t, h.Get(ctx, link, h.path("to"), nil), workspace.Invalid)
	kind(t, h.Put(ctx, link, h.path("to"), nil), workspace.Invalid)
	kind(t, h.Copy(ctx, secret, link, nil), workspace.Conflict)
	_, err = h.Clone(ctx, secret, "raw", link)
	kind(t, err, workspace.Conflict)
	imagetest.Only(t, h.dir, "link", "secret")
	// Links to which something half made would be written.
	other := h.file(t, "other", []byte("other"))
	ok(t, os.Symlink("other", h.path("new.part")))
	for _, err := range []error{
		h.Copy(ctx, secret, h.path("new"), nil), h.Put(ctx, secret, h.path("new"), nil),
		h.Write(ctx, h.path("new"), []byte("x"), 0o600), h.Blank(ctx, h.path("new"), 10),
	} {
		if err != nil {
			kind(t, err, workspace.Invalid)
		}
	}
	imagetest.Same(t, other, []byte("other"))
	ok(t, h.Write(ctx, link, []byte("new"), 0o600)) // replaces the link itself
	imagetest.Same(t, link, []byte("new"))
	imagetest.Same(t, secret, imagetest.Random(4096, 24))
}
