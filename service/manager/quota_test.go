package manager_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/fairshare"
	"github.com/philoxenia/philoxenia/service/lease/quota"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// breaks checks that something was refused for a quota, in such words.
func (r *rig) breaks(what string, err error, want string) {
	r.t.Helper()
	var b *quota.Breach
	if workspace.KindOf(err) != workspace.Quota || !errors.As(err, &b) ||
		!strings.Contains(err.Error(), want) {
		r.t.Errorf("%s: %v, want a quota that says %q", what, err, want)
	}
}

// pass lets so much time of a bubble pass, and what comes of it happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// within gives everybody quotas.
func (r *rig) within(limits ...quota.Limit) {
	r.account.Quotas = []quota.Rule{{Pattern: "*/CN=Ada", Limits: limits}}
}

// TestQuotas: what goes beyond them is refused and leaves no trace, a plan and
// a wait in the queue too; what ends makes room.
func TestQuotas(t *testing.T) {
	scene(t, func(r *rig) {
		r.within(quota.Limit{Of: quota.Workspaces, Most: 2}, quota.Limit{Of: quota.CPUs, Most: 3},
			quota.Limit{Of: quota.LongestRun, Most: (40 * time.Minute).Milliseconds()})
		ctx := r.t.Context()
		_, err := r.manager.Create(ctx, request(3))
		r.breaks("three nodes", err, `resourceRequest/NodeNumber: the quota for each of `+
			`"*/CN=Ada" allows 2 workspaces; held are 0 workspaces, asked for are 3`)
		_, err = r.manager.Plan(ctx, request(3))
		r.breaks("a plan of three nodes", err, "allows 2 workspaces")
		long := request(1)
		long.Duration = time.Hour
		_, err = r.manager.Create(ctx, long)
		r.breaks("a long run", err, "DeploymentTime/minDuration: the quota for each")
		if all, _ := r.store.Workspaces(ctx, ""); len(all) > 0 {
			r.t.Errorf("refused requests left %d workspaces", len(all))
		}
		waits := request(1)
		waits.Terms.Kind, waits.Terms.Preemptible = workspace.LeaseBestEffort, true
		r.create(waits)
		w := r.reach(r.create(request(1)).ID, workspace.Running)
		_, err = r.manager.Create(ctx, waits)
		r.breaks("another that would wait", err, "held are 2 workspaces")
		other := request(2)
		other.Owner = "/O=Example/CN=Bob"
		r.create(other)
		r.changesWithin(w)
		r.check(r.manager.Destroy(ctx, ada, w.ID))
		r.settle()
		r.create(request(1))
	})
}

// changesWithin changes the workspace, which has one of three CPUs beside
// another one's.
func (r *rig) changesWithin(w *workspace.Workspace) {
	r.t.Helper()
	resize := func(s workspace.Shape) error {
		_, err := r.manager.Resize(r.t.Context(), ada, w.ID, workspace.Resize{Shape: s})
		return err
	}
	r.breaks("more CPUs", resize(workspace.Shape{CPUs: 3}),
		"held are 2 CPUs, asked for are 2 CPUs more")
	r.check(resize(workspace.Shape{CPUs: 2}))
	r.check(resize(workspace.Shape{CPUs: 1, MemoryMB: 300}))
	_, err := r.manager.Renegotiate(r.t.Context(), ada, w.ID,
		workspace.Terms{Duration: 41 * time.Minute})
	r.breaks("a longer run", err, "allows 40m0s of running time, not 41m0s")
	_, err = r.manager.Renegotiate(r.t.Context(), ada, w.ID,
		workspace.Terms{Duration: 39 * time.Minute})
	r.check(err)
}

// TestWhatEndsIsCharged: processors times the time that they ran.
func TestWhatEndsIsCharged(t *testing.T) {
	scene(t, func(r *rig) {
		req := request(1)
		req.Demand.CPUs = 2
		w := r.reach(r.create(req).ID, workspace.Running)
		pass(10 * time.Minute)
		r.check(r.manager.Destroy(r.t.Context(), ada, w.ID))
		waits := request(1)
		waits.Terms.Kind = workspace.LeaseReservation
		waits.Terms.Start = ahead(time.Hour)
		r.check(r.manager.Destroy(r.t.Context(), ada, r.create(waits).ID)) // it never ran
		r.settle()
		accounts, err := r.store.Accounts(r.t.Context())
		r.check(err)
		got := accounts[ada].CPUTime
		if least := 20 * time.Minute; got < least || got > least+time.Second {
			r.t.Errorf("charged are %v, want %v", got, least)
		}
	})
}

// TestFairShare: of two that wait, the one whose owner has used less runs
// first, although it came later; who came much later stays behind.
func TestFairShare(t *testing.T) {
	const bob, eve = "/O=Example/CN=Bob", "/O=Example/CN=Eve"
	scene(t, func(r *rig) {
		queue := func(owner workspace.Owner) workspace.ID {
			req := large(workspace.LeaseBestEffort, 10*time.Minute)
			req.Owner = owner
			return r.create(req).ID
		}
		first, second := queue(ada), queue(ada) // ada has both hosts
		pass(5 * time.Minute)
		more, others := queue(ada), queue(bob)
		pass(2 * time.Minute) // ranks are looked at
		r.stands(first, workspace.Running, workspace.LeaseActive)
		r.stands(second, workspace.Running, workspace.LeaseActive)
		r.check(r.manager.Destroy(r.t.Context(), ada, first))
		r.settle()
		pass(30 * time.Second)
		r.stands(others, workspace.Running, workspace.LeaseActive)
		r.stands(more, workspace.Unpropagated, workspace.LeaseQueued)
		pass(4 * time.Minute)
		late := queue(eve) // later than ada's by more than the weight
		r.stands(late, workspace.Unpropagated, workspace.LeaseQueued)
		r.check(r.manager.Destroy(r.t.Context(), ada, second))
		r.settle()
		pass(30 * time.Second)
		r.stands(more, workspace.Running, workspace.LeaseActive)
		r.stands(late, workspace.Unpropagated, workspace.LeaseQueued)
	}, func(r *rig) {
		r.account.Share = fairshare.Policy{HalfLife: time.Hour, Weight: 5 * time.Minute}
	})
}
