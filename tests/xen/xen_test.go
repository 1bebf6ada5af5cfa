//go:build xen

package xen

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/ssh"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/tests/daemon"
	"github.com/philoxenia/philoxenia/tests/xen/dom0"
)

var binFlag = flag.String("bin", "", "directory with the built programs; empty: build them")

// What all tests share: one host, whose boot takes longer than most of them.
var (
	host  *dom0.Host
	guest libvirtdtest.Guest
	bin   string
)

// The files that the guests start from, in dom0.
const (
	kernel   = "/srv/guest/vmlinux"
	initrd   = "/srv/guest/initrd.gz"
	pristine = "/srv/guest/root.img"
	cmdline  = "quiet mitigations=off clocksource=xen init_on_alloc=0"
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "philoxenia-xen-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = prepare(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer host.Stop()
	fmt.Printf("Xen host: libvirtd answered after %v; dom0: %s\n",
		host.Booted.Round(100*time.Millisecond), host.Stages())
	return m.Run()
}

// prepare boots the host and has the programs at hand.
func prepare(dir string) error {
	bin = *binFlag
	if bin == "" {
		bin = dir
		if err := daemon.Build(dir); err != nil {
			return err
		}
	}
	var err error
	if guest, err = libvirtdtest.FindGuest(); err != nil {
		return err
	}
	host, err = dom0.Start(context.Background(), dir, map[string]string{
		kernel: guest.Boot.Kernel, initrd: guest.Boot.Initrd, pristine: guest.Image})
	return err
}

// shell runs commands in dom0.
func shell(t *testing.T, format string, args ...any) string {
	t.Helper()
	out, err := host.Shell(context.WithoutCancel(t.Context()), fmt.Sprintf(format, args...))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// patience is how long a guest may take to say something, and a host to answer again:
// a busy computer's dom0 can stand still for minutes.
const patience = 20 * time.Minute

// says waits until the guest's console has so many lines with the words, and
// returns the last of them.
func says(t *testing.T, id workspace.ID, words string, times int) string {
	t.Helper()
	log := fmt.Sprintf("/var/log/xen/console/guest-workspace-%v.log", id)
	out := shell(t, `n=0
		until [ "$(grep -a -c -F '%[2]s' %[1]s 2>/dev/null)" -ge %[3]d ] 2>/dev/null; do
			n=$((n + 1)); [ $n -lt %[4]d ] || break; sleep 1; done
		grep -a -F '%[2]s' %[1]s | sed -n %[3]dp`, log, words, times, int(patience.Seconds()))
	if out == "" {
		t.Fatalf("the guest did not say %q %d times; it said:\n%s", words, times,
			shell(t, "cat %s", log))
	}
	return strings.TrimSpace(out)
}

// open opens an adapter of the host.
func open(t *testing.T) *libvirt.Host { return openAs(t, libvirt.AccelAuto) }

// openAs opens one that makes guests of a kind.
func openAs(t *testing.T, accel libvirt.Accel) *libvirt.Host {
	t.Helper()
	access := ssh.New(ssh.Options{Server: login.Server{Address: host.SSH, User: "root",
		KeyFile: host.KeyFile, KnownHostsFile: host.KnownHosts}})
	t.Cleanup(func() { _ = access.Close() })
	h, err := libvirt.Open(t.Context(), libvirt.Options{
		Host: "xen", Pool: "test pool", URI: "xen+tcp://" + host.Libvirt + "/system",
		Accel: accel, Access: access, ConsoleDir: "/srv/consoles",
		Networks: map[string]libvirt.Network{
			"public": {Kind: libvirt.NetworkLibvirt, Name: "lease0"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// machine is a machine with a disk of its own and a NIC.
func machine(t *testing.T, id workspace.ID) workspace.Machine {
	disk := fmt.Sprintf("/srv/%v.img", id)
	shell(t, "[ -e %[1]s ] || cp --sparse=always %[2]s %[1]s", disk, pristine)
	m := bare(id)
	m.Disks = []workspace.MachineDisk{{Path: disk, Format: "raw", MountAs: "sda1"}}
	m.NICs = []workspace.NIC{{
		Association: "public", MAC: fmt.Sprintf("00:16:3e:00:00:%02X", byte(id)),
		Address: workspace.Address{Hostname: fmt.Sprintf("node%v.example.org", id),
			IP: fmt.Sprintf("192.168.77.%d", 2+id)},
	}}
	return m
}

// bare is a machine with a processor and memory alone.
func bare(id workspace.ID) workspace.Machine {
	return workspace.Machine{
		ID: id, Name: "tiny", Owner: "/O=Example/CN=Ada", Architecture: "x86_64", VMM: "Xen",
		MemoryMB: 96, CPUs: 1,
		Boot: workspace.Boot{Kernel: kernel, Initrd: initrd, Cmdline: cmdline},
	}
}

// timed logs how long a call took, and fails the test when it fails.
func timed(t *testing.T, what string, call func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	begun := time.Now()
	err := call(ctx)
	took := time.Since(begun)
	if err != nil {
		t.Fatalf("%s: %v, after %v", what, err, took.Round(time.Millisecond))
	}
	t.Logf("%-24s %6.1f s", what, took.Seconds())
}
