package manager_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A promise is what of a booking must not become worse by a restart.
type promise struct {
	status workspace.LeaseStatus
	runs   time.Time
	until  time.Time
	cut    time.Time
	ran    time.Duration
	host   workspace.HostID
}

func (r *rig) promises() map[workspace.LeaseID]promise {
	r.t.Helper()
	synctest.Wait()
	bookings, err := r.store.Bookings(r.t.Context())
	r.check(err)
	all := map[workspace.LeaseID]promise{}
	for _, b := range bookings {
		p := promise{b.Status, b.Runs, b.Until, b.Cut, b.Ran, ""}
		if len(b.Hosts) > 0 {
			p.host = b.Hosts[0]
		}
		all[b.ID] = p
	}
	return all
}

// watch lets time pass and returns for how long each workspace ran meanwhile, to
// some seconds.
func (r *rig) watch(length time.Duration) map[workspace.ID]time.Duration {
	r.t.Helper()
	const step = 5 * time.Second
	ran := map[workspace.ID]time.Duration{}
	for end := time.Now().Add(length); time.Now().Before(end); {
		time.Sleep(min(step, time.Until(end)))
		all, err := r.store.Workspaces(r.t.Context(), "")
		r.check(err)
		for _, w := range all {
			if w.State == workspace.Running {
				ran[w.ID] += step
			}
		}
	}
	return ran
}

// TestRestartKeepsPromises stops the service and starts it again at different
// moments of a schedule in which a reservation suspends a lease: what was
// promised before is promised afterwards, and kept.
func TestRestartKeepsPromises(t *testing.T) {
	for name, after := range map[string]time.Duration{
		"before anything":       time.Minute,
		"shortly before":        time.Hour - 40*time.Second,
		"during the saving":     time.Hour - 15*time.Second,
		"while it boots":        time.Hour - 5*time.Second,
		"as it starts":          time.Hour,
		"while it runs":         90 * time.Minute,
		"as it ends":            2 * time.Hour,
		"while another resumes": 2*time.Hour + 15*time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, dir, "")
				begun := time.Now()
				var soft []workspace.ID
				for range 2 {
					req := large(workspace.LeaseBestEffort, 2*time.Hour)
					req.Terms.Preemptible = true
					soft = append(soft, r.create(req).ID)
				}
				req := large(workspace.LeaseReservation, time.Hour)
				req.Terms.Start = ahead(time.Hour)
				firm := r.create(req)
				last := large(workspace.LeaseReservation, time.Hour)
				last.Terms.Start = ahead(6 * time.Hour)
				later := r.create(last)
				waits := r.create(large(workspace.LeaseBestEffort, 30*time.Minute))
				before := r.watch(time.Until(begun.Add(after)))
				was := r.promises()
				r.stop()
				r = newRig(t, dir, "")
				defer func() { r.stop() }()
				time.Sleep(10 * time.Millisecond)
				for id, p := range r.promises() {
					if p.status == workspace.LeaseAccepted && p != was[id] {
						t.Errorf("lease %d was %+v, is %+v", id, was[id], p)
					}
				}
				ran := r.watch(time.Until(last.Terms.Start.Add(30 * time.Second)))
				r.stands(later.ID, workspace.Running, workspace.LeaseActive)
				const slack = time.Minute // what a restart may cost of what is under way
				for id, want := range map[workspace.ID]time.Duration{
					soft[0]: 2 * time.Hour, soft[1]: 2 * time.Hour, waits.ID: 30 * time.Minute,
					firm.ID: time.Hour,
				} {
					if got := before[id] + ran[id]; got < want-slack || got > want+slack {
						t.Errorf("workspace %d ran for %s, not %s", id, got, want)
					}
				}
				r.conserved()
			})
		})
	}
}

// TestArrivedBeforeTheBook has a workspace be where it moves to before the Book is made again
// that knows of the move: its lease is not on the way for ever.
func TestArrivedBeforeTheBook(t *testing.T) {
	scene(t, func(r *rig) {
		w, _ := r.look(r.create(request(1)).ID)
		r.check(r.store.Update(r.t.Context(), func(tx workspace.Tx) error {
			old, err := tx.Booking(w.Booking)
			if err != nil {
				return err
			}
			b := *old
			b.Leaving, b.Arrived = []workspace.HostID{other(w)}, ahead(time.Minute)
			return tx.PutBooking(&b)
		}))
		r.stop()
		again := newRig(r.t, r.dir, "")
		defer again.stop()
		time.Sleep(time.Hour / 4)
		if _, b := again.look(w.ID); len(b.Leaving) != 0 {
			t.Fatalf("its lease still leaves %v", b.Leaving)
		}
		_, err := again.manager.Migrate(again.t.Context(), ada, w.ID, "", false)
		again.check(err)
		if now, _ := again.look(w.ID); now.Host != other(w) {
			t.Errorf("it is on %s", now.Host)
		}
	})
}
