package main

import (
	"time"

	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// The words of the configuration in the scheduler's.
var (
	backfills = map[string]book.Backfill{
		"none": book.NoBackfill, "easy": book.EASY, "conservative": book.Conservative,
	}
	means = map[string]book.Means{
		"suspend": book.BySuspension, "migrate": book.ByMigration, "kill": book.ByKilling,
	}
	choices = map[string]book.Choice{
		"best-fit": book.BestFit, "spread": book.Spread, "pack": book.Pack,
	}
)

// worth is how many times as long as its suspension and resumption a lease has
// to run before a planned suspension for it to be worth a start: a tenth of the
// time is lost then, at most. In simulated months 0 to 30 are within four in a
// hundred of each other in waits, and with less more leases are suspended.
const worth = 10

// scheduling is how the pool is leased.
func scheduling(s config.Scheduler) book.Policy {
	p := book.Policy{
		Backfill: backfills[s.Backfill], Choice: choices[s.Choice],
		SuspendRate: s.SuspendRate, ResumeRate: s.ResumeRate, MigrateRate: s.MigrateRate,
		Movable: true, Threshold: worth, CacheMB: s.CacheMB, Transfer: int32(s.TransferKbps),
		Boot: margined(s.Boot, s.Margin), Shutdown: margined(s.Shutdown, s.Margin),
	}
	for _, m := range s.Preemption {
		p.Preemption = append(p.Preemption, means[m])
	}
	return p
}

// margined adds the margin, in percent, to a time that is planned with.
func margined(d config.Duration, percent int64) slot.Time {
	t := time.Duration(d).Milliseconds()
	return slot.Time(t + t*percent/100)
}
