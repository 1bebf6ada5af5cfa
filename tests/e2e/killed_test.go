//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/deploymenttest"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	domain "github.com/philoxenia/philoxenia/service/workspace"
)

// TestLibvirtdIsKilledAtEachCall kills libvirtd before, during and after each call
// that changes something, of each operation, with real machines, and repeats the
// operation: it must end as if it had been asked for once.
func TestLibvirtdIsKilledAtEachCall(t *testing.T) {
	for name, fate := range map[string]libvirtdtest.Fate{
		"before": libvirtdtest.Before, "during": libvirtdtest.During, "after": libvirtdtest.After,
	} {
		t.Run(name, func(t *testing.T) {
			d := libvirtdtest.Start(t)
			d.Network("lease0")
			guest := libvirtdtest.BuildGuest(t)
			relay := libvirtdtest.NewRelay(d)
			open := func(t *testing.T, uri string) domain.Deployment {
				h, err := libvirt.Open(t.Context(), libvirt.Options{Host: "host1", Pool: "pool",
					Access: local.Access{}, URI: uri, Accel: libvirt.AccelTCG,
					ConsoleDir: filepath.Join(d.Dir, "console"),
					Networks: map[string]libvirt.Network{
						"public": {Kind: libvirt.NetworkLibvirt, Name: "lease0"}}})
				if err != nil {
					t.Fatal(err)
				}
				return h
			}
			deploymenttest.Interrupt(t, deploymenttest.Rig{
				Host:    open(t, "qemu+unix:///system?socket="+relay.Address()),
				Machine: machineOn(t, d, guest),
				Reopen:  func(t *testing.T) domain.Deployment { return open(t, d.URI("qemu")) },
				Left:    func(t *testing.T) []string { return leftOn(t, d) },
				Foreign: func(*testing.T) string { return d.Virsh("net-dumpxml", "lease0") },
			}, &libvirtdtest.Striker{Relay: relay, Daemon: d, Fate: fate, Changes: true})
		})
	}
}

// machineOn makes machines with a disk of their own and an address of the network.
func machineOn(
	t *testing.T, d *libvirtdtest.Daemon, guest libvirtdtest.Guest,
) func(domain.ID) domain.Machine {
	return func(id domain.ID) domain.Machine {
		disk := filepath.Join(d.Dir, fmt.Sprintf("%v.img", id))
		guest.Disk(t, disk)
		return domain.Machine{
			ID: id, Name: "tiny", Owner: "/O=Example/CN=Ada", Architecture: "x86_64",
			MemoryMB: 112, CPUs: 1, Boot: guest.Boot,
			Disks:  []domain.MachineDisk{{Path: disk, Format: "raw", MountAs: "sda1"}},
			Memory: filepath.Join(d.Dir, fmt.Sprintf("%v-memory", id)),
			NICs: []domain.NIC{{Association: "public", MAC: "52:54:00:00:00:47",
				Address: domain.Address{Hostname: "node.example.org", IP: "192.168.77.71"}}},
		}
	}
}

// leftOn lists the files that machines have left on the host.
func leftOn(t *testing.T, d *libvirtdtest.Daemon) []string {
	var all []string
	for _, pattern := range []string{"console/*", "*-memory", "lib/qemu/save/*"} {
		some, err := filepath.Glob(filepath.Join(d.Dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	return all
}
