//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
)

// wired is what the configuration of a site with a network on a bridge of each host,
// and one that each group has for itself, goes on with: kernel and initrd, twice.
const wired = `
[[kernel]]
name = "told"
image = %q
initrd = %q
cmdline = "quiet mitigations=off no_timer_check clocksource=acpi_pm"
seed = "kernel"
[[kernel]]
name = "seeded"
image = %q
initrd = %q
cmdline = "quiet mitigations=off no_timer_check clocksource=acpi_pm"
seed = "nocloud"
[[network]]
name = "public"
first = "10.9.0.10"
last = "10.9.0.20"
netmask = "255.255.255.0"
gateway = "10.9.0.1"
[[network]]
name = "inner"
first = "10.9.1.10"
last = "10.9.1.20"
netmask = "255.255.255.0"
private = true
`

// aHost is one host of it: name, URI, for others, for private networks, directory,
// address, key, known hosts.
const aHost = `
[[host]]
id = %q
adapter = "libvirt"
uri = %q
peer = %q
overlay = %q
dir = %q
acceleration = "tcg"
cpus = 4
memory_mb = 512
networks = { public = "bridge:br0" }
[host.ssh]
address = %q
user = "root"
key_file = %q
known_hosts = %q
`

// wire makes a bridge on each host of a lab, which is the test's end of the guests'
// wire, and starts a daemon over the hosts.
func wire(t *testing.T, lab *libvirtdtest.Lab) (dirs []string) {
	t.Helper()
	dir, text := open(t)
	boot := libvirtdtest.BuildGuest(t).Boot
	text += fmt.Sprintf(wired, boot.Kernel, boot.Initrd, boot.Kernel, boot.Initrd)
	for _, h := range lab.Hosts {
		h.Shell("ip link add br0 type bridge forward_delay 0 && ip link set br0 up && " +
			"ip address add 10.9.0.1/24 dev br0 && ip address add 10.9.1.1/24 dev br0")
		disks := filepath.Join(lab.Shared, h.Name)
		dirs = append(dirs, disks)
		text += fmt.Sprintf(aHost, h.Name, h.URI("qemu"), h.URIOver("tcp", "qemu"), h.Address,
			disks, h.SSH.Address, h.SSH.KeyFile, h.SSH.KnownHosts)
	}
	serve(t, dir, text)
	return dirs
}

// plugged asks for guests on a network, which boot a kernel of the site.
func plugged(t *testing.T, network, kernel string, args ...string) {
	t.Helper()
	metadata := written(t, strings.Replace(addressed(network), "</def:requirements>",
		"<def:kernel><def:image>file://"+kernel+
			"</def:image></def:kernel></def:requirements>", 1))
	workspace(t, append([]string{"deploy", metadata, "--memory", "100M", "--for", "1h", "--wait",
		"--timeout", patience.String()}, args...)...)
}

// says waits until the console of a workspace has said the words.
func says(t *testing.T, key, words string) {
	t.Helper()
	eventually(t, fmt.Sprintf("guest %s says %q", key, words), func() bool {
		return strings.Contains(workspace(t, "console", key, "--log"), words)
	})
}

// does has a guest run a command line, by its console, that must succeed. It leaves the
// console by its escape: a guest whose clock is off may never be silent.
func does(t *testing.T, key, line string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "workspace"), "console", key)
	var said bytes.Buffer
	cmd.Stderr = &said
	typed, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		if _ = cmd.Process.Signal(syscall.SIGQUIT); t.Failed() {
			<-ended
			t.Logf("console of %s: %s", key, said.String())
		}
	})
	if _, err := typed.Write([]byte("\ndo " + line + "\n")); err != nil {
		t.Fatal(err)
	}
	says(t, key, "did "+line+": ")
	if _, err := typed.Write([]byte{escape}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatalf("console of %s: %v", key, err)
	}
	close(ended)
	if log := workspace(t, "console", key, "--log"); !strings.Contains(log, "did "+line+": 0") {
		t.Errorf("guest %s: %s: failed\n%s", key, line, log)
	}
}

// escape leaves a console.
const escape = 0x1d

// lines are the words that a command on a host prints, sorted.
func lines(h *libvirtdtest.LabHost, command string) []string {
	return slices.Sorted(slices.Values(strings.Fields(h.Shell(command))))
}

// held lists the devices that have rules on a host.
func held(h *libvirtdtest.LabHost) []string {
	return lines(h, `nft list ruleset | sed -n 's/^\s*chain \(w.*-[0-9]*\) {$/\1/p'`)
}

// answers waits until somebody answers a host that asks for it.
func answers(t *testing.T, h *libvirtdtest.LabHost, ip string) {
	t.Helper()
	eventually(t, ip+" answers "+h.Name, func() bool {
		return strings.Contains(h.Shell("busybox ping -c 1 -W 2 "+ip+" || true"), " 0% packet loss")
	})
}

// counters counts on a host what the guards let pass.
const counters = "add table bridge counting\n" +
	"add chain bridge counting wire { type filter hook prerouting priority 0; }\n" +
	"add rule bridge counting wire ip saddr 10.9.0.10 counter comment good\n" +
	"add rule bridge counting wire ip saddr 10.9.0.99 counter comment bad\n" +
	"add rule bridge counting wire arp saddr ip 10.9.0.99 counter comment bad\n" +
	"add rule bridge counting wire ether saddr 52:54:00:66:66:66 counter comment bad\n"

// counted returns the numbers of good and of bad packets.
func counted(t *testing.T, h *libvirtdtest.LabHost) (good, bad int) {
	t.Helper()
	found := regexp.MustCompile(`counter packets (\d+) .*comment "(\w+)"`).
		FindAllStringSubmatch(h.Shell("nft list table bridge counting"), -1)
	if len(found) != 4 {
		t.Fatalf("the counters are %q", found)
	}
	for _, c := range found {
		var n int
		if _, err := fmt.Sscan(c[1], &n); err != nil {
			t.Fatal(err)
		}
		if c[2] == "good" {
			good += n
		} else {
			bad += n
		}
	}
	return good, bad
}

// TestGuestsAreHeldToTheirAddresses has real guests, who are told their addresses by
// a seed and by their kernel's line, answer; and forge addresses, which nobody hears.
// The rules come back after somebody flushed them, go with a guest that moves, and
// end with it.
func TestGuestsAreHeldToTheirAddresses(t *testing.T) {
	lab := libvirtdtest.StartLab(t, 2)
	dirs := wire(t, lab)
	plugged(t, "public", "seeded", "--near=host1", "--wish")
	plugged(t, "public", "told", "--near=host1", "--wish")
	says(t, "1", "address 10.9.0.10 on eth0")
	says(t, "2", "address 10.9.0.11 on eth0")
	one, two := lab.Hosts[0], lab.Hosts[1]
	answers(t, one, "10.9.0.10")
	answers(t, one, "10.9.0.11")
	ports := lines(one, "ls /sys/class/net/br0/brif")
	if chains := held(one); len(ports) != 2 || !slices.Equal(chains, ports) {
		t.Errorf("rules are of %q, the bridge has %q", chains, ports)
	}
	forge(t, one)

	one.Shell("nft flush ruleset")
	eventually(t, "the rules are back", func() bool { return slices.Equal(held(one), ports) })

	workspace(t, "migrate", "1", "--to", "host2", "--cold")
	answers(t, two, "10.9.0.10")
	eventually(t, "rules and seed have moved", func() bool { // it runs before it has left
		here, there, seeds := held(one), held(two), seedsIn(t, dirs)
		return len(here) == 1 && len(there) == 1 && here[0] != there[0] && len(seeds) == 1 &&
			strings.HasPrefix(seeds[0], dirs[1])
	})
	workspace(t, "destroy", "--yes", "--all")
	nothingLeft(t, lab, dirs)
}

// forge has the first guest say what it must not.
func forge(t *testing.T, h *libvirtdtest.LabHost) {
	t.Helper()
	h.Shell("printf '" + strings.ReplaceAll(counters, "\n", `\n`) + "' | nft -f -")
	does(t, "1", "ping -c 2 -W 9 10.9.0.1")
	does(t, "1", "ip address add 10.9.0.99/24 dev eth0")
	does(t, "1", "! ping -c 2 -W 2 -I 10.9.0.99 10.9.0.1")
	does(t, "1", "! arping -c 2 -w 3 -I eth0 -s 10.9.0.99 10.9.0.1")
	does(t, "1", "mac=$(cat /sys/class/net/eth0/address); "+
		"ip link set eth0 address 52:54:00:66:66:66 && ! ping -c 2 -W 2 10.9.0.1 && "+
		"ip link set eth0 address $mac")
	does(t, "1", "ping -c 3 -W 9 10.9.0.1")
	if good, bad := counted(t, h); good < 3 || bad != 0 {
		t.Errorf("%d good packets and %d forged ones came through", good, bad)
	}
	h.Shell("nft delete table bridge counting")
}

// seedsIn lists the seeds in directories of disks.
func seedsIn(t *testing.T, dirs []string) (all []string) {
	t.Helper()
	for _, dir := range dirs {
		found, err := filepath.Glob(filepath.Join(dir, "*-seed"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// nothingLeft waits until of guests that were destroyed no process, rule, bridge or
// seed remains.
func nothingLeft(t *testing.T, lab *libvirtdtest.Lab, dirs []string) {
	t.Helper()
	eventually(t, "nothing is left", func() bool {
		left := len(seedsIn(t, dirs))
		for _, h := range lab.Hosts {
			own := lines(h, "ls -d /sys/class/net/*/bridge") // with the test's
			left += len(own) - 1 + len(guests(h)) + len(h.Shell("nft list ruleset")) +
				len(tunnels(h))
		}
		return left == 0
	})
}

// tunnels lists the devices of a host through which private networks span hosts.
func tunnels(h *libvirtdtest.LabHost) []string {
	return lines(h, "ip -o link show type vxlan | sed 's/^[0-9]*: //; s/:.*//'")
}

// TestPrivateNetworkBetweenHosts: the guests of a group that is on two hosts reach each
// other and not those of another, while a node goes to the other host too.
func TestPrivateNetworkBetweenHosts(t *testing.T) {
	lab := libvirtdtest.StartLab(t, 2)
	dirs := wire(t, lab)
	plugged(t, "inner", "seeded", "--nodes", "2", "--apart", "--wish")
	plugged(t, "inner", "told", "--nodes", "2", "--apart", "--wish")
	if at := where(t); at["1"] == at["2"] {
		t.Fatalf("they are at %v", at)
	}
	for i, h := range lab.Hosts {
		if all := tunnels(h); len(all) != 2 {
			t.Errorf("host %d has %q", i+1, all)
		}
	}
	for i := range 4 {
		says(t, fmt.Sprint(i+1), fmt.Sprintf("address 10.9.1.%d on eth0", 10+i))
	}
	does(t, "1", "[ $(cat /sys/class/net/eth0/mtu) = 1450 ]")
	does(t, "1", "ping -c 2 -W 9 10.9.1.11")
	does(t, "2", "ping -c 1 -W 9 -s 4000 10.9.1.10") // in fragments
	does(t, "3", "ping -c 2 -W 9 10.9.1.13")
	does(t, "3", "! ping -c 2 -W 2 10.9.1.11")
	does(t, "3", "! arping -c 2 -w 3 -I eth0 10.9.1.10")

	to := where(t)["1"]
	workspace(t, "migrate", "2", "--to", to, "--cold")
	eventually(t, "the node has moved", func() bool { return where(t)["2"] == to })
	does(t, "1", "ping -c 2 -W 9 10.9.1.11")
	does(t, "3", "ping -c 1 -W 9 10.9.1.13")
	eventually(t, "its network is on one host", func() bool {
		return len(tunnels(lab.Hosts[0])) == 1 && len(tunnels(lab.Hosts[1])) == 1
	})
	workspace(t, "destroy", "--yes", "--all")
	nothingLeft(t, lab, dirs)
}

// TestPrivateNetworkOfAGroup: the guests of a group reach each other and nobody else,
// and no one reaches them.
func TestPrivateNetworkOfAGroup(t *testing.T) {
	lab := libvirtdtest.StartLab(t, 1)
	dirs := wire(t, lab)
	h := lab.Hosts[0]
	plugged(t, "inner", "seeded", "--nodes", "2")
	says(t, "1", "address 10.9.1.10 on eth0")
	says(t, "2", "address 10.9.1.11 on eth0")
	does(t, "1", "ping -c 1 -W 9 10.9.1.11")
	does(t, "2", "ping -c 1 -W 9 10.9.1.10")
	does(t, "1", "! ping -c 2 -W 2 10.9.1.1")
	if n := strings.TrimSpace(h.Shell("cat /sys/class/net/br0/statistics/rx_packets")); n != "0" {
		t.Errorf("the host's bridge has heard %s frames", n)
	}
	if ports := lines(h, "ls /sys/class/net/b?????????*/brif"); len(ports) != 2 {
		t.Errorf("the group's bridge has the ports %q", ports)
	}
	said := h.Shell("busybox ping -c 1 -W 2 10.9.1.10 || true")
	if !strings.Contains(said, "100%") {
		t.Errorf("the host reaches it:\n%s", said)
	}
	workspace(t, "destroy", "--yes", "--all")
	nothingLeft(t, lab, dirs)
}
