package libvirt_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/deploymenttest"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens an adapter, whose host's files are those that the test sees.
func open(t *testing.T, o libvirt.Options) *libvirt.Host {
	t.Helper()
	o.Host, o.Pool, o.Access = "host1", "test pool", local.Access{}
	h, err := libvirt.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// paper is a machine for the test driver, which looks at no files.
func paper(id workspace.ID) workspace.Machine {
	return workspace.Machine{
		ID: id, Name: "paper", Owner: "/O=Example/CN=Ada", MemoryMB: 64, CPUs: 1,
		Memory: "/images/memory",
		Boot:   workspace.Boot{Kernel: "/boot/vmlinuz"},
		Disks:  []workspace.MachineDisk{{Path: "/images/root.img", Format: "raw", MountAs: "sda1"}},
		NICs: []workspace.NIC{{Association: "public", MAC: fmt.Sprintf("52:54:00:00:%02X:%02X",
			byte(id>>8), byte(id)), Address: workspace.Address{Hostname: "a.example.org",
			IP: "192.168.122.77"}}},
	}
}

func TestConformanceOfTheTestDriver(t *testing.T) {
	d := libvirtdtest.Start(t)
	d.Hold()
	crowd := d.Crowd("test")
	options := libvirt.Options{
		URI:      d.URI("test"),
		Networks: map[string]libvirt.Network{"public": {Kind: libvirt.NetworkBridge, Name: "br0"}},
	}
	deploymenttest.Exercise(t, func(t *testing.T) deploymenttest.Rig {
		return deploymenttest.Rig{
			Host:     open(t, options),
			Machine:  paper,
			Reopen:   func(t *testing.T) workspace.Deployment { return open(t, options) },
			Graceful: 10 * time.Second,
			Bounded:  true,
			PowerOff: func(t *testing.T, id workspace.ID) {
				d.VirshTest("shutdown", "workspace-"+id.String())
			},
			Foreign: func(t *testing.T) string {
				return d.VirshTest("list", "--all", "--name") + crowd() +
					d.VirshTest("dumpxml", "test")
			},
		}
	})
}

// foreign writes the definition of a domain that is not ours.
func foreign(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".xml")
	write(t, path, "<domain type='test'><name>"+name+"</name><memory>8192</memory>"+
		"<os><type>hvm</type></os></domain>")
	return path
}
