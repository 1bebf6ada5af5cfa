// Package fairshare lets owners who have used more than their share stand back
// in the queue. What was used counts for less as time goes by: half after each
// half-life.
//
// It must not know leases, hosts, the queue or the hour: it weighs amounts of
// use, and its results depend on nothing but its arguments.
package fairshare

import (
	"math"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Usage is what an owner had used at a time, as far as it counted then:
// processors times time.
type Usage struct {
	Amount time.Duration
	At     time.Time
}

// Policy is how use is weighed. The zero Policy forgets nothing and lets nobody
// stand back.
type Policy struct {
	HalfLife time.Duration // in which use counts half; 0: it always counts
	Weight   time.Duration // how far back in the queue an owner stands at most
	// Share is how much an owner deserves, against others; nil: all the same.
	Share func(workspace.Owner) int64
}

// Left returns how much of a usage counts at a later time.
func (p Policy) Left(u Usage, now time.Time) time.Duration {
	passed := now.Sub(u.At)
	if p.HalfLife <= 0 || passed <= 0 || u.Amount <= 0 {
		return max(u.Amount, 0)
	}
	left := float64(u.Amount) * math.Exp2(-float64(passed)/float64(p.HalfLife))
	return time.Duration(left)
}

// Add returns the usage with more, used by now. What is told late, of a time
// before that of the usage, counts from then on.
func (p Policy) Add(u Usage, more time.Duration, now time.Time) Usage {
	if now.Before(u.At) {
		now = u.At
	}
	sum := p.Left(u, now)
	if more > 0 {
		sum += min(more, math.MaxInt64-sum)
	}
	return Usage{sum, now}
}

// Behind returns how far back in the queue each owner stands who has used
// anything, at most Weight: by half of it who has used just its share of what
// all of them did, as in the classic factor 2^(-use/share) of Slurm's priority
// plugin. Owners who are not in the map stand where they came.
func (p Policy) Behind(
	used map[workspace.Owner]time.Duration,
) map[workspace.Owner]time.Duration {
	behind := make(map[workspace.Owner]time.Duration, len(used))
	var all, shares float64
	for owner, u := range used {
		all += float64(max(u, 0))
		shares += p.share(owner)
	}
	for owner, u := range used {
		if all <= 0 || p.Weight <= 0 || u <= 0 {
			continue
		}
		use, share := float64(u)/all, p.share(owner)/shares
		back := float64(p.Weight) * (1 - math.Exp2(-use/share))
		behind[owner] = time.Duration(back).Truncate(time.Second)
	}
	return behind
}

// share returns what the owner deserves, at least a little.
func (p Policy) share(owner workspace.Owner) float64 {
	if p.Share == nil {
		return 1
	}
	return float64(max(p.Share(owner), 1))
}
