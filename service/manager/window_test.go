package manager_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestFixedWindows: in the windows that the configuration gives a host no
// reservation gets it, time and again; they are in the schedule; and an operator
// who drains the host, or gives it another window, changes nothing about them.
func TestFixedWindows(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		noon := ahead(12 * time.Hour)
		r := newRig(t, dir, "", func(r *rig) {
			r.fixed = []workspace.Window{{
				Start: noon, End: noon.Add(2 * time.Hour), Rule: "FREQ=DAILY"}}
		})
		defer r.stop()
		at := func(days int, hour time.Duration) (workspace.HostID, error) {
			req := large(workspace.LeaseReservation, 10*time.Minute)
			req.Terms.Start = noon.AddDate(0, 0, days).Add(hour)
			p, err := r.manager.Plan(r.t.Context(), req)
			if err != nil {
				return "", err
			}
			return p.Hosts[0], nil
		}
		check := func() {
			t.Helper()
			for days := range 3 {
				if h, err := at(days, time.Hour); h != "two" {
					t.Errorf("in the window of day %d it is on %q (%v), want two", days, h, err)
				}
				if h, err := at(days, 3*time.Hour); h != "one" {
					t.Errorf("after the window of day %d it is on %q (%v), want one", days, h, err)
				}
			}
		}
		check()
		bars, err := r.manager.Schedule(t.Context(), ada, noon, noon.AddDate(0, 0, 3))
		r.check(err)
		closed := 0
		for _, b := range bars {
			if b.Phase == workspace.PhaseClosed && b.Host == "one" {
				closed++
			}
		}
		if closed != 3 {
			t.Errorf("the schedule has %d windows in %+v, want 3", closed, bars)
		}
		mode := workspace.HostMode{Host: "one", Windows: []workspace.Window{{
			Start: noon.AddDate(0, 0, 9), End: noon.AddDate(0, 0, 10)}}}
		r.check(r.manager.SetHost(t.Context(), ada, mode))
		check()
		if h, err := at(9, 6*time.Hour); h != "two" {
			t.Errorf("in the operator's window it is on %q (%v), want two", h, err)
		}
		r.check(r.manager.SetHost(t.Context(), ada, workspace.HostMode{Host: "one"}))
		check()
	})
}
