//go:build xen

package xen

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// does has the guest run a command line by its console, and waits until it has.
func does(t *testing.T, h *libvirt.Host, id workspace.ID, line string) {
	t.Helper()
	console, err := h.Console(t.Context(), id, false)
	must(t, err)
	defer console.Close()
	go func() { _, _ = io.Copy(io.Discard, console) }()
	_, err = fmt.Fprintf(console, "\ndo %s\n", line)
	must(t, err)
	says(t, id, "did "+line+": 0", 1)
}

// takes does something that a limit lets take no less time.
func takes(t *testing.T, what string, least time.Duration, do func()) {
	t.Helper()
	begun := time.Now()
	do()
	took := time.Since(begun)
	t.Logf("%-24s %6.1f s, at least %v", what, took.Seconds(), least)
	if took < least {
		t.Errorf("%s took %v, which is less than %v", what, took, least)
	}
}

// TestLimitsOfAGuest holds a guest to what its lease lets it send and receive, and its
// host lets it do with its disk; and counts what it did. However busy the computer is,
// a limit is only ever too slow.
func TestLimitsOfAGuest(t *testing.T) {
	const (
		id      = 81
		kbps    = 800
		size    = 800 << 10 // of what goes over the wire, in bytes
		free    = 160 << 10 // of it what a burst lets pass at once, and more
		least   = (size - free) * time.Second / (kbps / 8 * 1000)
		address = "192.168.77.83"
		page    = "http://192.168.77.1:8088/big"
		disk    = 6 << 20 // of what is read
		slow    = 1       // megabytes a second
	)
	h := open(t)
	t.Cleanup(func() { _ = h.Close() })
	t.Cleanup(func() { _ = h.Undefine(context.Background(), id) })
	m := machine(t, id)
	m.NetInKbps, m.NetOutKbps, m.DiskMBps = kbps, kbps, slow
	must(t, h.Define(t.Context(), m))
	timed(t, "start", func(ctx context.Context) error { return h.Start(ctx, id, false) })
	says(t, id, "alive", 1)
	shell(t, "mkdir -p /srv/www && truncate -s %d /srv/www/big && "+
		"busybox httpd -p 192.168.77.1:8088 -h /srv/www", size)
	t.Cleanup(func() { shell(t, "pkill -f 'httpd -p 192.168.77.1:808[8]'") })
	does(t, h, id, fmt.Sprintf("busybox truncate -s %d /run/www/big", size))

	sends := func() { shell(t, "curl -sf -o /dev/null http://%s/big", address) }
	receives := func(flag string) func() {
		return func() { does(t, h, id, "busybox wget "+flag+" -O /dev/null "+page) }
	}
	takes(t, "send with a limit", least, sends)
	takes(t, "receive with a limit", least, receives("-q"))
	reads := func(from int) func() {
		return func() {
			does(t, h, id, fmt.Sprintf("busybox dd if=/dev/xvda of=/dev/null bs=64k "+
				"skip=%d count=%d", from>>16, disk>>16))
		}
	}
	takes(t, "read with a limit", disk/(slow<<20)*time.Second-time.Second, reads(0))
	counts(t, h, id, size, disk)

	m.DiskMBps = 50 * slow
	must(t, h.Define(t.Context(), m))
	must(t, h.Resize(t.Context(), id, workspace.Shape{NetInKbps: 50 * kbps, NetOutKbps: 50 * kbps}))
	takes(t, "send with a high limit", 0, sends)
	takes(t, "receive with a high one", 0, receives("-q -q"))
	takes(t, "read with a high one", 0, reads(disk))

	m.NetInKbps, m.NetOutKbps, m.DiskMBps = 50*kbps, 50*kbps, slow
	must(t, h.Define(t.Context(), m))
	must(t, h.Resize(t.Context(), id, workspace.Shape{NetInKbps: kbps, NetOutKbps: kbps}))
	takes(t, "send with a limit again", least, sends)
	takes(t, "receive with it again", least, receives("-q -q -q"))
	takes(t, "read with it again", disk/(slow<<20)*time.Second-time.Second, reads(2*disk))
	must(t, h.Undefine(t.Context(), id))
	nothingRemains(t)
}

// counts checks that what went over the wire and the disk was counted.
func counts(t *testing.T, h *libvirt.Host, id workspace.ID, wire, disk int64) {
	t.Helper()
	all, err := h.Measure(t.Context())
	must(t, err)
	at := slices.IndexFunc(all, func(r workspace.Reading) bool { return r.ID == id })
	if at < 0 || len(all[at].Disks) != 1 || len(all[at].NICs) != 1 {
		t.Fatalf("it is counted as %+v", all)
	}
	t.Logf("it is counted as %+v", all[at])
	nic := all[at].NICs[0]
	if all[at].Disks[0].ReadBytes < disk || all[at].Disks[0].ReadOperations == 0 ||
		nic.InBytes < wire || nic.OutBytes < wire {
		t.Errorf("of %d bytes read, and %d each sent and received", disk, wire)
	}
}
