package book

import "github.com/philoxenia/philoxenia/service/lease/slot"

// Backfill is how far the queue may be overtaken.
type Backfill uint8

// The kinds of backfilling.
const (
	// NoBackfill starts leases in the order of the queue.
	NoBackfill Backfill = iota
	// EASY promises a start to the first that waits; others may overtake it
	// where they do not delay that (Lifka, The ANL/IBM SP scheduling system, 1995):
	// they are over by then, or may be suspended and are saved by then.
	EASY
	// Conservative promises a start to all that wait (Mu'alem and Feitelson,
	// IEEE TPDS 12(6), 2001).
	Conservative
)

// Means is a way to take hosts from a lease.
type Means uint8

// The means of preemption.
const (
	BySuspension Means = iota // save the memory and resume it later
	ByMigration               // move the running nodes to other hosts
	ByKilling                 // begin again later
)

// Choice is which hosts are preferred of those that have room.
type Choice uint8

// The choices.
const (
	BestFit Choice = iota // those with the least left
	Spread                // those with the most left
	Pack                  // the first in order
)

// Pool is what is leased.
type Pool struct {
	Hosts []slot.Amount // the capacity of each; NetIn 0: a link without bound
	// Repository is the link of the image repository, in kbit/s; 0: every host
	// has all images.
	Repository int32
}

// Policy is how the pool is leased. The zero Policy runs leases in order and
// interrupts none.
type Policy struct {
	Backfill Backfill
	// Preemption are the means by which reservations take hosts from leases
	// that are preemptible, the preferred first; none: they take none.
	Preemption []Means
	Choice     Choice
	// SuspendRate and ResumeRate are MB/s of memory on one host; 0: no time.
	SuspendRate, ResumeRate int64
	// MigrateRate is how fast running nodes leave one host, in MB/s; 0: no time.
	MigrateRate int64
	// Movable tells that a suspended lease may resume on other hosts.
	Movable bool
	// Boot is the time before a node runs, Shutdown that after. Both are added
	// to the duration: leases get all the running time they ask for.
	Boot, Shutdown slot.Time
	// Threshold is how many times as long as its suspension and resumption a
	// lease has to run before a planned suspension for it to be worth a start.
	Threshold int64
	// Transfer is how fast one image is brought to a host, in kbit/s; 0: as fast
	// as the links are.
	Transfer int32
	// CacheMB is how much of images that nobody uses a host keeps; those in use
	// are kept and do not count.
	CacheMB int64
	// Confirm, when it is not 0, tells that somebody says with Done or Ended when
	// what a lease is at is complete: booting or resuming that was planned to take
	// time, being saved, shutting down. Until then it goes on; when its time is
	// over it is Overdue, each time for as long at least. With 0 all is complete as
	// planned.
	Confirm slot.Time
}

// has reports whether the policy allows the means.
func (p *Policy) has(m Means) bool {
	for _, allowed := range p.Preemption {
		if allowed == m {
			return true
		}
	}
	return false
}
