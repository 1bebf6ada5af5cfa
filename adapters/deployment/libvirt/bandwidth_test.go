package libvirt_test

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestBandwidth holds a guest to what its network was limited to, and changes
// that while it runs.
func TestBandwidth(t *testing.T) {
	f := newFarm(t)
	f.ShapeTraffic()
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 1)
	m.NetInKbps = 8000
	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 1, false))
	f.console(1).Await(t, "alive")
	f.limited(t, "inbound.average: 1000", "outbound.average: 0")
	m.NetInKbps, m.NetOutKbps = 16000, 4000
	took(t, "resize of the network", func() error {
		return h.Resize(t.Context(), 1, workspace.Shape{NetInKbps: 16000, NetOutKbps: 4000})
	})
	f.limited(t, "inbound.average: 2000", "outbound.average: 500")
	must(t, h.Define(t.Context(), m))
	rates := f.Shell("for d in /sys/class/net/vnet*; do tc class show dev ${d##*/}; done")
	if !strings.Contains(rates, "rate 16Mbit") {
		t.Errorf("the kernel's limits are %s", rates)
	}
	must(t, h.Stop(t.Context(), 1, workspace.StopForced))
	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 1, false))
	f.limited(t, "inbound.average: 2000", "outbound.average: 500")
	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
}

// limited checks what libvirt says of the guest's network.
func (f *farm) limited(t *testing.T, want ...string) {
	t.Helper()
	got := f.Virsh("domiftune", "workspace-1", "52:54:00:00:00:01", "--live")
	for _, line := range want {
		name, value, _ := strings.Cut(line, ": ")
		if !strings.Contains(strings.Join(strings.Fields(got), " "), name+": "+value) {
			t.Errorf("%s is not %s:\n%s", name, value, got)
		}
	}
}
