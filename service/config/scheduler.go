package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/calendar"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Scheduler is how leases get their hosts.
type Scheduler struct {
	Backfill string `toml:"backfill"` // none, easy, conservative; default easy
	// Preemption lists suspend, migrate, kill; default suspend, kill.
	Preemption  []string `toml:"preemption"`
	Choice      string   `toml:"choice"`       // best-fit, spread, pack; default best-fit
	SuspendRate int64    `toml:"suspend_rate"` // MB/s, until it is learned; default 50
	ResumeRate  int64    `toml:"resume_rate"`  // MB/s, until it is learned; default 50
	MigrateRate int64    `toml:"migrate_rate"` // MB/s between hosts; default 50
	Boot        Duration `toml:"boot"`         // until it is learned; default 30s
	Shutdown    Duration `toml:"shutdown"`     // until it is learned; default 10s
	Margin      int64    `toml:"margin"`       // percent, on all times planned; default 20
	CacheMB     int64    `toml:"cache_mb"`     // of images out of use, on each host; 0: none
	// CacheSummedOnly keeps images of which nobody says a checksum out of caches.
	CacheSummedOnly bool  `toml:"cache_summed_only"`
	RepositoryKbps  int64 `toml:"repository_kbps"` // its link; default 1000000
	// LimitTransfers holds what goes from and to repositories to that link, shared among
	// the transfers under way.
	LimitTransfers bool  `toml:"limit_transfers"`
	TransferKbps   int64 `toml:"transfer_kbps"` // an image, until learned; default 400000
}

// Quota limits what leases may have at a time: of each owner that a pattern
// fits, or of all that it fits together. A * in it stands for any text.
type Quota struct {
	Owner      string    `toml:"owner"`       // each that fits has this much; this or group
	Group      string    `toml:"group"`       // all that fit have this much together
	Workspaces *int64    `toml:"workspaces"`  // that are not yet destroyed; absent: no limit
	CPUs       *int64    `toml:"cpus"`        // of them; absent: no limit
	MemoryMB   *int64    `toml:"memory_mb"`   // of them; absent: no limit
	CPUTime    *Duration `toml:"cpu_time"`    // of all, what was used of late with them
	LongestRun *Duration `toml:"longest_run"` // running time of one lease
}

// FairShare lets owners who have had much of late stand back in the queue.
type FairShare struct {
	Weight   Duration `toml:"weight"`    // how far back at most; 0: nobody does
	HalfLife Duration `toml:"half_life"` // in which what was used counts half; default 168h
	Shares   []Share  `toml:"share"`
}

// Share is how much an owner deserves; the first that fits counts.
type Share struct {
	Owner  string `toml:"owner"`  // a pattern; a * stands for any text
	Weight int64  `toml:"weight"` // against that of others; who has none given has 1
}

// Window is a time in which a host gives less than it has. It leaves leases what
// it names, of the rest all, and nothing when it names nothing.
type Window struct {
	Start    Moment `toml:"start"`     // such as 2026-12-24T18:00:00Z
	End      Moment `toml:"end"`       // of the first time, when it recurs
	Rule     string `toml:"rule"`      // RFC 5545, in UTC: FREQ=WEEKLY;BYDAY=SA; absent: once
	CPUs     int64  `toml:"cpus"`      // that are left
	MemoryMB int64  `toml:"memory_mb"` // that is left
	Comment  string `toml:"comment"`   // why, for people
}

// Moment is a time.Time with its offset from UTC.
type Moment time.Time

// UnmarshalText reads RFC 3339, quoted or as a TOML date-time with an offset.
func (m *Moment) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return fmt.Errorf("%q is not a time such as 2026-12-24T18:00:00Z", text)
	}
	*m = Moment(t.UTC().Truncate(time.Millisecond))
	return nil
}

// Window returns the window in the domain's words.
func (w *Window) Window() workspace.Window {
	return workspace.Window{
		Start: time.Time(w.Start), End: time.Time(w.End), Rule: w.Rule, Comment: w.Comment,
		Left: workspace.Capacity{CPUs: w.CPUs, MemoryMB: w.MemoryMB},
	}
}

func (s *Scheduler) complete() {
	s.Backfill = cmp.Or(s.Backfill, "easy")
	s.Choice = cmp.Or(s.Choice, "best-fit")
	if s.Preemption == nil {
		s.Preemption = []string{"suspend", "kill"}
	}
	s.SuspendRate, s.ResumeRate = cmp.Or(s.SuspendRate, 50), cmp.Or(s.ResumeRate, 50)
	s.MigrateRate = cmp.Or(s.MigrateRate, 50)
	s.Boot = cmp.Or(s.Boot, Duration(30*time.Second))
	s.Shutdown = cmp.Or(s.Shutdown, Duration(10*time.Second))
	s.Margin = cmp.Or(s.Margin, 20)
	s.RepositoryKbps = cmp.Or(s.RepositoryKbps, 1_000_000)
	s.TransferKbps = cmp.Or(s.TransferKbps, 400_000)
}

// The words of a scheduler's policy.
var (
	backfills = []string{"none", "easy", "conservative"}
	means     = []string{"suspend", "migrate", "kill"}
	choices   = []string{"best-fit", "spread", "pack"}
)

// mostKbps bounds a link, as the scheduler counts it.
const mostKbps = 1 << 30

func (s *Scheduler) check() error {
	all := []error{
		oneOf("scheduler.backfill", s.Backfill, backfills),
		oneOf("scheduler.choice", s.Choice, choices),
	}
	seen := once{}
	for _, m := range s.Preemption {
		all = append(all, oneOf("scheduler.preemption", m, means),
			seen.check("scheduler.preemption", m))
	}
	for _, n := range []struct {
		key         string
		value, most int64
	}{
		{"suspend_rate", s.SuspendRate, 1 << 20}, {"resume_rate", s.ResumeRate, 1 << 20},
		{"migrate_rate", s.MigrateRate, 1 << 20}, {"margin", s.Margin, 1000},
		{"cache_mb", s.CacheMB, 1 << 30}, {"repository_kbps", s.RepositoryKbps, mostKbps},
		{"transfer_kbps", s.TransferKbps, mostKbps},
	} {
		all = append(all, within("scheduler."+n.key, n.value, n.most))
	}
	return errors.Join(all...)
}

// oneOf refuses a word that is none of those known.
func oneOf(key, word string, known []string) error {
	if slices.Contains(known, word) {
		return nil
	}
	return fmt.Errorf("%s: %q is none of %s", key, word, strings.Join(known, ", "))
}

// within refuses a number that is negative or absurd.
func within(key string, n, most int64) error {
	if n >= 0 && n <= most {
		return nil
	}
	return fmt.Errorf("%s is %d, expected 0 to %d", key, n, most)
}

func (c *Config) checkQuotas() error {
	var all []error
	for i, q := range c.Quotas {
		all = append(all, entry("quota", i, cmp.Or(q.Owner, q.Group), q.check()))
	}
	return errors.Join(all...)
}

func (q *Quota) check() error {
	var all []error
	if (q.Owner == "") == (q.Group == "") {
		all = append(all, errors.New("either owner or group is needed, such as \"/O=Example/*\""))
	}
	limits := []*int64{q.Workspaces, q.CPUs, q.MemoryMB, (*int64)(q.CPUTime),
		(*int64)(q.LongestRun)}
	set := 0
	for i, key := range []string{"workspaces", "cpus", "memory_mb", "cpu_time", "longest_run"} {
		if limits[i] == nil {
			continue
		}
		set++
		if *limits[i] < 0 {
			all = append(all, fmt.Errorf("%s is negative", key))
		}
	}
	if set == 0 {
		all = append(all, errors.New("it limits nothing; expected one of "+
			"workspaces, cpus, memory_mb, cpu_time, longest_run"))
	}
	return errors.Join(all...)
}

func (f *FairShare) check() error {
	var all []error
	if f.HalfLife < Duration(time.Minute) {
		all = append(all, errors.New("fair_share.half_life is shorter than a minute"))
	}
	for i, s := range f.Shares {
		var err error
		switch {
		case s.Owner == "":
			err = errors.New("owner is needed, such as \"/O=Example/*\"")
		case s.Weight < 1 || s.Weight > 1_000_000:
			err = fmt.Errorf("weight is %d, expected 1 to 1000000", s.Weight)
		}
		all = append(all, entry("fair_share.share", i, s.Owner, err))
	}
	return errors.Join(all...)
}

// checkWindows refuses windows that make no sense from now on. One that is over
// is no mistake: configurations grow old.
func (h *Host) checkWindows() error {
	var all []error
	for i, w := range h.Windows {
		err := errors.Join(within("cpus", w.CPUs, 1<<20), within("memory_mb", w.MemoryMB, 1<<40))
		if err == nil {
			err = calendar.Check(w.Window(), time.Time(w.Start))
		}
		all = append(all, entry("window", i, cmp.Or(w.Rule, w.Comment), err))
	}
	return errors.Join(all...)
}
