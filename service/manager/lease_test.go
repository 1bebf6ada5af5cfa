package manager_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// large is a request that fills a host.
func large(kind workspace.LeaseKind, length time.Duration) workspace.Request {
	r := request(1)
	r.Demand.MemoryMB, r.Duration, r.Terms.Kind = 1024, length, kind
	return r
}

// ahead is a time so far ahead, as the record keeps it.
func ahead(d time.Duration) time.Time {
	return time.Now().UTC().Truncate(time.Millisecond).Add(d)
}

// look returns the workspace and its booking as they are.
func (r *rig) look(id workspace.ID) (*workspace.Workspace, *workspace.Booking) {
	r.t.Helper()
	synctest.Wait()
	w, err := r.store.Workspace(r.t.Context(), id)
	r.check(err)
	b, err := r.store.Booking(r.t.Context(), w.Booking)
	r.check(err)
	return w, b
}

// stands checks where a workspace and its lease are.
func (r *rig) stands(id workspace.ID, s workspace.State, l workspace.LeaseStatus) {
	r.t.Helper()
	if w, b := r.look(id); w.State != s || b.Status != l {
		r.t.Errorf("%s: workspace %d is %s on %q, its lease %s; want %s and %s\n%+v", time.Now(),
			id, w.State, w.Host, b.Status, s, l, *b)
	}
}

// scene runs a test in a bubble with a rig.
func scene(t *testing.T, f func(r *rig), prepare ...func(*rig)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, "", prepare...)
		defer r.stop()
		f(r)
	})
}

func TestReservationRunsAtItsStart(t *testing.T) {
	scene(t, func(r *rig) {
		req := large(workspace.LeaseReservation, time.Hour)
		req.Terms.Start = ahead(2 * time.Hour)
		w := r.create(req)
		r.stands(w.ID, workspace.Unpropagated, workspace.LeaseAccepted)
		if w.NICs[0].IP == "" || w.Host != "" || !w.Lease.Start.Equal(req.Terms.Start) {
			r.t.Errorf("accepted as %+v", w)
		}
		err := r.manager.Start(r.t.Context(), ada, w.ID)
		r.kind("start before its lease", err, workspace.Conflict)
		time.Sleep(time.Until(req.Terms.Start))
		r.stands(w.ID, workspace.Running, workspace.LeaseActive)
		time.Sleep(time.Hour - time.Second)
		r.stands(w.ID, workspace.Running, workspace.LeaseActive)
		time.Sleep(10 * time.Second)
		r.stands(w.ID, workspace.Propagated, workspace.LeaseOver)
		if w, _ := r.look(w.ID); w.HoldsHost() {
			r.t.Errorf("after its end it holds its host: %+v", w)
		}
		r.conserved()
		time.Sleep(11 * time.Minute)
		r.conserved()
		if left, _ := r.store.Bookings(r.t.Context()); len(left) != 0 {
			r.t.Errorf("left: %+v", left[0])
		}
	})
}

func TestReservationsAreKeptFromOthers(t *testing.T) {
	scene(t, func(r *rig) {
		start := ahead(time.Hour)
		for range 2 {
			req := large(workspace.LeaseReservation, time.Hour)
			req.Terms.Start = start
			r.create(req)
		}
		_, err := r.manager.Create(r.t.Context(), large("", 2*time.Hour))
		var refusal *workspace.Refusal
		if !errors.As(err, &refusal) || workspace.KindOf(err) != workspace.NoResource {
			r.t.Fatalf("Create = %v, want a refusal", err)
		}
		if len(refusal.Offers) == 0 || len(refusal.Blocking) == 0 || refusal.Code != "taken" {
			r.t.Errorf("refusal is %+v", refusal)
		}
		for _, o := range refusal.Offers {
			r.taken(large("", 2*time.Hour), o)
		}
	})
}

// taken checks that what is offered in place of a request would be accepted.
func (r *rig) taken(req workspace.Request, o workspace.Offer) {
	r.t.Helper()
	req.Duration, req.Nodes, req.Demand = o.Duration, o.Nodes, o.Demand
	if !o.Start.IsZero() {
		req.Terms.Kind, req.Terms.Start = workspace.LeaseReservation, o.Start
	}
	if _, err := r.manager.Plan(r.t.Context(), req); err != nil {
		r.t.Errorf("the offer %+v is refused: %v", o, err)
	}
}

func TestBestEffortWaitsItsTurn(t *testing.T) {
	scene(t, func(r *rig) {
		for range 2 {
			r.create(large("", 30*time.Minute))
		}
		w := r.create(large(workspace.LeaseBestEffort, time.Hour))
		r.stands(w.ID, workspace.Unpropagated, workspace.LeaseQueued)
		why, _, err := r.manager.Explain(r.t.Context(), ada, w.ID)
		if err != nil || why == nil || why.Earliest.IsZero() || why.Code != "taken" {
			r.t.Errorf("Explain = %+v, %v", why, err)
		}
		if !w.Lease.Start.IsZero() {
			r.t.Errorf("its running time is to begin at %s", w.Lease.Start)
		}
		time.Sleep(31 * time.Minute)
		r.stands(w.ID, workspace.Running, workspace.LeaseActive)
		if why, _, err := r.manager.Explain(r.t.Context(), ada, w.ID); err != nil || why != nil {
			r.t.Errorf("Explain = %+v, %v; want that it does not wait", why, err)
		}
		w, _ = r.look(w.ID)
		time.Sleep(time.Until(w.Lease.End()) - time.Second)
		r.stands(w.ID, workspace.Running, workspace.LeaseActive)
		time.Sleep(5 * time.Second)
		r.stands(w.ID, workspace.Propagated, workspace.LeaseOver)
	})
}

func TestDeadline(t *testing.T) {
	scene(t, func(r *rig) {
		for range 2 {
			r.create(large("", 30*time.Minute))
		}
		req := large(workspace.LeaseDeadline, time.Hour)
		req.Terms.Deadline = ahead(time.Hour + 35*time.Minute)
		_, err := r.manager.Create(r.t.Context(), req)
		r.kind("too late for its deadline", err, workspace.NoResource)
		req.Terms.Deadline = ahead(2 * time.Hour)
		w := r.create(req)
		r.stands(w.ID, workspace.Unpropagated, workspace.LeaseAccepted)
		time.Sleep(time.Until(w.Lease.Start) + time.Second)
		r.stands(w.ID, workspace.Running, workspace.LeaseActive)
		if w, _ := r.look(w.ID); w.Lease.End().After(req.Terms.Deadline) {
			r.t.Errorf("it ends at %s, after %s", w.Lease.End(), req.Terms.Deadline)
		}
	})
}

func TestReservationSuspendsBestEffort(t *testing.T) {
	scene(t, func(r *rig) {
		var soft []workspace.ID
		for range 2 {
			req := large(workspace.LeaseBestEffort, 2*time.Hour)
			req.Terms.Preemptible = true
			soft = append(soft, r.create(req).ID)
		}
		time.Sleep(time.Minute)
		for _, id := range soft {
			r.stands(id, workspace.Running, workspace.LeaseActive)
		}
		req := large(workspace.LeaseReservation, time.Hour)
		req.Terms.Start = ahead(time.Hour)
		p, err := r.manager.Plan(r.t.Context(), req)
		if err != nil || p.Status != workspace.LeaseAccepted || len(p.Preempts) != 1 {
			r.t.Fatalf("Plan = %+v, %v", p, err)
		}
		firm, victim := r.create(req), workspace.ID(p.Preempts[0])
		time.Sleep(time.Until(req.Terms.Start))
		r.stands(firm.ID, workspace.Running, workspace.LeaseActive)
		r.stands(soft[0]+soft[1]-victim, workspace.Running, workspace.LeaseActive)
		r.stands(victim, workspace.Serialized, workspace.LeaseSuspended)
		w, b := r.look(victim)
		if w.HoldsHost() || !w.Lease.Start.IsZero() || b.Ran == 0 {
			r.t.Errorf("suspended, it is %+v, its booking %+v", w, b)
		}
		time.Sleep(time.Hour + time.Minute)
		r.stands(firm.ID, workspace.Propagated, workspace.LeaseOver)
		r.stands(victim, workspace.Running, workspace.LeaseActive)
		w, b = r.look(victim)
		if ran := b.Ran + w.Lease.End().Sub(b.Since); ran != 2*time.Hour {
			r.t.Errorf("it will have run for %s, want 2 hours: %+v", ran, b)
		}
		time.Sleep(time.Until(w.Lease.End()) + 5*time.Second)
		r.stands(victim, workspace.Propagated, workspace.LeaseOver)
		r.conserved()
	})
}

func TestResize(t *testing.T) {
	scene(t, func(r *rig) {
		w := r.reach(r.create(request(1)).ID, workspace.Running)
		got, err := r.manager.Resize(r.t.Context(), ada, w.ID,
			workspace.Resize{Shape: workspace.Shape{MemoryMB: 512, CPUs: 2}})
		if err != nil || got.Demand.MemoryMB != 512 || got.Demand.CPUs != 2 {
			r.t.Fatalf("Resize = %+v, %v", got, err)
		}
		r.conserved()
		_, err = r.manager.Resize(r.t.Context(), ada, w.ID,
			workspace.Resize{Shape: workspace.Shape{MemoryMB: 2048}})
		var refusal *workspace.Refusal
		if !errors.As(err, &refusal) || len(refusal.Offers) == 0 {
			r.t.Fatalf("Resize = %v, want a refusal with offers", err)
		}
		for _, o := range refusal.Offers {
			got, err := r.manager.Resize(r.t.Context(), ada, w.ID,
				workspace.Resize{Shape: o.Demand.Shape()})
			if err != nil || got.Demand.Shape() != o.Demand.Shape() {
				r.t.Errorf("the offer %+v: %+v, %v", o, got, err)
			}
		}
		r.conserved()
	})
}

// TestExtensionStopsAtPromises extends a lease into the time of a reservation,
// and then as far as is offered instead.
func TestExtensionStopsAtPromises(t *testing.T) {
	for _, kind := range []workspace.LeaseKind{"", workspace.LeaseReservation} {
		t.Run("kind "+string(kind), func(t *testing.T) { extendUpTo(t, kind) })
	}
}

func extendUpTo(t *testing.T, kind workspace.LeaseKind) {
	t.Helper()
	scene(t, func(r *rig) {
		req := large(kind, time.Hour)
		if kind == workspace.LeaseReservation {
			req.Terms.Start = ahead(time.Minute)
		}
		mine := r.create(req)
		r.create(large("", 10*time.Hour))
		time.Sleep(10 * time.Minute)
		req = large(workspace.LeaseReservation, time.Hour)
		req.Terms.Start = ahead(2 * time.Hour)
		firm := r.create(req)
		_, err := r.manager.Renegotiate(r.t.Context(), ada, mine.ID,
			workspace.Terms{Duration: 5 * time.Hour})
		var refusal *workspace.Refusal
		if !errors.As(err, &refusal) || len(refusal.Offers) == 0 {
			r.t.Fatalf("Renegotiate = %v, want a refusal with offers", err)
		}
		if w, _ := r.look(mine.ID); w.Lease != mine.Lease {
			r.t.Errorf("refused, the lease is %+v", w.Lease)
		}
		for _, o := range refusal.Offers {
			if o.Change != "shorter" {
				continue
			}
			if o.Duration <= time.Hour {
				r.t.Errorf("offered is %+v, which is no more than it has", o)
			}
			w, err := r.manager.Renegotiate(r.t.Context(), ada, mine.ID,
				workspace.Terms{Duration: o.Duration})
			if err != nil || w.Lease.Duration != o.Duration {
				r.t.Errorf("the offer %+v: %+v, %v", o, w, err)
			}
		}
		time.Sleep(time.Until(req.Terms.Start))
		r.stands(firm.ID, workspace.Running, workspace.LeaseActive)
		r.conserved()
	})
}

func TestResizeThatTheHostRefuses(t *testing.T) {
	scene(t, func(r *rig) {
		w := r.reach(r.create(request(1)).ID, workspace.Running)
		r.world.Script(sim.Rule{Op: sim.OpResize, Fail: "conflict"})
		_, err := r.manager.Resize(r.t.Context(), ada, w.ID,
			workspace.Resize{Shape: workspace.Shape{MemoryMB: 512}})
		r.kind("refused by the host", err, workspace.Conflict)
		r.world.ClearScript()
		if now, b := r.look(w.ID); now.Demand != w.Demand || b.Parts[0].Demand != w.Demand {
			r.t.Errorf("it has %+v, its booking %+v; want %+v", now.Demand, b.Parts, w.Demand)
		}
		r.conserved()
	})
}

// TestResizeWhilePaused says once what is in the way, and what to do; and then that helps.
func TestResizeWhilePaused(t *testing.T) {
	scene(t, func(r *rig) {
		w := r.reach(r.create(request(1)).ID, workspace.Running)
		r.check(r.manager.Shutdown(r.t.Context(), ada, w.ID, workspace.ShutdownPause, ""))
		r.reach(w.ID, workspace.Paused)
		wish := workspace.Resize{Shape: workspace.Shape{MemoryMB: 512}}
		_, err := r.manager.Resize(r.t.Context(), ada, w.ID, wish)
		r.kind("while it is paused", err, workspace.Conflict)
		want := `cannot resize workspace "` + w.ID.String() +
			`": it is paused: resume it first, or shut it down`
		if fmt.Sprint(err) != want {
			r.t.Errorf("it says %q, want %q", err, want)
		}
		if now, _ := r.look(w.ID); now.Fault != "" || now.Demand != w.Demand {
			r.t.Errorf("it is %+v", now)
		}
		r.check(r.manager.Start(r.t.Context(), ada, w.ID))
		r.reach(w.ID, workspace.Running)
		_, err = r.manager.Resize(r.t.Context(), ada, w.ID, wish)
		r.check(err)
		r.conserved()
	})
}

// TestPercentageOfCPUs leases four CPUs of half a processor each, of which two
// such machines fill a host of four.
func TestPercentageOfCPUs(t *testing.T) {
	scene(t, func(r *rig) {
		req := request(5)
		req.Demand.MemoryMB, req.Demand.CPUs, req.Demand.CPUPercent = 64, 4, 50
		req.Duration = time.Hour
		_, err := r.manager.Create(r.t.Context(), req)
		r.kind("five halves of two hosts", err, workspace.NoResource)
		req.Nodes = 4
		_, err = r.manager.Create(r.t.Context(), req)
		r.check(err)
		r.settle()
		uses, err := r.store.Hosts(r.t.Context())
		r.check(err)
		for _, u := range uses {
			if u.Used.CPUs != 4 || u.Used.CPUShare != 400 {
				r.t.Errorf("of %s %+v is used", u.ID, u.Used)
			}
		}
		_, err = r.manager.Create(r.t.Context(), request(1))
		r.kind("another on full hosts", err, workspace.NoResource)
		r.conserved()
	})
}

// TestShrinkThatFails makes sure that what a machine is asked to give up is
// nobody's before it has: here it does not.
func TestShrinkThatFails(t *testing.T) {
	scene(t, func(r *rig) {
		req := large(workspace.LeaseImmediate, time.Hour)
		req.Nodes = 2
		var all []workspace.ID
		made, err := r.manager.Create(r.t.Context(), req)
		r.check(err)
		for _, w := range made.Workspaces {
			all = append(all, w.ID)
		}
		r.settle()
		r.world.Script(sim.Rule{Op: sim.OpResize, Delay: 2 * time.Second, Fail: "conflict"})
		done := make(chan error, 1)
		go func() {
			_, err := r.manager.Resize(r.t.Context(), ada, all[0],
				workspace.Resize{Shape: workspace.Shape{MemoryMB: 256}})
			done <- err
		}()
		time.Sleep(time.Second)
		small := request(1)
		small.Demand.MemoryMB, small.Duration = 512, time.Minute
		_, err = r.manager.Create(r.t.Context(), small)
		r.kind("a machine in what is not given up yet", err, workspace.NoResource)
		if err := <-done; workspace.KindOf(err) != workspace.Conflict {
			r.t.Errorf("Resize = %v, expected a conflict", err)
		}
		r.stands(all[0], workspace.Running, workspace.LeaseActive)
		r.world.ClearScript()
		_, err = r.manager.Resize(r.t.Context(), ada, all[0],
			workspace.Resize{Shape: workspace.Shape{MemoryMB: 256}})
		r.check(err)
		_, err = r.manager.Create(r.t.Context(), small)
		r.check(err)
		r.conserved()
	})
}
