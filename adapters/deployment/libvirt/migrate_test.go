package libvirt_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/deploymenttest"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// ferry is two hosts between which real machines go.
type ferry struct {
	lab    *libvirtdtest.Lab
	guest  libvirtdtest.Guest
	copied bool   // each host has disks of its own
	narrow string // unless empty, where the last host has its disks
}

func newFerry(t testing.TB, copied bool) *ferry {
	t.Helper()
	return newNarrowFerry(t, copied, "")
}

// newNarrowFerry is a ferry whose last host has its disks in a directory that was there
// before it.
func newNarrowFerry(t testing.TB, copied bool, narrow string) *ferry {
	t.Helper()
	f := &ferry{libvirtdtest.StartLab(t, 2), libvirtdtest.BuildGuest(t), copied, narrow}
	for _, h := range f.lab.Hosts {
		h.Network("lease0")
		must(t, os.MkdirAll(f.images(h), 0o755))
	}
	return f
}

// images is where the machines of a host have their disks.
func (f *ferry) images(h *libvirtdtest.LabHost) string {
	switch {
	case f.narrow != "" && h == f.lab.Hosts[1]:
		return f.narrow
	case f.copied:
		return filepath.Join(h.Dir, "own")
	}
	return f.lab.Shared
}

// open opens the adapter of the i-th host.
func (f *ferry) open(t testing.TB, i int) *libvirt.Host {
	t.Helper()
	return f.openBy(t, i, local.Access{})
}

// openBy opens it with another way to the host's files.
func (f *ferry) openBy(t testing.TB, i int, way workspace.Access) *libvirt.Host {
	t.Helper()
	h := f.lab.Hosts[i]
	host, err := libvirt.Open(t.Context(), libvirt.Options{
		Host: workspace.HostID(h.Name), Pool: "test pool", URI: h.URIOver("unix", "qemu"),
		Peer: "qemu+tcp://" + h.Name + "/system", Access: way,
		Accel: libvirt.AccelTCG, ConsoleDir: filepath.Join(h.Dir, "console"),
		Networks: map[string]libvirt.Network{
			"public": {Kind: libvirt.NetworkLibvirt, Name: "lease0"}},
	})
	must(t, err)
	return host
}

// machine is a machine as it is on the i-th host.
func (f *ferry) machine(i int, id workspace.ID) workspace.Machine {
	h := f.lab.Hosts[i]
	boot := f.guest.Boot
	boot.Cmdline = "quiet mitigations=off no_timer_check clocksource=acpi_pm"
	return workspace.Machine{
		ID: id, Name: "tiny", Owner: "/O=Example/CN=Ada", Architecture: "x86_64",
		MemoryMB: 112, CPUs: 1, Boot: boot, NICs: []workspace.NIC{nic(id)},
		Disks: []workspace.MachineDisk{{Path: filepath.Join(f.images(h), id.String()+".img"),
			Format: "raw", MountAs: "sda1"}},
		Memory: filepath.Join(f.images(h), id.String()+"-memory."+h.Name),
	}
}

// console follows a machine's serial line on the i-th host.
func (f *ferry) console(i int, id workspace.ID) *libvirtdtest.Console {
	return &libvirtdtest.Console{Path: filepath.Join(f.lab.Hosts[i].Dir, "console",
		"workspace-"+id.String()+".log")}
}

// empty checks that nothing of our machines is on the i-th host.
func (f *ferry) empty(t *testing.T, i int) {
	t.Helper()
	h := f.lab.Hosts[i]
	left := map[string]string{
		"domains":      h.Virsh("list", "--all", "--name"),
		"DHCP entries": hosts(h.Virsh("net-dumpxml", "lease0")),
		"stored DHCP":  hosts(h.Virsh("net-dumpxml", "lease0", "--inactive")),
		"processes":    h.Shell("pgrep -a qemu-system"),
		"consoles":     h.Shell("ls " + filepath.Join(h.Dir, "console") + " 2>/dev/null"),
	}
	for what, is := range left {
		if strings.TrimSpace(is) != "" {
			t.Errorf("%s are left on %s: %s", what, h.Name, is)
		}
	}
}

// diskless checks that the i-th host has no disks.
func (f *ferry) diskless(t *testing.T, i int) {
	t.Helper()
	if left := f.lab.Hosts[i].Shell("ls " + f.images(f.lab.Hosts[i])); left != "" {
		t.Errorf("disks are left: %s", left)
	}
}

func TestMigration(t *testing.T) {
	for name, copied := range map[string]bool{"shared disks": false, "disks copied": true} {
		t.Run(name, func(t *testing.T) {
			f := newFerry(t, copied)
			deploymenttest.ExerciseMigration(t, func(t *testing.T) deploymenttest.Rig {
				return deploymenttest.Rig{
					Host: f.open(t, 0),
					Machine: func(id workspace.ID) workspace.Machine {
						m := f.machine(0, id)
						f.guest.Disk(t, m.Disks[0].Path)
						return m
					},
					Second:    func(t *testing.T) workspace.Deployment { return f.open(t, 1) },
					Elsewhere: func(id workspace.ID) workspace.Machine { return f.machine(1, id) },
					Copied:    copied,
				}
			})
			f.empty(t, 0)
			f.empty(t, 1)
		})
	}
}

// TestGuestGoesOnElsewhere believes what the guest itself says: its memory and its
// disk have come with it.
func TestGuestGoesOnElsewhere(t *testing.T) {
	f := newFerry(t, true)
	one, two := f.open(t, 0), f.open(t, 1)
	defer func() { must(t, one.Close()); must(t, two.Close()) }()
	m := f.machine(0, 1)
	f.guest.Disk(t, m.Disks[0].Path)
	must(t, one.Define(t.Context(), m))
	must(t, one.Start(t.Context(), 1, false))
	says := f.console(0, 1)
	says.Await(t, "boot 1 of this disk")
	before := uptime(t, says.Await(t, "alive"))
	passage, err := one.Migrate(t.Context(), 1,
		workspace.Migration{Target: two, As: f.machine(1, 1), Copied: true})
	must(t, err)
	t.Logf("moved: %+v", passage)
	says = f.console(1, 1)
	if after := uptime(t, says.Await(t, "alive")); after < before {
		t.Errorf("the guest was up %v s, and after its move %v s", before, after)
	}
	f.empty(t, 0)
	within(t, func(ctx context.Context) error { return two.Reboot(ctx, 1) })
	says.Await(t, "boot 2 of this disk")
	must(t, two.Undefine(t.Context(), 1))
	must(t, os.Remove(f.machine(1, 1).Disks[0].Path))
	f.empty(t, 1)
}
