package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
)

// wide is the configuration of simulated hosts whose disks lie in several places: three
// share a directory, one has its own, and the files of two are reached by ssh, so that
// they pass from host to host or through the spool: data, disks, the hosts, images.
const wide = `
data = %q

[listen]
caller = "/O=Philoxenia/OU=Crash/CN=Guest"

[site]
accepts = { Xen = ["KVM"], KVM = ["KVM"] }
concurrency = 16
host_dir = %q

[notify]
allow_loopback = true

[scheduler]
boot = "200ms"
shutdown = "100ms"
%s
[[network]]
name = "public"
first = "10.9.1.1"
last = "10.9.3.250"
netmask = "255.255.0.0"
gateway = "10.9.0.254"
broadcast = "10.9.255.255"

[[network]]
name = "private"
first = "172.20.1.1"
last = "172.20.3.250"
netmask = "255.255.0.0"
private = true

[repository.file]
dir = %q
`

// island is a host of it: name, how many, directory of disks.
const island = `
[[host]]
id = %q
adapter = "sim"
count = %d
cpus = 64
memory_mb = 16384
dir = %q
`

// far is how an island's files are reached: address, user, key, known hosts.
const far = `
[host.ssh]
address = %q
user = %q
key_file = %q
known_hosts = %q
`

// guestSpec is a simulated host that is added.
const guestSpec = `<p:URI>sim:</p:URI><p:Capacity><p:CPUs>64</p:CPUs>` +
	`<p:MemoryMB>16384</p:MemoryMB></p:Capacity>`

// swaying makes what moves slow enough for kills to meet it.
const swaying = script + `
* migrate  delay=20ms
* snapshot delay=10ms
* revert   delay=10ms
* delete-snapshot delay=10ms
`

// wandering are the acts of clients that move about.
var wandering = []weighted{
	{"create", 16}, {"create group", 3}, {"extend", 3}, {"pause", 5}, {"start", 10},
	{"shutdown", 5}, {"serialize", 6}, {"save", 2}, {"destroy", 12}, {"destroy group", 2},
	{"subscribe", 4}, {"subscribe end", 2}, {"migrate", 18}, {"migrate still", 8},
	{"snapshot", 8}, {"revert", 5}, {"unsnap", 7}, {"drain", 3}, {"open", 6}, {"evacuate", 4},
	{"add host", 4}, {"remove host", 4}, {"create private", 4}, {"create listed", 6},
	{"create staged", 6}, {"add image", 4}, {"verify image", 5}, {"tag image", 3},
	{"remove image", 3}, {"hold", 5}, {"release", 4}, {"read console", 6},
}

// TestKillsOfThoseWhoMove kills the daemon while workspaces move between hosts, live and
// cold, as files and through the spool, while hosts come, are drained and emptied, and
// go, and while snapshots are made, gone back to and removed. Whatever a kill meets, each
// workspace is on one host with all its files there and none elsewhere.
func TestKillsOfThoseWhoMove(t *testing.T) {
	r := newRig(t, style{clients: 3, crowd: 30, think: 20 * time.Millisecond,
		life: 700 * time.Millisecond, early: 60 * time.Millisecond, limit: patience,
		acts: wandering, pool: "10.9.1.", fleet: &fleet{free: 2, guests: map[string]string{
			"guest1": guestSpec, "guest2": guestSpec}}})
	sshd := sshdtest.Start(t)
	r.settleOn(t, fmt.Sprintf(far, sshd.Address, sshd.User, sshd.KeyFile, sshd.KnownHosts))
	r.play(t, *killsFlag)
	over := time.After(r.style.limit)
	for len(sshd.Sessions()) > 0 {
		select {
		case <-over:
			t.Fatalf("processes are left on hosts: %v", sshd.Sessions())
		case <-time.After(50 * time.Millisecond):
		}
	}
	for _, met := range []string{"migrate 0", "destroy 1"} {
		if r.kills >= 100 && r.books.met[met] == 0 {
			t.Errorf("no kill met %s: nothing was proven of that", met)
		}
	}
}

// settleOn configures the hosts, two of which are reached like that.
func (r *rig) settleOn(t *testing.T, reached string) {
	t.Helper()
	disks, images := filepath.Join(r.dir, "disks"), filepath.Join(r.dir, "images")
	if err := os.Mkdir(images, 0o755); err != nil {
		t.Fatal(err)
	}
	r.books.stock(t, images)
	dirs := map[string]string{}
	hosts := ""
	for _, h := range []struct {
		name  string
		count int
		ssh   string
	}{{"near", 3, ""}, {"apart", 1, ""}, {"far", 1, reached}, {"farther", 1, reached}} {
		dir := filepath.Join(disks, h.name)
		r.books.disks = append(r.books.disks, dir)
		hosts += fmt.Sprintf(island, h.name, h.count, dir) + h.ssh
		for n := range h.count {
			name := h.name
			if h.count > 1 {
				name = fmt.Sprintf("%s-%03d", h.name, n+1)
			}
			dirs[name] = dir
			r.style.fleet.hosts = append(r.style.fleet.hosts, name)
		}
	}
	for name := range r.style.fleet.guests {
		dirs[name] = filepath.Join(disks, name)
		r.books.disks = append(r.books.disks, dirs[name])
	}
	r.options.Config = r.write(t, "wide.toml",
		fmt.Sprintf(wide, r.options.Data, disks, hosts, images))
	r.options.Args = append(r.options.Args, "--sim-script", r.write(t, "sim.script", swaying))
	r.books.dirOf = func(host string) string { return dirs[host] }
	r.books.spool = filepath.Join(r.options.Data, "spool")
	r.books.hosts = func() (map[string]guest, error) {
		return simulated(filepath.Join(r.options.Data, "sim"))
	}
}
