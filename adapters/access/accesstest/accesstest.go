// Package accesstest is the suite that every way onto a host must pass. The host
// is this machine, whatever way leads there: the suite looks at its files directly.
// It must not know how an access does what it does.
package accesstest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Fixture makes accesses to exercise.
type Fixture struct {
	// Open returns an access to this machine, to be closed at the end of the test.
	Open func(t *testing.T) workspace.Access
	// Resumes tells that a Put or Get that was broken off goes on where it stopped.
	Resumes bool
}

// Exercise runs the whole suite.
func Exercise(t *testing.T, f Fixture) {
	a := f.Open(t)
	tests := []struct {
		name string
		run  func(t *testing.T, h *host)
	}{
		{"stat", stat},
		{"list", list},
		{"directories", directories},
		{"remove", remove},
		{"rename", rename},
		{"link", link},
		{"touch", touch},
		{"read", read},
		{"write", write},
		{"space", space},
		{"hostile names", hostileNames},
		{"paths that climb", climbers},
		{"blank", blank},
		{"examine", examine},
		{"refused images", refusedImages},
		{"copy", copyImage},
		{"copy of a sparse image", copySparse},
		{"clone", clone},
		{"clone again", cloneAgain},
		{"clone of what is no format", cloneRefused},
		{"put and get", putAndGet},
		{"put of a sparse image", putSparse},
		{"put and get again", putAgain},
		{"put that is broken off", putBroken},
		{"put of what is missing", putMissing},
		{"clone shares blocks", cloneShares},
		{"disk full", diskFull},
		{"symbolic links", symlinks},
		{"run", run},
		{"run with input", runWithInput},
		{"run what fails", runFails},
		{"cancel", cancelled},
		{"dial", dial},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, &host{Access: a, Fixture: f, dir: t.TempDir()})
		})
	}
}

// host is an access and a directory of the host for one test.
type host struct {
	workspace.Access
	Fixture
	dir string
}

func (h *host) path(name string) string { return filepath.Join(h.dir, name) }

// file writes a file onto the host directly.
func (h *host) file(t *testing.T, name string, data []byte) string {
	t.Helper()
	ok(t, os.WriteFile(h.path(name), data, 0o644))
	return h.path(name)
}

// sparse makes an image of 64 MiB with two stretches of 100 KiB of data.
func (h *host) sparse(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Create(h.path(name))
	ok(t, err)
	defer f.Close()
	ok(t, f.Truncate(64<<20))
	for i, at := range []int64{1 << 20, 40 << 20} {
		_, err = f.WriteAt(imagetest.Random(100<<10, byte(i)), at)
		ok(t, err)
	}
	return h.path(name)
}

// thin fails the test when a file with 200 KiB of data takes much more.
func thin(t *testing.T, path string) {
	t.Helper()
	var s unix.Stat_t
	ok(t, unix.Stat(path, &s))
	if taken := s.Blocks * 512; taken > 1<<20 {
		t.Errorf("%s takes %d bytes on the disk", path, taken)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// kind fails the test unless err is a *workspace.Error of that kind.
func kind(t *testing.T, err error, want workspace.Kind) {
	t.Helper()
	var typed *workspace.Error
	if !errors.As(err, &typed) || typed.Kind != want {
		t.Fatalf("expected an error of kind %s, got: %v", want, err)
	}
}

// equal fails the test unless both files hold the same.
func equal(t *testing.T, path, other string) {
	t.Helper()
	data, err := os.ReadFile(other)
	ok(t, err)
	imagetest.Same(t, path, data)
}

// qemuImg runs qemu-img and returns what it says.
func qemuImg(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("qemu-img", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("qemu-img (Debian package qemu-utils) %q: %v: %s", args, err, out)
	}
	return string(out)
}

// breakAt gives a context and a Progress that ends it once so much is done.
func breakAt(t *testing.T, offset int64) (context.Context, workspace.Progress) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, func(done, _ int64) {
		if done >= offset {
			cancel()
		}
	}
}
