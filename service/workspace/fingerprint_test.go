package workspace_test

import (
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestFingerprint(t *testing.T) {
	make := func(change func(*workspace.Machine)) string {
		m := workspace.Machine{ID: 7, Owner: "/O=Example/CN=Ada", Name: "n", MemoryMB: 64,
			Boot:  workspace.Boot{Kernel: "/boot/a"},
			Disks: []workspace.MachineDisk{{Path: "/d", Format: "raw", MountAs: "sda1"}},
			NICs:  []workspace.NIC{{Association: "public", MAC: "A2:AA:BB:00:00:01"}}}
		change(&m)
		return m.Fingerprint()
	}
	same := make(func(*workspace.Machine) {})
	for name, c := range map[string]struct {
		change func(*workspace.Machine)
		differ bool
	}{
		"nothing": {func(*workspace.Machine) {}, false},
		"kernel":  {func(m *workspace.Machine) { m.Boot.Kernel = "/boot/b" }, false},
		"memory":  {func(m *workspace.Machine) { m.MemoryMB++ }, true},
		"words cannot slide from one field into the next": {func(m *workspace.Machine) {
			m.Owner, m.Name = "/O=Example/CN=Ada\" \"n", ""
		}, true},
		"disk": {func(m *workspace.Machine) { m.Disks[0].ReadOnly = true }, true},
		"nic":  {func(m *workspace.Machine) { m.NICs[0].IP = "192.0.2.1" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			if differs := make(c.change) != same; differs != c.differ {
				t.Errorf("the fingerprint differs: %t, want %t", differs, c.differ)
			}
		})
	}
}
