package libvirt_test

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestResizeIsOfWhatRuns asks libvirt what a guest has been given while it runs, and what
// it will have at its next start.
func TestResizeIsOfWhatRuns(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	must(t, h.Define(t.Context(), f.machine(t, 1)))
	must(t, h.Start(t.Context(), 1, false))
	f.console(1).Await(t, "alive")
	must(t, h.Resize(t.Context(), 1, workspace.Shape{MemoryMB: 160, CPUs: 2, CPUPercent: 50}))
	for command, want := range map[string]string{
		"dommemstat workspace-1":                     "actual 163840",
		"vcpucount workspace-1 --live --current":     "2",
		"vcpucount workspace-1 --config --current":   "2",
		"schedinfo workspace-1 --live":               "vcpu_quota : 50000",
		"schedinfo workspace-1 --config":             "vcpu_quota : 50000",
		"dumpxml workspace-1 --inactive":             "<currentMemory unit='KiB'>163840<",
		"dumpxml workspace-1 --xpath /domain/memory": "229376",
	} {
		said := strings.Join(strings.Fields(f.Virsh(strings.Fields(command)...)), " ")
		if !strings.Contains(said, want) {
			t.Errorf("%s: %q is not in\n%s", command, want, said)
		}
	}
	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
}
