package manager_test

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// keeping is the way to hosts that let go of no disk while shut is set.
type keeping struct {
	workspace.Access
	shut *atomic.Bool
}

func (k keeping) Remove(ctx context.Context, paths ...string) error {
	if k.shut.Load() {
		return workspace.Errorf(workspace.Transient, "remove", paths[0], "it is kept")
	}
	return k.Access.Remove(ctx, paths...)
}

// clinging are hosts of which one lets no machine go until it may: asked is told that
// it was to.
type clinging struct {
	workspace.Deployment
	asked chan<- struct{}
	may   *atomic.Bool
}

func (c clinging) Undefine(ctx context.Context, id workspace.ID) error {
	if c.asked == nil || c.may.Load() {
		return c.Deployment.Undefine(ctx, id)
	}
	select {
	case c.asked <- struct{}{}:
	default:
	}
	return workspace.Errorf(workspace.Transient, "undefine", id.String(), "it stays")
}

func (c clinging) Migrate(
	ctx context.Context, id workspace.ID, m workspace.Migration,
) (workspace.Passage, error) {
	m.Target = m.Target.(clinging).Deployment
	return c.Deployment.Migrate(ctx, id, m)
}

func (c clinging) CanMigrate(to workspace.Deployment) error {
	return c.Deployment.CanMigrate(to.(clinging).Deployment)
}

// leased returns how many addresses of the public network are leased.
func (r *rig) leased() int {
	r.t.Helper()
	uses, err := r.manager.Networks(r.t.Context(), ada)
	r.check(err)
	if len(uses[1].Leases) != uses[1].Leased {
		r.t.Fatalf("%d addresses are leased, and of %d it is said to whom", uses[1].Leased,
			len(uses[1].Leases))
	}
	return uses[1].Leased
}

// awaitLeased waits until so many are.
func (r *rig) awaitLeased(want int) {
	r.t.Helper()
	for end := time.Now().Add(2 * time.Minute); r.leased() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("%d addresses are leased, want %d", r.leased(), want)
		}
	}
}

// fill leases all addresses of the public network.
func (r *rig) fill() (all []*workspace.Workspace) {
	r.t.Helper()
	for range len(r.networks[0].Addresses) {
		small := request(1)
		small.Demand.MemoryMB = 1
		all = append(all, r.create(small))
	}
	for i, w := range all {
		all[i] = r.reach(w.ID, workspace.Running)
	}
	return all
}

// TestAddressIsFreeBeforeTheDisksAreGone: at once when the machine is, with a destroy and
// with a save, though the host keeps the disk; another has it then, and no third one ever,
// whoever is killed and whenever the rest is removed.
func TestAddressIsFreeBeforeTheDisksAreGone(t *testing.T) {
	for name, ends := range map[string]func(*rig, workspace.ID) error{
		"destroy": func(r *rig, id workspace.ID) error {
			return r.manager.Destroy(t.Context(), ada, id)
		},
		"save": func(r *rig, id workspace.ID) error {
			return r.manager.Shutdown(t.Context(), ada, id,
				workspace.ShutdownReadyForTransport, "file://saved")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var shut atomic.Bool
			dir := t.TempDir()
			kept := func(r *rig) {
				r.way = func(a workspace.Access) workspace.Access { return keeping{a, &shut} }
			}
			r := newRig(t, dir, "", kept)
			all := r.fill()
			old := all[2]
			shut.Store(true)
			r.check(ends(r, old.ID))
			r.awaitLeased(len(all) - 1)
			n, err := r.pool.Node(old.Host)
			r.check(err)
			if now, err := n.Inspect(t.Context(), old.ID); now != workspace.ConditionAbsent {
				t.Errorf("its address is free while the machine is %s, %v", now, err)
			}
			if _, err := os.Stat(n.DiskPath(old, 0)); err != nil || !r.busy(old.ID) {
				t.Errorf("its disk is gone already: %v", err)
			}
			next := r.create(request(1))
			if next.NICs[0].IP != old.NICs[0].IP {
				t.Errorf("the next got %s, want %s", next.NICs[0].IP, old.NICs[0].IP)
			}
			r.stop()

			r = newRig(t, dir, "", kept)
			full := func(when string) {
				t.Helper()
				_, err := r.manager.Create(t.Context(), request(1))
				if workspace.KindOf(err) != workspace.NoResource || r.leased() != len(all) {
					t.Errorf("%s %d are leased, and the next gets %v", when, r.leased(), err)
				}
			}
			full("after a restart")
			shut.Store(false)
			r.settle()
			full("when the disks are gone")
			r.conserved()
		})
	}
}

// TestAddressOfAMoveIsFreeWhenBothHostsSay: a machine that was on its way may be on either.
func TestAddressOfAMoveIsFreeWhenBothHostsSay(t *testing.T) {
	var may atomic.Bool
	asked, hosts := make(chan struct{}, 1), 0
	r := newRig(t, t.TempDir(), "* migrate hang", func(r *rig) {
		r.wrap = func(d workspace.Deployment) workspace.Deployment {
			if hosts++; hosts == 2 {
				return clinging{d, asked, &may}
			}
			return clinging{Deployment: d}
		}
	})
	defer r.stop()
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	if w.Host != "one" {
		t.Fatalf("it is on host %s", w.Host)
	}
	_, err := r.manager.Migrate(t.Context(), ada, w.ID, "two", true)
	r.check(err)
	r.awaitStep(w.ID, 0)
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	<-asked
	if n := r.leased(); n != 1 {
		t.Errorf("while one of the hosts may have it %d addresses are leased", n)
	}
	may.Store(true)
	r.awaitLeased(0)
	r.conserved()
}
