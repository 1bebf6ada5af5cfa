package libvirt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/deploymenttest"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// farm is a private host with real machines.
type farm struct {
	*libvirtdtest.Daemon
	guest   libvirtdtest.Guest
	images  string
	options libvirt.Options
}

// newFarm starts the host and builds the guest.
func newFarm(t *testing.T) *farm {
	t.Helper()
	return newFarmOn(t, libvirtdtest.Start(t))
}

// newFarmOn makes a farm of a host that is there.
func newFarmOn(t *testing.T, d *libvirtdtest.Daemon) *farm {
	t.Helper()
	d.Network("lease0")
	f := &farm{Daemon: d, guest: libvirtdtest.BuildGuest(t), images: filepath.Join(d.Dir, "images")}
	must(t, os.Mkdir(f.images, 0o755))
	f.options = libvirt.Options{
		URI: d.URI("qemu"), Accel: libvirt.AccelTCG, ConsoleDir: filepath.Join(d.Dir, "console"),
		Networks: map[string]libvirt.Network{
			"public": {Kind: libvirt.NetworkLibvirt, Name: "lease0"}},
	}
	return f
}

// machine is a real machine with a disk of its own.
func (f *farm) machine(t *testing.T, id workspace.ID) workspace.Machine {
	disk := filepath.Join(f.images, fmt.Sprintf("%v.img", id))
	f.guest.Disk(t, disk)
	boot := f.guest.Boot
	boot.Cmdline = "quiet mitigations=off no_timer_check clocksource=acpi_pm"
	m := workspace.Machine{
		ID: id, Name: "tiny", Owner: "/O=Example/CN=Ada", Architecture: "x86_64",
		MemoryMB: 112, CPUs: 1, Boot: boot,
		Disks:  []workspace.MachineDisk{{Path: disk, Format: "raw", MountAs: "sda1"}},
		Memory: filepath.Join(f.images, fmt.Sprintf("%v-memory", id)),
	}
	if id < 100 { // the network has room for no more
		m.NICs = []workspace.NIC{nic(id)}
	}
	return m
}

func nic(id workspace.ID) workspace.NIC {
	return workspace.NIC{
		Association: "public", MAC: fmt.Sprintf("52:54:00:00:00:%02X", byte(id)),
		Address: workspace.Address{Hostname: fmt.Sprintf("node%v.example.org", id),
			IP: fmt.Sprintf("192.168.77.%d", 2+id)},
	}
}

// console follows a machine's serial line.
func (f *farm) console(id workspace.ID) *libvirtdtest.Console {
	return &libvirtdtest.Console{
		Path: filepath.Join(f.options.ConsoleDir, "workspace-"+id.String()+".log")}
}

func TestConformanceOfQEMU(t *testing.T) {
	f := newFarm(t)
	crowd := f.Crowd("qemu")
	deploymenttest.Exercise(t, func(t *testing.T) deploymenttest.Rig {
		return deploymenttest.Rig{
			Host:     open(t, f.options),
			Machine:  func(id workspace.ID) workspace.Machine { return f.machine(t, id) },
			Reopen:   func(t *testing.T) workspace.Deployment { return open(t, f.options) },
			Graceful: 20 * time.Second,
			Walk:     12,
			Awake:    func(t *testing.T, id workspace.ID) { f.console(id).Await(t, "alive") },
			Uses:     16,
			Keeps:    true,
			Bounded:  true,
			Metered:  true,
			Traffic:  true,
			Snaps:    true,
			Talks:    true,
			PowerOff: func(t *testing.T, id workspace.ID) {
				f.console(id).Await(t, "alive")
				f.Virsh("shutdown", "workspace-"+id.String())
			},
			Foreign: func(t *testing.T) string {
				return f.Virsh("list", "--all", "--name") +
					crowd() + f.Virsh("net-dumpxml", "lease0") +
					f.Virsh("net-dumpxml", "lease0", "--inactive")
			},
		}
	})
}
