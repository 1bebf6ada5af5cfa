package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// ferry is the configuration of real hosts that share nothing and are reached by TCP and
// ssh: data, kernel, initrd, images, the hosts.
const ferry = `
data = %q

[listen]
caller = "/O=Philoxenia/OU=Crash/CN=Guest"

[site]
shutdown_patience = "15s"
accepts = { Xen = ["KVM"], KVM = ["KVM"] }
concurrency = 4
seed = "none"

[scheduler]
cache_mb = 1024

[notify]
allow_loopback = true

[[network]]
name = "public"
first = "192.168.77.10"
last = "192.168.77.120"
netmask = "255.255.255.0"
gateway = "192.168.77.1"
mac_prefix = "52:54:00"
probe = false

[[network]]
name = "private"
first = "10.77.0.10"
last = "10.77.0.120"
netmask = "255.255.255.0"
mac_prefix = "52:54:00"
private = true

[[kernel]]
name = "tiny"
image = %q
initrd = %q
cmdline = "quiet mitigations=off no_timer_check clocksource=acpi_pm"

[repository.file]
dir = %q
%s`

// quay is one of them: name, URI, address for private networks, that of ssh, key, known
// hosts.
const quay = `
[[host]]
id = %q
adapter = "libvirt"
vmm = "KVM"
uri = %q
overlay = %q
acceleration = "tcg"
dir = "/var/lib/libvirt/images"
cpus = 32
memory_mb = 8192
networks = { public = "network:lease0" }
[host.ssh]
address = %q
user = "root"
key_file = %q
known_hosts = %q
`

// ferrying are the acts of those who have real guests moved.
var ferrying = []weighted{
	{"create", 10}, {"start", 10}, {"shutdown", 3}, {"serialize", 6}, {"destroy", 6},
	{"subscribe", 4}, {"migrate", 16}, {"migrate still", 10}, {"snapshot", 8}, {"revert", 5},
	{"unsnap", 6}, {"drain", 2}, {"open", 4}, {"evacuate", 4}, {"create private", 5},
	{"create listed", 5}, {"create staged", 5},
}

// TestKillsOfRealGuestsThatMove kills the daemon while QEMU guests go from one libvirtd
// to another with their disks, while their memory is saved and snapshots are made, and
// while images come through the spool to be cached. On each host there is then what the
// record says: machines, processes, files, addresses that DHCP gives out, and in the end
// nothing, not even a rule of its firewall.
func TestKillsOfRealGuestsThatMove(t *testing.T) {
	lab := libvirtdtest.StartLab(t, 2)
	tiny := libvirtdtest.BuildGuest(t)
	how := patient
	how.acts, how.crowd, how.clerk = ferrying, 3, archival
	how.fleet = &fleet{free: 1}
	r := newRig(t, how)
	images := filepath.Join(r.dir, "images")
	if err := os.Mkdir(images, 0o755); err != nil {
		t.Fatal(err)
	}
	r.books.images, r.books.sums, r.books.spans = images, map[string]string{}, true
	for _, name := range []string{imageName, sourceName} {
		tiny.Disk(t, filepath.Join(images, name))
		r.books.sums[name] = sum(t, filepath.Join(images, name))
	}
	dirs, hosts := map[string]string{}, ""
	for _, h := range lab.Hosts {
		h.Network("lease0")
		dirs[h.Name] = filepath.Join(h.Dir, "lib", "images")
		r.books.disks = append(r.books.disks, dirs[h.Name])
		how.fleet.hosts = append(how.fleet.hosts, h.Name)
		hosts += fmt.Sprintf(quay, h.Name, h.URIOver("tcp", "qemu"), h.Address,
			h.SSH.Address, h.SSH.KeyFile, h.SSH.KnownHosts)
	}
	r.options.Config = r.write(t, "ferry.toml", fmt.Sprintf(ferry, r.options.Data,
		tiny.Boot.Kernel, tiny.Boot.Initrd, images, hosts))
	r.books.dirOf = func(host string) string { return dirs[host] }
	r.books.spool = filepath.Join(r.options.Data, "spool")
	r.books.hosts = func() (map[string]guest, error) { return ashore(lab, dirs) }
	r.books.wire = func(rows map[string]row) []string {
		return append(onWire(lab, rows), awaitLinks(lab, rows)...)
	}
	before := surroundings(lab)
	r.play(t, *kvmKillsFlag)
	awaitSurroundings(t, lab, before)
}

// awaitSurroundings waits until the hosts are what they were.
func awaitSurroundings(t *testing.T, lab *libvirtdtest.Lab, before string) {
	t.Helper()
	for end := time.Now().Add(patience); surroundings(lab) != before; time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatalf("the hosts were %s\nand are %s", before, surroundings(lab))
		}
	}
}

// surroundings is what workspaces change of hosts beside files, as text.
func surroundings(lab *libvirtdtest.Lab) (text string) {
	for _, h := range lab.Hosts {
		text += h.Name + ": " + h.Shell("pgrep -x qemu-system-x86 || true; "+
			"virsh list --all --name; virsh net-dumpxml lease0 | grep '<host ' || true; "+
			"nft list ruleset; ls /sys/class/net; pgrep -a sftp-server || true")
	}
	return text
}

// ashore returns what the hosts of a lab have.
func ashore(lab *libvirtdtest.Lab, dirs map[string]string) (map[string]guest, error) {
	all := map[string]guest{}
	for _, h := range lab.Hosts {
		here, err := domains(h.Daemon, dirs[h.Name])
		if err != nil {
			return nil, err
		}
		for key, g := range here {
			if other, twice := all[key]; twice {
				return nil, fmt.Errorf("machine %s is on %s and on %s", key, other.host, h.Name)
			}
			g.host = h.Name
			memory := filepath.Join(dirs[h.Name], key+"-memory."+h.Name)
			if _, err := os.Stat(memory); err == nil && g.condition == workspace.ConditionOff {
				g.condition = workspace.ConditionSaved // of which libvirt itself knows nothing
			}
			kept, err := filepath.Glob(filepath.Join(dirs[h.Name], key+"-*.snapshot-*"))
			if err != nil {
				return nil, err
			}
			for _, path := range kept {
				_, name, _ := strings.Cut(path, ".snapshot-")
				if !slices.Contains(g.snapshots, name) {
					g.snapshots = append(g.snapshots, name)
				}
			}
			all[key] = g
		}
	}
	return all, nil
}

var given = regexp.MustCompile(`<host mac='[^']*'[^>]* ip='([^']*)'`)

// onWire holds the addresses that hosts give out against the record: each is that of a
// workspace on that host, and what runs has its own.
func onWire(lab *libvirtdtest.Lab, rows map[string]row) (wrong []string) {
	holder := map[string]row{}
	for _, r := range rows {
		for _, ip := range r.ips {
			holder[ip] = r
		}
	}
	for _, h := range lab.Hosts {
		there := map[string]bool{}
		for _, m := range given.FindAllStringSubmatch(h.Virsh("net-dumpxml", "lease0"), -1) {
			there[m[1]] = true
			if r, ok := holder[m[1]]; !ok || r.host != h.Name {
				wrong = append(wrong, fmt.Sprintf("%s gives out %s, which workspace %q on %q has",
					h.Name, m[1], r.key, r.host))
			}
		}
		for _, r := range rows {
			for _, ip := range r.ips {
				if r.host == h.Name && r.state == "Running" && !there[ip] && !r.private {
					wrong = append(wrong, fmt.Sprintf("%s does not give out %s to workspace %s",
						h.Name, ip, r.key))
				}
			}
		}
	}
	return wrong
}
