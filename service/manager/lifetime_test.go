package manager_test

import (
	"strings"
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

// TestNothingPutsTheEndOff makes sure that what an owner asks for before the end of running
// time keeps nobody else waiting after it.
func TestNothingPutsTheEndOff(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, "* reboot delay=20s")
		w := r.reach(r.create(request(1)).ID, workspace.Running)
		time.Sleep(29 * time.Minute)
		var err error
		asked := 0
		for ; err == nil && asked < 1000; asked++ {
			err = r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownReboot, "")
		}
		if workspace.KindOf(err) != workspace.Busy {
			t.Errorf("after %d operations: %v, expected kind %s", asked, err, workspace.Busy)
		}
		time.Sleep(2 * time.Minute)
		if now, err := r.manager.Workspace(t.Context(), ada, w.ID); err != nil ||
			now.State != workspace.Propagated {
			t.Errorf("a minute after the end it is %+v, %v", now, err)
		}
		r.stop()
	})
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

func TestRenegotiate(t *testing.T) {
	dir := t.TempDir()
	const hour = time.Hour
	tests := map[string]struct {
		duration, end time.Duration // both from the start; 0: not asked for
		says          string        // of the refusal
		want, ends    time.Duration
	}{
		"running time":              {2 * hour, 0, "", 2 * hour, 2*hour + 10*time.Minute},
		"termination time":          {0, 2 * hour, "", 2*hour - 10*time.Minute, 2 * hour},
		"both":                      {2 * hour, 121 * time.Minute, "", 2 * hour, 121 * time.Minute},
		"nothing":                   {0, 0, "", hour / 2, 40 * time.Minute},
		"too long":                  {25 * hour, 0, "are the most", 0, 0},
		"over already":              {5 * time.Minute, 0, "would have ended", 0, 0},
		"destroyed before it ended": {2 * hour, hour, "would end 1h0m0s after", 0, 0},
		"kept too long":             {2 * hour, 4 * hour, "are the most", 0, 0},
		"in the past":               {0, time.Minute, "is in the past", 0, 0},
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, "")
		for name, tt := range tests {
			w := r.reach(r.create(request(1)).ID, workspace.Running)
			time.Sleep(10 * time.Minute)
			terms := workspace.Terms{Duration: tt.duration}
			if tt.end != 0 {
				terms.End = w.Lease.Start.Add(tt.end)
			}
			got, err := r.manager.Renegotiate(t.Context(), ada, w.ID, terms)
			if tt.says != "" {
				r.kind(name, err, workspace.Denied)
				if err != nil && !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%s: error is %v, want one with %q", name, err, tt.says)
				}
				if now, _ := r.store.Workspace(t.Context(), w.ID); now.Lease != w.Lease {
					t.Errorf("%s: the lease is %+v", name, now.Lease)
				}
			} else if err != nil || got.Lease.Duration != tt.want ||
				!got.Lease.Termination().Equal(w.Lease.Start.Add(tt.ends)) {
				t.Errorf("%s: %+v, %v; want %s, ending at %s", name, got, err, tt.want, tt.ends)
			}
			r.check(r.manager.Destroy(t.Context(), ada, w.ID))
			r.settle()
		}
		r.stop()
	})
}
