package crash

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// configuration of a daemon with one real host: data, socket URI, directory of
// disks, kernel, initrd, repository.
const configuration = `
data = %q

[listen]
caller = "/O=Philoxenia/OU=Crash/CN=Guest"

[site]
shutdown_patience = "15s"
accepts = { Xen = ["KVM"], KVM = ["KVM"] }
concurrency = 4

[scheduler]
cache_mb = 1024

[notify]
allow_loopback = true

[[host]]
id = "node"
adapter = "libvirt"
vmm = "KVM"
uri = %q
acceleration = "tcg"
dir = %q
cpus = 32
memory_mb = 8192
networks = { public = "network:lease0" }

[[network]]
name = "public"
first = "192.168.77.10"
last = "192.168.77.120"
netmask = "255.255.255.0"
gateway = "192.168.77.1"
broadcast = "192.168.77.255"
mac_prefix = "52:54:00"

[[kernel]]
name = "tiny"
image = %q
initrd = %q
cmdline = "quiet mitigations=off no_timer_check clocksource=acpi_pm"

[repository.file]
dir = %q
`

// imageName is the image that the recorded create asks for.
const imageName = "ttylinux-xen"

// TestKillsAreSurvivedByRealGuests kills the daemon while QEMU guests boot,
// pause, reboot and go down on a private libvirtd.
func TestKillsAreSurvivedByRealGuests(t *testing.T) {
	host := libvirtdtest.Start(t)
	host.Network("lease0")
	tiny := libvirtdtest.BuildGuest(t)

	r := newRig(t, patient)
	disks, images := filepath.Join(host.Dir, "disks"), filepath.Join(host.Dir, "images")
	if err := os.Mkdir(images, 0o755); err != nil {
		t.Fatal(err)
	}
	tiny.Disk(t, filepath.Join(images, imageName))
	sum(t, filepath.Join(images, imageName)) // so that guests get clones of a cached image
	r.options.Config = r.write(t, "workspaced.toml", fmt.Sprintf(configuration,
		r.options.Data, host.URI("qemu"), disks, tiny.Boot.Kernel, tiny.Boot.Initrd, images))
	r.books.disks = []string{disks}
	r.books.spool = filepath.Join(r.options.Data, "spool")
	r.books.hosts = func() (map[string]guest, error) { return domains(host, disks) }
	r.play(t, *kvmKillsFlag)
	if left := strings.TrimSpace(host.Virsh("list", "--all", "--name")); left != "" {
		t.Errorf("domains are left: %s", left)
	}
}

// sum writes the checksum of an image beside it and returns it.
func sum(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path+".sha256", []byte(sumOf(data)+"\n"), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return sumOf(data)
}

// domainStates are libvirt's words for what a host has.
var domainStates = map[string]workspace.Condition{
	"running": workspace.ConditionRunning, "idle": workspace.ConditionRunning,
	"paused": workspace.ConditionPaused, "shut off": workspace.ConditionOff,
	"crashed": workspace.ConditionCrashed,
}

// domains returns what libvirt has, and how often each guest said hello on its
// serial console: once for each start and each reboot.
func domains(host *libvirtdtest.Daemon, disks string) (map[string]guest, error) {
	all := map[string]guest{}
	for line := range strings.Lines(host.Virsh("list", "--all")) {
		fields := strings.Fields(line)
		if len(fields) < 3 || !strings.HasPrefix(fields[1], "workspace-") {
			continue
		}
		is, ok := domainStates[strings.Join(fields[2:], " ")]
		if !ok {
			return nil, fmt.Errorf("libvirt says %q", line)
		}
		all[strings.TrimPrefix(fields[1], "workspace-")] = guest{condition: is}
	}
	for key, g := range all {
		said, err := os.ReadFile(filepath.Join(disks, "consoles", "workspace-"+key+".log"))
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		g.starts = bytes.Count(said, []byte("philoxenia-guest: hello"))
		all[key] = g
	}
	return all, nil
}
