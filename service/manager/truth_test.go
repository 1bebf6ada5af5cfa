package manager_test

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestNoSerializeEndsAsItWas: a guest whose memory cannot be saved, as on a full disk,
// goes on, its owner hears why, and the next try succeeds.
func TestNoSerializeEndsAsItWas(t *testing.T) {
	r := newRig(t, t.TempDir(), "* stop nth=1 times=1 fail=noresource")
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	for _, on := range []workspace.State{workspace.Running, workspace.Serialized} {
		r.check(r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownSerialize, ""))
		w = r.await(w.ID, w.Host, on)
		if says := strings.Contains(w.Fault, "noresource"); says != (on == workspace.Running) {
			t.Errorf("it is %s, its fault %q", w.State, w.Fault)
		}
	}
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}

// TestNoRevertEndsAsItWas: what cannot go back to a snapshot is what its guest is, not
// what it would have become.
func TestNoRevertEndsAsItWas(t *testing.T) {
	const back = vmm.KeepRevert
	for _, c := range []struct {
		name string
		stop workspace.ShutdownKind
		is   workspace.State
	}{
		{"runs", "", workspace.Running},
		{"is paused", workspace.ShutdownPause, workspace.Paused},
		{"is saved", workspace.ShutdownSerialize, workspace.Serialized},
		{"is off", workspace.ShutdownNormal, workspace.Propagated},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, t.TempDir(), "* revert nth=1 times=1 fail=conflict")
			w := r.create(request(1))
			w = r.reach(w.ID, workspace.Running)
			if c.stop != "" {
				r.check(r.manager.Shutdown(t.Context(), ada, w.ID, c.stop, ""))
				r.reach(w.ID, c.is)
			}
			keep := func(action, name string) error {
				return r.manager.Keep(t.Context(), ada, w.ID, action, name)
			}
			r.kind("going back to nothing", keep(back, "none"), workspace.Conflict)
			if n := r.world.Calls(sim.OpRevert); n != 0 {
				t.Errorf("the host was asked %d times for what is not there", n)
			}
			r.check(keep(vmm.KeepCreate, "a"))
			r.kind("going back", keep(back, "a"), workspace.Conflict)
			if w := r.await(w.ID, w.Host, c.is); !strings.Contains(w.Fault, "conflict") {
				t.Errorf("its fault is %q", w.Fault)
			}
			r.check(keep(back, "a"))
			r.check(r.manager.Destroy(t.Context(), ada, w.ID))
			r.conserved()
		})
	}
}

// TestSnapshotsOutliveSavedMemory shuts down a workspace whose memory is saved.
func TestSnapshotsOutliveSavedMemory(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	r.check(r.manager.Keep(t.Context(), ada, w.ID, vmm.KeepCreate, "a"))
	r.check(r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownSerialize, ""))
	r.reach(w.ID, workspace.Serialized)
	r.check(r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownNormal, ""))
	w = r.reach(w.ID, workspace.Propagated)
	all, err := r.manager.Snapshots(t.Context(), ada, w.ID)
	if r.check(err); len(all) != 1 {
		t.Errorf("it has the snapshots %v", all)
	}
	now, err := r.node(w.Host).Inspect(t.Context(), w.ID)
	if r.check(err); now != workspace.ConditionOff {
		t.Errorf("its guest is %s", now)
	}
	r.check(r.manager.Start(t.Context(), ada, w.ID))
	r.reach(w.ID, workspace.Running)
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}
