package manager_test

import (
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestSnapshotsOutliveARestart asks a workspace to move while its owner has its memory saved,
// and to keep a snapshot when it has gone on: when the service starts again, and tells again
// of moves that have not ended, both are where they were.
func TestSnapshotsOutliveARestart(t *testing.T) {
	dir, moving := t.TempDir(), func(r *rig) { r.leasing.MigrateRate = 100 }
	r := newRig(t, dir, "", moving)
	id := r.create(request(1)).ID
	home := r.reach(id, workspace.Running).Host
	r.check(r.manager.Shutdown(t.Context(), ada, id, workspace.ShutdownSerialize, ""))
	w := r.reach(id, workspace.Serialized)
	_, err := r.manager.Migrate(t.Context(), ada, id, other(w), false)
	r.kind("to move what is saved", err, workspace.Conflict)
	r.settle()
	r.check(r.manager.Start(t.Context(), ada, id))
	r.reach(id, workspace.Running)
	r.check(r.manager.Keep(t.Context(), ada, id, vmm.KeepCreate, "two"))
	r.stop()
	again := newRig(t, dir, "", moving)
	again.check(again.store.Update(t.Context(), again.agenda.Step))
	again.await(id, home, workspace.Running)
	all, err := again.manager.Snapshots(t.Context(), ada, id)
	again.check(err)
	if !slices.ContainsFunc(all, func(s workspace.Snapshot) bool { return s.Name == "two" }) {
		t.Errorf("its snapshots are %v", all)
	}
}

// TestNoSnapshotBeforeAMove has nothing kept on a host that the workspace is about to leave,
// although nothing is under way with it just now.
func TestNoSnapshotBeforeAMove(t *testing.T) {
	r := newRig(t, t.TempDir(), "* migrate hang", func(r *rig) { r.leasing.MigrateRate = 100 })
	id := r.create(request(1)).ID
	r.reach(id, workspace.Running)
	_, err := r.manager.Migrate(t.Context(), ada, id, "", false)
	r.check(err)
	r.check(r.store.Update(t.Context(), func(tx workspace.Tx) error {
		return tx.RemoveChange(tx.ChangesOf(id)[0].ID)
	}))
	r.kind("a snapshot", r.manager.Keep(t.Context(), ada, id, vmm.KeepCreate, "a"), workspace.Busy)
}
