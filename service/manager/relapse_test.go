package manager_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/manager/agenda"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// interrupted suspends one of two leases that fill the pool for a reservation,
// which runs now and for an hour; it returns the one suspended, and the time.
func (r *rig) interrupted() (victim workspace.ID, over time.Time) {
	r.t.Helper()
	_, victim, start := r.threatened()
	time.Sleep(time.Until(start) + time.Minute)
	synctest.Wait()
	r.stands(victim, workspace.Serialized, workspace.LeaseSuspended)
	return victim, start.Add(time.Hour)
}

// threatened fills the pool with two leases, of which a reservation in an hour, and for an
// hour, is to take the hosts of one; it returns both and when that starts.
func (r *rig) threatened() (firm, victim workspace.ID, start time.Time) {
	r.t.Helper()
	for range 2 {
		r.create(soft(3 * time.Hour))
	}
	time.Sleep(time.Minute)
	req := large(workspace.LeaseReservation, time.Hour)
	req.Terms.Start = ahead(time.Hour)
	plan, err := r.manager.Plan(r.t.Context(), req)
	r.check(err)
	return r.create(req).ID, workspace.ID(plan.Preempts[0]), req.Terms.Start
}

// gang leases two machines together, each on a host that it fills, for as long as nobody
// reserves one.
func (r *rig) gang() (one, two workspace.ID) {
	r.t.Helper()
	gang := request(2)
	gang.Demand.MemoryMB, gang.Duration = 900, 3*time.Hour
	gang.Terms.Kind, gang.Terms.Preemptible = workspace.LeaseBestEffort, true
	created, err := r.manager.Create(r.t.Context(), gang)
	r.check(err)
	time.Sleep(time.Minute)
	return created.Workspaces[0].ID, created.Workspaces[1].ID
}

// TestResumeThatFails lets the hosts refuse to start what was suspended: it
// waits with its memory, is tried again, later each time, and goes on when that
// succeeds. A restart in the middle changes nothing.
func TestResumeThatFails(t *testing.T) {
	scene(t, func(r *rig) {
		victim, over := r.interrupted()
		_, before := r.look(victim)
		r.world.Script(sim.Rule{Op: sim.OpStart, Machine: victim, Fail: "internal"})
		time.Sleep(time.Until(over) + 15*time.Second)
		r.stands(victim, workspace.Serialized, workspace.LeaseSuspended)
		w, b := r.look(victim)
		if w.HoldsHost() || !strings.HasPrefix(w.Fault, agenda.NotGoneOn) || b.Failed == 0 ||
			b.Ran != before.Ran {
			r.t.Errorf("what could not go on is %+v, its booking %+v; before %+v", w, b, before)
		}
		r.conserved()
		time.Sleep(time.Hour)
		w, b = r.look(victim)
		if w.State != workspace.Serialized || b.Failed < 6 || b.Failed > 12 {
			r.t.Errorf("an hour later it is %s and has failed %d times", w.State, b.Failed)
		}
		r.world.ClearScript()
		time.Sleep(time.Hour + time.Minute)
		r.stands(victim, workspace.Running, workspace.LeaseActive)
		if w, b = r.look(victim); w.Fault != "" || b.Failed != 0 || b.Ran < before.Ran {
			r.t.Errorf("gone on it is %+v, its booking %+v", w, b)
		}
		r.conserved()
	})
}

// TestResumeThatFailsAtHome lets one host fail alone: the other takes over.
func TestResumeThatFailsAtHome(t *testing.T) {
	scene(t, func(r *rig) {
		victim, over := r.interrupted()
		w, _ := r.look(victim)
		home := w.Host
		r.world.Script(sim.Rule{
			Op: sim.OpStart, Host: home, Machine: victim, Fail: "internal",
		})
		all, err := r.store.Workspaces(r.t.Context(), ada)
		r.check(err)
		for _, w := range all {
			if w.Host != home && w.ID != victim {
				r.check(r.manager.Destroy(r.t.Context(), ada, w.ID))
			}
		}
		time.Sleep(time.Until(over) + 2*time.Minute)
		r.stands(victim, workspace.Running, workspace.LeaseActive)
		r.conserved()
	})
}

// TestResumeThatUsesUpTheMemory lets a guest go off as soon as it has gone on:
// it has its disk, from which it begins anew.
func TestResumeThatUsesUpTheMemory(t *testing.T) {
	scene(t, func(r *rig) {
		victim, over := r.interrupted()
		r.world.Script(sim.Rule{
			Op: sim.OpInspect, Machine: victim, Fail: "internal", Times: 1,
		})
		time.Sleep(time.Until(over) + 5*time.Second)
		r.stands(victim, workspace.Propagated, workspace.LeaseSuspended)
		w, b := r.look(victim)
		if !strings.HasPrefix(w.Fault, agenda.Spent) || w.HoldsHost() || b.Ran != 0 {
			r.t.Errorf("without its memory it is %+v, its booking %+v", w, b)
		}
		time.Sleep(time.Minute)
		r.stands(victim, workspace.Running, workspace.LeaseActive)
		if w, _ = r.look(victim); w.Fault != "" {
			r.t.Errorf("begun anew it has the fault %q", w.Fault)
		}
		r.conserved()
	})
}

// TestGangThatCannotGoOn lets one of two machines fail to resume: the other is
// suspended again, and both go on together.
func TestGangThatCannotGoOn(t *testing.T) {
	scene(t, func(r *rig) {
		one, two := r.gang()
		req := large(workspace.LeaseReservation, time.Hour)
		req.Terms.Start = ahead(time.Hour)
		r.create(req)
		time.Sleep(time.Until(req.Terms.Start) + time.Minute)
		r.stands(one, workspace.Serialized, workspace.LeaseSuspended)
		r.world.Script(sim.Rule{Op: sim.OpStart, Machine: two, Fail: "internal", Times: 1})
		time.Sleep(time.Until(req.Terms.Start) + time.Hour + 5*time.Second)
		r.stands(one, workspace.Serialized, workspace.LeaseSuspended)
		r.stands(two, workspace.Serialized, workspace.LeaseSuspended)
		r.conserved()
		time.Sleep(5 * time.Minute)
		r.stands(one, workspace.Running, workspace.LeaseActive)
		r.stands(two, workspace.Running, workspace.LeaseActive)
		r.conserved()
	})
}
