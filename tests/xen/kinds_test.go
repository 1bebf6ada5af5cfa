//go:build xen

package xen

import (
	"context"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestKindsOfGuests defines a machine of each of Xen's kinds on the real libvirtd,
// which checks it, and reads what xl would be told. An emulated processor has no
// virtualisation of its own, so PVH and HVM cannot start here: that they say so,
// and leave nothing, is all that can be held.
func TestKindsOfGuests(t *testing.T) {
	whole := machine(t, 51)
	whole.Boot = workspace.Boot{}
	for _, c := range []struct {
		name    string
		accel   libvirt.Accel
		machine workspace.Machine
		want    []string
		starts  bool
	}{
		{"PV", libvirt.AccelAuto, machine(t, 52), []string{`type = "pv"`,
			`kernel = "` + kernel + `"`, "xvda", "bridge=virbr7"}, true},
		{"PVH", libvirt.AccelPVH, machine(t, 53), []string{`type = "pvh"`,
			`kernel = "` + kernel + `"`, "xvda", "bridge=virbr7"}, false},
		{"HVM", libvirt.AccelAuto, whole, []string{`type = "hvm"`, `boot = "c"`,
			"hda", "bridge=virbr7"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := openAs(t, c.accel)
			id := c.machine.ID
			t.Cleanup(func() {
				if err := h.Undefine(context.Background(), id); err != nil {
					t.Error(err)
				}
				nothingRemains(t)
				_ = h.Close()
			})
			timed(t, "define", func(ctx context.Context) error { return h.Define(ctx, c.machine) })
			native := shell(t, "virsh domxml-to-native xen-xl --domain workspace-%v", id)
			for _, want := range c.want {
				if !strings.Contains(native, want) {
					t.Errorf("xl would not be told %q:\n%s", want, native)
				}
			}
			if c.starts {
				return
			}
			err := h.Start(t.Context(), id, false)
			if err == nil || workspace.KindOf(err) != workspace.Transient {
				t.Errorf("start: got %v, want Xen's refusal", err)
			}
			t.Logf("start: %v; libxl: %s", err,
				shell(t, "tail -n 3 /var/log/libvirt/libxl/libxl-driver.log"))
			is(t, h, id, workspace.ConditionOff)
		})
	}
}
