package libvirt_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// crowded is a way to the files of a host whose disk others fill right after the room on it
// was looked at.
type crowded struct {
	local.Access
	fill func()
}

func (c *crowded) Space(ctx context.Context, dir string) (free, total int64, err error) {
	free, total, err = c.Access.Space(ctx, dir)
	if fill := c.fill; fill != nil {
		c.fill = nil
		fill()
	}
	return free, total, err
}

// TestMigrationToAFullDisk has the disk be full of the host to which a machine goes with its
// disks, from the beginning or as they are copied: the reason is told, the guest goes on
// where it was, nothing is left on the other host, and with room it moves.
func TestMigrationToAFullDisk(t *testing.T) {
	const small, large = 8 << 20, 256 << 20
	dir := t.TempDir()
	out, err := exec.Command("mount", "-t", "tmpfs", "tmpfs", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "--lazy", dir).Run() })
	f := newNarrowFerry(t, true, dir)
	way := &crowded{}
	one, two := f.open(t, 0), f.openBy(t, 1, way)
	defer func() { must(t, one.Close()); must(t, two.Close()) }()
	m := f.machine(0, 1)
	f.guest.Disk(t, m.Disks[0].Path)
	f.lab.Hosts[0].Shell("head -c 32M /dev/urandom >> " + m.Disks[0].Path)
	must(t, one.Define(t.Context(), m))
	must(t, one.Start(t.Context(), 1, false))
	says := f.console(0, 1)
	before := uptime(t, says.Await(t, "alive"))
	for _, live := range []bool{true, false} {
		for name, crowd := range map[string]bool{"from the beginning": false, "on the way": true} {
			t.Logf("full %s, live: %v", name, live)
			holds(t, dir, small)
			if crowd {
				holds(t, dir, large)
				way.fill = func() { holds(t, dir, small) }
			}
			_, err := one.Migrate(t.Context(), 1, workspace.Migration{Target: two,
				As: f.machine(1, 1), Live: live, Copied: true})
			saysHowFull(t, err, dir)
			is(t, one, 1, workspace.ConditionRunning)
			is(t, two, 1, workspace.ConditionAbsent)
			says.Skip(t)
			after := uptime(t, says.Await(t, "alive"))
			if after < before {
				t.Errorf("the guest was up %v s, and then %v s", before, after)
			}
			before = after
			f.empty(t, 1)
			f.diskless(t, 1)
		}
	}
	holds(t, dir, large)
	_, err = one.Migrate(t.Context(), 1, workspace.Migration{Target: two, As: f.machine(1, 1),
		Live: true, Copied: true})
	must(t, err)
	if after := uptime(t, f.console(1, 1).Await(t, "alive")); after < before {
		t.Errorf("the guest was up %v s, and after its move %v s", before, after)
	}
	f.empty(t, 0)
	must(t, two.Undefine(t.Context(), 1))
	must(t, os.Remove(f.machine(1, 1).Disks[0].Path))
	f.empty(t, 1)
	f.diskless(t, 1)
}

// saysHowFull checks what is told of a migration for which there is no room.
func saysHowFull(t *testing.T, err error, dir string) {
	t.Helper()
	t.Log(err)
	isKind(t, "a migration to a full disk", err, workspace.NoResource)
	for _, word := range []string{"host2", dir, "bytes", "free", "needed"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Fatalf("it does not say %q: %v", word, err)
		}
	}
}
