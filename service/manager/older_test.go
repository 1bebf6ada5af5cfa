package manager_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestRecordsOfBefore starts on a record whose workspaces have no bookings, as
// programs wrote it that knew none: each is a lease that holds its host until
// it ends, and can be renegotiated, ended and charged.
func TestRecordsOfBefore(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, dir, "")
	runs := r.reach(r.create(request(2)).ID, workspace.Running)
	other := r.reach(runs.ID+1, workspace.Running)
	r.stop()
	forget(t, filepath.Join(dir, "record.db"))

	r = newRig(t, dir, "")
	defer r.stop()
	r.reach(runs.ID, workspace.Running)
	r.conserved()
	req := request(1)
	req.Demand.MemoryMB = 1024 // a whole host, of which each of two has a part
	if runs.Host == other.Host {
		r.create(req)
	}
	_, err := r.manager.Create(t.Context(), req)
	var refusal *workspace.Refusal
	if !errors.As(err, &refusal) || refusal.Earliest.Before(runs.Lease.End()) {
		t.Errorf("Create = %v, want a refusal until the older leases end", err)
	}
	_, b, err := r.manager.Explain(t.Context(), ada, runs.ID)
	if err != nil || b == nil || b.Status != workspace.LeaseActive || b.Owner != ada {
		t.Errorf("the older lease is %+v, %v", b, err)
	}
	at := runs.Lease.Termination().Add(5 * time.Minute)
	if got, err := r.manager.SetTermination(t.Context(), ada, runs.ID, at); err != nil ||
		!got.Equal(at) {
		t.Errorf("SetTermination = %v, %v", got, err)
	}
	r.check(r.manager.Destroy(t.Context(), ada, runs.ID))
	r.check(r.manager.Destroy(t.Context(), ada, other.ID))
	r.settle()
	r.create(req)
	r.conserved()
}

// forget removes what older records do not have.
func forget(t *testing.T, path string) {
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`DELETE FROM booking; UPDATE standing SET booking = 0`)
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
