package manager_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/manager"
	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// other is the host of two on which a workspace is not.
func other(w *workspace.Workspace) workspace.HostID {
	return map[workspace.HostID]workspace.HostID{"one": "two", "two": "one"}[w.Host]
}

// await waits until a workspace rests on the host in the state.
func (r *rig) await(
	id workspace.ID, at workspace.HostID, state workspace.State,
) *workspace.Workspace {
	r.t.Helper()
	r.settle()
	w, err := r.store.Workspace(r.t.Context(), id)
	r.check(err)
	if w.Host != at || w.State != state || w.Parked {
		r.t.Fatalf("it is %s on %s, parked %v (%s); want %s on %s", w.State, w.Host, w.Parked,
			w.Fault, state, at)
	}
	return w
}

// TestMigrate moves a workspace as it runs, while it is off, and back.
func TestMigrate(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	for _, named := range []bool{true, false} {
		to := other(w)
		asked := to
		if !named {
			asked = ""
		}
		got, err := r.manager.Migrate(t.Context(), ada, w.ID, asked, named)
		r.check(err)
		if got != to {
			t.Errorf("it goes to %s, want %s", got, to)
		}
		w = r.await(w.ID, to, workspace.Running)
	}
	if r.world.Calls(sim.OpMigrate) != 2 || r.world.Calls(sim.OpStop) != 0 {
		t.Errorf("it was migrated %d times and stopped %d times", r.world.Calls(sim.OpMigrate),
			r.world.Calls(sim.OpStop))
	}
	r.check(r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownNormal, ""))
	w = r.reach(w.ID, workspace.Propagated)
	_, err := r.manager.Migrate(t.Context(), ada, w.ID, other(w), false)
	r.check(err)
	w = r.await(w.ID, other(w), workspace.Propagated)
	r.check(r.manager.Start(t.Context(), ada, w.ID))
	r.reach(w.ID, workspace.Running)
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}

// TestMigrationIsNoEnd: the host that a guest leaves says that it is gone while the
// record has it there yet. Nothing befell it, and nobody is told that anything did.
func TestMigrationIsNoEnd(t *testing.T) {
	var said bytes.Buffer
	r := newRig(t, t.TempDir(), "", func(r *rig) {
		r.log = slog.New(slog.NewTextHandler(&said, nil))
	})
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	for range 8 {
		_, err := r.manager.Migrate(t.Context(), ada, w.ID, "", false)
		r.check(err)
		w = r.await(w.ID, other(w), workspace.Running)
	}
	r.check(r.world.PowerOff(w.Host, w.ID))
	r.reach(w.ID, workspace.Propagated)
	r.stop()
	const ended = "guest stopped by itself"
	if n := strings.Count(said.String(), ended); n != 1 {
		t.Errorf("%q is said %d times, expected once, at the end:\n%s", ended, n, said.String())
	}
}

// TestMigrationFallsBack moves a guest with its memory saved that cannot move while
// it runs.
func TestMigrationFallsBack(t *testing.T) {
	r := newRig(t, t.TempDir(), "* migrate fail=conflict")
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	_, err := r.manager.Migrate(t.Context(), ada, w.ID, "", false)
	r.check(err)
	w = r.await(w.ID, other(w), workspace.Running)
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}

// TestMigrationToAFullHost lets the disk be full of the host to which a guest moves: it is not
// interrupted, its owner is told, nothing of it has the other host's room, and another
// attempt succeeds. That a host is drained makes no difference to what goes on there.
func TestMigrationToAFullHost(t *testing.T) {
	for _, drained := range []bool{false, true} {
		const reason = "cannot migrate: the other host is full: "
		r := newRig(t, t.TempDir(), "* migrate fail=noresource times=2")
		w := r.create(request(1))
		w = r.reach(w.ID, workspace.Running)
		home, told := w.Host, r.events(w.ID)
		r.check(r.manager.SetHost(t.Context(), ada, workspace.HostMode{Host: home,
			Drained: drained}))
		for i := range 2 {
			_, err := r.manager.Migrate(t.Context(), ada, w.ID, "", i > 0)
			r.check(err)
			w = r.await(w.ID, home, workspace.Running)
			if all := told(); len(all) != i+1 || !strings.HasPrefix(all[i], "Running: "+reason) ||
				!strings.HasPrefix(w.Fault, reason) {
				t.Errorf("told is %q, its fault %q", all, w.Fault)
			}
			if b, err := r.store.Booking(t.Context(), w.Booking); err != nil ||
				len(b.Hosts) != 1 || b.Hosts[0] != home || len(b.Leaving) != 0 {
				t.Errorf("its lease is %+v, %v", b, err)
			}
			if left := r.world.Machines(other(w)); len(left) != 0 {
				t.Errorf("left there is %v", left)
			}
		}
		if r.world.Calls(sim.OpStop) != 0 || r.world.Calls(sim.OpMigrate) != 2 {
			t.Error("it was interrupted")
		}
		full := request(1) // all that the other host has
		full.Demand = workspace.Allocation{MemoryMB: 1024, CPUs: 4}
		full.Spec.NICs = nil
		filler := r.reach(r.create(full).ID, workspace.Running)
		if filler.Host == home {
			t.Errorf("what fills the other host is on %s", filler.Host)
		}
		r.check(r.manager.Destroy(t.Context(), ada, filler.ID))
		r.settle()
		_, err := r.manager.Migrate(t.Context(), ada, w.ID, "", false)
		r.check(err)
		if w = r.await(w.ID, other(w), workspace.Running); w.Fault != "" {
			t.Errorf("there it says %q", w.Fault)
		}
		r.check(r.manager.Destroy(t.Context(), ada, w.ID))
		r.conserved()
	}
}

// TestRefusedSnapshotSaysSo: who asks for a snapshot is told of a snapshot.
func TestRefusedSnapshotSaysSo(t *testing.T) {
	r := newRig(t, t.TempDir(), "* snapshot fail=conflict")
	w := r.create(request(1))
	r.reach(w.ID, workspace.Running)
	err := r.manager.Keep(t.Context(), ada, w.ID, vmm.KeepCreate, "a")
	text := fmt.Sprint(err)
	if workspace.KindOf(err) != workspace.Conflict ||
		!strings.HasPrefix(text, "cannot keep a snapshot of workspace") {
		t.Errorf("the error is %q", text)
	}
}

// TestDestroyedWhileItMigrates leaves nothing on either host.
func TestDestroyedWhileItMigrates(t *testing.T) {
	for _, script := range []string{"* migrate hang", "* migrate hang lost"} {
		r := newRig(t, t.TempDir(), script)
		w := r.create(request(1))
		w = r.reach(w.ID, workspace.Running)
		_, err := r.manager.Migrate(t.Context(), ada, w.ID, "", false)
		r.check(err)
		r.awaitStep(w.ID, 0)
		r.check(r.manager.Destroy(t.Context(), ada, w.ID))
		r.conserved()
	}
}

// TestMovedTwice: who asks for a move again is told that it is under way until the old
// host is cleared, and not before that it is done.
func TestMovedTwice(t *testing.T) {
	r := newRig(t, t.TempDir(), "* undefine times=1 hang")
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	to := other(w)
	_, err := r.manager.Migrate(t.Context(), ada, w.ID, to, false)
	r.check(err)
	r.awaitStep(w.ID, 1)
	if _, err := r.manager.Migrate(t.Context(), ada, w.ID, to, false); workspace.KindOf(err) !=
		workspace.Busy {
		t.Errorf("while the old host is cleared: %v, want %s", err, workspace.Busy)
	}
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}

// TestMigrationRefused changes nothing.
func TestMigrationRefused(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	refused := func(owner workspace.Owner, id workspace.ID, to workspace.HostID,
		want workspace.Kind) {
		t.Helper()
		_, err := r.manager.Migrate(t.Context(), owner, id, to, false)
		if err == nil || workspace.KindOf(err) != want {
			t.Errorf("got %v (%s), want %s", err, workspace.KindOf(err), want)
		}
	}
	refused("/O=Example/CN=Eve", w.ID, other(w), workspace.Denied)
	refused(ada, 4711, other(w), workspace.NotFound)
	refused(ada, w.ID, "nowhere", workspace.NotFound)
	r.check(r.manager.Snapshot(t.Context(), ada, w.ID, vmm.Keep{Action: vmm.KeepCreate, Name: "a"}))
	refused(ada, w.ID, other(w), workspace.Conflict)
	r.await(w.ID, w.Host, workspace.Running)
	if n := r.world.Calls(sim.OpMigrate); n != 0 {
		t.Errorf("%d migrations were tried", n)
	}
}

// TestSnapshots keeps states, goes back to them and deletes them.
func TestSnapshots(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	do := func(action, name string) error {
		return r.manager.Snapshot(t.Context(), ada, w.ID, vmm.Keep{Action: action, Name: name})
	}
	r.check(do(vmm.KeepCreate, "live"))
	r.check(r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownNormal, ""))
	r.reach(w.ID, workspace.Propagated)
	r.check(do(vmm.KeepCreate, "off"))
	all, err := r.manager.Snapshots(t.Context(), ada, w.ID)
	if err != nil || len(all) != 2 || !all[0].Memory || all[1].Memory {
		t.Errorf("there are %v, %v", all, err)
	}
	r.check(do(vmm.KeepRevert, "live"))
	r.await(w.ID, w.Host, workspace.Running)
	r.check(do(vmm.KeepRevert, "live"))
	r.await(w.ID, w.Host, workspace.Running)
	r.check(do(vmm.KeepRevert, "off"))
	r.await(w.ID, w.Host, workspace.Propagated)
	r.check(do(vmm.KeepDelete, "off"))
	for _, wrong := range []vmm.Keep{{Action: "keep", Name: "a"},
		{Action: vmm.KeepCreate, Name: "../a"}} {
		if err := do(wrong.Action, wrong.Name); workspace.KindOf(err) != workspace.Invalid {
			t.Errorf("%v: got %v", wrong, err)
		}
	}
	if err := do(vmm.KeepRevert, "off"); workspace.KindOf(err) != workspace.Conflict {
		t.Errorf("going back to what is deleted: %v", err)
	}
	r.await(w.ID, w.Host, workspace.Propagated)
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}

// TestSnapshotsAreNotEndless: an owner cannot fill the host's disk with them.
func TestSnapshotsAreNotEndless(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	do := func(action, name string) error {
		return r.manager.Snapshot(t.Context(), ada, w.ID, vmm.Keep{Action: action, Name: name})
	}
	for i := range workspace.MostSnapshots {
		r.check(do(vmm.KeepCreate, fmt.Sprint("s", i)))
	}
	if err := do(vmm.KeepCreate, "more"); workspace.KindOf(err) != workspace.Quota {
		t.Errorf("one too many: %v", err)
	}
	r.check(do(vmm.KeepCreate, "s0")) // it is there
	r.check(do(vmm.KeepDelete, "s0"))
	r.check(do(vmm.KeepCreate, "more"))
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}

// TestEvacuation empties a drained host, but for what keeps snapshots there.
func TestEvacuation(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	home := w.Host
	evacuate := func(owner workspace.Owner, id workspace.HostID) ([]workspace.Departure, error) {
		return r.manager.Evacuate(t.Context(), owner, id)
	}
	for _, wrong := range []struct {
		owner workspace.Owner
		host  workspace.HostID
		want  workspace.Kind
	}{
		{"/O=Example/CN=Eve", home, workspace.Denied}, {ada, "x", workspace.NotFound},
		{ada, home, workspace.Conflict},
	} {
		_, err := evacuate(wrong.owner, wrong.host)
		r.kind("a wrong evacuation", err, wrong.want)
	}
	r.check(r.manager.SetHost(t.Context(), ada, workspace.HostMode{Host: home, Drained: true}))
	r.check(r.manager.Snapshot(t.Context(), ada, w.ID, vmm.Keep{Action: vmm.KeepCreate, Name: "a"}))
	all, err := evacuate(ada, home)
	r.check(err)
	if len(all) != 1 || all[0].Fate != workspace.FateStays || all[0].Workspace != w.ID {
		t.Errorf("with a snapshot its departure is %+v", all)
	}
	if b, err := r.store.Booking(t.Context(), w.Booking); err != nil || len(b.Bound) != 1 {
		t.Errorf("its lease is %+v, %v, and not bound", b, err)
	}
	r.check(r.manager.Snapshot(t.Context(), ada, w.ID, vmm.Keep{Action: vmm.KeepDelete, Name: "a"}))
	all, err = evacuate(ada, home)
	r.check(err)
	if len(all) != 1 || all[0].Fate != workspace.FateMoves || all[0].To != other(w) {
		t.Errorf("its departure is %+v", all)
	}
	r.await(w.ID, other(w), workspace.Running)
	if all, err = evacuate(ada, home); err != nil || len(all) != 0 {
		t.Errorf("there are still %+v, %v", all, err)
	}
	if b, err := r.store.Booking(t.Context(), w.Booking); err != nil || len(b.Bound) != 0 {
		t.Errorf("its lease is %+v, %v, and bound", b, err)
	}
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}

// TestGroupMovesAsAWhole: the nodes of a group whose network is on one host are not torn
// apart, whichever of them is told to go. Destroyed ones are in nobody's way.
func TestGroupMovesAsAWhole(t *testing.T) {
	r := newRig(t, t.TempDir(), "", func(r *rig) {
		r.policy.Brought = map[string]manager.Brought{"private": {Private: true}}
	})
	made, err := r.manager.Create(t.Context(), privately(3, 128))
	r.check(err)
	var w *workspace.Workspace
	for _, n := range made.Workspaces {
		w = r.reach(n.ID, workspace.Running)
	}
	r.check(r.manager.Destroy(t.Context(), ada, made.Workspaces[0].ID))
	r.settle()
	to := other(w)
	got, err := r.manager.Migrate(t.Context(), ada, w.ID, "", false)
	r.check(err)
	if got != to {
		t.Errorf("it goes to %s, want %s", got, to)
	}
	for _, n := range made.Workspaces[1:] {
		r.await(n.ID, to, workspace.Running)
		r.check(r.manager.Destroy(t.Context(), ada, n.ID))
	}
	r.conserved()
}
