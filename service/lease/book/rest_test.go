package book

import (
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// TestRestWaitsAside lets a lease fail to resume: it holds nothing and plans
// nothing until Retry, and then looks for other hosts first.
func TestRestWaitsAside(t *testing.T) {
	host := slot.Amount{slot.CPU: 100, slot.Memory: 100}
	policy := Policy{
		Backfill: EASY, Preemption: []Means{BySuspension}, SuspendRate: 100, ResumeRate: 100,
		Movable: true, Confirm: 1,
	}
	b := New(Pool{Hosts: []slot.Amount{host, host}}, policy)
	r := Record{
		Terms: Terms{
			ID: 1, Kind: BestEffort, Preemptible: true, Duration: 1000,
			Parts: []Part{{Nodes: 1, Need: host}},
		},
		State: Suspended, From: slot.Never, Runs: slot.Never, Until: slot.Never, Cut: slot.Never,
		Since: slot.Never, Ran: 300, Saved: true, Home: []slot.Host{1}, Arrived: slot.Never,
	}
	if err := b.Restore(0, []Record{r}); err != nil {
		t.Fatal(err)
	}
	b.Advance(0)
	if a := b.Lease(1); a.State != Resuming || !slices.Equal(a.Hosts, []slot.Host{1}) {
		t.Fatalf("it resumes so: %+v", a)
	}
	b.Rest(10, 1, []slot.Host{1}, false)
	b.Rest(10, 1, []slot.Host{0}, true) // told twice, which changes nothing
	b.Rest(10, 2, []slot.Host{0}, true)
	b.Advance(5000)
	rests, _ := b.Record(1)
	if rests.State != Suspended || !rests.Aside || rests.Ran != 300 || len(rests.Hosts) > 0 ||
		!slices.Equal(rests.Home, []slot.Host{1}) || b.Next() != slot.Never {
		t.Fatalf("it rests so: %+v, next is %d", rests, b.Next())
	}
	again := New(Pool{Hosts: []slot.Amount{host, host}}, policy)
	if err := again.Restore(5000, []Record{rests}); err != nil {
		t.Fatal(err)
	}
	if a := again.Lease(1); a.State != Suspended || len(a.Hosts) > 0 {
		t.Errorf("restored it is %+v", a)
	}
	b.Retry(6000, 1)
	b.Retry(6000, 2)
	b.Advance(6000)
	if a := b.Lease(1); a.State != Resuming || !slices.Equal(a.Hosts, []slot.Host{0}) {
		t.Errorf("tried again it is %+v", a)
	}
	b.Rest(7000, 1, []slot.Host{1}, true)
	if rests, _ = b.Record(1); rests.Ran != 0 {
		t.Errorf("without its memory it has run for %d", rests.Ran)
	}
}
