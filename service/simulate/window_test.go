package simulate

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/simulate/workload"
)

// TestWindowsAreLeftAlone closes hosts once a day: nothing is ever done on them
// then, and all that was accepted is served all the same.
func TestWindowsAreLeftAlone(t *testing.T) {
	for i, s := range policies {
		s.Windows = []Window{
			{First: 1, Last: 16, From: 20 * workload.Hour, Length: 4 * workload.Hour,
				Every: workload.Day},
			{First: 10, Last: 30, From: 50 * workload.Hour, Length: 30 * workload.Hour},
		}
		r := run(t, mixed(batch(t, 300, uint64(i))), s)
		if m := r.Result().Measures; m.Punctuality != 1 || m.Granted != 1 ||
			m.Kinds["reservation"].Done == 0 {
			t.Errorf("%+v: %+v", s, m)
		}
		sweep(t, r)
		for _, l := range r.order {
			if why := broken(l, s); why != "" {
				t.Errorf("%+v: lease %d %s", s, l.request.Terms.ID, why)
			}
		}
		met := 0
		for _, p := range r.phases {
			for _, c := range r.closed {
				for _, h := range p.Hosts {
					if c.first <= int(h) && int(h) < c.last && p.From < c.span.End &&
						c.span.Start < p.To {
						t.Fatalf("lease %d has host %d from %d to %d, closed from %d to %d",
							p.Lease.Terms.ID, h, p.From, p.To, c.span.Start, c.span.End)
					}
				}
				if p.From < c.span.End && c.span.Start < p.To {
					met++
				}
			}
		}
		if met == 0 {
			t.Errorf("%+v: nothing ran elsewhere in the windows", s)
		}
	}
}

func TestWindowsAreChecked(t *testing.T) {
	day := Window{First: 1, Last: 4, Length: workload.Hour}
	for says, spoil := range map[string]func(*Window){
		"cannot close hosts 0 to 4 of 4": func(w *Window) { w.First = 0 },
		"cannot close hosts 1 to 5 of 4": func(w *Window) { w.Last = 5 },
		"cannot close hosts 3 to 2 of 4": func(w *Window) { w.First, w.Last = 3, 2 },
		"a window of 0 s":                func(w *Window) { w.Length = 0 },
		"every 60 s":                     func(w *Window) { w.Every = workload.Minute },
	} {
		w := day
		spoil(&w)
		if _, err := New(small(), Settings{Windows: []Window{w}}); err == nil ||
			!strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, expected %q", w, err, says)
		}
	}
}

// TestMarginsKeepReservationsOnTime: where times are only known on average, as
// on real hosts, reservations are on time as far as the margin reaches; nobody is
// ever given what another still has.
func TestMarginsKeepReservationsOnTime(t *testing.T) {
	s := Settings{
		Backfill: "easy", Preemption: []string{"suspend", "migrate", "kill"}, SuspendRate: 10,
		ResumeRate: 10, Boot: 60 * workload.Second, Shutdown: 30 * workload.Second, Spread: .3,
	}
	tight := run(t, batch(t, 300, 4), s)
	sweep(t, tight)
	s.Margin = .3
	wide := run(t, batch(t, 300, 4), s)
	sweep(t, wide)
	a, b := tight.Result().Measures, wide.Result().Measures
	t.Logf("on time %.3f, late by %.1f s, granted %.5f; with the margin %.3f, %.1f s, %.5f",
		a.Punctuality, a.Late, a.Granted, b.Punctuality, b.Late, b.Granted)
	if a.Punctuality > .8 || a.Late == 0 || a.Granted < .99 {
		t.Errorf("without a margin: on time %g, late by %g s, granted %g", a.Punctuality, a.Late,
			a.Granted)
	}
	if b.Punctuality != 1 || b.Late != 0 || b.Granted != 1 {
		t.Errorf("with a margin: on time %g, late by %g s, granted %g", b.Punctuality, b.Late,
			b.Granted)
	}
	if k := b.Kinds["best effort"]; k.Done != k.Asked {
		t.Errorf("best effort %+v", k)
	}
}
