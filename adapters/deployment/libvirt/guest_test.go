package libvirt_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/deploymenttest"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestLifeOfARealGuest leads one guest through its life and believes only what
// the guest itself says on its serial line.
func TestLifeOfARealGuest(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 1)
	m.CPUPercent = 50
	says := f.console(1)

	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 1, false))
	says.Await(t, "boot 1 of this disk")
	if line := says.Await(t, "address "); !strings.Contains(line, m.NICs[0].IP+" on eth0") ||
		!strings.Contains(line, "name node1") {
		t.Errorf("the guest got %q, and was leased %s", line, m.NICs[0].IP)
	}
	if shares := f.Shell("cat /sys/fs/cgroup/cpu/machine/*/cpu.shares"); shares != "512\n" {
		t.Errorf("half a processor has %q shares", shares)
	}
	must(t, h.Resize(t.Context(), 1, workspace.Shape{CPUPercent: 25}))
	m.CPUPercent = 25
	if shares := f.Shell("cat /sys/fs/cgroup/cpu/machine/*/cpu.shares"); shares != "256\n" {
		t.Errorf("a quarter of a processor has %q shares", shares)
	}
	must(t, h.Define(t.Context(), m))

	t.Log("a daemon that dies and comes back finds it running")
	f.Kill()
	says.Await(t, "alive")
	f.Restart()
	must(t, h.Start(t.Context(), 1, false))
	is(t, h, 1, workspace.ConditionRunning)

	t.Log("memory written to disk goes on where it was")
	before := uptime(t, says.Await(t, "alive"))
	must(t, h.Stop(t.Context(), 1, workspace.StopSerialize))
	must(t, h.Start(t.Context(), 1, false))
	if after := uptime(t, says.Await(t, "alive")); after < before {
		t.Errorf("the guest was up %v s, and after its restoration %v s", before, after)
	}

	t.Log("reboot and shutdown are the guest's own doing, though it was asleep")
	must(t, h.Pause(t.Context(), 1))
	within(t, func(ctx context.Context) error { return h.Reboot(ctx, 1) })
	says.Await(t, "disk is clean")
	says.Await(t, "boot 2 of this disk")
	says.Await(t, "alive")
	must(t, h.Pause(t.Context(), 1))
	within(t, func(ctx context.Context) error { return h.Stop(ctx, 1, workspace.StopGraceful) })
	says.Await(t, "disk is clean")
	is(t, h, 1, workspace.ConditionOff)

	must(t, h.Start(t.Context(), 1, false))
	says.Await(t, "boot 3 of this disk")
	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
}

// within gives a call that needs the guest's help the time for it.
func within(t *testing.T, call func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longEnough)
	defer cancel()
	must(t, call(ctx))
}

func is(t *testing.T, h *libvirt.Host, id workspace.ID, want workspace.Condition) {
	t.Helper()
	if got, err := h.Inspect(t.Context(), id); err != nil || got != want {
		t.Errorf("machine %v is %s, %v, want %s", id, got, err, want)
	}
}

// uptime reads a line such as "alive, up 12.34 s".
func uptime(t *testing.T, line string) float64 {
	t.Helper()
	_, after, _ := strings.Cut(line, "up ")
	seconds, err := strconv.ParseFloat(strings.TrimSuffix(after, " s"), 64)
	must(t, err)
	return seconds
}

// nothingRemains checks that the host has no domain, entry, file or process.
func (f *farm) nothingRemains(t *testing.T) {
	t.Helper()
	for what, left := range map[string]string{
		"domains":      f.Virsh("list", "--all", "--name"),
		"DHCP entries": hosts(f.Virsh("net-dumpxml", "lease0")),
		"stored DHCP entries": hosts(
			f.Virsh("net-dumpxml", "lease0", "--inactive")),
		"processes": f.Shell("pgrep -a qemu-system"),
		"saved memory": f.Shell(
			"find /var/lib/libvirt/qemu/save -type f"),
	} {
		if strings.TrimSpace(left) != "" {
			t.Errorf("%s are left: %s", what, left)
		}
	}
	consoles, err := filepath.Glob(filepath.Join(f.options.ConsoleDir, "*"))
	if err != nil || len(consoles) > 0 {
		t.Errorf("consoles are left: %v, %v", consoles, err)
	}
}

// hosts picks the lines with DHCP entries.
func hosts(network string) string {
	var found strings.Builder
	for line := range strings.Lines(network) {
		if strings.Contains(line, "<host ") {
			found.WriteString(line)
		}
	}
	return found.String()
}

// sector fills a boot sector up.
func sector(code ...byte) string {
	const size = 510
	return string(append(append(code, make([]byte, size-len(code))...), 0x55, 0xaa)) +
		strings.Repeat("\x00", 1<<20)
}

// deaf is a boot sector that says on its serial line that it is up, and hears nothing
// from then on. In assembler: cli; mov dx, 0x3f8; for each letter mov al, letter and
// out dx, al; hlt; jmp to the hlt.
var deaf = sector(0xfa, 0xba, 0xf8, 0x03, 0xb0, 'u', 0xee, 0xb0, 'p', 0xee, 0xb0, '\n', 0xee,
	0xf4, 0xeb, 0xfd)

// TestGuestThatDoesNotListen forces a guest that cannot hear.
func TestGuestThatDoesNotListen(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 200)
	m.Boot = workspace.Boot{}
	write(t, m.Disks[0].Path, deaf)
	says := f.console(200)
	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 200, false))
	says.Await(t, "up")
	ctx, cancel := deploymenttest.Soon(t.Context(), 6*time.Second, longEnough)
	defer cancel()
	must(t, h.Reboot(ctx, 200))
	is(t, h, 200, workspace.ConditionRunning)
	says.Await(t, "up")
	ctx, cancel = deploymenttest.Soon(t.Context(), 6*time.Second, longEnough)
	defer cancel()
	must(t, h.Stop(ctx, 200, workspace.StopGraceful))
	is(t, h, 200, workspace.ConditionOff)
	must(t, h.Undefine(t.Context(), 200))
}

// crashes is a boot sector that tells the hypervisor of a panic, as a kernel does.
// In assembler: mov dx, 0x505; mov al, 1; out dx, al; hlt; jmp to the hlt.
var crashes = sector(0xba, 0x05, 0x05, 0xb0, 0x01, 0xee, 0xf4, 0xeb, 0xfd)

// TestGuestThatCrashesAtBoot has a guest panic as soon as it boots, and a kernel
// that is none: the one is told as a crash, the other as the reason why not.
func TestGuestThatCrashesAtBoot(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 201)
	m.Boot = workspace.Boot{}
	write(t, m.Disks[0].Path, crashes)
	told := make(chan workspace.Observed, 100)
	watch, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Watch(watch, func(o workspace.Observed) { told <- o }) }()
	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 201, false))
	crashed := workspace.Observed{ID: 201, Condition: workspace.ConditionCrashed}
	limit := time.After(longEnough)
	for o := (workspace.Observed{}); o != crashed; {
		select {
		case o = <-told:
		case <-limit:
			t.Fatal("nobody told of the crash: " + f.Virsh("domstate", "workspace-201"))
		}
	}
	is(t, h, 201, workspace.ConditionCrashed)
	must(t, h.Stop(t.Context(), 201, workspace.StopForced))
	is(t, h, 201, workspace.ConditionOff)
	must(t, h.Undefine(t.Context(), 201))
	stop()
	must(t, <-ended)

	m = f.machine(t, 202)
	m.Boot.Kernel = filepath.Join(f.Dir, "no-kernel")
	write(t, m.Boot.Kernel, "this is none")
	must(t, h.Define(t.Context(), m))
	err := h.Start(t.Context(), 202, false)
	isKind(t, "start", err, workspace.Internal)
	if err == nil || !strings.Contains(err.Error(), "linux kernel") {
		t.Errorf("%v does not say what is wrong", err)
	}
	is(t, h, 202, workspace.ConditionOff)
	must(t, h.Undefine(t.Context(), 202))
	f.nothingRemains(t)
}

// TestProbeDecides checks that the choice between KVM and emulation is one by
// which a guest really comes up, whatever devices the computer shows.
func TestProbeDecides(t *testing.T) {
	f := newFarm(t)
	f.options.Accel = libvirt.AccelAuto
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	must(t, h.Define(t.Context(), f.machine(t, 200)))
	must(t, h.Start(t.Context(), 200, false))
	f.console(200).Await(t, "alive")
	if left := f.Virsh("list", "--all", "--name"); strings.Contains(left, "probe") {
		t.Errorf("the probe is left: %s", left)
	}
	probes, err := filepath.Glob(filepath.Join(f.options.ConsoleDir, "probe-*"))
	if err != nil || len(probes) > 0 {
		t.Errorf("files of the probe are left: %v, %v", probes, err)
	}
	must(t, h.Undefine(t.Context(), 200))
	f.nothingRemains(t)
}

// TestDHCPEntries checks what becomes of entries that are there already.
func TestDHCPEntries(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 1)

	t.Log("an address that another MAC has is a conflict")
	f.Virsh("net-update", "lease0", "add", "ip-dhcp-host",
		"<host mac='52:54:00:ff:ff:01' ip='"+m.NICs[0].IP+"'/>", "--live", "--config")
	isKind(t, "define", h.Define(t.Context(), m), workspace.Conflict)
	must(t, h.Undefine(t.Context(), 1))
	f.Virsh("net-update", "lease0", "delete", "ip-dhcp-host",
		"<host mac='52:54:00:ff:ff:01' ip='"+m.NICs[0].IP+"'/>", "--live", "--config")

	t.Log("half a change is completed, an outdated one replaced")
	f.Virsh("net-update", "lease0", "add", "ip-dhcp-host",
		"<host mac='"+m.NICs[0].MAC+"' ip='192.168.77.99'/>", "--config")
	must(t, h.Define(t.Context(), m))
	for _, copy := range []string{
		f.Virsh("net-dumpxml", "lease0"), f.Virsh("net-dumpxml", "lease0", "--inactive"),
	} {
		if n := strings.Count(copy, "<host "); n != 1 || !strings.Contains(copy, m.NICs[0].IP) {
			t.Errorf("the network has %d entries:\n%s", n, copy)
		}
	}
	must(t, h.Undefine(t.Context(), 1))

	t.Log("the operator's own entry is used, and stays")
	own := "<host mac='" + strings.ToLower(m.NICs[0].MAC) + "' name='" + m.NICs[0].Hostname +
		"' ip='" + m.NICs[0].IP + "'/>"
	f.Virsh("net-update", "lease0", "add", "ip-dhcp-host", own, "--live", "--config")
	before := hosts(f.Virsh("net-dumpxml", "lease0"))
	must(t, h.Define(t.Context(), m))
	must(t, h.Undefine(t.Context(), 1))
	if after := hosts(f.Virsh("net-dumpxml", "lease0")); after != before {
		t.Errorf("the operator's entries have become %s", after)
	}
}

// TestHostNamesAreHostNames keeps line breaks out of the DHCP server's files.
func TestHostNamesAreHostNames(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 1)
	m.NICs[0].Hostname = "a\n52:54:00:00:00:09,192.168.77.9"
	isKind(t, "define", h.Define(t.Context(), m), workspace.Internal)
	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
	if _, err := os.Stat(f.options.ConsoleDir); err != nil {
		t.Error(err)
	}
}
