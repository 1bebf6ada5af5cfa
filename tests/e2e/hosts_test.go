//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
)

// house is what the configuration of one real host, to which others are added, goes
// on with: its socket.
const house = `
host_grace = "2s"
[[host]]
id = "host1"
adapter = "libvirt"
uri = %q
acceleration = "tcg"
cpus = 1
memory_mb = 128
`

// patience is how long anything may take here: guests are emulated, on a machine
// that others use too.
const patience = 3 * time.Minute

// eventually waits until so holds.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// many starts a daemon over the first host of a lab, with what the others are
// reached by among its credentials.
func many(t *testing.T, lab *libvirtdtest.Lab) *site {
	t.Helper()
	dir, opening := open(t)
	credentials := filepath.Join(dir, "data", "credentials")
	if err := os.MkdirAll(credentials, 0o755); err != nil {
		t.Fatal(err)
	}
	tls := lab.Hosts[2].TLS
	for name, from := range map[string]string{
		"ca.pem": tls.CAFile, "cert.pem": tls.CertFile, "key.pem": tls.KeyFile,
		"id": lab.Hosts[3].SSH.KeyFile, "known_hosts": lab.Hosts[3].SSH.KnownHosts,
	} {
		content, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(credentials, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return serve(t, dir, opening+fmt.Sprintf(house, lab.Hosts[0].URI("qemu")))
}

// faults returns what is said to be wrong with each workspace, by its key.
func faults(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, w := range read[[]struct{ Key, State, Fault string }](t, "list") {
		all[w.Key] = w.Fault
		if w.State != "Running" {
			all[w.Key] += " " + w.State
		}
	}
	return all
}

// where returns the host of each of the group's workspaces, by its key.
func where(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for i, host := range of(t, "1").Lease.Hosts {
		all[fmt.Sprint(i+1)] = host
	}
	return all
}

// guests returns the process IDs of the guests on a host.
func guests(h *libvirtdtest.LabHost) string {
	return strings.TrimSpace(h.Shell("pgrep -x qemu-system-x86 || true"))
}

// A heard is what `workspace events` has printed so far.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) count(pattern string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(regexp.MustCompile(pattern).FindAllString(h.text.String(), -1))
}

// listen follows everything that the caller has.
func listen(t *testing.T) *heard {
	t.Helper()
	h := new(heard)
	cmd := exec.Command(filepath.Join(bin, "workspace"), "events", "-o", "json")
	cmd.Stdout = h
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return h
}

// TestManyHosts spreads a group over three hosts, which are reached over a unix
// socket, TCP and TLS. One's libvirtd is killed and another's frozen: their
// workspaces are marked and their subscribers told, and when they are back all is
// as it was, with the same processes. A fourth host comes by ssh and goes meanwhile.
func TestManyHosts(t *testing.T) {
	lab := libvirtdtest.StartLab(t, 4)
	s := many(t, lab)
	gather(t, lab)
	asked := []string{"deploy", written(t, bare), "--memory", "100M", "--for", "1h", "--wait",
		"--timeout", patience.String()}
	workspace(t, append(asked, "--nodes", "3")...)
	at := where(t)
	if len(at) != 3 || at["1"] == at["2"] || at["2"] == at["3"] || at["1"] == at["3"] {
		t.Fatalf("they are at %v", at)
	}
	before := oneEach(t, lab)
	lose(t, lab, at)
	addHost(t, "host4", "--uri", lab.Hosts[3].URIOver("ssh", "qemu"), "--dir",
		filepath.Join(lab.Shared, "disks"), "--ssh", lab.Hosts[3].SSH.Address, "--ssh-user", "root",
		"--ssh-key", "id", "--ssh-known-hosts", "known_hosts")
	workspace(t, asked...)
	if on := of(t, "4").Lease.Hosts[0]; on != "host4" {
		t.Errorf("the fourth is on %s", on)
	}
	s.again(t) // the marks and the hosts outlive the daemon
	if marked := faults(t); !strings.Contains(marked["2"]+marked["3"]+marked["1"], "not answered") {
		t.Errorf("after a restart the faults are %v", marked)
	}
	lab.Hosts[2].Thaw()
	lab.Hosts[1].Restart()
	eventually(t, "the marks are gone", func() bool {
		return strings.Join(slices.Collect(maps.Values(faults(t))), "") == ""
	})
	if now := oneEach(t, lab); now != before {
		t.Errorf("the guests were %v, and are %v", before, now)
	}
	leave(t, lab)
}

// addHost adds a host with room for one workspace.
func addHost(t *testing.T, name string, args ...string) {
	t.Helper()
	small := []string{"--cpus", "1", "--memory", "128M", "--acceleration", "tcg"}
	workspace(t, append(append([]string{"host", "add", name}, args...), small...)...)
}

// gather adds the second host and the third, and tests all.
func gather(t *testing.T, lab *libvirtdtest.Lab) {
	t.Helper()
	addHost(t, "host2", "--uri", lab.Hosts[1].URIOver("tcp", "qemu"))
	addHost(t, "host3", "--uri", lab.Hosts[2].URIOver("tls", "qemu"),
		"--tls-ca", "ca.pem", "--tls-cert", "cert.pem", "--tls-key", "key.pem")
	probed := workspace(t, "host", "probe", "host1", "host2", "host3")
	if n := len(regexp.MustCompile(`(?m)^ok +connection: QEMU`).FindAllString(probed, -1)); n != 3 {
		t.Errorf("the test of the hosts says\n%s", probed)
	}
}

// oneEach returns the one guest of each of the first three hosts.
func oneEach(t *testing.T, lab *libvirtdtest.Lab) (all [3]string) {
	t.Helper()
	for i, h := range lab.Hosts[:3] {
		if all[i] = guests(h); all[i] == "" || strings.Contains(all[i], "\n") {
			t.Fatalf("%s runs the guests %q", h.Name, all[i])
		}
	}
	return all
}

// lose kills the second host's libvirtd and freezes the third's, and sees what
// owners, subscribers and operators are told.
func lose(t *testing.T, lab *libvirtdtest.Lab, at map[string]string) {
	t.Helper()
	events := listen(t)
	eventually(t, "the events are followed", func() bool { return events.count(`Running`) >= 3 })
	lab.Hosts[1].Kill()
	lab.Hosts[2].Freeze()
	eventually(t, "the marks", func() bool {
		n := 0
		for key, fault := range faults(t) {
			if (at[key] != "host1") != strings.Contains(fault, "has not answered since") {
				return false
			}
			n++
		}
		return n == len(at)
	})
	eventually(t, "the messages", func() bool {
		return events.count(`its host host[23] has not answered since`) == 2
	})
	if list := workspace(t, "host", "list"); strings.Count(list, "unreachable") != 2 {
		t.Errorf("the list of hosts is\n%s", list)
	}
}

// leave removes the fourth host when nothing is on it any more, and destroys all.
func leave(t *testing.T, lab *libvirtdtest.Lab) {
	t.Helper()
	if r := command(t, filepath.Join(bin, "workspace"), "host", "remove", "host4"); r.code != 5 {
		t.Errorf("a host in use is removed: %d %s", r.code, r.err)
	}
	workspace(t, "destroy", "--yes", "4")
	workspace(t, "host", "remove", "--drain", "host4")
	if left := guests(lab.Hosts[3]); left != "" {
		t.Errorf("on the removed host runs %s", left)
	}
	workspace(t, "destroy", "--yes", "--all")
	eventually(t, "nothing runs", func() bool {
		return guests(lab.Hosts[0])+guests(lab.Hosts[1])+guests(lab.Hosts[2]) == ""
	})
}
