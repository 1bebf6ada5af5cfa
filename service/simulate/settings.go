package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/simulate/workload"
)

// DefaultHosts is how many hosts are simulated where nothing is said of them.
const DefaultHosts = 16

// What a host has where nothing is said of it.
const (
	defaultCPUs     = 1
	defaultMemoryMB = 1024
)

// plenty is the amount of a resource of which a pool has no limit.
const plenty = 1 << 30

// Settings are the pool and the policy of a simulation. What is zero is taken
// from the workload, where it describes a pool, or is the default.
type Settings struct {
	Hosts    int
	CPUs     int   // of each host
	MemoryMB int64 // of each host

	Backfill   string   // none, easy or conservative
	Preemption []string // suspend, migrate and kill in that order, as far as allowed; none
	Choice     string   // best-fit, spread or pack

	SuspendRate, ResumeRate int64     // MB/s; 0: no time
	Boot, Shutdown          slot.Time // of a node
	// Threshold is how many times as long as its suspension and resumption a
	// lease has to run before a planned suspension for a start to be worth it.
	Threshold int64

	// RepositoryKbps is the link of the image repository in kbit/s; with 0 every
	// host has all images. HostKbps is how fast one host takes an image; 0: as
	// fast as the repository's link. CacheMB is how much of images that are out
	// of use a host keeps.
	RepositoryKbps, HostKbps int64
	CacheMB                  int64

	// Spread says how far what takes time is from what it takes on average: a
	// boot, suspension, resumption or shutdown really takes from so much less to so
	// much more, drawn by Seed. Margin is how much more is planned for each.
	Spread, Margin float64
	Seed           uint64

	Windows []Window

	// Drop is the share of best-effort leases, the first by arrival, that are
	// left out of waits and slowdowns: the pool is empty when they come.
	Drop float64
}

// The words of the policies.
var (
	backfills = []string{"none", "easy", "conservative"} // in the order of book.Backfill
	choices   = []string{"best-fit", "spread", "pack"}   // in the order of book.Choice
	means     = []string{"suspend", "migrate", "kill"}   // in the order in which they apply
)

// Backfills returns the words for backfilling.
func Backfills() []string { return slices.Clone(backfills) }

// Choices returns the words for the choice of hosts.
func Choices() []string { return slices.Clone(choices) }

// Preemptions returns the words for the means of preemption.
func Preemptions() []string { return append(slices.Clone(means), "none") }

// policy returns the Book's policy.
func (s *Settings) policy() (p book.Policy, err error) {
	backfill, err := number("backfilling", s.Backfill, backfills)
	if err != nil {
		return p, err
	}
	choice, err := number("choice of hosts", s.Choice, choices)
	if err != nil {
		return p, err
	}
	p = book.Policy{
		Backfill: book.Backfill(backfill), Choice: book.Choice(choice),
		SuspendRate: s.SuspendRate, ResumeRate: s.ResumeRate,
		Boot: s.Boot, Shutdown: s.Shutdown, Threshold: s.Threshold,
		Transfer: int32(s.HostKbps), CacheMB: s.CacheMB,
	}
	if s.Spread > 0 || s.Margin > 0 {
		p.Confirm = patience
		p.Boot, p.Shutdown = s.more(p.Boot), s.more(p.Shutdown)
		p.SuspendRate, p.ResumeRate = s.less(p.SuspendRate), s.less(p.ResumeRate)
	}
	last := -1
	for _, word := range s.Preemption {
		if word == "none" && len(s.Preemption) == 1 {
			break
		}
		n, err := number("means of preemption", word, means)
		if err != nil {
			return p, err
		}
		if n <= last {
			return p, fmt.Errorf("the means of preemption come in the order %s",
				strings.Join(means, ", "))
		}
		last = n
		switch word {
		case "suspend":
			p.Preemption = append(p.Preemption, book.BySuspension)
		case "migrate":
			if len(p.Preemption) == 0 {
				return p, fmt.Errorf("only what is suspended can migrate: add suspend")
			}
			p.Movable = true
		case "kill":
			p.Preemption = append(p.Preemption, book.ByKilling)
		}
	}
	return p, s.check()
}

// patience is how long the Book waits for word before it plans anew for what
// takes longer than planned.
const patience = workload.Second

// more returns a time with the margin.
func (s *Settings) more(t slot.Time) slot.Time { return slot.Time(float64(t) * (1 + s.Margin)) }

// less returns a rate with the margin.
func (s *Settings) less(rate int64) int64 {
	if rate == 0 {
		return 0
	}
	return max(1, int64(float64(rate)/(1+s.Margin)))
}

// check refuses numbers that no pool has.
func (s *Settings) check() error {
	least := min(s.SuspendRate, s.ResumeRate, int64(s.Boot), int64(s.Shutdown), s.Threshold,
		s.RepositoryKbps, s.HostKbps, s.CacheMB)
	if least < 0 || !(s.Drop >= 0 && s.Drop < 1) {
		return fmt.Errorf("rates, times and shares cannot be below zero, nor all be dropped")
	}
	if !(s.Spread >= 0 && s.Spread <= 1 && s.Margin >= 0 && s.Margin <= 100) {
		return fmt.Errorf("times that spread by %g with a margin of %g make no sense", s.Spread,
			s.Margin)
	}
	if max(s.RepositoryKbps, s.HostKbps) > plenty {
		return fmt.Errorf("cannot simulate a link of more than %d Mbit/s", plenty/1000)
	}
	if s.HostKbps > 0 && s.RepositoryKbps == 0 {
		return fmt.Errorf("without a link of the repository hosts take no images")
	}
	return nil
}

// number returns the place of a word among others; no word is the first.
func number(what, word string, words []string) (int, error) {
	if word == "" {
		return 0, nil
	}
	if i := slices.Index(words, word); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%q is no %s: there are %s", word, what, strings.Join(words, ", "))
}

// pool returns the hosts: those of the settings, or else of the workload.
func (s *Settings) pool(site []workload.Hosts) ([]slot.Amount, error) {
	if s.Hosts < 0 || s.CPUs < 0 || s.MemoryMB < 0 ||
		s.CPUs > plenty/workload.WholeCPU || s.MemoryMB > plenty {
		return nil, fmt.Errorf("cannot simulate %d hosts of %d CPUs and %d MB",
			s.Hosts, s.CPUs, s.MemoryMB)
	}
	if s.Hosts > 0 || len(site) == 0 {
		count := s.Hosts
		if count == 0 {
			count = DefaultHosts
		}
		site = []workload.Hosts{{Count: count}}
	}
	var all []slot.Amount
	for _, h := range site {
		if h.Count > mostHosts-len(all) {
			return nil, fmt.Errorf("cannot simulate more than %d hosts", mostHosts)
		}
		room := s.room(h.Room)
		for range h.Count {
			all = append(all, room)
		}
	}
	return all, nil
}

// Count returns how many hosts are simulated for a workload.
func (s *Settings) Count(w *workload.Workload) (int, error) {
	pool, err := s.pool(w.Site)
	return len(pool), err
}

// mostHosts bounds a pool.
const mostHosts = 1 << 20

// room fills in what is not said of a host. Disks and networks of which
// nothing is said have no limit.
func (s *Settings) room(room slot.Amount) slot.Amount {
	if s.CPUs > 0 {
		room[slot.CPU] = int32(s.CPUs) * workload.WholeCPU
	} else if room[slot.CPU] == 0 {
		room[slot.CPU] = defaultCPUs * workload.WholeCPU
	}
	if s.MemoryMB > 0 {
		room[slot.Memory] = int32(s.MemoryMB)
	} else if room[slot.Memory] == 0 {
		room[slot.Memory] = defaultMemoryMB
	}
	for _, r := range []slot.Resource{slot.Disk, slot.NetIn, slot.NetOut} {
		if room[r] == 0 {
			room[r] = plenty
		}
	}
	return room
}
