package main

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/tests/daemon"
)

// realHost is a configuration with one real host: libvirt's URI, directory of
// disks, kernel, initrd, repository. The network is a bridge, because virsh
// create makes no DHCP entry either.
const realHost = `
[listen]
caller = "/O=Philoxenia/OU=Bench/CN=Guest"

[site]
accepts = { Xen = ["KVM"] }

[[host]]
id = "node"
adapter = "libvirt"
vmm = "KVM"
uri = %q
acceleration = "tcg"
dir = %q
cpus = 32
memory_mb = 16384
networks = { public = "bridge:virbr7" }

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
cmdline = "quiet"

[repository.file]
dir = %q
`

// BenchmarkDeployOnLibvirt takes turns: a create request until the state is
// Running, and virsh create of the same domain. The difference is what all of
// ours costs: SOAP, record, scheduling, image, definition, confirmation.
func BenchmarkDeployOnLibvirt(b *testing.B) {
	host := libvirtdtest.Start(b)
	host.Network("lease0")
	p, disks := startOver(b, host)
	c := daemon.NewCaller(p.Addr())
	defer c.Close()
	file := sameDomain(b, host, c, disks)
	var ours, theirs []float64
	for b.Loop() {
		for range 7 {
			var key string
			ours = append(ours, milliseconds(func() { key = deploy(b, c) }))
			destroy(b, host, c, key)
			theirs = append(theirs, milliseconds(func() { host.Virsh("create", file) }))
			host.Virsh("destroy", "stranger")
		}
	}
	b.ReportMetric(median(ours), "ours-ms")
	b.ReportMetric(median(theirs), "virsh-ms")
	b.ReportMetric(median(ours)-median(theirs), "overhead-ms")
}

// milliseconds returns how long f takes.
func milliseconds(f func()) float64 {
	begin := time.Now()
	f()
	return time.Since(begin).Seconds() * 1000
}

// startOver starts a daemon over the host and returns it with its directory of disks.
func startOver(b *testing.B, host *libvirtdtest.Daemon) (*daemon.Process, string) {
	dir := b.TempDir()
	disks, images := filepath.Join(host.Dir, "disks"), filepath.Join(host.Dir, "images")
	tiny := libvirtdtest.BuildGuest(b)
	image := make([]byte, 1<<20)
	if _, err := rand.Read(image); err != nil {
		b.Fatal(err)
	}
	config := fmt.Sprintf(realHost, host.URI("qemu"), disks, tiny.Boot.Kernel, tiny.Boot.Initrd,
		images)
	for _, err := range []error{
		os.Mkdir(images, 0o755),
		os.WriteFile(filepath.Join(images, "ttylinux-xen"), image, 0o644),
		os.WriteFile(filepath.Join(dir, "workspaced.toml"), []byte(config), 0o644),
		daemon.Build(dir),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	p, err := daemon.Start(b.Context(), daemon.Options{Bin: dir, Data: filepath.Join(dir, "data"),
		Config: filepath.Join(dir, "workspaced.toml"), Log: os.Stderr,
		Args: []string{"--log-level", "WARN"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Kill)
	return p, disks
}

// deploy creates a workspace and waits until it is Running.
func deploy(b *testing.B, c *daemon.Caller) string {
	status, reply, err := c.Send(daemon.Create, daemon.Values{})
	keys := daemon.Keys(reply)
	if err != nil || status != http.StatusOK || len(keys) != 1 {
		b.Fatalf("create: status %d, %v\n%s", status, err, reply)
	}
	awaitState(b, c, keys[0], "Running")
	return keys[0]
}

func awaitState(b *testing.B, c *daemon.Caller, key, want string) {
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(2 * time.Millisecond) {
		_, reply, err := c.Send(daemon.State, daemon.Values{Key: key})
		state := daemon.StateOf(reply)
		if state == want {
			return
		}
		if err != nil || state == "Corrupted" || time.Now().After(deadline) {
			b.Fatalf("workspace %s is %q, want %s (%v)\n%s", key, state, want, err, reply)
		}
	}
}

// destroy destroys the workspace and waits until its domain is gone.
func destroy(b *testing.B, host *libvirtdtest.Daemon, c *daemon.Caller, key string) {
	status, reply, err := c.Send(daemon.Destroy, daemon.Values{Key: key})
	if err != nil || status != http.StatusOK {
		b.Fatalf("destroy: status %d, %v\n%s", status, err, reply)
	}
	awaitGone(host, "workspace-"+key)
}

func awaitGone(host *libvirtdtest.Daemon, name string) {
	for exec.Command("virsh", "-c", host.URI("qemu"), "domstate", name).Run() == nil {
		time.Sleep(20 * time.Millisecond)
	}
}

var ownMarks = regexp.MustCompile(`(?s)<uuid>.*?</uuid>|<metadata>.*?</metadata>`)

// sameDomain deploys once and returns a file with that domain under another
// name, over a copy of its disk.
func sameDomain(
	b *testing.B, host *libvirtdtest.Daemon, c *daemon.Caller, disks string,
) string {
	key := deploy(b, c)
	name := "workspace-" + key
	text := host.Virsh("dumpxml", "--inactive", name)
	found, err := filepath.Glob(filepath.Join(disks, key+"-*"))
	if err != nil || len(found) != 1 {
		b.Fatalf("disks of %s: %v, %v", key, found, err)
	}
	copied := filepath.Join(host.Dir, "stranger.img")
	if out, err := exec.Command("cp", found[0], copied).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	text = ownMarks.ReplaceAllString(text, "")
	for old, now := range map[string]string{
		"<name>" + name + "</name>": "<name>stranger</name>",
		found[0]:                    copied,
		name + ".log":               "stranger.log",
	} {
		text = regexp.MustCompile(regexp.QuoteMeta(old)).ReplaceAllLiteralString(text, now)
	}
	file := filepath.Join(b.TempDir(), "stranger.xml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	destroy(b, host, c, key)
	return file
}
