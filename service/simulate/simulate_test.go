package simulate

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/simulate/workload"
)

// run runs a workload to its end.
func run(t *testing.T, w *workload.Workload, s Settings) *Run {
	t.Helper()
	r, err := New(w, s)
	if err != nil {
		t.Fatal(err)
	}
	for r.Step() {
	}
	return r
}

// small is a workload on four hosts: a best-effort lease of an hour that really
// takes 45 minutes on one host, another on all, and a reservation of all.
func small() *workload.Workload {
	need := slot.Amount{100, 1024}
	lease := func(id book.ID, nodes int, at, asked slot.Time) workload.Request {
		return workload.Request{Real: asked, Terms: book.Terms{
			ID: id, Kind: book.BestEffort, Preemptible: true, Submitted: at, Duration: asked,
			Parts: []book.Part{{Nodes: nodes, Need: need}},
		}}
	}
	short := lease(1, 1, 0, workload.Hour)
	short.Real = 45 * workload.Minute
	reserved := lease(3, 4, 15*workload.Minute, 15*workload.Minute)
	reserved.Terms.Kind, reserved.Terms.Start = book.Reservation, 30*workload.Minute
	reserved.Terms.Preemptible = false
	return &workload.Workload{
		Name: "small", Site: []workload.Hosts{{Count: 4, Room: need}},
		Requests: []workload.Request{
			short, lease(2, 4, workload.Minute, 10*workload.Minute), reserved,
		},
	}
}

func TestPreemptionBySuspension(t *testing.T) {
	r := run(t, small(), Settings{
		Backfill: "easy", Preemption: []string{"suspend"}, SuspendRate: 64, ResumeRate: 32,
	})
	m := r.Result().Measures
	// Lease 1 runs up to 29:44, is saved for 16 s, restored from 45:00 for 32 s and
	// has 15:16 to go; lease 2 takes all hosts afterwards.
	if m.Suspensions != 1 || m.Kills != 0 || m.Migrations != 0 || m.Punctuality != 1 {
		t.Errorf("measures %+v", m)
	}
	end := 45*60 + 32 + 15*60 + 16.0
	if first := r.order[0].end; seconds(first) != end {
		t.Errorf("lease 1 ended at %g s, expected %g", seconds(first), end)
	}
	if m.AllBestEffort != end+600 || m.Makespan != end+600 {
		t.Errorf("all over at %g s, best effort at %g, expected %g", m.Makespan, m.AllBestEffort,
			end+600)
	}
	wait := end - 60
	if want := (Spread{Mean: wait / 2, P95: wait, Max: wait}); m.Wait != want {
		t.Errorf("waits %+v, expected %+v", m.Wait, want)
	}
	work := 2700.0 + 4*600 + 4*900
	if got, want := m.Useful, work/(4*m.Makespan); !near(got, want) {
		t.Errorf("useful %g, expected %g", got, want)
	}
	if got, want := m.Utilisation, (work+16+32)/(4*m.Makespan); !near(got, want) {
		t.Errorf("utilisation %g, expected %g", got, want)
	}
	if want := ((end/2700 + (end+540)/600) / 2); !near(m.Slowdown.Mean, want) {
		t.Errorf("slowdown %g, expected %g", m.Slowdown.Mean, want)
	}
	if want := ((end/3600 + (end+540)/600) / 2); !near(m.SlowdownAsked.Mean, want) {
		t.Errorf("slowdown by what was asked for %g, expected %g", m.SlowdownAsked.Mean, want)
	}
}

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

func TestPreemptionByKilling(t *testing.T) {
	s := Settings{Backfill: "easy", Preemption: []string{"kill"}}
	m := run(t, small(), s).Result().Measures
	// Half an hour of lease 1 is lost; it begins again after the reservation.
	if m.Kills != 1 || m.LostHours != .5 || m.AllBestEffort != 100*60 || m.Punctuality != 1 {
		t.Errorf("measures %+v", m)
	}
}

func TestNoPreemptionRefuses(t *testing.T) {
	s := Settings{Backfill: "easy", Preemption: []string{"none"}}
	m := run(t, small(), s).Result().Measures
	if got := m.Kinds["reservation"]; got != (Tally{Asked: 1, Refused: 1}) {
		t.Errorf("reservations %+v", got)
	}
	if len(m.Refusals) != 1 || m.AllBestEffort != 55*60 {
		t.Errorf("measures %+v", m)
	}
}

// batch is a generated workload with reservations, on 48 hosts.
func batch(t *testing.T, leases int, seed uint64) *workload.Workload {
	t.Helper()
	w, err := workload.Generate(workload.Recipe{
		Shape: workload.Batch, Leases: leases, Hosts: 48, Load: .8, Seed: seed,
	})
	if err != nil {
		t.Fatal(err)
	}
	j := workload.Injection{
		Share: .15, Length: 2 * workload.Hour, Notice: 12 * workload.Hour, Seed: seed,
		Need: slot.Amount{100, 1024},
	}
	if err := j.Nodes("medium", 48); err != nil {
		t.Fatal(err)
	}
	if err := w.Inject(j, 48); err != nil {
		t.Fatal(err)
	}
	return w
}

var policies = []Settings{
	{Backfill: "none"},
	{Backfill: "easy", Boot: 5000, Shutdown: 3000},
	{Backfill: "easy", Preemption: []string{"suspend", "migrate"}, SuspendRate: 50, ResumeRate: 50,
		Boot: 10000, Shutdown: 10000, Threshold: 1},
	{Backfill: "conservative", Preemption: []string{"suspend", "kill"}, SuspendRate: 50,
		ResumeRate: 25, Choice: "spread"},
	{Backfill: "easy", Preemption: []string{"kill"}, Choice: "pack"},
}

// mixed makes deadlines, immediate leases, leases that cannot be interrupted and
// nodes of half a CPU of some of a workload's best-effort leases.
func mixed(w *workload.Workload) *workload.Workload {
	for i := range w.Requests {
		t := &w.Requests[i].Terms
		if t.Kind != book.BestEffort {
			continue
		}
		switch i % 10 {
		case 0:
			t.Kind = book.Deadline
			t.Start = t.Submitted + slot.Time(i%3)*workload.Hour
			t.Deadline = t.Start + 3*t.Duration
		case 1:
			t.Kind, t.Preemptible = book.Immediate, false
		case 2:
			t.Preemptible = false
		case 3, 4:
			t.Parts[0].Need[slot.CPU] = workload.WholeCPU / 2
		}
	}
	return w
}

// TestPoliciesKeepTheirPromises runs each policy and sweeps over what happened:
// no host is ever over-committed, every lease runs as long as it should, and
// all that was accepted is on time.
func TestPoliciesKeepTheirPromises(t *testing.T) {
	for i, s := range policies {
		r := run(t, mixed(batch(t, 400, uint64(i))), s)
		if m := r.Result().Measures; m.Punctuality != 1 || m.Late != 0 {
			t.Errorf("%+v: punctuality %g, late by %g s", s, m.Punctuality, m.Late)
		}
		sweep(t, r)
		accepted := map[book.Kind]int{}
		for _, l := range r.order {
			if why := broken(l, s); why != "" {
				t.Errorf("%+v: lease %d %s", s, l.request.Terms.ID, why)
			}
			if l.refusal == "" {
				accepted[l.request.Terms.Kind]++
			}
		}
		if len(accepted) != 4 {
			t.Errorf("%+v: accepted %v, expected some of each kind", s, accepted)
		}
	}
}

// broken says which promise to a lease was broken, if one was.
func broken(l *lease, s Settings) string {
	t := &l.request.Terms
	if l.refusal != "" {
		if t.Kind == book.BestEffort {
			return "was refused: " + l.refusal
		}
		return ""
	}
	switch {
	case l.ran != l.request.Work() || l.end == slot.Never || l.open != nil:
		return fmt.Sprintf("ran %d ms, expected %d", l.ran, l.request.Work())
	case t.Kind == book.Immediate && l.first != t.Submitted+s.Boot:
		return fmt.Sprintf("began %d ms after it was accepted", l.first-t.Submitted)
	case t.Kind == book.Deadline && (l.first < t.Start || l.end > t.Deadline):
		return fmt.Sprintf("ran from %d to %d, expected from %d to %d at most", l.first, l.end,
			t.Start, t.Deadline)
	}
	return ""
}

// sweep goes over all that leases did on their hosts, in time.
func sweep(t *testing.T, r *Run) {
	t.Helper()
	type change struct {
		at   slot.Time
		host slot.Host
		need slot.Amount
		more bool
	}
	var all []change
	for _, p := range r.phases {
		node := 0
		for _, part := range p.Lease.Terms.Parts {
			for range part.Nodes {
				h := p.Hosts[node]
				node++
				all = append(all, change{p.From, h, part.Need, true},
					change{p.To, h, part.Need, false})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b change) int {
		first := 0
		if a.more != b.more {
			first = 1
			if b.more {
				first = -1
			}
		}
		return cmp.Or(cmp.Compare(a.at, b.at), first)
	})
	use := make([]slot.Amount, len(r.pool))
	for _, c := range all {
		if !c.more {
			use[c.host] = use[c.host].Minus(c.need)
			continue
		}
		use[c.host] = use[c.host].Plus(c.need)
		if !use[c.host].Fits(&r.pool[c.host]) {
			t.Fatalf("host %d has %v at %d ms, room is %v", c.host, use[c.host], c.at,
				r.pool[c.host])
		}
	}
}

func TestSameInputSameResult(t *testing.T) {
	a := run(t, batch(t, 300, 9), policies[2]).Result()
	b := run(t, batch(t, 300, 9), policies[2]).Result()
	if !reflect.DeepEqual(a, b) {
		t.Error("the same workload gave two schedules")
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		settings Settings
		says     string
	}{
		"backfill":   {Settings{Backfill: "x"}, `"x" is no backfilling: there are none, easy`},
		"choice":     {Settings{Choice: "x"}, `"x" is no choice of hosts`},
		"means":      {Settings{Preemption: []string{"x"}}, `"x" is no means of preemption`},
		"order":      {Settings{Preemption: []string{"kill", "suspend"}}, "come in the order"},
		"migrate":    {Settings{Preemption: []string{"migrate"}}, "only what is suspended"},
		"drop":       {Settings{Drop: 1}, "cannot be below zero"},
		"hosts":      {Settings{Hosts: -1}, "cannot simulate -1 hosts"},
		"many hosts": {Settings{Hosts: 1 << 30}, "more than 1048576 hosts"},
	} {
		if _, err := New(small(), c.settings); err == nil ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, expected %q", name, err, c.says)
		}
	}
}

func TestPoolOfSettingsAndWorkload(t *testing.T) {
	site := []workload.Hosts{{Count: 2, Room: slot.Amount{200, 4096, 10}}, {Count: 1}}
	for name, c := range map[string]struct {
		settings Settings
		want     []slot.Amount
	}{
		"the workload's": {Settings{}, []slot.Amount{
			{200, 4096, 10, plenty, plenty}, {200, 4096, 10, plenty, plenty},
			{100, 1024, plenty, plenty, plenty},
		}},
		"the settings'": {Settings{Hosts: 1, CPUs: 4, MemoryMB: 64}, []slot.Amount{
			{400, 64, plenty, plenty, plenty},
		}},
	} {
		got, err := c.settings.pool(site)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, expected %v", name, got, err, c.want)
		}
	}
}

func TestEmptyWorkload(t *testing.T) {
	m := run(t, &workload.Workload{}, Settings{}).Result()
	if m.Measures.Utilisation != 0 || m.Measures.Punctuality != 1 || len(m.Use()) != 0 {
		t.Errorf("measures %+v", m.Measures)
	}
}

// TestSuspensionAloneShortensWaits: where nothing is reserved and nobody may
// overtake, nobody is suspended, and being allowed to changes nothing. With
// backfilling those who may be suspended overtake others for it: waits become
// shorter, and no work is lost.
func TestSuspensionAloneShortensWaits(t *testing.T) {
	w, err := workload.Generate(workload.Recipe{
		Shape: workload.Batch, Leases: 600, Hosts: 48, Load: .85, Seed: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, backfill := range []string{"none", "easy", "conservative"} {
		s := Settings{Backfill: backfill, SuspendRate: 50, ResumeRate: 50, Threshold: 10}
		without := run(t, w, s).Result().Measures
		s.Preemption = []string{"suspend", "migrate"}
		with := run(t, w, s).Result().Measures
		if backfill == "none" && !reflect.DeepEqual(with, without) {
			t.Errorf("in order: with suspension %+v, without %+v", with, without)
		}
		if with.Wait.Mean > without.Wait.Mean || with.AllBestEffort > without.AllBestEffort ||
			with.LostHours > 0 {
			t.Errorf("%s: with suspension %+v, without %+v", backfill, with, without)
		}
	}
}
