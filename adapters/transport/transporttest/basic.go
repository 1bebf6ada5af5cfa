package transporttest

import (
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

func fetch(t *testing.T, b *bench) {
	data := imagetest.Random(3<<20+77, 1)
	b.put(t, "image", data)
	info, err := b.transport.Check(t.Context(), b.Location("image"))
	ok(t, err)
	want := workspace.ImageInfo{Size: int64(len(data)), Format: "raw"}
	info.Version, info.Changed = "", time.Time{} // see versions
	if info != want {
		t.Errorf("Check found %+v, expected %+v", info, want)
	}
	info, err = b.transport.Fetch(t.Context(), workspace.Fetch{
		Location: b.Location("image"), Path: b.target, SHA256: strings.ToUpper(imagetest.Sum(data)),
	})
	ok(t, err)
	if want.SHA256 = imagetest.Sum(data); info != want {
		t.Errorf("Fetch brought %+v, expected %+v", info, want)
	}
	b.got(t, data)
	stat, err := os.Stat(b.target)
	ok(t, err)
	if stat.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read the image: %s", stat.Mode())
	}
}

// versions makes sure that what replaces an image is told from it, by what is asked
// for without its content, though it is as long; and that the image itself is always told
// to be the same.
func versions(t *testing.T, b *bench) {
	asked := func() workspace.ImageInfo {
		info, err := b.transport.Check(t.Context(), b.Location("image"))
		ok(t, err)
		return info
	}
	then := time.Now().Add(-time.Hour).Truncate(time.Second)
	path := filepath.Join(b.repository, "image")
	seen := map[string]bool{}
	for i := range 3 {
		b.put(t, "image", imagetest.Random(1<<20, byte(i)))
		ok(t, os.Chtimes(path, then, then))
		info := asked()
		if info.Version == "" || seen[info.Version] {
			t.Errorf("version %d is told to be %q, as one of %v", i, info.Version, seen)
		}
		if !info.Changed.IsZero() && info.Changed.Before(then) {
			t.Errorf("it was changed at %s, and is told to be of %s", then, info.Changed)
		}
		seen[info.Version] = true
		if again := asked(); again != info {
			t.Errorf("found %+v, then %+v", info, again)
		}
		then = then.Add(time.Second)
	}
}

func fetchSizes(t *testing.T, b *bench) {
	for _, size := range []int{
		1, 511, 4096, 64<<10 - 1, 64 << 10, 64<<10 + 1, 255 << 10, 255<<10 + 1, 1 << 20,
	} {
		data := imagetest.Random(size, 2)
		b.put(t, "image", data)
		ok(t, ignoreMissing(os.Remove(b.target)))
		_, err := b.fetch(t.Context(), "image")
		ok(t, err)
		b.got(t, data)
	}
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func deliver(t *testing.T, b *bench) {
	ok(t, os.Mkdir(filepath.Join(b.repository, "sub"), 0o755))
	for i, size := range []int{4096, 70000, 3<<20 + 5} {
		data := imagetest.Random(size, byte(i))
		writeFile(t, b.target, data)
		info, err := b.deliver(t.Context(), "sub/saved")
		ok(t, err)
		want := workspace.ImageInfo{Size: int64(size), Format: "raw", SHA256: imagetest.Sum(data)}
		if info != want {
			t.Errorf("Deliver brought %+v, expected %+v", info, want)
		}
		imagetest.Same(t, filepath.Join(b.repository, "sub/saved"), data)
		imagetest.Same(t, filepath.Join(b.repository, "sub/saved.sha256"),
			[]byte(imagetest.Sum(data)+"  saved\n"))
		imagetest.Only(t, filepath.Join(b.repository, "sub"), "saved", "saved.sha256")
		imagetest.Only(t, b.host, "disk")
	}
	ok(t, os.Remove(b.target))
	_, err := b.fetch(t.Context(), "sub/saved")
	ok(t, err)
}

// repeat makes sure that a call whose answer was lost can be made again, and
// that work that is done is not done again.
func repeat(t *testing.T, b *bench) {
	data := imagetest.Random(2<<20, 3)
	b.put(t, "image", data)
	var inodes []uint64
	for range 2 {
		_, err := b.fetch(t.Context(), "image")
		ok(t, err)
		b.got(t, data)
		inodes = append(inodes, inode(t, b.target))
	}
	for range 2 {
		info, err := b.deliver(t.Context(), "saved")
		ok(t, err)
		if info.SHA256 != imagetest.Sum(data) {
			t.Errorf("the checksum is %q, expected %q", info.SHA256, imagetest.Sum(data))
		}
		inodes = append(inodes, inode(t, filepath.Join(b.repository, "saved")))
	}
	if inodes[0] != inodes[1] || inodes[2] != inodes[3] {
		t.Error("finished work was done again")
	}
	changed := imagetest.Random(2<<20, 4)
	writeFile(t, b.target, changed)
	later := time.Now().Add(5 * time.Second)
	ok(t, os.Chtimes(b.target, later, later))
	_, err := b.deliver(t.Context(), "saved")
	ok(t, err)
	imagetest.Same(t, filepath.Join(b.repository, "saved"), changed)
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	var stat unix.Stat_t
	ok(t, unix.Stat(path, &stat))
	return stat.Ino
}

func checksums(t *testing.T, b *bench) {
	data := imagetest.Random(300<<10, 5)
	good, bad := imagetest.Sum(data), imagetest.Sum(nil)
	tests := []struct {
		name, beside, asked string
		want                string // in the error; "" for success
	}{
		{"none", "", "", ""},
		{"beside", good + "  image\n", "", ""},
		{"beside, binary", good + " *image\n", "", ""},
		{"beside, upper case", strings.ToUpper(good) + "  image\n", "", ""},
		{"beside, bare", good, "", ""},
		{"beside, another name", good + "  old-name\n", "", ""},
		{"beside, several", bad + "  other\n" + good + "  image\n", "", ""},
		{"beside, several without ours", bad + "  a\n" + good + "  b\n", "", "none for"},
		{"beside, wrong", bad + "  image\n", "", good + ", expected " + bad},
		{"beside, not a checksum", "hello\n", "", "sha256sum"},
		{"beside, empty", "\n", "", "empty"},
		{"asked", "", good, ""},
		{"asked, wrong", "", bad, good + ", expected " + bad},
		{"asked goes before beside", bad + "  image\n", good, ""},
		{"asked, not a checksum", "", "abc", "no SHA-256"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b.put(t, "image", data)
			beside := filepath.Join(b.repository, "image.sha256")
			ok(t, ignoreMissing(os.Remove(beside)))
			if test.beside != "" {
				writeFile(t, beside, []byte(test.beside))
			}
			ok(t, ignoreMissing(os.Remove(b.target)))
			_, err := b.transport.Fetch(t.Context(), workspace.Fetch{
				Location: b.Location("image"), Path: b.target, SHA256: test.asked})
			if test.want == "" {
				ok(t, err)
				b.got(t, data)
				return
			}
			kind(t, err, workspace.Invalid)
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not say %q", err, test.want)
			}
			imagetest.Only(t, b.host)
		})
	}
}

func missing(t *testing.T, b *bench) {
	_, err := b.transport.Check(t.Context(), b.Location("nothing"))
	kind(t, err, workspace.NotFound)
	_, err = b.fetch(t.Context(), "nothing")
	kind(t, err, workspace.NotFound)
	_, err = b.fetch(t.Context(), "no/such/thing")
	kind(t, err, workspace.NotFound)
	_, err = b.deliver(t.Context(), "saved")
	kind(t, err, workspace.NotFound)
	b.put(t, "image", imagetest.Random(100<<10, 6))
	_, err = b.transport.Fetch(t.Context(), workspace.Fetch{
		Location: b.Location("image"), Path: filepath.Join(b.host, "no/such/dir")})
	kind(t, err, workspace.NotFound)
	writeFile(t, b.target, imagetest.Random(1000, 7))
	_, err = b.deliver(t.Context(), "no/such/dir")
	kind(t, err, workspace.NotFound)
	imagetest.Only(t, b.repository, "image")
	b.put(t, "empty", nil)
	_, err = b.fetch(t.Context(), "empty")
	kind(t, err, workspace.Invalid)
}

func limit(t *testing.T, b *bench) {
	data := imagetest.Random(100<<10, 8)
	b.put(t, "image", data)
	for _, max := range []int64{1, int64(len(data)) - 1} {
		_, err := b.transport.Fetch(t.Context(), workspace.Fetch{
			Location: b.Location("image"), Path: b.target, MaxBytes: max})
		kind(t, err, workspace.Invalid)
		imagetest.Only(t, b.host)
	}
	_, err := b.transport.Fetch(t.Context(), workspace.Fetch{
		Location: b.Location("image"), Path: b.target, MaxBytes: int64(len(data))})
	ok(t, err)
}

// promised makes sure that no more is fetched of a file that grows than it was said to have.
func promised(t *testing.T, b *bench) {
	data := imagetest.Random(100<<10, 9)
	b.put(t, "image", data)
	f := workspace.Fetch{Location: b.Location("image"), Path: b.target, Promised: 100 << 10}
	_, err := b.transport.Fetch(t.Context(), f)
	ok(t, err)
	ok(t, os.Remove(b.target))
	b.put(t, "image", append(data, data...))
	_, err = b.transport.Fetch(t.Context(), f)
	kind(t, err, workspace.Transient)
	const says = "it grew meanwhile, from 102400 bytes to 204800"
	if !strings.Contains(err.Error(), says) {
		t.Errorf("%q does not say %q", err, says)
	}
	imagetest.Only(t, b.host)
}

// formats makes sure that nothing lands that a hypervisor would take for
// something else, or that would lead it to other files.
func formats(t *testing.T, b *bench) {
	for _, head := range []string{
		"QFI\xfb\x00\x00\x00\x01", "QFI\xfb\x00\x00\x00\x03", "KDMV", "COWD", "conectix",
		"vhdxfile", "# Disk DescriptorFile", "QED\x00",
	} {
		for _, size := range []int{4096, 200 << 10} {
			data := append([]byte(head), imagetest.Random(size-len(head), 9)...)
			b.put(t, "image", data)
			_, err := b.transport.Check(t.Context(), b.Location("image"))
			kind(t, err, workspace.Invalid)
			_, err = b.fetch(t.Context(), "image")
			kind(t, err, workspace.Invalid)
			imagetest.Only(t, b.host)
		}
	}
}

// progress makes sure that what is told begins at no less than nothing, never
// goes back and ends with all.
func progress(t *testing.T, b *bench) {
	data := imagetest.Random(8<<20, 10)
	b.put(t, "image", data)
	ok(t, exact(int64(len(data)), func(report workspace.Progress) error {
		_, err := b.transport.Fetch(t.Context(), workspace.Fetch{
			Location: b.Location("image"), Path: b.target, Progress: report})
		return err
	}))
	ok(t, exact(int64(len(data)), func(report workspace.Progress) error {
		_, err := b.transport.Deliver(t.Context(), workspace.Deliver{
			Path: b.target, Location: b.Location("saved"), Progress: report})
		return err
	}))
}

// exact makes sure that a transfer tells how far it is as it should: once for each MiB,
// and ten times a second when it is slow.
func exact(size int64, transfer func(workspace.Progress) error) error {
	last, calls, begun := int64(-1), 0, time.Now()
	var wrong error
	err := transfer(func(done, total int64) {
		if done < last || done < 0 || done > total || total != size {
			wrong = fmt.Errorf("told of %d of %d after %d", done, total, last)
		}
		last = done
		calls++
	})
	switch {
	case err != nil:
		return err
	case wrong != nil:
		return wrong
	case last != size:
		return fmt.Errorf("the last that was told is %d of %d", last, size)
	case calls < 2 || calls > 3+int(size>>20)+int(time.Since(begun)/(100*time.Millisecond)):
		return fmt.Errorf("told %d times of %d bytes", calls, size)
	}
	return nil
}

// rates makes sure that a transfer takes the time that its limit gives it, and
// not much more.
func rates(t *testing.T, b *bench) {
	data := imagetest.Random(2<<20, 11)
	b.put(t, "image", data)
	for call, move := range map[string]func() error{
		"Fetch": func() error {
			_, err := b.transport.Fetch(t.Context(), workspace.Fetch{
				Location: b.Location("image"), Path: b.target, Rate: fourMB})
			return err
		},
		"Deliver": func() error {
			writeFile(t, b.target, data)
			_, err := b.transport.Deliver(t.Context(), workspace.Deliver{
				Path: b.target, Location: b.Location("saved"), Rate: fourMB})
			return err
		},
	} {
		began := time.Now()
		ok(t, move())
		if took := time.Since(began); took < 400*time.Millisecond {
			t.Errorf("%s moved 2 MiB at 4 MiB/s in %s", call, took)
		}
	}
	ok(t, os.Remove(b.target))
	_, err := b.fetch(t.Context(), "saved")
	ok(t, err)
	b.got(t, data)
}

// fourMB is four megabytes a second.
func fourMB() int64 { return 4 << 20 }
