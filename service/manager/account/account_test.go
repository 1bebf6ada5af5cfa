package account

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/fairshare"
	"github.com/philoxenia/philoxenia/service/lease/quota"
	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A record is a store, in whose transactions the test is.
type record struct {
	*testing.T
	store *sqlite.Store
}

func open(t *testing.T) record {
	s, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "r.db"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return record{t, s}
}

// in runs f in a transaction.
func (r record) in(f func(workspace.Tx) error) {
	r.Helper()
	if err := r.store.Update(r.Context(), f); err != nil {
		r.Error(err)
	}
}

// lease puts a workspace of the owner.
func (r record) lease(owner workspace.Owner, cpus int64, d time.Duration) *workspace.Workspace {
	r.Helper()
	w := &workspace.Workspace{Owner: owner, Lease: workspace.Lease{Duration: d},
		Demand: workspace.Allocation{CPUs: cpus, MemoryMB: 100 * cpus}}
	r.in(func(tx workspace.Tx) error {
		w.ID = tx.NextID()
		return tx.PutWorkspace(w)
	})
	return w
}

// admits checks whether the owner may have such nodes; why not begins a refusal.
func (r record) admits(k *Keeper, owner workspace.Owner, more quota.Amounts, whyNot string) {
	r.Helper()
	r.in(func(tx workspace.Tx) error {
		err := k.Admit(tx, owner, more)
		var b *quota.Breach
		switch {
		case whyNot == "" && err != nil:
			r.Errorf("%s is refused: %v", owner, err)
		case whyNot != "" && (workspace.KindOf(err) != workspace.Quota || !errors.As(err, &b) ||
			!strings.Contains(err.Error(), whyNot)):
			r.Errorf("Admit = %v, want %q", err, whyNot)
		}
		return nil
	})
}

// nodes is a request for nodes of a CPU each.
func nodes(n int, d time.Duration) quota.Amounts {
	one := workspace.Allocation{CPUs: 1, MemoryMB: 100}
	return Asked([]workspace.Part{{Nodes: n, Demand: one}}, d)
}

func TestAdmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		defer r.store.Close()
		k := &Keeper{Share: fairshare.Policy{HalfLife: time.Hour}, Quotas: []quota.Rule{
			{Pattern: "/O=x/*", Limits: []quota.Limit{{Of: quota.Workspaces, Most: 3}}},
			{Pattern: "/O=x/*", Together: true, Limits: []quota.Limit{
				{Of: quota.CPUs, Most: 10},
				{Of: quota.CPUTime, Most: (20 * time.Hour).Milliseconds()}}},
			{Pattern: "*", Limits: []quota.Limit{{Of: quota.LongestRun,
				Most: (9 * time.Hour).Milliseconds()}}},
		}}
		r.admits(nil, "/O=x/a", nodes(999, time.Hour), "")
		r.admits(new(Keeper), "/O=x/a", nodes(999, time.Hour), "")
		r.admits(k, "/O=x/a", nodes(3, time.Hour), "")
		r.admits(k, "/O=x/a", nodes(4, time.Hour), "allows 3 workspaces; held are 0")
		r.admits(k, "/O=y/a", nodes(4, time.Hour), "")
		r.admits(k, "/O=y/a", nodes(1, 10*time.Hour), "allows 9h0m0s of running time")
		w := r.lease("/O=x/a", 8, 2*time.Hour)
		r.lease("/O=y/b", 100, 2*time.Hour)
		r.admits(k, "/O=x/a", nodes(3, time.Hour), "held are 1 workspaces")
		r.admits(k, "/O=x/b", nodes(3, time.Hour), "allows 10 CPUs; held are 8 CPUs")
		r.admits(k, "/O=x/b", nodes(2, 2*time.Hour), "")
		r.admits(k, "/O=x/b", nodes(1, 5*time.Hour), "20h0m0s of CPU time; held are 16h0m0s")
		r.in(func(tx workspace.Tx) error {
			return errors.Join(k.Charge(tx, w, 2*time.Hour), tx.RemoveWorkspace(w.ID))
		})
		r.admits(k, "/O=x/b", nodes(1, 5*time.Hour), "held are 16h0m0s")
		time.Sleep(time.Hour)
		r.admits(k, "/O=x/b", nodes(2, 6*time.Hour), "")
		r.admits(k, "/O=x/b", nodes(2, 7*time.Hour), "held are 8h0m0s")
	})
}

// TestBehind: who runs, and who ran, stands back; who waits does not.
func TestBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		defer r.store.Close()
		k := &Keeper{Share: fairshare.Policy{HalfLife: time.Hour, Weight: 8 * time.Hour}}
		start := time.Now().UTC().Truncate(time.Millisecond)
		ran := r.lease("ran", 2, time.Hour)
		runs, waits := r.lease("runs", 1, time.Hour), r.lease("waits", 1, time.Hour)
		r.in(func(tx workspace.Tx) error {
			parts := []workspace.Part{{Nodes: 1, Demand: workspace.Allocation{CPUs: 1}}}
			return errors.Join(k.Charge(tx, ran, time.Hour), tx.RemoveWorkspace(ran.ID),
				tx.PutBooking(&workspace.Booking{ID: workspace.LeaseID(runs.ID), Owner: "runs",
					Parts: parts, Since: start, Ran: time.Hour}),
				tx.PutBooking(&workspace.Booking{ID: workspace.LeaseID(waits.ID), Owner: "waits",
					Parts: parts}))
		})
		check := func(want map[workspace.Owner]time.Duration) {
			t.Helper()
			r.in(func(tx workspace.Tx) error {
				got := k.Behind(tx, time.Now())
				for owner, d := range want {
					if got[owner] != d {
						t.Errorf("%s stands %v behind, want %v", owner, got[owner], d)
					}
				}
				if (*Keeper)(nil).Behind(tx, time.Now()) != nil {
					t.Error("somebody stands back without a policy")
				}
				return nil
			})
		}
		// Of three with equal shares one used two thirds, one a third.
		check(map[workspace.Owner]time.Duration{
			"ran": 6 * time.Hour, "runs": 4 * time.Hour, "waits": 0})
		time.Sleep(time.Hour) // what has ended counts half, what runs goes on
		r.in(func(tx workspace.Tx) error {
			got := k.Behind(tx, time.Now())
			if got["runs"] <= got["ran"] {
				t.Errorf("in the end %v", got)
			}
			return nil
		})
	})
}
