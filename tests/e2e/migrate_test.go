//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
)

// ferry is what the configuration of two real hosts that share no disks goes on with:
// the hosts.
const ferry = `
seed = "none"
[[network]]
name = "lan"
first = "192.168.77.71"
last = "192.168.77.79"
netmask = "255.255.255.0"
gateway = "192.168.77.1"
mac_prefix = "52:54:00"
probe = false
%s%s`

// pier is one host: name, URI, address, key, known hosts.
const pier = `
[[host]]
id = %q
adapter = "libvirt"
uri = %q
acceleration = "tcg"
dir = "/var/lib/libvirt/images"
cpus = 2
memory_mb = 512
networks = { lan = "network:lease0" }
[host.ssh]
address = %q
user = "root"
key_file = %q
known_hosts = %q
`

// A crossing is a daemon over two real hosts.
type crossing struct {
	*site
	lab      *libvirtdtest.Lab
	metadata string
}

// cross starts a daemon over two hosts that it reaches by TCP and ssh.
func cross(t *testing.T) *crossing {
	t.Helper()
	lab := libvirtdtest.StartLab(t, 2)
	var hosts [2]string
	for i, h := range lab.Hosts {
		h.Network("lease0")
		hosts[i] = fmt.Sprintf(pier, h.Name, h.URIOver("tcp", "qemu"), h.SSH.Address, h.SSH.KeyFile,
			h.SSH.KnownHosts)
	}
	dir, opening := open(t)
	s := serve(t, dir, opening+fmt.Sprintf(ferry, hosts[0], hosts[1]))
	return &crossing{s, lab, written(t, addressed("lan"))}
}

// host is the lab's host of the name.
func (c *crossing) host(name string) *libvirtdtest.LabHost {
	if c.lab.Hosts[0].Name == name {
		return c.lab.Hosts[0]
	}
	return c.lab.Hosts[1]
}

// other is the name of the host that is not of this name.
func other(name string) string {
	return map[string]string{"host1": "host2", "host2": "host1"}[name]
}

// arrived waits until the workspace runs on the host, and there alone.
func (c *crossing) arrived(t *testing.T, key, at string) {
	t.Helper()
	domain := "workspace-" + key
	eventually(t, "it runs on "+at, func() bool {
		s := of(t, key)
		return s.State == "Running" && len(s.Lease.Hosts) == 1 && s.Lease.Hosts[0] == at &&
			strings.Contains(c.host(at).Virsh("list", "--name"), domain) &&
			!strings.Contains(c.host(other(at)).Virsh("list", "--all", "--name"), domain)
	})
}

// lately returns the time since its boot that the guest said last; 0: it said none.
func lately(t *testing.T, key string) (up float64) {
	t.Helper()
	for _, line := range strings.Split(workspace(t, "console", "--log", key), "\n") {
		if _, said, found := strings.Cut(line, "alive, up "); found {
			up, _ = strconv.ParseFloat(strings.Fields(said + " 0")[0], 64)
		}
	}
	return up
}

// uptime waits until the guest has said a time since it booted that is after the one
// given, and returns it. One that began anew would say less.
func uptime(t *testing.T, key string, after float64) (up float64) {
	t.Helper()
	eventually(t, fmt.Sprintf("the guest is up more than %g s", after), func() bool {
		up = lately(t, key)
		return up > after
	})
	return up
}

// nothing checks that nothing of any workspace is left on the host.
func nothing(t *testing.T, h *libvirtdtest.LabHost) {
	t.Helper()
	left := func() string {
		return h.Virsh("list", "--all", "--name") + guests(h) +
			h.Shell("cd /var/lib/libvirt/images && "+
				"find . -name '[0-9]*-*' -o -name 'workspace-*'") +
			h.Shell("virsh net-dumpxml lease0 | grep '<host ' || true")
	}
	defer func() {
		if t.Failed() {
			t.Logf("on %s are left: %s", h.Name, left())
		}
	}()
	eventually(t, "nothing is left on "+h.Name, func() bool {
		return strings.TrimSpace(left()) == ""
	})
}

// TestGuestCrosses moves a real guest between two real hosts by the commands: as it
// stands still, as it runs, and off a host that is drained; and goes back to a
// snapshot in between.
func TestGuestCrosses(t *testing.T) {
	c := cross(t)
	workspace(t, "deploy", c.metadata, "--memory", "112M", "--for", "2h", "--wait", "--timeout",
		patience.String())
	const key = "1"
	at := of(t, key).Lease.Hosts[0]
	up := uptime(t, key, 0)
	workspace(t, "migrate", key, "--to", other(at), "--cold")
	at = other(at)
	c.arrived(t, key, at)
	up = uptime(t, key, up)
	workspace(t, "snapshot", "create", key, "here")
	if list := workspace(t, "snapshot", "list", key); !strings.Contains(list, "disks and memory") {
		t.Errorf("the snapshots are\n%s", list)
	}
	later := uptime(t, key, up+10)
	workspace(t, "snapshot", "revert", "--yes", key, "here")
	c.arrived(t, key, at)
	eventually(t, "it is before where it was", func() bool { return lately(t, key) < later })
	uptime(t, key, up)
	workspace(t, "snapshot", "delete", key, "here")
	workspace(t, "migrate", key, "--live", "--wait", "--timeout", patience.String())
	at = other(at)
	c.arrived(t, key, at)
	workspace(t, "host", "drain", at, "--migrate", "--wait", "--timeout", patience.String())
	c.arrived(t, key, other(at))
	workspace(t, "destroy", "--yes", key)
	nothing(t, c.lab.Hosts[0])
	nothing(t, c.lab.Hosts[1])
}

// depart has the guest move, and lets the daemon die and another go on when the guest is
// on its way: it returns from where it goes.
func (c *crossing) depart(t *testing.T, key string) (from string) {
	t.Helper()
	from = of(t, key).Lease.Hosts[0]
	to := c.host(other(from))
	workspace(t, "migrate", key, "--cold")
	eventually(t, "the guest is on its way", func() bool {
		return strings.Contains(to.Virsh("list", "--all", "--name"), "workspace-"+key)
	})
	c.again(t)
	return from
}

// over waits until nothing of the move to the host is under way any more: until then who
// asks for it again is told so.
func over(t *testing.T, key, at string) {
	t.Helper()
	eventually(t, "its move is over", func() bool {
		return command(t, filepath.Join(bin, "workspace"), "migrate", key, "--to", at).code == 0
	})
}

// TestDaemonIsKilledAsAGuestCrosses kills the daemon at several moments of a move: one
// copy of the guest runs, wherever it is then, and it can be destroyed on the way.
func TestDaemonIsKilledAsAGuestCrosses(t *testing.T) {
	c := cross(t)
	workspace(t, "deploy", c.metadata, "--memory", "112M", "--for", "2h", "--wait", "--timeout",
		patience.String())
	const key = "1"
	for range 3 {
		up := uptime(t, key, 0)
		at := other(c.depart(t, key))
		c.arrived(t, key, at)
		uptime(t, key, up)
		over(t, key, at)
	}
	c.depart(t, key)
	workspace(t, "destroy", "--yes", key)
	nothing(t, c.lab.Hosts[0])
	nothing(t, c.lab.Hosts[1])
}
