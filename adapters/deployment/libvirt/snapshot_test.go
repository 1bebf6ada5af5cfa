package libvirt_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestGuestGoesBack believes what the guest says of its memory and its disk.
func TestGuestGoesBack(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 1)
	qcow := filepath.Join(f.images, "data.qcow2")
	f.Shell("qemu-img create -q -f qcow2 " + qcow + " 16M")
	m.Disks = append(m.Disks, workspace.MachineDisk{Path: qcow, Format: "qcow2", MountAs: "sdb"})
	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 1, false))
	says := f.console(1)
	says.Await(t, "boot 1 of this disk")
	before := uptime(t, says.Await(t, "alive"))
	took(t, "a snapshot", func() error { return h.Snapshot(t.Context(), 1, "first") })
	after := uptime(t, says.Await(t, "alive"))
	f.takes(t, h, "first")
	within(t, func(ctx context.Context) error { return h.Reboot(ctx, 1) })
	says.Await(t, "boot 2 of this disk")

	t.Log("its memory is what it was")
	took(t, "going back", func() error { return h.Revert(t.Context(), 1, "first") })
	is(t, h, 1, workspace.ConditionSaved)
	says.Skip(t)
	began := time.Now() // from here on its time goes on as ours does
	must(t, h.Start(t.Context(), 1, false))
	now := uptime(t, says.Await(t, "alive"))
	if most := after + time.Since(began).Seconds() + 1; now < before || now > most {
		t.Errorf("the guest was up %v s and goes on at %v s", before, now)
	}
	t.Log("and so is its disk")
	within(t, func(ctx context.Context) error { return h.Reboot(ctx, 1) })
	says.Await(t, "boot 2 of this disk")

	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
	f.onlyDisks(t, 2)
}

// takes checks the size of a machine's only snapshot, which is rounded up.
func (f *farm) takes(t *testing.T, h *libvirt.Host, name string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(f.images, "*.snapshot-"+name))
	must(t, err)
	var size int64
	for _, path := range files {
		stat, err := local.Access{}.Stat(t.Context(), path)
		must(t, err)
		size += stat.OnDisk
	}
	all, err := h.Snapshots(t.Context(), 1)
	must(t, err)
	const mb = 1 << 20
	if len(files) != 3 || len(all) != 1 || (all[0].SizeMB-1)*mb >= size || all[0].SizeMB*mb < size {
		t.Errorf("the files %v of %d bytes are %+v", files, size, all)
	}
}

// TestGuestStandsStillForItsSnapshot: when its disks begin to be copied it has not gone
// on since its memory was written.
func TestGuestStandsStillForItsSnapshot(t *testing.T) {
	f := newFarm(t)
	relay := libvirtdtest.NewRelay(f.Daemon)
	f.options.URI = "qemu+unix:///system?socket=" + relay.Address()
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	must(t, h.Define(t.Context(), f.machine(t, 1)))
	must(t, h.Start(t.Context(), 1, false))
	f.console(1).Await(t, "alive")
	var was atomic.Value
	relay.Judge(func(c libvirtdtest.Call) libvirtdtest.Fate {
		const backupBegin = 421 // REMOTE_PROC_DOMAIN_BACKUP_BEGIN
		if c.Procedure == backupBegin {
			was.Store(strings.TrimSpace(f.Virsh("domstate", "workspace-1")))
		}
		return libvirtdtest.Pass
	})
	must(t, h.Snapshot(t.Context(), 1, "a"))
	if was.Load() != "paused" {
		t.Errorf("when the copying began it was %v", was.Load())
	}
	is(t, h, 1, workspace.ConditionRunning)
	f.alive(t, 1)
	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
}

// onlyDisks checks that the machines' directory has so many files.
func (f *farm) onlyDisks(t *testing.T, want int) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(f.images, "*"))
	if err != nil || len(left) != want {
		t.Errorf("there are files %v, %v", left, err)
	}
}

// TestSnapshotIsKilled kills the daemon, and then the adapter, while the guest
// stands still for a snapshot.
func TestSnapshotIsKilled(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 1)
	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 1, false))
	f.console(1).Await(t, "alive")

	t.Log("the daemon dies while memory is written")
	ended := make(chan error, 1)
	go func() { ended <- h.Snapshot(t.Context(), 1, "a") }()
	f.Shell("until [ -s " + m.Memory + ".snapshot-a ]; do :; done")
	f.Kill()
	f.Restart()
	t.Logf("the first call said %v", <-ended)
	keepInTheEnd(t, h, 1, "a")
	f.alive(t, m.ID)

	t.Log("the adapter dies with the guest standing still")
	const space = "urn:philoxenia:libvirt:1"
	for _, where := range []string{"--config", "--live"} {
		said := strings.Replace(f.Virsh("metadata", "workspace-1", space, where),
			` xmlns:philoxenia="`+space+`"`, "", 1)
		f.Virsh("metadata", "workspace-1", space, where, "--key", "philoxenia", "--set",
			strings.Replace(said, "</workspace>", `<snapshot name="b" made="" part="making"
				froze="yes" memory="`+m.Memory+`.snapshot-b"/></workspace>`, 1))
	}
	f.Shell("touch " + m.Memory + ".snapshot-b")
	f.Virsh("suspend", "workspace-1")
	is(t, h, 1, workspace.ConditionRunning)
	must(t, h.Snapshot(t.Context(), 1, "c"))
	f.alive(t, m.ID)
	all, err := h.Snapshots(t.Context(), 1)
	if err != nil || len(all) != 2 || all[0].Name != "a" || all[1].Name != "c" {
		t.Errorf("there are %v, %v", all, err)
	}

	t.Log("going back is cut off between two files")
	f.Shell("rm " + m.Memory + ".snapshot-a")
	if err := h.Revert(t.Context(), 1, "a"); err == nil {
		t.Error("it went back to memory that is not there")
	}
	isKind(t, "start", h.Start(t.Context(), 1, false), workspace.Conflict)
	must(t, h.Revert(t.Context(), 1, "c"))
	must(t, h.Start(t.Context(), 1, false))
	f.alive(t, m.ID)
	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
	f.onlyDisks(t, 1)
}

// alive waits for the guest's next sign of life.
func (f *farm) alive(t *testing.T, id workspace.ID) {
	t.Helper()
	says := f.console(id)
	says.Skip(t)
	says.Await(t, "alive")
}
