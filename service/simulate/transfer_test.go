package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/simulate/workload"
)

// carrying are settings in which an image of 1 GB takes 80 s, two at a time.
func carrying(cacheMB int64) Settings {
	return Settings{
		Backfill: "easy", Preemption: []string{"suspend", "migrate"}, SuspendRate: 50,
		ResumeRate: 50, Boot: 10000, Shutdown: 10000, CacheMB: cacheMB,
		RepositoryKbps: 200000, HostKbps: 100000,
	}
}

// dressed gives a workload's leases images.
func dressed(w *workload.Workload, count int, skewed bool) *workload.Workload {
	w.Dress(workload.Images{SizeMB: 1000, Count: count, Skewed: skewed, Seed: 1})
	return w
}

func TestTransferIsLateForAReservationAndSoonForTheRest(t *testing.T) {
	w := dressed(small(), 1, false)
	r := run(t, w, carrying(1000))
	var begun []string
	for _, p := range r.carried {
		begun = append(begun, fmt.Sprintf("from %g to %g on %d", seconds(p.From), seconds(p.To),
			p.Hosts[0]))
	}
	// Lease 1 takes its image at once and leaves it for the reservation, which is
	// to run at 1800 s and boots for ten seconds; two images are brought at a time.
	want := []string{
		"from 0 to 80 on 0",
		"from 1630 to 1710 on 3",
		"from 1710 to 1790 on 1",
		"from 1710 to 1790 on 2",
	}
	if !slices.Equal(begun, want) {
		t.Errorf("transfers\n%q\nexpected\n%q", begun, want)
	}
	m := r.Result().Measures
	if m.Transfers != 4 || m.TransfersSaved != 5 || m.Punctuality != 1 || m.Granted != 1 {
		t.Errorf("measures %+v", m)
	}
	if got, want := m.LinkUse, 4*80/(2*m.Makespan); !near(got, want) {
		t.Errorf("the link is used to %g, expected %g", got, want)
	}
}

// TestTransfersKeepThePromises runs a loaded pool with few, many and very many
// images: every reservation runs from its start on, no link bears more than it
// can, every lease boots where its image is.
func TestTransfersKeepThePromises(t *testing.T) {
	for _, count := range []int{1, 5, 37} {
		for _, s := range []Settings{carrying(0), carrying(4000)} {
			r := run(t, dressed(mixed(batch(t, 300, uint64(count))), count, true), s)
			m := r.Result().Measures
			if m.Punctuality != 1 || m.Granted != 1 || m.Transfers == 0 {
				t.Errorf("%d images, cache %d: %+v", count, s.CacheMB, m)
			}
			sweep(t, r)
			carriage(t, r)
			for _, l := range r.order {
				if why := broken(l, s); why != "" && l.request.Terms.Kind != book.Immediate {
					t.Errorf("%d images: lease %d %s", count, l.request.Terms.ID, why)
				}
			}
		}
	}
}

// carriage goes over all transfers and boots, in time.
func carriage(t *testing.T, r *Run) {
	t.Helper()
	type place struct {
		host  slot.Host
		image string
	}
	there := map[place]slot.Time{} // since when, at first
	type change struct {
		at   slot.Time
		more int64
	}
	var link []change
	for _, p := range r.carried {
		at := place{p.Hosts[0], p.Lease.Terms.Image.Name}
		if since, known := there[at]; !known || p.To < since {
			there[at] = p.To
		}
		link = append(link, change{p.From, r.settings.HostKbps}, change{p.To, -r.settings.HostKbps})
	}
	slices.SortFunc(link, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.more, b.more))
	})
	var use int64
	for _, c := range link {
		if use += c.more; use > r.settings.RepositoryKbps {
			t.Fatalf("the repository's link bears %d kbit/s at %d ms", use, c.at)
		}
	}
	for _, p := range r.phases {
		for _, h := range p.Hosts {
			since, known := there[place{h, p.Lease.Terms.Image.Name}]
			if p.Doing == book.Boot && (!known || since > p.From) {
				t.Fatalf("lease %d boots on host %d at %d ms without its image",
					p.Lease.Terms.ID, h, p.From)
			}
		}
	}
}

func TestCacheSavesTransfers(t *testing.T) {
	without := run(t, dressed(batch(t, 300, 2), 5, true), carrying(0)).Result().Measures
	with := run(t, dressed(batch(t, 300, 2), 5, true), carrying(5000)).Result().Measures
	if with.Transfers >= without.Transfers || with.TransfersSaved <= without.TransfersSaved {
		t.Errorf("%d transfers and %d saved with a cache, %d and %d without", with.Transfers,
			with.TransfersSaved, without.Transfers, without.TransfersSaved)
	}
	if with.Wait.Mean >= without.Wait.Mean {
		t.Errorf("a mean wait of %g s with a cache, %g s without", with.Wait.Mean,
			without.Wait.Mean)
	}
}
