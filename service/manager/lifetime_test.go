package manager_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestHostsOutOfReachTakeNothing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, "")
		r.world.SetDown("one", true)
		time.Sleep(time.Minute) // until the watcher has noticed
		for range 2 {
			req := request(1)
			req.Demand.MemoryMB = 512
			if w := r.reach(r.create(req).ID, workspace.Running); w.Host != "two" {
				t.Errorf("placed on %s, which is down", w.Host)
			}
		}
		_, err := r.manager.Create(t.Context(), request(1))
		if workspace.KindOf(err) != workspace.Unavailable {
			t.Errorf("Create = %v, want Unavailable", err)
		}
		r.world.SetDown("one", false)
		time.Sleep(time.Minute)
		r.reach(r.create(request(1)).ID, workspace.Running)
		r.stop()
	})
}

func TestAnOutageIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, "")
		w := r.reach(r.create(request(1)).ID, workspace.Running)
		r.world.SetDown(w.Host, true)
		r.check(r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownPause, ""))
		time.Sleep(15 * time.Minute)
		if w, err := r.manager.Workspace(t.Context(), ada, w.ID); err != nil ||
			w.State != workspace.Pausing {
			t.Errorf("in the outage it is %+v, %v; want it to wait", w, err)
		}
		r.world.SetDown(w.Host, false)
		time.Sleep(2 * time.Minute)
		r.reach(w.ID, workspace.Paused)
		r.stop()
	})
}

func TestExpiry(t *testing.T) {
	tests := []struct {
		name      string
		mechanism workspace.Mechanism
		saveTo    string
		rests     workspace.State // at the end of running time; 0: gone
	}{
		{"normal", workspace.MechanismNormal, "", workspace.Propagated},
		{"serialize", workspace.MechanismSerialize, "", workspace.Serialized},
		{"save", workspace.MechanismNormal, "file://kept", workspace.TransportReady},
		{"trash", workspace.MechanismTrash, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, dir, "")
				req := request(1)
				req.Mechanism, req.SaveTo = tt.mechanism, tt.saveTo
				w := r.reach(r.create(req).ID, workspace.Running)
				time.Sleep(29 * time.Minute)
				r.reach(w.ID, workspace.Running)
				time.Sleep(time.Minute + 2*time.Second)
				if tt.rests != 0 {
					w = r.reach(w.ID, tt.rests)
					err := r.manager.Start(t.Context(), ada, w.ID)
					if workspace.KindOf(err) != workspace.Conflict {
						t.Errorf("start after the end = %v, want Conflict", err)
					}
					time.Sleep(10 * time.Minute)
				}
				r.settle()
				if left, _ := r.store.Workspaces(t.Context(), ""); len(left) != 0 {
					t.Errorf("left at the termination time: %+v", left[0])
				}
				r.conserved()
				r.stop()
			})
		})
	}
}

func TestExtension(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, "")
		w := r.reach(r.create(request(1)).ID, workspace.Running)
		at := w.Lease.Termination().Add(time.Hour)
		got, err := r.manager.SetTermination(t.Context(), ada, w.ID, at)
		if err != nil || !got.Equal(at) {
			t.Fatalf("SetTermination = %v, %v", got, err)
		}
		for name, bad := range map[string]time.Time{
			"no end": {}, "past": time.Now().Add(-time.Second),
			"beyond": time.Now().Add(48 * time.Hour),
		} {
			_, err := r.manager.SetTermination(t.Context(), ada, w.ID, bad)
			if workspace.KindOf(err) != workspace.Denied {
				t.Errorf("%s: %v, want Denied", name, err)
			}
		}
		time.Sleep(89 * time.Minute)
		w = r.reach(w.ID, workspace.Running)
		if !w.Lease.Termination().Equal(at) {
			t.Errorf("termination %v, want %v", w.Lease.Termination(), at)
		}
		time.Sleep(2 * time.Minute)
		r.reach(w.ID, workspace.Propagated)
		_, err = r.manager.SetTermination(t.Context(), ada, w.ID, at.Add(time.Hour))
		if workspace.KindOf(err) != workspace.Conflict {
			t.Errorf("extension after the end = %v, want Conflict", err)
		}
		r.stop()
	})
}
