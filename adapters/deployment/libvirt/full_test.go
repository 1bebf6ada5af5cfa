package libvirt_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestFullDisk has the host's disk be full when memory is to be saved, and when a
// snapshot is to be made: the reason is told, the guest goes on, nothing of it is left,
// and with room it is done.
func TestFullDisk(t *testing.T) {
	dir, err := os.MkdirTemp("", "full")
	must(t, err)
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=800m", "tmpfs",
		dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() {
		_ = exec.Command("umount", "--lazy", dir).Run()
		_ = os.Remove(dir)
	})
	t.Setenv("TMPDIR", dir)
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 1)
	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 1, false))
	f.console(1).Await(t, "alive")
	before, err := filepath.Glob(filepath.Join(f.images, "*"))
	must(t, err)

	free, total, err := local.Access{}.Space(t.Context(), dir)
	must(t, err)
	holds(t, dir, total-free+8<<20) // others could have the rest, but that takes memory
	for what, do := range map[string]func() error{
		"a snapshot": func() error { return h.Snapshot(t.Context(), 1, "a") },
		"saving":     func() error { return h.Stop(t.Context(), 1, workspace.StopSerialize) },
	} {
		err := do()
		isKind(t, what, err, workspace.NoResource)
		if err != nil && !strings.Contains(err.Error(), f.images) {
			t.Errorf("%s: %v does not say where", what, err)
		}
		is(t, h, 1, workspace.ConditionRunning)
		f.alive(t, 1)
		if kept, err := h.Snapshots(t.Context(), 1); err != nil || len(kept) != 0 {
			t.Errorf("after %s there are snapshots %v, %v", what, kept, err)
		}
		if after, err := filepath.Glob(filepath.Join(f.images, "*")); err != nil ||
			len(after) != len(before) {
			t.Errorf("%s has left %v, before there were %v, %v", what, after, before, err)
		}
	}

	holds(t, dir, total)
	keepInTheEnd(t, h, 1, "a")
	must(t, h.Stop(t.Context(), 1, workspace.StopSerialize))
	is(t, h, 1, workspace.ConditionSaved)
	must(t, h.Start(t.Context(), 1, false))
	f.alive(t, 1)
	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
}

// holds gives the disk of the test another size, in bytes.
func holds(t *testing.T, dir string, size int64) {
	t.Helper()
	out, err := exec.Command("mount", "-o", fmt.Sprint("remount,size=", size), dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// keepInTheEnd makes a snapshot as the service does, which tries again after what may
// pass: QEMU 7.2 may fail to copy disks once or twice after a save that failed ("Bad
// file descriptor", "Illegal seek").
func keepInTheEnd(t *testing.T, h *libvirt.Host, id workspace.ID, name string) {
	t.Helper()
	err := h.Snapshot(t.Context(), id, name)
	for range 4 {
		if workspace.KindOf(err) == workspace.Transient {
			t.Log(err)
			err = h.Snapshot(t.Context(), id, name)
		}
	}
	must(t, err)
}
