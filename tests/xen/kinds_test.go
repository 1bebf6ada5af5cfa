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
// and reads what xl would be told. An emulated processor has no virtualisation of
// its own, without which Xen takes PV alone: that libvirtd says so of the others, and
// nothing of them remains, is all that can be held.
func TestKindsOfGuests(t *testing.T) {
	whole := machine(t, 51)
	whole.Boot = workspace.Boot{}
	for _, c := range []struct {
		name    string
		accel   libvirt.Accel
		machine workspace.Machine
		want    []string
		refused string
	}{
		{"PV", libvirt.AccelAuto, machine(t, 52), []string{`kernel = "` + kernel + `"`,
			"vdev=xvda", "root=/dev/xvda console=hvc0", "bridge=virbr7"}, ""},
		{"PVH", libvirt.AccelPVH, machine(t, 53), nil,
			"could not find capabilities for ostype=xenpvh"},
		{"HVM", libvirt.AccelAuto, whole, nil,
			"could not find capabilities for arch=x86_64 domaintype=xen"},
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
			if c.refused != "" {
				err := h.Define(t.Context(), c.machine)
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("define: got %v, want %q", err, c.refused)
				}
				t.Logf("libvirtd, where %s: %v", shell(t, "xl info xen_caps | tr -d '\\n'"), err)
				is(t, h, id, workspace.ConditionAbsent)
				return
			}
			timed(t, "define", func(ctx context.Context) error { return h.Define(ctx, c.machine) })
			native := shell(t, "virsh domxml-to-native xen-xl --domain workspace-%v", id)
			for _, want := range c.want {
				if !strings.Contains(native, want) {
					t.Errorf("xl would not be told %q:\n%s", want, native)
				}
			}
		})
	}
}
