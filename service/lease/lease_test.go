package lease

import (
	"slices"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
	"pgregory.net/rapid"
)

func host(id string, cpus, mem int64, used ...int64) workspace.HostUse {
	return workspace.HostUse{
		Host: workspace.Host{
			ID: workspace.HostID(id), VMM: "KVM", Active: true,
			Capacity: workspace.Capacity{CPUs: cpus, MemoryMB: mem},
		},
		Used: workspace.Capacity{CPUs: used[0], MemoryMB: used[1]},
	}
}

func TestPlace(t *testing.T) {
	inactive := host("off", 8, 8192, 0, 0)
	inactive.Active = false
	fenced := host("fenced", 8, 300, 0, 0)
	fenced.Associations = []string{"private"}
	pool := []workspace.HostUse{
		inactive, fenced, host("big", 8, 4096, 0, 0), host("tight", 8, 1024, 0, 512),
	}
	need := workspace.Capacity{CPUs: 1, MemoryMB: 256}
	tests := []struct {
		name string
		r    Request
		want []workspace.HostID // nil: refused
	}{
		{"tightest host", Request{Nodes: 1, Need: need, Associations: []string{"public"}},
			[]workspace.HostID{"tight"}},
		{"host that reaches the network",
			Request{Nodes: 1, Need: need, Associations: []string{"private"}},
			[]workspace.HostID{"fenced"}},
		{"group fills the tight host first",
			Request{Nodes: 3, Need: need, Associations: []string{"public"}},
			[]workspace.HostID{"tight", "tight", "big"}},
		{"wrong kind of host", Request{Nodes: 1, Need: need, VMMs: []string{"Xen"}}, nil},
		{"too many CPUs", Request{Nodes: 1, Need: workspace.Capacity{CPUs: 9, MemoryMB: 1}}, nil},
		{"group that does not fit as a whole",
			Request{Nodes: 20, Need: need, Associations: []string{"public"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Place(pool, tt.r)
			if ok != (tt.want != nil) || !slices.Equal(got, tt.want) {
				t.Errorf("Place = %v, %v; want %v", got, ok, tt.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	hosts := []workspace.HostUse{host("a", 4, 1024, 2, 768), host("b", 4, 1024, 4, 512)}
	holds := []Hold{
		{"a", now.Add(2 * time.Hour), workspace.Capacity{CPUs: 2, MemoryMB: 768}},
		{"b", now.Add(time.Hour), workspace.Capacity{CPUs: 4, MemoryMB: 512}},
	}
	tests := []struct {
		name     string
		r        Request
		resource string
		earliest time.Time
	}{
		{"after the first hold ends",
			Request{Nodes: 1, Need: workspace.Capacity{CPUs: 1, MemoryMB: 1000}},
			"memory", now.Add(time.Hour)},
		{"group after both end",
			Request{Nodes: 2, Need: workspace.Capacity{CPUs: 1, MemoryMB: 1000}},
			"memory", now.Add(2 * time.Hour)},
		{"never",
			Request{Nodes: 1, Need: workspace.Capacity{CPUs: 1, MemoryMB: 2000}},
			"memory", time.Time{}},
		{"one node fits, the group does not",
			Request{Nodes: 3, Need: workspace.Capacity{CPUs: 1, MemoryMB: 256}},
			"nodes", now.Add(time.Hour)},
		{"no such host", Request{Nodes: 1, VMMs: []string{"Xen"}}, "host", time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, ok := Place(hosts, tt.r); ok {
				t.Fatal("Place accepts what Explain is to explain")
			}
			got := Explain(hosts, holds, tt.r)
			if got.Shortages[0].Resource != tt.resource {
				t.Errorf("short of %q, want %q", got.Shortages[0].Resource, tt.resource)
			}
			if !got.Earliest.Equal(tt.earliest) {
				t.Errorf("earliest %v, want %v", got.Earliest, tt.earliest)
			}
		})
	}
}

// TestPlaceNeverOvercommits holds for any pool and any request: what is
// placed fits, and what one node fits into is never refused for one node.
func TestPlaceNeverOvercommits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.Int64Range(0, 6)
		var hosts []workspace.HostUse
		for i := range rapid.IntRange(0, 4).Draw(t, "hosts") {
			c, m := small.Draw(t, "cpus"), small.Draw(t, "memory")
			hosts = append(hosts, host(string(rune('a'+i)), c, m,
				rapid.Int64Range(0, c).Draw(t, "used cpus"),
				rapid.Int64Range(0, m).Draw(t, "used memory")))
		}
		r := Request{
			Nodes: rapid.IntRange(1, 5).Draw(t, "nodes"),
			Need: workspace.Capacity{
				CPUs:     rapid.Int64Range(1, 3).Draw(t, "need cpus"),
				MemoryMB: rapid.Int64Range(1, 3).Draw(t, "need memory"),
			},
		}
		before := slices.Clone(hosts)
		placed, ok := Place(hosts, r)
		if want := slots(before, r) >= int64(r.Nodes); ok != want {
			t.Fatalf("placed %v, with %d slots for %d nodes", ok, slots(before, r), r.Nodes)
		}
		for _, id := range placed {
			i := slices.IndexFunc(hosts, func(h workspace.HostUse) bool { return h.ID == id })
			take(&hosts[i], r.Need)
			if hosts[i].Used.CPUs > hosts[i].Capacity.CPUs ||
				hosts[i].Used.MemoryMB > hosts[i].Capacity.MemoryMB {
				t.Fatalf("host %s is over-committed: %+v", id, hosts[i])
			}
		}
	})
}

func BenchmarkPlace100Hosts(b *testing.B) {
	var hosts []workspace.HostUse
	for i := range 100 {
		hosts = append(hosts, host(string(rune('a'+i)), 256, 53248, int64(i), int64(i)*256))
	}
	r := Request{Nodes: 1, Need: workspace.Capacity{CPUs: 1, MemoryMB: 256}}
	b.ReportAllocs()
	for b.Loop() {
		Place(hosts, r)
	}
}
