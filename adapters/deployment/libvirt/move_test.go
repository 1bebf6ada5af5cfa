package libvirt_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestMemoryGoesToAnotherHost saves a guest on one host and lets it go on, with
// its disk, on another one, whose directories and networks have other names.
func TestMemoryGoesToAnotherHost(t *testing.T) {
	one, other := newFarm(t), newFarm(t)
	from, to := open(t, one.options), open(t, other.options)
	defer func() { must(t, from.Close()); must(t, to.Close()) }()
	m, there := one.machine(t, 1), one.machine(t, 1)
	there.Memory = filepath.Join(other.images, "elsewhere")
	there.Disks = []workspace.MachineDisk{{Path: filepath.Join(other.images, "moved.img"),
		Format: "raw", MountAs: "sda1"}}

	must(t, from.Define(t.Context(), m))
	must(t, from.Start(t.Context(), 1, false))
	says := one.console(1)
	says.Await(t, "boot 1 of this disk")
	before := uptime(t, says.Await(t, "alive"))
	must(t, from.Resize(t.Context(), 1, workspace.Shape{MemoryMB: 160}))
	m.MemoryMB, there.MemoryMB = 160, 160
	took(t, "save", func() error { return from.Stop(t.Context(), 1, workspace.StopSerialize) })
	is(t, from, 1, workspace.ConditionSaved)

	took(t, "move", func() error {
		from, path := m.Disks[0].Path, there.Disks[0].Path
		return exec.Command("cp", "--sparse=always", from, path).Run()
	})
	_, err := exec.Command("cp", m.Memory, there.Memory).Output()
	must(t, err)
	must(t, to.Define(t.Context(), there))
	is(t, to, 1, workspace.ConditionSaved)
	took(t, "restore", func() error { return to.Start(t.Context(), 1, false) })
	says = other.console(1)
	if after := uptime(t, says.Await(t, "alive")); after < before {
		t.Errorf("the guest was up %v s, and on the other host %v s", before, after)
	}
	is(t, to, 1, workspace.ConditionRunning)
	must(t, to.Define(t.Context(), there))

	t.Log("it can be resized there, and writes to the disk that is there")
	took(t, "resize", func() error {
		return to.Resize(t.Context(), 1, workspace.Shape{MemoryMB: 120})
	})
	says.Await(t, "processors")
	must(t, from.Undefine(t.Context(), 1))
	one.nothingRemains(t)
	within(t, func(ctx context.Context) error { return to.Reboot(ctx, 1) })
	says.Await(t, "boot 2 of this disk")
	must(t, to.Undefine(t.Context(), 1))
	other.nothingRemains(t)
}

// took notes how long something takes.
func took(t *testing.T, what string, do func() error) {
	t.Helper()
	begun := time.Now()
	must(t, do())
	t.Logf("%s took %v", what, time.Since(begun).Round(time.Millisecond))
}

// TestRestorationIsCutOff lets the adapter die at each step of a restoration.
// The next one completes it, and the file is never taken for memory again.
func TestRestorationIsCutOff(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 1)
	says := f.console(1)
	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 1, false))
	says.Await(t, "alive")

	t.Log("a file that was cut off is no memory")
	must(t, h.Stop(t.Context(), 1, workspace.StopSerialize))
	f.Shell("cp " + m.Memory + " " + m.Memory + ".whole; truncate -s 90 " + m.Memory)
	is(t, h, 1, workspace.ConditionOff)
	f.Shell("mv " + m.Memory + ".whole " + m.Memory)
	is(t, h, 1, workspace.ConditionSaved)

	t.Log("in place and marked, the file still there")
	f.restoreMarked(t, m)
	is(t, h, 1, workspace.ConditionSaved)
	must(t, h.Start(t.Context(), 1, false))
	f.goesOn(t, h, m)

	t.Log("in place and marked, the file gone")
	must(t, h.Stop(t.Context(), 1, workspace.StopSerialize))
	f.restoreMarked(t, m)
	f.Shell("rm " + m.Memory)
	must(t, h.Start(t.Context(), 1, false))
	f.goesOn(t, h, m)

	t.Log("running and still marked")
	must(t, h.Stop(t.Context(), 1, workspace.StopSerialize))
	f.restoreMarked(t, m)
	f.Shell("rm " + m.Memory)
	f.Virsh("resume", "workspace-1")
	must(t, h.Start(t.Context(), 1, false))
	must(t, h.Pause(t.Context(), 1))
	is(t, h, 1, workspace.ConditionPaused)
	must(t, h.Resume(t.Context(), 1))
	f.goesOn(t, h, m)

	t.Log("marked and given up")
	must(t, h.Stop(t.Context(), 1, workspace.StopSerialize))
	f.restoreMarked(t, m)
	must(t, h.Stop(t.Context(), 1, workspace.StopForced))
	is(t, h, 1, workspace.ConditionOff)
	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
}

// restoreMarked does the first step of a restoration, as an adapter does that
// dies then.
func (f *farm) restoreMarked(t *testing.T, m workspace.Machine) {
	t.Helper()
	text := f.Virsh("save-image-dumpxml", m.Memory, "--security-info")
	marked := strings.Replace(text, " pool=", ` restoring="yes" pool=`, 1)
	if marked == text {
		t.Fatalf("there is nothing to mark in %s", text)
	}
	path := filepath.Join(f.Dir, "marked.xml")
	write(t, path, marked)
	f.Virsh("restore", m.Memory, "--xml", path, "--paused")
}

// goesOn checks that the guest runs and its memory's file is gone.
func (f *farm) goesOn(t *testing.T, h *libvirt.Host, m workspace.Machine) {
	t.Helper()
	is(t, h, m.ID, workspace.ConditionRunning)
	if left := f.Shell("ls " + m.Memory + " 2>/dev/null"); left != "" {
		t.Errorf("%s is still there", left)
	}
	says := f.console(m.ID)
	says.Skip(t)
	says.Await(t, "alive")
}
