package manager_test

import (
	"context"
	"sync"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// trails are the hosts on which something of a guest lies beside its machine.
type trails struct {
	mu sync.Mutex
	on map[workspace.Deployment][]workspace.NIC
}

func (t *trails) put(d workspace.Deployment, nics []workspace.NIC) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.on[d] = nics
}

// trailing is a host that has what real ones have: a move leaves things on both, which are
// found by a machine that is there, or by who knows what it was.
type trailing struct {
	workspace.Deployment
	*trails
	after func(context.Context) error // a move: what its caller hears
}

func (h trailing) Migrate(
	ctx context.Context, id workspace.ID, m workspace.Migration,
) (workspace.Passage, error) {
	m.Target = m.Target.(trailing).Deployment
	h.put(h.Deployment, m.As.NICs)
	h.put(m.Target, m.As.NICs)
	passage, err := h.Deployment.Migrate(ctx, id, m)
	if err == nil {
		err = h.after(ctx)
	}
	return passage, err
}

func (h trailing) CanMigrate(to workspace.Deployment) error {
	return h.Deployment.CanMigrate(to.(trailing).Deployment)
}

func (h trailing) Undefine(ctx context.Context, id workspace.ID) error {
	now, err := h.Inspect(ctx, id)
	if err != nil || now == workspace.ConditionAbsent {
		return err
	}
	h.mu.Lock()
	delete(h.on, h.Deployment)
	h.mu.Unlock()
	return h.Deployment.Undefine(ctx, id)
}

func (h trailing) Sweep(
	_ context.Context, _ workspace.ID, nics []workspace.NIC, files bool,
) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if left := h.on[h.Deployment]; files && len(left) == len(nics) {
		delete(h.on, h.Deployment)
	}
	return nil
}

// trailingRig is a rig whose hosts are such, with a workspace that runs on one of them and
// is told to move to the other.
func trailingRig(
	t *testing.T, after func(context.Context) error,
) (*rig, *trails, *workspace.Workspace) {
	t.Helper()
	left := &trails{on: map[workspace.Deployment][]workspace.NIC{}}
	r := newRig(t, t.TempDir(), "", func(r *rig) {
		r.wrap = func(d workspace.Deployment) workspace.Deployment {
			return trailing{d, left, after}
		}
	})
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	_, err := r.manager.Migrate(t.Context(), ada, w.ID, "", false)
	r.check(err)
	return r, left, w
}

// none checks that nothing is left of a guest on any host.
func (t *trails) none(test *testing.T) {
	test.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.on) > 0 {
		test.Errorf("on %d hosts something is left", len(t.on))
	}
}

// TestDestroyedBetweenHosts: the machine has gone over, and nobody has recorded it, when
// its workspace is destroyed. What lies on the host that no longer has it goes too.
func TestDestroyedBetweenHosts(t *testing.T) {
	over := make(chan struct{})
	r, left, w := trailingRig(t, func(ctx context.Context) error {
		close(over)
		<-ctx.Done()
		return ctx.Err()
	})
	<-over
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
	left.none(t)
}

// TestMoveFailsAfterArrival: a guest that is on the other host is not removed from there,
// whatever is wrong with its move, but from the host that it has left.
func TestMoveFailsAfterArrival(t *testing.T) {
	r, left, w := trailingRig(t, func(context.Context) error {
		return workspace.Errorf(workspace.Internal, "migrate", "", "something is wrong")
	})
	w = r.await(w.ID, other(w), workspace.Running)
	if n := r.world.Calls(sim.OpStart); n != 1 {
		t.Errorf("the guest was started %d times", n)
	}
	left.mu.Lock()
	for d := range left.on {
		if now, err := d.Inspect(t.Context(), w.ID); err != nil ||
			now == workspace.ConditionAbsent {
			t.Errorf("something is left on the host that it came from: %v", err)
		}
	}
	left.mu.Unlock()
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
	left.none(t)
}
