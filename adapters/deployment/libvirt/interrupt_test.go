package libvirt_test

import (
	"path/filepath"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/deploymenttest"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestConnectionIsCut cuts the connection before each call of each operation, and
// loses the answer of each, on the test driver.
func TestConnectionIsCut(t *testing.T) {
	for name, fate := range map[string]libvirtdtest.Fate{
		"before the call": libvirtdtest.Cut, "instead of the answer": libvirtdtest.Lose,
	} {
		t.Run(name, func(t *testing.T) {
			d := libvirtdtest.Start(t)
			d.Hold()
			direct := libvirt.Options{URI: d.URI("test"), Networks: map[string]libvirt.Network{
				"public": {Kind: libvirt.NetworkBridge, Name: "br0"}}}
			relay := libvirtdtest.NewRelay(d)
			relayed := direct
			relayed.URI = "test+unix:///default?socket=" + relay.Address()
			deploymenttest.Interrupt(t, deploymenttest.Rig{
				Host:    open(t, relayed),
				Machine: paper, TwoSteps: true,
				Reopen:  func(t *testing.T) workspace.Deployment { return open(t, direct) },
				Foreign: func(*testing.T) string { return d.VirshTest("dumpxml", "test") },
			}, &libvirtdtest.Striker{Relay: relay, Daemon: d, Fate: fate})
		})
	}
}

// TestDaemonIsKilled kills the daemon as soon as it has done what it was asked, with
// real machines. tests/e2e kills it before, during and after every
// call that changes something.
func TestDaemonIsKilled(t *testing.T) {
	f := newFarm(t)
	crowd := f.Crowd("qemu")
	relay := libvirtdtest.NewRelay(f.Daemon)
	relayed := f.options
	relayed.URI = "qemu+unix:///system?socket=" + relay.Address()
	deploymenttest.Interrupt(t, deploymenttest.Rig{
		Host:    open(t, relayed),
		Machine: func(id workspace.ID) workspace.Machine { return f.machine(t, id) },
		Reopen:  func(t *testing.T) workspace.Deployment { return open(t, f.options) },
		Left:    f.left,
		Foreign: func(*testing.T) string { return f.Virsh("net-dumpxml", "lease0") + crowd() },
	}, &libvirtdtest.Striker{Relay: relay, Daemon: f.Daemon, Fate: libvirtdtest.After,
		Changes: true}, "define", "start", "serialize", "restore", "undefine what runs")
}

// left lists what machines have left on the host.
func (f *farm) left(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"console/*", "images/*memory*", "lib/qemu/save/*"} {
		some, err := filepath.Glob(filepath.Join(f.Dir, pattern))
		must(t, err)
		all = append(all, some...)
	}
	return all
}
