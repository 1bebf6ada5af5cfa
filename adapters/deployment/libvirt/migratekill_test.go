package libvirt_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestMigrationIsKilled kills what takes part in a migration while memory is on
// its way, and then asks for the migration again.
func TestMigrationIsKilled(t *testing.T) {
	f := newFerry(t, true)
	one, two := f.open(t, 0), f.open(t, 1)
	defer func() { must(t, one.Close()); must(t, two.Close()) }()
	hosts := [2]*libvirt.Host{one, two}
	m := f.machine(0, 1)
	f.guest.Disk(t, m.Disks[0].Path)
	must(t, one.Define(t.Context(), m))
	must(t, one.Start(t.Context(), 1, false))
	f.console(0, 1).Await(t, "alive")
	source, target := f.lab.Hosts[0].Daemon, f.lab.Hosts[1].Daemon
	at := 0 // where the machine is
	for _, c := range []struct {
		name string
		meet func(cancel func())
		stay bool // it is where it was, before it is asked for again
	}{
		{"nobody wants it any more", func(cancel func()) { slow(t, source); cancel() }, true},
		{"the source's daemon dies", func(func()) { source.Kill(); source.Restart() }, false},
		{"the target's daemon dies", func(func()) { target.Kill(); target.Restart() }, false},
		{"both daemons die", func(func()) {
			source.Kill()
			target.Kill()
			source.Restart()
			target.Restart()
		}, false},
		{"the source's daemon stops, and dies", func(func()) {
			source.Freeze()
			target.Virsh("list")
			source.Kill()
			source.Restart()
		}, false},
	} {
		t.Log(c.name)
		from, to := hosts[at], hosts[1-at]
		ctx, cancel := context.WithCancel(t.Context())
		var once sync.Once
		_, err := from.Migrate(ctx, 1, workspace.Migration{Target: to, As: f.machine(1-at, 1),
			Live: true, Copied: true, MaxMBps: 2,
			Progress: func(int64, int64) { once.Do(func() { c.meet(cancel) }) }})
		cancel()
		t.Logf("the first call said %v", err)
		if c.stay {
			is(t, from, 1, workspace.ConditionRunning)
			f.empty(t, 1-at)
			f.diskless(t, 1-at)
		}
		if err == nil {
			t.Error("what was cut off went well")
		}
		_, err = from.Migrate(t.Context(), 1, workspace.Migration{Target: to,
			As: f.machine(1-at, 1), Copied: true})
		must(t, err)
		is(t, from, 1, workspace.ConditionAbsent)
		is(t, to, 1, workspace.ConditionRunning)
		f.empty(t, at)
		at = 1 - at
		source, target = target, source
	}
}

// slow checks that a machine leaves the host with no more than 2 MB a second.
func slow(t *testing.T, from *libvirtdtest.Daemon) {
	t.Helper()
	said := from.Virsh("qemu-monitor-command", "workspace-1", "--hmp", "info migrate_parameters")
	if !strings.Contains(said, "max-bandwidth: 2097152 bytes") {
		t.Errorf("it may take more than 2 MB a second:\n%s", said)
	}
}

// TestMigrationEndsHalf repeats a migration whose last step was cut off: the
// machine is on the other host, and still known to this one.
func TestMigrationEndsHalf(t *testing.T) {
	f := newFerry(t, false)
	one, two := f.open(t, 0), f.open(t, 1)
	defer func() { must(t, one.Close()); must(t, two.Close()) }()
	m, there := f.machine(0, 1), f.machine(1, 1)
	f.guest.Disk(t, m.Disks[0].Path)
	must(t, one.Define(t.Context(), m))
	must(t, one.Start(t.Context(), 1, true))
	source, target := f.lab.Hosts[0], f.lab.Hosts[1]
	known := filepath.Join(f.lab.Shared, "known.xml")
	write(t, known, source.Virsh("dumpxml", "workspace-1", "--inactive"))
	move := func() error {
		_, err := one.Migrate(t.Context(), 1, workspace.Migration{Target: two, As: there})
		return err
	}
	must(t, move())
	for _, state := range []workspace.Condition{workspace.ConditionPaused, workspace.ConditionOff} {
		source.Virsh("define", known)
		mark(t, target.Virsh, "--config")
		if state == workspace.ConditionPaused {
			mark(t, target.Virsh, "--live")
		} else {
			target.Virsh("destroy", "workspace-1") // the guest switched itself off since
		}
		is(t, two, 1, state)
		must(t, move())
		is(t, one, 1, workspace.ConditionAbsent)
		is(t, two, 1, state)
		f.empty(t, 0)
	}
	must(t, two.Define(t.Context(), there))
	must(t, two.Undefine(t.Context(), 1))
	f.empty(t, 1)
}

// mark marks the machine as one that is still on its way.
func mark(t *testing.T, virsh func(...string) string, where string) {
	t.Helper()
	const space = "urn:philoxenia:libvirt:1"
	said := virsh("metadata", "workspace-1", space, where)
	marked := strings.Replace(said, "<workspace ", `<workspace coming="host1" `, 1)
	if marked == said {
		t.Fatalf("there is nothing to mark in %s", said)
	}
	marked = strings.Replace(marked, ` xmlns:philoxenia="`+space+`"`, "", 1)
	virsh("metadata", "workspace-1", space, where, "--key", "philoxenia", "--set", marked)
}

// TestMigrationIsGivenUp destroys a machine whose migration the hosts end by themselves
// after the adapter has died: nothing is left on either, though the source has no domain
// any more to find the rest by.
func TestMigrationIsGivenUp(t *testing.T) {
	f := newFerry(t, true)
	one, two := f.open(t, 0), f.open(t, 1)
	m, there := f.machine(0, 1), f.machine(1, 1)
	f.guest.Disk(t, m.Disks[0].Path)
	must(t, one.Define(t.Context(), m))
	must(t, one.Start(t.Context(), 1, false))
	f.console(0, 1).Await(t, "alive")
	var once sync.Once
	_, err := one.Migrate(t.Context(), 1, workspace.Migration{Target: two, As: there,
		Copied: true, MaxMBps: 8,
		Progress: func(int64, int64) { once.Do(func() { must(t, one.Close()) }) }})
	if err == nil {
		t.Error("what was cut off went well")
	}
	must(t, two.Close())
	f.awaitLeft(t, 0)
	for i, as := range []workspace.Machine{m, there} {
		h := f.open(t, i)
		must(t, h.Undefine(t.Context(), 1))
		for range 2 { // as a caller does whose answer was lost
			must(t, h.Sweep(t.Context(), 1, as.NICs, true))
		}
		f.empty(t, i)
		must(t, h.Close())
	}
}

// awaitLeft waits until the i-th host has no domain.
func (f *ferry) awaitLeft(t *testing.T, i int) {
	t.Helper()
	end := time.Now().Add(longEnough)
	for strings.TrimSpace(f.lab.Hosts[i].Virsh("list", "--all", "--name")) != "" {
		if time.Now().After(end) {
			t.Fatal("the hosts do not end the migration")
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// TestMigrationIsPreparedInVain: what was made on the other host before something there
// failed is removed again, and never the disk that the machine uses.
func TestMigrationIsPreparedInVain(t *testing.T) {
	f := newFerry(t, true)
	one, two := f.open(t, 0), f.open(t, 1)
	defer func() { must(t, one.Close()); must(t, two.Close()) }()
	m := f.machine(0, 1)
	f.guest.Disk(t, m.Disks[0].Path)
	must(t, one.Define(t.Context(), m))
	must(t, one.Start(t.Context(), 1, true))
	file := filepath.Join(f.images(f.lab.Hosts[1]), "file")
	write(t, file, "no directory")
	for _, path := range []string{filepath.Join(file, "1.img"), m.Disks[0].Path} {
		there := f.machine(1, 1)
		there.Disks[0].Path = path
		_, err := one.Migrate(t.Context(), 1,
			workspace.Migration{Target: two, As: there, Copied: true})
		t.Logf("to %s: %v", path, err)
		if err == nil {
			t.Errorf("it went to %s", path)
		}
		is(t, one, 1, workspace.ConditionPaused)
		f.empty(t, 1)
		if _, err := os.Stat(m.Disks[0].Path); err != nil {
			t.Errorf("its disk is lost: %v", err)
		}
	}
	must(t, one.Undefine(t.Context(), 1))
	f.empty(t, 0)
}

// TestSweepTouchesNoMachine leaves alone what is there.
func TestSweepTouchesNoMachine(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 1)
	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 1, false))
	before := hosts(f.Virsh("net-dumpxml", "lease0"))
	must(t, h.Sweep(t.Context(), 1, m.NICs, true))
	if after := hosts(f.Virsh("net-dumpxml", "lease0")); before == "" || after != before {
		t.Errorf("its DHCP entries were %s and are %s", before, after)
	}
	f.console(1).Await(t, "alive")
	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
}
