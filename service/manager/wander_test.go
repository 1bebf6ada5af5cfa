package manager_test

import (
	"strings"
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

// TestGroupMovesTogether moves one of two workspaces that are to be on one host: the other
// comes along, whatever it is at.
func TestGroupMovesTogether(t *testing.T) {
	for _, at := range []struct {
		state workspace.State
		how   workspace.ShutdownKind
	}{
		{workspace.Running, ""},
		{workspace.Paused, workspace.ShutdownPause},
		{workspace.Propagated, workspace.ShutdownNormal},
	} {
		t.Run(at.state.String(), func(t *testing.T) {
			r := newRig(t, t.TempDir(), "")
			req := request(2)
			req.Terms.Affinity = []workspace.AffinityRule{{Relation: workspace.Near}}
			created, err := r.manager.Create(t.Context(), req)
			r.check(err)
			one, two := created.Workspaces[0].ID, created.Workspaces[1].ID
			from := r.reach(one, workspace.Running)
			r.reach(two, workspace.Running)
			if at.how != "" {
				r.check(r.manager.Shutdown(t.Context(), ada, two, at.how, ""))
				r.reach(two, at.state)
			}
			_, err = r.manager.Migrate(t.Context(), ada, one, "", false)
			r.check(err)
			r.await(one, other(from), workspace.Running)
			r.await(two, other(from), at.state)
			_, err = r.manager.Migrate(t.Context(), ada, one, "", false)
			r.check(err)
			r.await(one, from.Host, workspace.Running)
			r.await(two, from.Host, at.state)
		})
	}
}

// TestSavedMemoryStays moves nobody who would leave memory behind that the owner had saved,
// neither alone nor as one of two that are to be on one host, and says so. When it goes on it
// moves.
func TestSavedMemoryStays(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	req := request(2)
	req.Terms.Affinity = []workspace.AffinityRule{{Relation: workspace.Near}}
	created, err := r.manager.Create(t.Context(), req)
	r.check(err)
	one, two := created.Workspaces[0].ID, created.Workspaces[1].ID
	from := r.reach(one, workspace.Running)
	r.reach(two, workspace.Running)
	r.check(r.manager.Shutdown(t.Context(), ada, two, workspace.ShutdownSerialize, ""))
	r.reach(two, workspace.Serialized)
	for _, id := range []workspace.ID{one, two} {
		_, err := r.manager.Migrate(t.Context(), ada, id, "", false)
		if workspace.KindOf(err) != workspace.Conflict ||
			!strings.Contains(err.Error(), "memory of workspace "+two.String()) {
			t.Errorf("the move of %s is refused by %v", id, err)
		}
		r.await(one, from.Host, workspace.Running)
		r.await(two, from.Host, workspace.Serialized)
	}
	r.check(r.manager.Start(t.Context(), ada, two))
	r.reach(two, workspace.Running)
	_, err = r.manager.Migrate(t.Context(), ada, one, "", false)
	r.check(err)
	r.await(one, other(from), workspace.Running)
	r.await(two, other(from), workspace.Running)
}
