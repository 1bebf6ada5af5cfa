package packed_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/adapters/transport/packed"
	"github.com/philoxenia/philoxenia/adapters/transport/transporttest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// tools are the programs that everyone else uses for the three methods.
var tools = map[string]string{"gz": "gzip", "xz": "xz", "zst": "zstd"}

func TestConformance(t *testing.T) {
	transporttest.Exercise(t, transporttest.Fixture{
		Open: func(t *testing.T, repository string) workspace.Transport {
			return open(t, repository)
		},
		Location: func(name string) string { return "file://" + name },
	})
}

func open(t *testing.T, repository string) *packed.Transport {
	t.Helper()
	inner, err := file.Open(repository)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inner.Close() })
	return packed.New(inner)
}

// image returns 24 MiB, most of them zeros.
func image() []byte {
	data := make([]byte, 24<<20+77)
	copy(data[5<<20:], imagetest.Random(1<<20, 1))
	copy(data[20<<20:], "some text at the end")
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFetchOfWhatOthersPacked expands what the usual tools made.
func TestFetchOfWhatOthersPacked(t *testing.T) {
	data := image()
	for suffix, tool := range tools {
		t.Run(tool, func(t *testing.T) {
			repository, host := t.TempDir(), t.TempDir()
			write(t, filepath.Join(repository, "image"), data)
			if out, err := exec.Command(tool, filepath.Join(repository, "image")).
				CombinedOutput(); err != nil {
				t.Fatalf("%s: %v %s", tool, err, out)
			}
			f := workspace.Fetch{Location: "file://image." + suffix,
				Path: filepath.Join(host, "disk"), Sync: true, MaxBytes: int64(len(data))}
			there, err := os.ReadFile(filepath.Join(repository, "image."+suffix))
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(there)
			f.SHA256 = hex.EncodeToString(sum[:])
			transport := open(t, repository)
			last := int64(-1)
			f.Progress = func(done, total int64) {
				if done < last || done > total || total != 2*int64(len(there)) {
					t.Errorf("told of %d of %d after %d", done, total, last)
				}
				last = done
			}
			for range 2 {
				info, err := transport.Fetch(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				want := workspace.ImageInfo{Size: int64(len(data)), Format: "raw", SHA256: f.SHA256}
				if info != want {
					t.Errorf("it brought %+v", info)
				}
			}
			if last != 2*int64(len(there)) {
				t.Errorf("the last that was told is %d", last)
			}
			imagetest.Same(t, f.Path, data)
			thin(t, f.Path)
			imagetest.Only(t, host, "disk", "disk.packed.state")
		})
	}
}

// TestDeliverForOthers packs what the usual tools expand.
func TestDeliverForOthers(t *testing.T) {
	data := image()
	for suffix, tool := range tools {
		t.Run(tool, func(t *testing.T) {
			repository, host := t.TempDir(), t.TempDir()
			disk := filepath.Join(host, "disk")
			write(t, disk, data)
			transport := open(t, repository)
			for range 2 {
				_, err := transport.Deliver(t.Context(), workspace.Deliver{
					Path: disk, Location: "file://saved." + suffix})
				if err != nil {
					t.Fatal(err)
				}
			}
			imagetest.Only(t, host, "disk")
			out, err := exec.Command(tool, "-dc",
				filepath.Join(repository, "saved."+suffix)).Output()
			if err != nil || !bytes.Equal(out, data) {
				t.Errorf("%s makes %d bytes of it: %v", tool, len(out), err)
			}
		})
	}
}

// TestBadImages makes sure that nothing remains of what is no good.
func TestBadImages(t *testing.T) {
	repository, host := t.TempDir(), t.TempDir()
	transport := open(t, repository)
	good := filepath.Join(repository, "good")
	write(t, good, image())
	for suffix, tool := range tools {
		if out, err := exec.Command(tool, "-k", good).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", tool, err, out)
		}
		whole, err := os.ReadFile(good + "." + suffix)
		if err != nil {
			t.Fatal(err)
		}
		cut, bent := whole[:len(whole)/2], bytes.Clone(whole)
		for i := range bent[len(bent)/2 : len(bent)/2+200] {
			bent[len(bent)/2+i] ^= 0x55
		}
		foreign := []byte("this is not compressed at all, whatever its name says")
		for name, data := range map[string][]byte{"cut": cut, "bent": bent, "foreign": foreign} {
			write(t, filepath.Join(repository, name+"."+suffix), data)
			_, err := transport.Fetch(t.Context(), workspace.Fetch{
				Location: "file://" + name + "." + suffix, Path: filepath.Join(host, "disk")})
			if err == nil || workspace.KindOf(err) != workspace.Invalid {
				t.Errorf("%s of %s: %v", name, tool, err)
			}
			imagetest.Only(t, host)
		}
		_, err = transport.Fetch(t.Context(), workspace.Fetch{MaxBytes: 1 << 20,
			Location: "file://good." + suffix, Path: filepath.Join(host, "disk")})
		if err == nil || workspace.KindOf(err) != workspace.Invalid {
			t.Errorf("more than is allowed came out of %s: %v", tool, err)
		}
		imagetest.Only(t, host)
	}
}

// TestBrokenOff makes sure that a fetch that was called off can be made again.
func TestBrokenOff(t *testing.T) {
	repository, host := t.TempDir(), t.TempDir()
	transport := open(t, repository)
	write(t, filepath.Join(repository, "image"), image())
	if out, err := exec.Command("gzip", filepath.Join(repository, "image")).
		CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for _, share := range []int64{10, 60, 90} {
		ctx, cancel := context.WithCancel(t.Context())
		f := workspace.Fetch{Location: "file://image.gz", Path: filepath.Join(host, "disk"),
			Progress: func(done, total int64) {
				if done*100 >= total*share {
					cancel()
				}
			}}
		_, err := transport.Fetch(ctx, f)
		if _, there := os.Stat(f.Path); err != nil && there == nil {
			t.Error("half a disk has its name")
		}
		f.Progress = nil
		if _, err := transport.Fetch(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		imagetest.Same(t, f.Path, image())
		imagetest.Only(t, host, "disk", "disk.packed.state")
		for _, name := range []string{"disk", "disk.packed.state"} {
			os.Remove(filepath.Join(host, name))
		}
	}
}

func thin(t *testing.T, path string) {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		t.Fatal(err)
	}
	if taken := stat.Blocks * 512; taken > 2<<20 {
		t.Errorf("%s takes %d bytes on the disk for one mebibyte of data", path, taken)
	}
}
