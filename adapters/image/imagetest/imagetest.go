// Package imagetest is what the tests of everything that handles images share: bytes
// to make images of, disks that are full soon, and what must be in files and
// directories afterwards. It must not know who handles them.
package imagetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Random returns bytes that are the same in each run, and no zeros to speak of.
func Random(size int, seed byte) []byte {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

// Sum returns the SHA-256 of the bytes, in hexadecimal digits.
func Sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// Small mounts a file system with room for so many bytes, until the test is over.
func Small(t *testing.T, bytes string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+bytes); err != nil {
		t.Fatalf("a full disk is tested on a small tmpfs, which root may mount: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// Same fails the test unless the file holds data.
func Same(t *testing.T, path string, data []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Fatalf("%s holds %d bytes with SHA-256 %s, expected %d with %s", path,
			len(got), Sum(got), len(data), Sum(data))
	}
}

// Only fails the test unless the directory holds just these names, in order.
func Only(t *testing.T, dir string, names ...string) {
	t.Helper()
	if got := entries(t, dir); !slices.Equal(got, names) {
		t.Fatalf("%s holds %q, expected %q", dir, got, names)
	}
}

// Becomes is Only for a directory from which somebody else still takes away what was
// broken off, as a server does: it fails the test unless it comes to that.
func Becomes(t *testing.T, dir string, names ...string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		got := entries(t, dir)
		if slices.Equal(got, names) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s holds %q, expected %q", dir, got, names)
		}
		<-time.After(10 * time.Millisecond) // a condition of another: only asking helps
	}
}

// entries returns the names in a directory, in order.
func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}
