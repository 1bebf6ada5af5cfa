package manager_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/manager/fleet"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// fleet returns the fleet of the rig, in whose configuration host one stands.
func (r *rig) fleet() *fleet.Fleet {
	return fleet.New(fleet.Options{
		Store: r.store, Pool: r.pool, Agenda: r.agenda,
		Open: func(_ context.Context, s workspace.HostSpec) (*host.Node, error) {
			h := workspace.Host{ID: s.ID, VMM: "KVM", Active: true, Capacity: s.Capacity,
				Overlay: s.Overlay}
			var d workspace.Deployment
			d, err := r.world.Add(h)
			if r.wrap != nil {
				d = r.wrap(d)
			}
			return &host.Node{
				Host: h, Deployment: d, Dir: filepath.Join(r.dir, "disks", string(s.ID)),
				Inert: true, Access: local.Access{}, Customiser: files{r.dir},
			}, err
		},
		Configured: func(id workspace.HostID) string {
			if id == "one" || id == "two" {
				return "the configuration"
			}
			return ""
		},
		Operators: policy().Operators, Interrupt: func(workspace.ID) {},
		Logger: slog.New(slog.DiscardHandler),
	})
}

// events subscribes to the workspace and returns what tells the faults so far.
func (r *rig) events(id workspace.ID) func() []string {
	r.t.Helper()
	name := workspace.SubscriptionID(fmt.Sprint("events-", id))
	r.check(r.store.Update(r.t.Context(), func(tx workspace.Tx) error {
		return tx.PutSubscription(&workspace.Subscription{ID: name, Workspace: id, Owner: ada,
			Topics: []workspace.Topic{workspace.TopicState}, Address: "http://h"})
	}))
	return func() (faults []string) {
		all, err := r.store.Pending(r.t.Context(), name, 100)
		r.check(err)
		for _, m := range all {
			faults = append(faults, m.State.Wire()+": "+m.Fault)
		}
		return faults
	}
}

// TestHostVanishesAndComesBack loses a host for a while, during which one of its
// guests dies: its workspaces are marked and their subscribers told, and in the
// end each is what it really is, once.
func TestHostVanishesAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), "")
		lives, dies := r.create(request(1)), r.create(request(1))
		at := r.reach(lives.ID, workspace.Running).Host
		if r.reach(dies.ID, workspace.Running).Host != at {
			t.Fatal("they are on two hosts")
		}
		told := r.events(lives.ID)
		r.world.SetDown(at, true)
		time.Sleep(10 * time.Second)
		w, err := r.manager.Workspace(t.Context(), ada, lives.ID)
		r.check(err)
		if w.Fault != "" || len(told()) != 0 {
			t.Errorf("within the grace: %q, %v", w.Fault, told())
		}
		time.Sleep(20 * time.Second)
		w, err = r.manager.Workspace(t.Context(), ada, lives.ID)
		r.check(err)
		const says = "has not answered since"
		if w.State != workspace.Running || !strings.Contains(w.Fault, says) {
			t.Errorf("it is %s, %q", w.State, w.Fault)
		}
		if all := told(); len(all) != 1 || !strings.HasPrefix(all[0], "Running: its host ") {
			t.Errorf("told is %q", all)
		}
		r.check(r.world.PowerOff(at, dies.ID))
		r.world.SetDown(at, false)
		r.reach(dies.ID, workspace.Propagated)
		time.Sleep(time.Minute)
		for _, id := range []workspace.ID{lives.ID, dies.ID} {
			if w, err = r.manager.Workspace(t.Context(), ada, id); err != nil || w.Fault != "" {
				t.Errorf("in the end %d says %q, %v", id, w.Fault, err)
			}
		}
		if all := told(); len(all) != 2 || all[1] != "Running: " {
			t.Errorf("told is %q", all)
		}
		if starts := r.world.Machines(at)[lives.ID].Starts; starts != 1 {
			t.Errorf("it was started %d times", starts)
		}
		r.conserved()
	})
}

// TestForgottenHostRunsNothingTwice gives up what is on a dead host, which then
// comes back all the same: what was given up is removed before it is used.
func TestForgottenHostRunsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), "")
		f := r.fleet()
		w := r.create(request(1))
		at := r.reach(w.ID, workspace.Running).Host
		_, err := f.Forget(t.Context(), "eve", at)
		r.kind("by nobody", err, workspace.Denied)
		_, err = f.Forget(t.Context(), ada, at)
		r.kind("while it answers", err, workspace.Conflict)
		r.world.SetDown(at, true)
		time.Sleep(8 * time.Second)
		_, err = f.Forget(t.Context(), ada, at)
		r.kind("within the grace", err, workspace.Conflict)
		time.Sleep(time.Minute)
		given, err := f.Forget(t.Context(), ada, at)
		r.check(err)
		now, err := r.store.Workspace(t.Context(), w.ID)
		r.check(err)
		if len(given) != 1 || now.State != workspace.Corrupted || now.Host != "" || now.Holds() {
			t.Fatalf("given up is %v, which is %+v", given, now)
		}
		r.check(r.manager.Destroy(t.Context(), ada, w.ID))
		time.Sleep(time.Minute)
		if _, err := r.store.Workspace(t.Context(), w.ID); workspace.KindOf(err) !=
			workspace.NotFound {
			t.Errorf("it cannot be destroyed: %v", err)
		}
		if len(r.world.Machines(at)) != 1 {
			t.Error("the dead host has lost its machine")
		}
		r.world.SetDown(at, false)
		time.Sleep(time.Minute)
		if left := r.world.Machines(at); len(left) != 0 {
			t.Errorf("back again, it runs %v", left)
		}
		rec, err := r.store.HostRecord(t.Context(), at)
		if err != nil || len(rec.Left) != 0 || !rec.Lost.IsZero() {
			t.Errorf("recorded is %+v, %v", rec, err)
		}
		r.check(r.manager.SetHost(t.Context(), ada, workspace.HostMode{Host: at}))
		r.reach(r.create(request(1)).ID, workspace.Running)
		r.conserved()
	})
}

// TestHostsComeAndGo adds a host to a full pool and removes it again, over a
// restart of all but the hosts.
func TestHostsComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), "")
		f, ctx := r.fleet(), t.Context()
		full := request(1)
		full.Demand = workspace.Allocation{MemoryMB: 1024, CPUs: 4}
		full.Spec.NICs = nil
		for range 2 {
			r.reach(r.create(full).ID, workspace.Running)
		}
		_, err := r.manager.Create(ctx, full)
		r.kind("into a full pool", err, workspace.NoResource)
		spec := workspace.HostSpec{ID: "three", URI: "sim:",
			Capacity: workspace.Capacity{CPUs: 4, MemoryMB: 1024}}
		r.kind("by nobody", f.Add(ctx, "eve", spec, workspace.HostMode{}), workspace.Denied)
		r.check(f.Add(ctx, ada, spec, workspace.HostMode{}))
		r.kind("twice", f.Add(ctx, ada, spec, workspace.HostMode{}), workspace.Conflict)
		time.Sleep(5 * time.Second)
		w := r.reach(r.create(full).ID, workspace.Running)
		if w.Host != "three" {
			t.Errorf("it is on %s", w.Host)
		}
		r.kind("what is in use", f.Remove(ctx, ada, "three"), workspace.Conflict)
		r.kind("what is configured", f.Remove(ctx, ada, "one"), workspace.Conflict)
		r.kind("what is not there", f.Remove(ctx, ada, "four"), workspace.NotFound)
		modes, err := r.manager.HostModes(ctx)
		if err != nil || len(modes) != 0 {
			t.Errorf("a refused removal left %+v, %v", modes, err)
		}
		late := full // promised the third host for later
		late.Terms = workspace.LeaseTerms{
			Kind: workspace.LeaseReservation, Start: ahead(3 * time.Hour),
		}
		promised := r.create(late)
		r.check(r.manager.Destroy(ctx, ada, w.ID))
		r.settle()
		r.check(f.Remove(ctx, ada, "three"))
		time.Sleep(time.Minute)
		f.Close()
		uses, err := r.manager.HostUses(ctx)
		if err != nil || len(uses) != 2 || r.pool.Has("three") {
			t.Errorf("there are %+v, %v", uses, err)
		}
		_, err = r.manager.Create(ctx, full)
		r.kind("into a full pool again", err, workspace.NoResource)
		if _, booking, err := r.manager.Explain(ctx, ada, promised.ID); err != nil ||
			booking.Status != workspace.LeaseAccepted {
			t.Errorf("what was promised is %+v, %v", booking, err)
		}
		left, err := os.ReadDir(filepath.Join(r.dir, "disks", "three"))
		if err != nil || len(left) > 0 {
			t.Errorf("on the third host is %v, %v", left, err)
		}
		r.conserved()
	})
}

// slowAgain answers the first question for its machines at once, and all others late.
type slowAgain struct {
	workspace.Deployment
	late  time.Duration
	asked atomic.Int32
}

func (s *slowAgain) List(ctx context.Context) ([]workspace.Observed, error) {
	if s.asked.Add(1) > 1 {
		select {
		case <-time.After(s.late):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s.Deployment.List(ctx)
}

// TestAddedHostIsUsable: once the addition of a host has returned, workspaces can come to
// it, however late the watch of it began; one that falls silent is waited for a while.
func TestAddedHostIsUsable(t *testing.T) {
	spec := workspace.HostSpec{ID: "three", URI: "sim:",
		Capacity: workspace.Capacity{CPUs: 4, MemoryMB: 2048}}
	large := request(1)
	large.Demand = workspace.Allocation{MemoryMB: 2048, CPUs: 4}
	for name, c := range map[string]struct {
		late time.Duration
		want workspace.Kind
	}{
		"watched late": {late: 8 * time.Second},
		"falls silent": {late: time.Hour, want: workspace.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, t.TempDir(), "")
				r.wrap = func(d workspace.Deployment) workspace.Deployment {
					return &slowAgain{Deployment: d, late: c.late}
				}
				began := time.Now()
				r.check(r.fleet().Add(t.Context(), ada, spec, workspace.HostMode{}))
				if took := time.Since(began); took > time.Minute {
					t.Errorf("the addition took %v", took)
				}
				made, err := r.manager.Create(t.Context(), large)
				if c.want != workspace.Internal {
					r.kind("on a silent host", err, c.want)
					return
				}
				r.check(err)
				if w := r.reach(made.Workspaces[0].ID, workspace.Running); w.Host != "three" {
					t.Errorf("it is on %s", w.Host)
				}
			})
		})
	}
}

// TestAddedHostsSpanPrivateNetworks: hosts that are added with addresses for it switch
// private networks between hosts on, be there none in the configuration; and when they
// have left, a group is on one host again.
func TestAddedHostsSpanPrivateNetworks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), "", spanning("", ""))
		group := func() (hosts map[workspace.HostID]bool, all []*workspace.Workspace) {
			made, err := r.manager.Create(t.Context(), privately(2, 800))
			r.check(err)
			hosts = map[workspace.HostID]bool{}
			for _, w := range made.Workspaces {
				w = r.reach(w.ID, workspace.Running)
				hosts[w.Host], all = true, append(all, w)
			}
			return hosts, all
		}
		alone := func(when string) {
			t.Helper()
			_, err := r.manager.Create(t.Context(), privately(2, 800))
			r.kind(when, err, workspace.NoResource)
		}
		alone("before hosts are added")
		fleet := r.fleet()
		for i, id := range []workspace.HostID{"three", "four"} {
			r.check(fleet.Add(t.Context(), ada, workspace.HostSpec{ID: id, URI: "sim:",
				Overlay:  fmt.Sprint("10.1.1.", i+1),
				Capacity: workspace.Capacity{CPUs: 4, MemoryMB: 1024}}, workspace.HostMode{}))
		}
		on, all := group()
		if !on["three"] || !on["four"] || all[0].NICs[0].VNI == 0 || all[0].NICs[0].MTU != 1450 {
			t.Errorf("it is on %v and has %+v", on, all[0].NICs[0])
		}
		for _, w := range all {
			r.check(r.manager.Destroy(t.Context(), ada, w.ID))
		}
		r.settle()
		r.check(fleet.Remove(t.Context(), ada, "three"))
		r.check(fleet.Remove(t.Context(), ada, "four"))
		alone("after they have left")
		fleet.Close()
	})
}

// TestHostIsKeptForWhatLeavesIt: a host that a workspace has moved away from stays until
// what is left there is removed, which nobody could do later.
func TestHostIsKeptForWhatLeavesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), "")
		f, ctx := r.fleet(), t.Context()
		r.check(f.Add(ctx, ada, workspace.HostSpec{ID: "three", URI: "sim:",
			Capacity: workspace.Capacity{CPUs: 4, MemoryMB: 1024}}, workspace.HostMode{}))
		for _, id := range []workspace.HostID{"one", "two"} {
			r.check(r.manager.SetHost(ctx, ada, workspace.HostMode{Host: id, Drained: true}))
		}
		w := r.reach(r.create(request(1)).ID, workspace.Running)
		r.check(r.manager.SetHost(ctx, ada, workspace.HostMode{Host: "one"}))
		r.world.Script(sim.Rule{Host: "three", Op: sim.OpUndefine, Fail: "transient"})
		if to, err := r.manager.Migrate(ctx, ada, w.ID, "", false); w.Host != "three" ||
			err != nil || to != "one" {
			t.Fatalf("it was on %s and goes to %s, %v", w.Host, to, err)
		}
		time.Sleep(10 * time.Second)
		if w, err := r.store.Workspace(ctx, w.ID); err != nil || w.Host != "one" {
			t.Fatalf("it is %+v, %v", w, err)
		}
		err := f.Remove(ctx, ada, "three")
		r.kind("what is left on", err, workspace.Conflict)
		r.world.ClearScript()
		time.Sleep(2 * time.Minute)
		r.check(f.Remove(ctx, ada, "three"))
		f.Close()
		r.check(r.manager.Destroy(ctx, ada, w.ID))
		r.conserved()
	})
}

// TestForgottenHostIsNoBurden declares a host dead that a workspace has just left, and
// one that a workspace was coming from: the first is free to go on, and nothing of the
// other is left where it was going.
func TestForgottenHostIsNoBurden(t *testing.T) {
	for name, leaving := range map[string]bool{"left": true, "coming": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, t.TempDir(), "")
				f, ctx := r.fleet(), t.Context()
				rule := sim.Rule{Op: sim.OpMigrate, Hang: true}
				if leaving {
					rule = sim.Rule{Op: sim.OpUndefine, Fail: "transient"}
				}
				r.world.Script(rule)
				w := r.create(request(1))
				from := r.reach(w.ID, workspace.Running).Host
				to, err := r.manager.Migrate(ctx, ada, w.ID, "", false)
				r.check(err)
				time.Sleep(5 * time.Second)
				r.world.SetDown(from, true)
				time.Sleep(time.Minute)
				given, err := f.Forget(ctx, ada, from)
				r.check(err)
				r.world.ClearScript()
				time.Sleep(time.Minute)
				now, err := r.store.Workspace(ctx, w.ID)
				r.check(err)
				if leaving {
					if len(given) != 0 || now.Host != to || r.busy(w.ID) {
						t.Errorf("given up is %v; it is %+v, busy %v", given, now, r.busy(w.ID))
					}
				} else if len(given) != 1 || now.State != workspace.Corrupted {
					t.Errorf("given up is %v; it is %+v", given, now)
				}
				r.world.SetDown(from, false)
				time.Sleep(time.Minute)
				if leaving && len(r.world.Machines(to)) != 1 {
					t.Error("what has moved is gone from its host")
				}
				r.check(r.manager.Destroy(ctx, ada, w.ID))
				r.conserved()
			})
		})
	}
}
