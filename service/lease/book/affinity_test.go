package book

import (
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"pgregory.net/rapid"
)

// zones has hosts 0 and 3 in one zone, 2 in another, and 1 in none.
func zones(h slot.Host) int { return []int{1, 0, 2, 1}[h] }

// drawAffinity draws rules that may speak of leases with lower numbers, and of
// the first three hosts.
func drawAffinity(t *rapid.T, id ID, hosts int) (all []Affinity) {
	for range rapid.SampledFrom([]int{0, 0, 1, 1, 2}).Draw(t, "rules") {
		rule := Affinity{
			Apart: rapid.Bool().Draw(t, "apart"), Soft: rapid.Bool().Draw(t, "wish"),
		}
		if !rule.Apart && rapid.Bool().Draw(t, "zone") {
			rule.Zone = zones
		}
		switch about := rapid.IntRange(0, 3).Draw(t, "about"); {
		case about == 0:
			h := slot.Host(rapid.IntRange(0, hosts-1).Draw(t, "host named"))
			rule.Hosts = []slot.Host{h}
		case about < 3 && id > 1:
			for range rapid.IntRange(1, 2).Draw(t, "others") {
				rule.Others = append(rule.Others, Node{
					ID(rapid.IntRange(1, int(id-1)).Draw(t, "other")),
					rapid.IntRange(-1, 1).Draw(t, "node named"),
				})
			}
		}
		all = append(all, rule)
	}
	return all
}

// obey holds that no two nodes are on one host that have to be apart, and that
// nodes lie where conditions about themselves and about hosts have them.
func (w *world) obey() {
	w.t.Helper()
	for id, hosts := range w.on {
		for _, rule := range w.terms[id].Affinity {
			switch {
			case rule.Soft:
			case rule.own() && rule.Apart:
				sorted := slices.Sorted(slices.Values(hosts))
				if len(slices.Compact(sorted)) < len(hosts) {
					w.t.Fatalf("nodes of %d are not apart: %v\n%s", id, hosts, w.story())
				}
			case rule.own() && rule.Zone != nil:
				for _, h := range hosts[1:] {
					if h != hosts[0] && (zones(h) != zones(hosts[0]) || zones(h) == 0) {
						w.t.Fatalf("nodes of %d do not reach each other: %v\n%s", id, hosts,
							w.story())
					}
				}
			case rule.own():
				if slices.Max(hosts) != slices.Min(hosts) {
					w.t.Fatalf("nodes of %d are not together: %v\n%s", id, hosts, w.story())
				}
			case rule.Apart:
				w.apart(id, hosts, &rule)
			case len(rule.Others) == 0:
				for _, h := range hosts {
					if !slices.Contains(rule.Hosts, h) {
						w.t.Fatalf("lease %d is on %d, not on %v\n%s", id, h, rule.Hosts, w.story())
					}
				}
			}
		}
	}
}

// apart holds that a lease is on none of the hosts that a rule names.
func (w *world) apart(id ID, hosts []slot.Host, rule *Affinity) {
	w.t.Helper()
	for _, h := range hosts {
		if slices.Contains(rule.Hosts, h) {
			w.t.Fatalf("lease %d is on %d\n%s", id, h, w.story())
		}
		for _, n := range rule.Others {
			for i, other := range w.on[n.Lease] {
				if other == h && (n.Node < 0 || n.Node == i) {
					w.t.Fatalf("leases %d and %d are both on %d\n%s", id, n.Lease, h, w.story())
				}
			}
		}
	}
}

// TestAffinityIsObeyed drives Books with leases that have rules: conditions hold
// at every moment, and everybody's turn comes.
func TestAffinityIsObeyed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := int32(rapid.IntRange(1, 4).Draw(t, "size"))
		p := hosts(rapid.IntRange(2, 4).Draw(t, "hosts"), size)
		w := newWorld(t, p, drawPolicy(t))
		for id := range ID(rapid.IntRange(1, 20).Draw(t, "leases")) {
			w.until(w.now + slot.Time(rapid.IntRange(0, 15).Draw(t, "pause")))
			x := drawTerms(t, id+1, w.now)
			x.Affinity = drawAffinity(t, id+1, len(p.Hosts))
			w.submit(x, slot.Time(rapid.IntRange(1, int(x.Duration)).Draw(t, "actual")))
		}
		w.until(slot.Never)
		for id := range w.terms {
			if _, ok := w.ended[id]; !ok {
				t.Fatalf("lease %d never ended\n%s", id, w.story())
			}
		}
		if len(w.book.named) != 0 {
			t.Fatalf("names are left: %v", w.book.named)
		}
	})
}

// near and far are rules about other leases.
func near(id ID) []Affinity { return []Affinity{{Others: []Node{{id, -1}}}} }
func far(id ID) []Affinity  { return []Affinity{{Apart: true, Others: []Node{{id, -1}}}} }

// TestConditions places leases by rules on two hosts of two CPUs.
func TestConditions(t *testing.T) {
	for name, c := range map[string]struct {
		rules []Affinity
		nodes int
		want  []slot.Host // nil: refused
	}{
		"none":                 {nil, 1, []slot.Host{0}},
		"near":                 {near(1), 1, []slot.Host{0}},
		"far":                  {far(1), 1, []slot.Host{1}},
		"too many near":        {near(1), 2, nil},
		"too many far":         {far(1), 3, nil},
		"apart":                {[]Affinity{{Apart: true}}, 2, []slot.Host{0, 1}},
		"too many apart":       {[]Affinity{{Apart: true}}, 3, nil},
		"together":             {[]Affinity{{}}, 2, []slot.Host{1, 1}},
		"too many together":    {[]Affinity{{}}, 3, nil},
		"wish for apart":       {[]Affinity{{Apart: true, Soft: true}}, 3, []slot.Host{0, 1, 1}},
		"wish for together":    {[]Affinity{{Soft: true}}, 2, []slot.Host{1, 1}},
		"wish for many of one": {[]Affinity{{Soft: true}}, 3, []slot.Host{1, 1, 0}},
		"host":                 {[]Affinity{{Hosts: []slot.Host{1}}}, 1, []slot.Host{1}},
		"not host": {[]Affinity{{Apart: true, Hosts: []slot.Host{0}}}, 1,
			[]slot.Host{1}},
		"gone":          {near(99), 1, []slot.Host{0}},
		"far from gone": {far(99), 1, []slot.Host{0}},
		"node": {[]Affinity{{Apart: true, Others: []Node{{1, 1}}}}, 1,
			[]slot.Host{0}}, // it has no second node
	} {
		w := newWorld(t, hosts(2, 2), Policy{})
		w.submit(one(1, Immediate, 1, 100), 0)
		x := one(2, Immediate, c.nodes, 50)
		x.Affinity = c.rules
		a := w.submit(x, 0)
		if !slices.Equal(a.Hosts, c.want) || (a.State == Refused) != (c.want == nil) {
			t.Errorf("%s: %+v, want %v", name, a, c.want)
		}
		w.until(slot.Never)
	}
}

// TestReach places leases whose nodes have to reach each other on four hosts of two
// CPUs, of which the first and the last do, and moves nodes of them.
func TestReach(t *testing.T) {
	reach := Affinity{Zone: zones}
	for name, c := range map[string]struct {
		rules []Affinity
		taken int // nodes on the first host, by another lease
		nodes int
		want  []slot.Host // nil: refused
	}{
		"one host, where it will do":   {[]Affinity{reach}, 0, 2, []slot.Host{0, 0}},
		"one that reaches nobody":      {[]Affinity{reach}, 1, 2, []slot.Host{1, 1}},
		"a zone, where it has to be":   {[]Affinity{reach}, 0, 4, []slot.Host{0, 0, 3, 3}},
		"no more than a zone":          {[]Affinity{reach}, 0, 5, nil},
		"what is left of it":           {[]Affinity{reach}, 1, 3, []slot.Host{0, 3, 3}},
		"not both in a zone and apart": {[]Affinity{reach, {Apart: true}}, 0, 3, nil},
		"apart in a zone":              {[]Affinity{reach, {Apart: true}}, 0, 2, []slot.Host{0, 3}},
		"spread in a zone": {[]Affinity{reach, {Apart: true, Soft: true}}, 0, 2,
			[]slot.Host{0, 3}},
		"a wish": {[]Affinity{{Zone: zones, Soft: true}}, 0, 3, []slot.Host{0, 0, 1}},
	} {
		w := newWorld(t, hosts(4, 2), Policy{})
		if c.taken > 0 {
			x := one(1, Immediate, c.taken, 100)
			x.Hosts = only(0)
			w.submit(x, 0)
		}
		x := one(2, Immediate, c.nodes, 50)
		x.Affinity = c.rules
		a := w.submit(x, 0)
		slices.Sort(a.Hosts)
		if !slices.Equal(a.Hosts, c.want) || (a.State == Refused) != (c.want == nil) {
			t.Errorf("%s: %+v, want %v", name, a, c.want)
		}
		w.until(slot.Never)
	}
}

// TestReachWhileTheyMove: a node goes where the others reach it, and nowhere else.
func TestReachWhileTheyMove(t *testing.T) {
	for name, c := range map[string]struct {
		on    []slot.Host
		to    slot.Host
		moved bool
	}{
		"to the zone":            {[]slot.Host{0}, 3, true},
		"of itself":              {[]slot.Host{0}, -1, true},
		"out of it":              {[]slot.Host{0}, 1, false},
		"to another zone":        {[]slot.Host{0}, 2, false},
		"from who reaches none":  {[]slot.Host{1}, -1, false},
		"back to where they are": {[]slot.Host{0, 3}, 0, true},
	} {
		w := newWorld(t, hosts(4, 3), Policy{})
		x := one(1, Immediate, 2, 100)
		x.Affinity, x.Hosts = []Affinity{{Zone: zones}}, only(c.on...)
		if len(c.on) > 1 {
			x.Affinity = append(x.Affinity, Affinity{Apart: true, Soft: true})
		}
		a := w.submit(x, 0)
		w.until(1)
		b := w.book.Snapshot()
		l := b.leases.get(1)
		l.Hosts = nil // where it began is not where it may go
		h, err := b.Shift(2, 1, 1, c.to)
		if (err == nil) != c.moved || (c.moved && zones(h) != zones(a.Hosts[0])) {
			t.Errorf("%s: from %v to %d: host %d, %v", name, a.Hosts, c.to, h, err)
		}
	}
}

// TestTogetherTheyMove: nodes that are to be on one host leave it together, or not.
func TestTogetherTheyMove(t *testing.T) {
	for name, c := range map[string]struct {
		room  int // of the other host
		moved bool
	}{"room for all": {3, true}, "room for one": {1, false}} {
		w := newWorld(t, hosts(2, 3), Policy{})
		if taken := 3 - c.room; taken > 0 {
			x := one(1, Immediate, taken, 100)
			x.Hosts = only(1)
			w.submit(x, 0)
		}
		x := one(2, Immediate, 3, 100)
		x.Affinity = []Affinity{{}}
		w.submit(x, 0)
		w.until(1)
		b := w.book.Snapshot()
		h, err := b.Shift(2, 2, 1, -1)
		if (err == nil) != c.moved {
			t.Errorf("%s: host %d, %v", name, h, err)
		}
		want := []slot.Host{0, 0, 0}
		if c.moved {
			want = []slot.Host{1, 1, 1}
		}
		if got := b.leases.get(2).hosts; !slices.Equal(got, want) {
			t.Errorf("%s: they are on %v, want %v", name, got, want)
		}
	}
}

// TestRuledOut explains a refusal that only a condition causes, and offers to do
// without.
func TestRuledOut(t *testing.T) {
	w := newWorld(t, hosts(1, 2), Policy{})
	w.submit(one(1, Immediate, 1, 100), 0)
	x := one(2, Immediate, 1, 50)
	x.Affinity = far(1)
	a := w.submit(x, 0)
	if a.State != Refused || a.Reason.Code != Ruled || a.Reason.Earliest != 100 {
		t.Fatalf("%+v", a)
	}
	found := false
	for _, o := range a.Reason.Offers {
		b, err := w.book.Snapshot().Submit(0, o.Terms)
		if err != nil || b.State == Refused {
			t.Errorf("offer %s: %+v %v", o.Change, b, err)
		}
		found = found || o.Change == Looser
	}
	if !found {
		t.Errorf("offers %+v", a.Reason.Offers)
	}
}

// TestApartInTime lets leases that have to be apart follow each other on one host.
func TestApartInTime(t *testing.T) {
	w := newWorld(t, hosts(1, 2), Policy{Preemption: []Means{BySuspension}})
	x := one(1, Reservation, 1, 50)
	x.Start = 100
	w.submit(x, 0)
	y := one(2, BestEffort, 1, 120)
	y.Affinity = far(1)
	w.submit(y, 0)
	w.until(slot.Never)
	if w.first[2] != 0 || w.ended[2] != 170 {
		t.Errorf("the lease ran from %d to %d\n%s", w.first[2], w.ended[2], w.story())
	}
}

// TestBadAffinity is refused.
func TestBadAffinity(t *testing.T) {
	b := New(hosts(2, 2), Policy{})
	for name, rules := range map[string][]Affinity{
		"itself":        near(1),
		"no such host":  {{Hosts: []slot.Host{2}}},
		"negative host": {{Hosts: []slot.Host{-1}}},
		"absurd":        make([]Affinity, mostRules+1),
		"absurd rule":   {{Others: slices.Repeat([]Node{{2, -1}}, mostRules+1)}},
	} {
		x := one(1, BestEffort, 1, 50)
		x.Affinity = rules
		if _, err := b.Submit(0, x); err == nil || b.leases.len() != 0 {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestPlansGiveWay accepts a reservation where one that waits is planned that
// has to be apart from it: that is planned anew.
func TestPlansGiveWay(t *testing.T) {
	w := newWorld(t, hosts(1, 2), Policy{Backfill: Conservative})
	x := one(1, Immediate, 2, 100)
	w.submit(x, 0)
	w.submit(one(2, BestEffort, 1, 50), 0)
	y := one(3, Reservation, 1, 50)
	y.Start, y.Affinity = 120, far(2)
	w.submit(y, 0)
	w.until(slot.Never)
	if w.first[3] != 120 || w.first[2] != 170 {
		t.Errorf("they run at %d and %d\n%s", w.first[3], w.first[2], w.story())
	}
}

// TestApartWhenMoved migrates a node of a gang whose nodes are apart.
func TestApartWhenMoved(t *testing.T) {
	w := newWorld(t, hosts(3, 2), Policy{Preemption: []Means{ByMigration}, Choice: Pack})
	x := one(1, BestEffort, 2, 100)
	x.Affinity = []Affinity{{Apart: true}}
	w.submit(x, 0)
	w.until(10)
	y := one(2, Reservation, 1, 50)
	y.Parts[0].Need, y.Start = cpus(2), 20
	y.Affinity = []Affinity{{Hosts: []slot.Host{0}}}
	w.submit(y, 0)
	if got := w.book.Lease(1).Hosts; !slices.Equal(got, []slot.Host{2, 1}) {
		t.Errorf("the gang is on %v\n%s", got, w.story())
	}
	w.until(slot.Never)
}
