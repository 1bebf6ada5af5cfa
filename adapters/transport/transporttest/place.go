package transporttest

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// sparseStays moves an image of 64 MiB with three stretches of data, two of
// them written and one of zeros that were written, both ways.
func sparseStays(t *testing.T, b *bench) {
	const size = 64 << 20
	image := filepath.Join(b.repository, "image")
	f, err := os.Create(image)
	ok(t, err)
	ok(t, f.Truncate(size))
	for i, at := range []int64{1 << 20, 40 << 20} {
		_, err = f.WriteAt(imagetest.Random(100<<10, byte(40+i)), at)
		ok(t, err)
	}
	ok(t, f.Close())
	data, err := os.ReadFile(image)
	ok(t, err)
	_, err = b.fetch(t.Context(), "image")
	ok(t, err)
	b.got(t, data)
	thin(t, b.target)
	_, err = b.deliver(t.Context(), "saved")
	ok(t, err)
	imagetest.Same(t, filepath.Join(b.repository, "saved"), data)
	if !b.Thick {
		thin(t, filepath.Join(b.repository, "saved"))
	}
	writeFile(t, image, make([]byte, 1<<20))
	_, err = b.fetch(t.Context(), "image")
	ok(t, err)
	b.got(t, make([]byte, 1<<20))
}

// thin fails the test when a file with 200 KiB of data takes much more.
func thin(t *testing.T, path string) {
	t.Helper()
	var stat unix.Stat_t
	ok(t, unix.Stat(path, &stat))
	if taken := stat.Blocks * 512; taken > 1<<20 {
		t.Errorf("%s takes %d bytes on the disk", path, taken)
	}
}

// atomic watches the names while images are replaced under them, and must
// never see one that is not whole.
func atomic(t *testing.T, b *bench) {
	images := [][]byte{imagetest.Random(2<<20, 50), imagetest.Random(3<<20, 51)}
	whole := map[string]bool{imagetest.Sum(images[0]): true, imagetest.Sum(images[1]): true}
	stop := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, path := range []string{b.target, filepath.Join(b.repository, "saved")} {
				if data, err := os.ReadFile(path); err == nil && !whole[imagetest.Sum(data)] {
					t.Errorf("%s was seen with %d bytes", path, len(data))
				}
			}
			paired(t, filepath.Join(b.repository, "saved"))
		}
	})
	for i := range 6 {
		b.put(t, "image", images[i%2])
		_, err := b.fetch(t.Context(), "image")
		ok(t, err)
		_, err = b.deliver(t.Context(), "saved")
		ok(t, err)
	}
	close(stop)
	watcher.Wait()
}

// paired fails the test when an image stands beside a checksum that is not
// its own, which a crash at that moment would leave for good.
//
// The checksum stays open meanwhile: so one of another delivery is never taken for it,
// however much time goes by between two looks.
func paired(t *testing.T, path string) {
	beside, err := os.Open(path + ".sha256")
	if err != nil {
		return
	}
	defer beside.Close()
	before, err := beside.Stat()
	ok(t, err)
	line, err := io.ReadAll(beside)
	ok(t, err)
	data, err := os.ReadFile(path)
	if err != nil {
		return
	}
	after, err := os.Stat(path + ".sha256")
	if err != nil || !os.SameFile(before, after) {
		return
	}
	if !strings.HasPrefix(string(line), imagetest.Sum(data)) {
		t.Errorf("an image with SHA-256 %s was seen beside the checksum %s",
			imagetest.Sum(data), line)
	}
}

// climbers are paths that must lead nowhere, as they stand behind a location.
var climbers = []string{
	"..", "../", "../x", "../../x", "../../../../../../etc/passwd", "a/..", "a/../..",
	"a/../../x", "a/b/../../../x", "./..", "./../x", "a/./../../x", "..//x", "a//../../x",
	"%2e%2e", "%2e%2e/x", "%2E%2E/x", ".%2e/x", "%2e./x", "..%2fx", "..%2Fx",
	"a/..%2f..%2fx", "%2e%2e%2fx", "a/%2e%2e/%2e%2e/x", "image/..", "image/../..",
	"\x00", "image\x00", "ima\x00ge", "%00", "image%00", "image%00.raw", "a\x00/../image",
	"", ".", "./", "image/", "a/", "a/.", "%", "%zz", "%2", "image?x=1", "image#x", "image\n",
	"\timage", "image%0a", "image\x7f", "image.part", "image.sha256", "..%00/x", "%5c..\x00",
}

func escapes(t *testing.T, b *bench) {
	b.put(t, "image", imagetest.Random(4096, 60))
	ok(t, os.Mkdir(filepath.Join(b.repository, "a"), 0o755))
	outside := filepath.Join(filepath.Dir(b.repository), "x")
	writeFile(t, outside, imagetest.Random(4096, 61))
	long := []string{strings.Repeat("a", 256), strings.Repeat("a", 5000),
		strings.Repeat("a/", 2100) + "x", strings.Repeat("b", 250)}
	for _, path := range append(long, climbers...) {
		refused(t, b, path)
	}
	imagetest.Same(t, outside, imagetest.Random(4096, 61))
}

// refused fails the test unless all three calls refuse the path and leave no
// trace of it.
func refused(t *testing.T, b *bench, path string) {
	t.Helper()
	location := b.Location(path)
	_, err := b.transport.Check(t.Context(), location)
	if workspace.KindOf(err) != workspace.Invalid || err == nil {
		t.Errorf("Check of %.80q: %v", path, err)
	}
	_, err = b.transport.Fetch(t.Context(), workspace.Fetch{Location: location, Path: b.target})
	if workspace.KindOf(err) != workspace.Invalid || err == nil {
		t.Errorf("Fetch of %.80q: %v", path, err)
	}
	imagetest.Only(t, b.host)
	from := filepath.Join(t.TempDir(), "disk")
	writeFile(t, from, imagetest.Random(4096, 62))
	_, err = b.transport.Deliver(t.Context(), workspace.Deliver{Path: from, Location: location})
	if workspace.KindOf(err) != workspace.Invalid || err == nil {
		t.Errorf("Deliver to %.80q: %v", path, err)
	}
}

func symlinks(t *testing.T, b *bench) {
	data := imagetest.Random(100<<10, 63)
	outside := t.TempDir()
	writeFile(t, filepath.Join(outside, "secret"), data)
	ok(t, os.Mkdir(filepath.Join(b.repository, "real"), 0o755))
	b.put(t, "real/image", data)
	for name, to := range map[string]string{
		"inside": "real/image", "dirlink": "real", "out": filepath.Join(outside, "secret"),
		"outdir": outside, "loop": "loop", "dangling": "nothing",
		"up": "../" + filepath.Base(outside) + "/secret",
	} {
		ok(t, os.Symlink(to, filepath.Join(b.repository, name)))
	}
	for _, name := range []string{"inside", "dirlink/image"} {
		_, err := b.fetch(t.Context(), name)
		ok(t, err)
		b.got(t, data)
		ok(t, os.Remove(b.target))
	}
	for _, name := range []string{"out", "outdir/secret", "up"} {
		if b.Trusting {
			break
		}
		_, err := b.fetch(t.Context(), name)
		kind(t, err, workspace.Invalid)
		imagetest.Only(t, b.host)
	}
	for _, name := range []string{"loop", "dangling"} {
		if _, err := b.fetch(t.Context(), name); err == nil {
			t.Errorf("%s was fetched", name)
		}
	}
	writeFile(t, b.target, data)
	for _, name := range []string{"outdir/saved", "out"} {
		if b.Trusting {
			break
		}
		_, err := b.deliver(t.Context(), name)
		kind(t, err, workspace.Invalid)
	}
	imagetest.Only(t, outside, "secret")
	_, err := b.deliver(t.Context(), "dirlink/saved")
	ok(t, err)
}

func specials(t *testing.T, b *bench) {
	ok(t, os.Mkdir(filepath.Join(b.repository, "directory"), 0o755))
	ok(t, unix.Mkfifo(filepath.Join(b.repository, "fifo"), 0o644))
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	ok(t, err)
	defer unix.Close(socket)
	ok(t, bindShort(t, socket, filepath.Join(b.repository, "socket")))
	names := []string{"directory", "fifo", "socket"}
	device := filepath.Join(b.repository, "device")
	if err := unix.Mknod(device, unix.S_IFCHR|0o644, int(unix.Mkdev(1, 5))); err == nil {
		names = append(names, "device") // for root alone
	}
	for _, name := range names {
		refused(t, b, name)
	}
}

// bindShort binds a socket to a path that may be too long for its address.
func bindShort(t *testing.T, socket int, path string) error {
	short, err := os.MkdirTemp("", "s")
	ok(t, err)
	defer os.RemoveAll(short)
	link := filepath.Join(short, "d")
	ok(t, os.Symlink(filepath.Dir(path), link))
	return unix.Bind(socket, &unix.SockaddrUnix{Name: filepath.Join(link, filepath.Base(path))})
}
