package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// imageOf opens a repository with one image and returns the image's path too.
func imageOf(t *testing.T, content string) (*Transport, string) {
	t.Helper()
	repository := t.TempDir()
	tr, err := Open(repository)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	path := filepath.Join(repository, "image")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return tr, path
}

func TestShare(t *testing.T) {
	tr, image := imageOf(t, "a disk")
	host := t.TempDir()
	other := filepath.Join(host, "other")
	if err := os.WriteFile(other, []byte("left from something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(host, "new"), filepath.Join(host, "new"), other} {
		info, err := tr.Fetch(t.Context(), workspace.Fetch{
			Location: "file://image", Path: path, Share: true,
		})
		if err != nil || info.Size != 6 || info.Format != "raw" {
			t.Fatalf("Fetch = %+v, %v", info, err)
		}
		got, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.Stat(image)
		if err != nil {
			t.Fatal(err)
		}
		if !os.SameFile(got, want) {
			t.Errorf("%s is a copy", path)
		}
	}
}

// An image that was replaced while it was open has no name to share any more.
func TestShareOfAReplacedImage(t *testing.T) {
	repository := t.TempDir()
	tr, err := Open(repository)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	image := filepath.Join(repository, "image")
	if err := os.WriteFile(image, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := tr.openIn("image")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if err := os.Remove(image); err != nil {
		t.Fatal(err)
	}
	j := job{src: src, target: filepath.Join(t.TempDir(), "disk")}
	if _, ok, err := j.share(t.Context()); ok || err != nil {
		t.Errorf("share = %v, %v; want to be told to copy", ok, err)
	}
}

func TestShareVerifies(t *testing.T) {
	tr, _ := imageOf(t, "x")
	path := filepath.Join(t.TempDir(), "disk")
	_, err := tr.Fetch(t.Context(), workspace.Fetch{
		Location: "file://image", Path: path, Share: true, SHA256: strings.Repeat("0", 64),
	})
	if workspace.KindOf(err) != workspace.Invalid {
		t.Errorf("Fetch = %v, want Invalid", err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the disk is there: %v", err)
	}
}

func TestShareCopiesAcrossFileSystems(t *testing.T) {
	tr, _ := imageOf(t, "x")
	host, err := os.MkdirTemp("/dev/shm", "share-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(host)
	path := filepath.Join(host, "disk")
	_, err = tr.Fetch(t.Context(), workspace.Fetch{
		Location: "file://image", Path: path, Share: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "x" {
		t.Errorf("the disk holds %q, %v", got, err)
	}
}
