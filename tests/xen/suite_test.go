//go:build xen

package xen

import (
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/deploymenttest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// stranger is a domain that is not ours, though its name looks like it.
const stranger = `<domain type='xen'><name>workspace-7777</name><memory>65536</memory>
<os><type arch='x86_64' machine='xenpv'>linux</type><kernel>` + kernel + `</kernel></os></domain>`

// fits is what of the suite an emulated host has the time for, where a guest needs
// half a minute to start and another to be up. What is left out takes it through
// tens of lives: every wish in every condition, and the random walk; or needs what
// libxl lacks: migration, and snapshots of what is in memory.
var fits = []string{
	"every call twice", "unknown machines", "another definition under a known id", "consoles",
	"watch", "probe", "guest switches itself off", "list", "context", "re-attach",
	"many at once", "hostile words", "capacity", "measure", "resize", "resize refused",
	"resize while off",
}

// short is a life in which the guest's help is needed once, to save its memory:
// TestLifeOfAGuest has reboot and shutdown, and asks once.
var short = []string{"start", "pause", "resume", "serialize", "start", "stop by force",
	"start paused", "resume"}

// TestConformanceOfXen holds the adapter on libxl against the suite. Its machines
// have no devices, which would only make each start slower: TestLifeOfAGuest has
// them. A guest of Xen says nothing of the memory it uses, and lets processors go.
func TestConformanceOfXen(t *testing.T) {
	shell(t, "cat > /tmp/stranger.xml <<'END'\n%s\nEND\nvirsh -q define /tmp/stranger.xml",
		stranger)
	t.Cleanup(func() { shell(t, "virsh -q undefine workspace-7777") })
	deploymenttest.ExerciseOnly(t, func(t *testing.T) deploymenttest.Rig {
		begun := time.Now()
		t.Cleanup(func() { t.Logf("took %.0f s", time.Since(begun).Seconds()) })
		return deploymenttest.Rig{
			Host:     open(t),
			Machine:  bare,
			Reopen:   func(t *testing.T) workspace.Deployment { return open(t) },
			Graceful: patience,
			Limit:    patience,
			Life:     short,
			Awake:    func(t *testing.T, id workspace.ID) { says(t, id, "alive", 1) },
			Bounded:  true,
			Talks:    true,
			PowerOff: func(t *testing.T, id workspace.ID) {
				says(t, id, "alive", 1)
				shell(t, "virsh -q shutdown workspace-%v", id)
			},
			Foreign: func(t *testing.T) string {
				return shell(t, "virsh list --all --name; virsh dumpxml workspace-7777; "+
					"virsh net-dumpxml lease0; virsh net-dumpxml --inactive lease0")
			},
		}
	}, fits...)
}
