package imagetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Mounted is a directory on a new file system of that kind and size, xfs or btrfs, which
// takes root. It is gone with the test.
func Mounted(t testing.TB, kind string, sizeMB int64) string {
	t.Helper()
	dir := t.TempDir()
	disk, at := filepath.Join(dir, "disk"), filepath.Join(dir, "at")
	tool := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %v (root, Debian packages xfsprogs and btrfs-progs): %v: %s", name, args,
				err, out)
		}
	}
	if err := os.Mkdir(at, 0o755); err != nil {
		t.Fatal(err)
	}
	tool("truncate", "-s", fmt.Sprint(sizeMB<<20), disk)
	tool("mkfs."+kind, "-q", disk)
	tool("mount", "-o", "loop", "-t", kind, disk, at)
	t.Cleanup(func() { unmount(t, at) })
	return at
}

// unmount fails the test where something stays open. A process that is just being
// started has all of its parent's files open for a moment.
func unmount(t testing.TB, at string) {
	for deadline := time.Now().Add(time.Minute); ; {
		err := unix.Unmount(at, 0)
		if err == nil {
			return
		}
		if !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			unix.Unmount(at, unix.MNT_DETACH)
			t.Errorf("cannot unmount %s: %v", at, err)
			return
		}
		<-time.After(10 * time.Millisecond) // a condition of other processes
	}
}
