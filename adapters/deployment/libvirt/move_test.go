package libvirt_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/service/workspace"
)

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
