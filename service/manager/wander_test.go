package manager_test

import (
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestDestroyedOnTheWay destroys a workspace that is going from one host to
// another: nothing of it is left on either.
func TestDestroyedOnTheWay(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	w := r.create(request(1))
	r.reach(w.ID, workspace.Running)
	r.check(r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownSerialize, ""))
	home := r.reach(w.ID, workspace.Serialized).Host
	to := map[workspace.HostID]workspace.HostID{"one": "two", "two": "one"}[home]
	r.world.Script(sim.Rule{Host: to, Op: sim.OpStart, Hang: true})
	const restore = 3
	r.goes(w.ID, to, workspace.ChangeResume, home)
	r.awaitStep(w.ID, restore)
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}

// TestDestroyedWhileItIsEvicted destroys a workspace whose host was taken away while it
// was coming there: what is left where it came from goes with it.
func TestDestroyedWhileItIsEvicted(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	w := r.create(request(1))
	r.reach(w.ID, workspace.Running)
	r.check(r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownSerialize, ""))
	home := r.reach(w.ID, workspace.Serialized).Host
	to := map[workspace.HostID]workspace.HostID{"one": "two", "two": "one"}[home]
	r.world.Script(sim.Rule{Host: home, Op: sim.OpUndefine, Hang: true})
	r.goes(w.ID, to, workspace.ChangeEvict, home)
	r.awaitStep(w.ID, 0)
	r.world.ClearScript()
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}

// goes records a workspace at another host than its home, with the change that moves it.
func (r *rig) goes(
	id workspace.ID, to workspace.HostID, kind workspace.ChangeKind, home workspace.HostID,
) {
	r.t.Helper()
	r.check(r.store.Update(r.t.Context(), func(tx workspace.Tx) error {
		old, err := tx.Workspace(id)
		if err != nil {
			return err
		}
		going := *old
		going.Host = to
		if err := tx.PutWorkspace(&going); err != nil {
			return err
		}
		return tx.PutChange(&workspace.Change{ID: tx.NextChangeID(), Kind: kind,
			Workspace: id, Status: workspace.ChangeDoing, Argument: string(home)})
	}))
}
