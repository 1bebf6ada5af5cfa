package manager_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// governed runs a test in a bubble with a rig whose scheduler is another.
func governed(t *testing.T, p book.Policy, repository int32, f func(r *rig)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, "", func(r *rig) { r.leasing, r.repository = p, repository })
		defer r.stop()
		f(r)
	})
}

// soft asks for a lease that can be interrupted, on all of a host.
func soft(length time.Duration) workspace.Request {
	r := large(workspace.LeaseBestEffort, length)
	r.Terms.Preemptible = true
	return r
}

func TestReservationKillsWhatCannotBeSaved(t *testing.T) {
	p := schedule()
	p.Preemption = []book.Means{book.ByKilling}
	governed(t, p, 0, func(r *rig) {
		all := []workspace.ID{r.create(soft(3 * time.Hour)).ID, r.create(soft(3 * time.Hour)).ID}
		time.Sleep(time.Minute)
		req := large(workspace.LeaseReservation, time.Hour)
		req.Terms.Start = ahead(time.Hour)
		plan, err := r.manager.Plan(r.t.Context(), req)
		r.check(err)
		firm, victim := r.create(req), workspace.ID(plan.Preempts[0])
		time.Sleep(time.Until(req.Terms.Start))
		r.stands(firm.ID, workspace.Running, workspace.LeaseActive)
		r.stands(victim, workspace.Unpropagated, workspace.LeaseQueued)
		if w, _ := r.look(victim); w.Host != "" || w.HoldsHost() || !w.Lease.Start.IsZero() {
			r.t.Errorf("off its host it is %+v", w)
		}
		r.conserved()
		time.Sleep(time.Hour + time.Minute)
		r.stands(victim, workspace.Running, workspace.LeaseActive)
		w, _ := r.look(victim)
		if left := time.Until(w.Lease.End()); left < 3*time.Hour-2*time.Minute {
			r.t.Errorf("it begins anew with %s, want all of 3 hours", left)
		}
		other := slices.DeleteFunc(all, func(id workspace.ID) bool { return id == victim })
		r.stands(other[0], workspace.Running, workspace.LeaseActive)
	})
}

func TestReservationMovesWhatCanBeMoved(t *testing.T) {
	p := schedule()
	p.Preemption, p.MigrateRate = []book.Means{book.ByMigration}, 100
	governed(t, p, 0, func(r *rig) {
		one := soft(3 * time.Hour)
		one.Demand.MemoryMB = 512
		ids := []workspace.ID{r.create(one).ID}
		time.Sleep(time.Minute)
		one.Terms.Affinity = []workspace.AffinityRule{{
			Relation: workspace.Apart, Workspaces: ids,
		}}
		ids = append(ids, r.create(one).ID)
		time.Sleep(time.Minute)
		a, _ := r.look(ids[0])
		b, _ := r.look(ids[1])
		if a.Host == b.Host {
			r.t.Fatalf("both are on %s", a.Host)
		}
		r.check(r.manager.Destroy(r.t.Context(), ada, ids[0]))
		r.settle()
		one.Terms.Affinity = nil
		req := request(2)
		req.Demand.MemoryMB, req.Duration = 640, time.Hour
		req.Terms.Kind, req.Terms.Start = workspace.LeaseReservation, ahead(time.Hour)
		_, err := r.manager.Create(r.t.Context(), req)
		r.kind("two that do not fit beside", err, workspace.NoResource)
		req = large(workspace.LeaseReservation, time.Hour)
		req.Terms.Start = ahead(time.Hour)
		req.Terms.Affinity = []workspace.AffinityRule{{
			Relation: workspace.Near, Hosts: []workspace.HostID{b.Host},
		}}
		firm := r.create(req)
		time.Sleep(time.Until(req.Terms.Start))
		r.stands(firm.ID, workspace.Running, workspace.LeaseActive)
		r.stands(ids[1], workspace.Running, workspace.LeaseActive)
		if now, _ := r.look(ids[1]); now.Host == b.Host {
			r.t.Errorf("it is still on %s", now.Host)
		}
		r.conserved()
	})
}

func TestDrain(t *testing.T) {
	scene(t, func(r *rig) {
		const eve = workspace.Owner("/O=Example/CN=Eve")
		ctx := r.t.Context()
		drain := workspace.HostMode{Host: "one", Drained: true, Comment: "disk"}
		r.kind("by another", r.manager.SetHost(ctx, eve, drain), workspace.Denied)
		r.kind("of no host", r.manager.SetHost(ctx, ada, workspace.HostMode{Host: "x"}),
			workspace.NotFound)
		req := large(workspace.LeaseReservation, time.Hour)
		req.Terms.Start = ahead(time.Hour)
		req.Terms.Affinity = []workspace.AffinityRule{{
			Relation: workspace.Near, Hosts: []workspace.HostID{"one"}, Soft: true,
		}}
		w := r.create(req)
		if _, b := r.look(w.ID); b.Hosts[0] != "one" {
			r.t.Fatalf("it is promised %v", b.Hosts)
		}
		r.check(r.manager.SetHost(ctx, ada, drain))
		if _, b := r.look(w.ID); b.Hosts[0] != "two" {
			r.t.Errorf("with the host drained it is promised %v", b.Hosts)
		}
		if now := r.create(request(1)); now.Host != "two" {
			r.t.Errorf("placed on %s, which is drained", now.Host)
		}
		modes, err := r.manager.HostModes(ctx)
		if err != nil || len(modes) != 1 || modes[0].Comment != "disk" {
			r.t.Errorf("modes are %+v, %v", modes, err)
		}
		r.check(r.manager.SetHost(ctx, ada, workspace.HostMode{Host: "one"}))
		if now := r.create(large("", 30*time.Minute)); now.Host != "one" {
			r.t.Errorf("placed on %s", now.Host)
		}
		window := workspace.HostMode{Host: "two", Windows: []workspace.Window{{
			Start: req.Terms.Start, End: req.Terms.Start.Add(time.Hour),
		}}}
		r.check(r.manager.SetHost(ctx, ada, window)) // the reservation moves back to one
		time.Sleep(time.Until(req.Terms.Start))
		r.stands(w.ID, workspace.Running, workspace.LeaseActive)
		window.Host = "one"
		r.kind("window over what runs", r.manager.SetHost(ctx, ada, window), workspace.Conflict)
		bars, err := r.manager.Schedule(ctx, eve, time.Now(), time.Time{})
		if err != nil || len(bars) == 0 {
			r.t.Errorf("Schedule = %+v, %v", bars, err)
		}
		for _, bar := range bars {
			if bar.Lease != 0 {
				r.t.Errorf("another's lease is shown to Eve: %+v", bar)
			}
		}
	})
}

// told returns the events of the topic that wait at the pull point.
func (r *rig) told(id workspace.PullPointID, topic workspace.Topic) (all []workspace.Event) {
	r.t.Helper()
	handed, err := r.store.Take(r.t.Context(), id, workspace.Ask{Most: 100})
	r.check(err)
	for _, m := range handed.Messages {
		if m.Topic == topic {
			all = append(all, m.Event)
		}
	}
	return all
}

func TestWarning(t *testing.T) {
	scene(t, func(r *rig) {
		req := request(1)
		req.Warn = 10 * time.Minute
		w := r.create(req)
		r.check(r.store.Update(r.t.Context(), func(tx workspace.Tx) error {
			if err := tx.PutPullPoint(&workspace.PullPoint{ID: "p", Owner: ada}); err != nil {
				return err
			}
			return tx.PutSubscription(&workspace.Subscription{
				ID: "s", Workspace: w.ID, Owner: ada, PullPoint: "p",
				Topics: []workspace.Topic{workspace.TopicWarning, workspace.TopicLease},
			})
		}))
		time.Sleep(19 * time.Minute)
		if all := r.told("p", workspace.TopicWarning); len(all) != 0 {
			r.t.Errorf("warned too early: %+v", all)
		}
		_, err := r.manager.SetTermination(r.t.Context(), ada, w.ID,
			w.Lease.Termination().Add(time.Hour))
		r.check(err)
		if all := r.told("p", workspace.TopicLease); len(all) != 1 {
			r.t.Errorf("told of its new terms: %+v", all)
		}
		time.Sleep(5 * time.Minute)
		if all := r.told("p", workspace.TopicWarning); len(all) != 0 {
			r.t.Errorf("warned of an end that is not its end any more: %+v", all)
		}
		time.Sleep(time.Hour)
		w, _ = r.look(w.ID)
		all := r.told("p", workspace.TopicWarning)
		if len(all) != 1 || !all[0].End.Equal(w.Lease.End()) {
			r.t.Errorf("warnings are %+v, want one of %s", all, w.Lease.End())
		}
		time.Sleep(10 * time.Minute)
		if all := r.told("p", workspace.TopicLease); len(all) != 1 ||
			all[0].Lease != workspace.LeaseOver {
			r.t.Errorf("of its end it was told %+v", all)
		}
	})
}

func TestImagesComeBeforeReservations(t *testing.T) {
	governed(t, schedule(), 8000, func(r *rig) { // 1 MB a second
		req := request(3)
		req.Duration, req.Terms.Kind = time.Hour, workspace.LeaseReservation
		req.Terms.Start = ahead(time.Hour)
		req.Parts = []workspace.Part{
			{Nodes: 1, Demand: workspace.Allocation{MemoryMB: 900, CPUs: 2}},
			{Nodes: 2, Demand: workspace.Allocation{MemoryMB: 256}},
		}
		created, err := r.manager.Create(r.t.Context(), req)
		r.check(err)
		time.Sleep(time.Until(req.Terms.Start) - 10*time.Second - 100*time.Millisecond)
		early := 0
		for _, w := range created.Workspaces {
			w, _ = r.look(w.ID)
			if w.Host != "" && w.Parked && w.State == workspace.Propagated {
				early++
			}
			if w.HoldsHost() {
				r.t.Errorf("it has its host's room before its time: %+v", w)
			}
		}
		if early == 0 {
			r.t.Error("no image has come early")
		}
		time.Sleep(time.Until(req.Terms.Start))
		for i, w := range created.Workspaces {
			r.stands(w.ID, workspace.Running, workspace.LeaseActive)
			if w, _ = r.look(w.ID); w.Demand.MemoryMB != []int64{900, 256, 256}[i] {
				r.t.Errorf("node %d has %+v", i, w.Demand)
			}
		}
		r.conserved()
	})
}

// TestImagesThatHostsHave lets a link be so slow that a request is best off where
// its image is already.
func TestImagesThatHostsHave(t *testing.T) {
	governed(t, schedule(), 8, func(r *rig) { // a MB in 1,000 seconds
		req := soft(time.Hour)
		starts := func() (workspace.HostID, time.Duration) {
			r.t.Helper()
			p, err := r.manager.Plan(r.t.Context(), req)
			r.check(err)
			return p.Hosts[0], time.Until(p.Start).Round(time.Minute)
		}
		const image = "file://worker"
		if _, after := starts(); after < 15*time.Minute {
			r.t.Errorf("its image comes within %s", after)
		}
		r.agenda.Kept("two", image, 1, true)
		if at, after := starts(); at != "two" || after != 0 {
			r.t.Errorf("it would run on %s after %s, want where its image is", at, after)
		}
		r.agenda.Kept("two", image, 1, false)
		r.agenda.Kept("none", image, 1, true)
		if _, after := starts(); after < 15*time.Minute {
			r.t.Errorf("with the image deleted it runs after %s", after)
		}
	})
}

// TestSuspensionThatFails lets the host refuse to save a guest: it has to leave
// nevertheless, for its room was promised, and begins anew.
func TestSuspensionThatFails(t *testing.T) {
	scene(t, func(r *rig) {
		firm, victim, start := r.threatened()
		r.world.Script(sim.Rule{Op: sim.OpStop, Fail: "internal"})
		time.Sleep(time.Until(start) + 5*time.Second)
		r.stands(firm, workspace.Running, workspace.LeaseActive)
		w, _ := r.look(victim)
		if w.State != workspace.Unpropagated || w.HoldsHost() || w.Fault == "" {
			r.t.Errorf("what could not be saved is %+v", w)
		}
		r.world.ClearScript()
		time.Sleep(time.Hour + time.Minute)
		r.stands(victim, workspace.Running, workspace.LeaseActive)
		r.conserved()
	})
}

// TestSavedStaysSaved suspends a lease of whose two workspaces the owner had saved one: that
// stays saved, where it is, when the lease goes on, also over a restart, until it is started.
func TestSavedStaysSaved(t *testing.T) {
	scene(t, func(r *rig) {
		one, two := r.gang()
		r.check(r.manager.Shutdown(r.t.Context(), ada, two, workspace.ShutdownSerialize, ""))
		home := r.reach(two, workspace.Serialized).Host
		req := large(workspace.LeaseReservation, time.Hour)
		req.Terms.Start = ahead(time.Hour)
		r.create(req)
		time.Sleep(time.Until(req.Terms.Start) + time.Minute)
		for _, id := range []workspace.ID{one, two} {
			r.stands(id, workspace.Serialized, workspace.LeaseSuspended)
		}
		r.stop()
		again := newRig(r.t, r.dir, "")
		defer again.stop()
		again.conserved()
		time.Sleep(time.Hour + time.Minute)
		again.stands(one, workspace.Running, workspace.LeaseActive)
		again.stands(two, workspace.Serialized, workspace.LeaseActive)
		again.conserved()
		w, b := again.look(two)
		if w.Parked || w.Host != home || len(b.Asleep) != 0 {
			again.t.Errorf("what is saved is %+v, its booking %+v", w, b)
		}
		again.check(again.manager.Start(again.t.Context(), ada, two))
		again.reach(two, workspace.Running)
		again.conserved()
	})
}

// TestSnapshotCalledOff takes the host from a workspace while a snapshot of it is made: who
// asked for that is not told that there is one.
func TestSnapshotCalledOff(t *testing.T) {
	p := schedule()
	p.Preemption = []book.Means{book.ByKilling}
	governed(t, p, 0, func(r *rig) {
		_, victim, start := r.threatened()
		r.world.Script(sim.Rule{Op: sim.OpSnapshot, Hang: true})
		time.Sleep(time.Until(start) - 15*time.Second) // it boots 10 seconds before
		err := r.manager.Keep(r.t.Context(), ada, victim, vmm.KeepCreate, "a")
		r.kind("what was called off", err, workspace.Conflict)
		r.stands(victim, workspace.Unpropagated, workspace.LeaseQueued)
	})
}
