//go:build xen

package xen

import (
	"context"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestGuestThatDoesNotListen forces a guest that hears nothing, because Xen keeps it
// from running behind libvirt's back.
func TestGuestThatDoesNotListen(t *testing.T) {
	const id = 61
	h := open(t)
	t.Cleanup(func() { _ = h.Close() })
	t.Cleanup(func() { _ = h.Undefine(context.Background(), id) })
	must(t, h.Define(t.Context(), bare(id)))
	must(t, h.Start(t.Context(), id, false))
	before := shell(t, "virsh domid workspace-%v; xl pause workspace-%v", id, id)
	short := func(what string, call func(context.Context) error) {
		timed(t, what, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
			defer cancel()
			return call(ctx)
		})
	}
	short("reboot by force", func(ctx context.Context) error { return h.Reboot(ctx, id) })
	is(t, h, id, workspace.ConditionRunning)
	if after := shell(t, "virsh domid workspace-%v", id); after == before {
		t.Errorf("the domain is still %s", after)
	}
	shell(t, "xl pause workspace-%v", id)
	short("shut down by force", func(ctx context.Context) error {
		return h.Stop(ctx, id, workspace.StopGraceful)
	})
	is(t, h, id, workspace.ConditionOff)
	must(t, h.Undefine(t.Context(), id))
	nothingRemains(t)
}
