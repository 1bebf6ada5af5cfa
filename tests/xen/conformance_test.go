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

// TestConformanceOfXen holds the adapter on libxl against the suite. Its machines
// have no devices, which would only make each start slower: TestLifeOfAGuest has
// them. A guest of Xen says nothing of the memory it uses, and lets processors go.
func TestConformanceOfXen(t *testing.T) {
	shell(t, "cat > /tmp/stranger.xml <<'END'\n%s\nEND\nvirsh -q define /tmp/stranger.xml",
		stranger)
	t.Cleanup(func() { shell(t, "virsh -q undefine workspace-7777") })
	deploymenttest.Exercise(t, func(t *testing.T) deploymenttest.Rig {
		begun := time.Now()
		t.Cleanup(func() { t.Logf("took %.0f s", time.Since(begun).Seconds()) })
		return deploymenttest.Rig{
			Host:     open(t),
			Machine:  bare,
			Reopen:   func(t *testing.T) workspace.Deployment { return open(t) },
			Graceful: patience,
			Limit:    patience,
			Walk:     12,
			Awake:    func(t *testing.T, id workspace.ID) { says(t, id, "alive", 1) },
			Bounded:  true,
			PowerOff: func(t *testing.T, id workspace.ID) {
				says(t, id, "alive", 1)
				shell(t, "virsh -q shutdown workspace-%v", id)
			},
			Foreign: func(t *testing.T) string {
				return shell(t, "virsh list --all --name; virsh dumpxml workspace-7777; "+
					"virsh net-dumpxml lease0; virsh net-dumpxml --inactive lease0")
			},
		}
	})
}
