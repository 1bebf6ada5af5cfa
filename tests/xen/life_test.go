//go:build xen

package xen

import (
	"context"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestLifeOfAGuest leads a guest with a disk and a NIC through its life, and
// believes only what the guest itself says on its console.
func TestLifeOfAGuest(t *testing.T) {
	const id = 71 // not the first, which the main job gets
	h := open(t)
	t.Cleanup(func() { _ = h.Close() })
	m := machine(t, id)
	t.Cleanup(func() { _ = h.Undefine(context.Background(), id) })
	stop := func(mode workspace.StopMode) func(context.Context) error {
		return func(ctx context.Context) error { return h.Stop(ctx, id, mode) }
	}
	start := func(ctx context.Context) error { return h.Start(ctx, id, false) }
	timed(t, "define", func(ctx context.Context) error { return h.Define(ctx, m) })
	timed(t, "start", start)
	timed(t, "say hello", func(context.Context) error { says(t, id, "hello", 1); return nil })
	says(t, id, "boot 1 of this disk", 1)
	line := says(t, id, "address ", 1)
	if !strings.Contains(line, m.NICs[0].IP+" on eth0 "+strings.ToLower(m.NICs[0].MAC)) ||
		!strings.Contains(line, "name node71") {
		t.Errorf("the guest got %q, and was leased %s", line, m.NICs[0].IP)
	}
	says(t, id, "alive", 1)
	shell(t, "busybox ping -c 1 -W 20 %s", m.NICs[0].IP)

	timed(t, "pause", func(ctx context.Context) error { return h.Pause(ctx, id) })
	is(t, h, id, workspace.ConditionPaused)
	timed(t, "resume", func(ctx context.Context) error { return h.Resume(ctx, id) })
	timed(t, "save", stop(workspace.StopSerialize))
	is(t, h, id, workspace.ConditionSaved)
	timed(t, "restore", start)
	is(t, h, id, workspace.ConditionRunning)
	timed(t, "reboot", func(ctx context.Context) error { return h.Reboot(ctx, id) })
	says(t, id, "boot 2 of this disk", 1)
	says(t, id, "hello", 2)
	timed(t, "shut down", stop(workspace.StopGraceful))
	is(t, h, id, workspace.ConditionOff)
	says(t, id, "disk is clean", 2)
	timed(t, "start paused", func(ctx context.Context) error { return h.Start(ctx, id, true) })
	is(t, h, id, workspace.ConditionPaused)
	timed(t, "stop by force", stop(workspace.StopForced))
	timed(t, "undefine", func(ctx context.Context) error { return h.Undefine(ctx, id) })
	nothingRemains(t)
}

func is(t *testing.T, h *libvirt.Host, id workspace.ID, want workspace.Condition) {
	t.Helper()
	if got, err := h.Inspect(t.Context(), id); err != nil || got != want {
		t.Errorf("machine %v is %s, %v, want %s", id, got, err, want)
	}
}

// nothingRemains checks that dom0 has no domain, DHCP entry, saved memory, disk
// backend or loop device of ours.
func nothingRemains(t *testing.T) {
	t.Helper()
	for what, look := range map[string]string{
		"domains of libvirt":   "virsh -q list --all --name | grep . | grep -v Domain-0",
		"domains of Xen":       "xl list | tail -n +2 | grep -v Domain-0",
		"DHCP entries":         "virsh net-dumpxml lease0 | grep '<host '",
		"stored DHCP entries":  "virsh net-dumpxml --inactive lease0 | grep '<host '",
		"saved memory":         "find /var/lib/libvirt/libxl -name '*.save'",
		"consoles":             "find /var/log/xen/console -name 'guest-workspace-*'",
		"files of snapshots":   "find /srv -name '*.snapshot-*' -o -name '*.reverting*'",
		"rules of guards":      "nft list tables | grep philoxenia",
		"definitions":          "find /etc/libvirt/libxl -name 'workspace-*'",
		"interfaces":           "ls /sys/class/net | grep vif",
		"disk servers":         "pgrep -a qemu-system",
		"loop devices":         "losetup -a",
		"entries in the store": "xenstore-ls /local/domain/0/backend | grep frontend-id",
	} {
		if left := shell(t, "%s || true", look); strings.TrimSpace(left) != "" {
			t.Errorf("%s are left: %s", what, left)
		}
	}
}
