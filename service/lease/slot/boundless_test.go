package slot

import "testing"

// TestBoundless: what a host has without bound nobody uses up, and no sum of it
// leaves its type.
func TestBoundless(t *testing.T) {
	room := Amount{400, 1000, Boundless, Boundless, Boundless}
	table := New([]Amount{room, room})
	greedy := Amount{100, 100, Boundless, Boundless, 1}
	day := Span{0, 100}
	table.Add(0, day, greedy)
	table.Add(0, day, greedy)
	if !table.Fits(0, day, greedy) {
		t.Errorf("after two there is no room for a third: %v", table.Free(0, day))
	}
	table.Remove(0, day, greedy)
	table.Remove(0, day, greedy)
	if free := table.Free(0, day); free != room {
		t.Errorf("emptied, it has %v", free)
	}
	table.Add(0, Span{0, 50}, Amount{400})
	half := Amount{1, 1, Boundless/2 + 1}
	for n := 1; n < 6; n++ {
		when, hosts := table.EarliestGang(0, 10, Gang{Need: half, Nodes: n})
		if (when != Never) != (len(hosts) == n) {
			t.Errorf("%d nodes at %d on %v", n, when, hosts)
		}
	}
}
