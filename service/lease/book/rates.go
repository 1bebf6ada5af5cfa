package book

import "github.com/philoxenia/philoxenia/service/lease/slot"

// Rates are how fast one host saves, restores and sends away memory, in MB/s;
// 0: as the policy has it.
type Rates struct{ Suspend, Resume, Migrate int64 }

// SetRates sets the rates of a host. What is planned already stays as it is.
func (b *Book) SetRates(h slot.Host, r Rates) {
	if b.site.rates == nil {
		b.site.rates = make([]Rates, b.full.Len())
	}
	b.site.rates[h] = r
}

// SetTransfer sets how fast one image is brought to a host, in kbit/s; 0: as fast
// as the links are. What is planned already stays as it is.
func (b *Book) SetTransfer(kbps int32) { b.policy.Transfer = max(kbps, 0) }

// pace returns how fast a host is.
func (b *Book) pace(h slot.Host) Rates {
	r := Rates{b.policy.SuspendRate, b.policy.ResumeRate, b.policy.MigrateRate}
	if b.site.rates == nil {
		return r
	}
	own := &b.site.rates[h]
	r.Suspend = positive(own.Suspend, r.Suspend)
	r.Resume = positive(own.Resume, r.Resume)
	r.Migrate = positive(own.Migrate, r.Migrate)
	return r
}

// positive returns the rate, or another in place of none.
func positive(rate, other int64) int64 {
	if rate > 0 {
		return rate
	}
	return other
}

// suspension returns how long saving the memory takes on the hosts. Nodes on one
// host are saved one after the other. Without hosts each node has one of its own.
func (b *Book) suspension(l *lease, hosts []slot.Host) slot.Time {
	if len(hosts) == 0 {
		return over(l.largest(), b.policy.SuspendRate)
	}
	return l.longest(hosts, func(h slot.Host) int64 { return b.pace(h).Suspend })
}

// resumption returns how long restoring the memory takes: on the hosts where it
// was saved, or on the slowest of others that get no more nodes each than those had.
func (b *Book) resumption(l *lease) slot.Time {
	switch {
	case len(l.home) == 0:
		return over(l.largest(), b.policy.ResumeRate)
	case !l.saved || !b.policy.Movable:
		return l.longest(l.home, func(h slot.Host) int64 { return b.pace(h).Resume })
	case len(l.Parts) == 1:
		slowest := b.slowest()
		return l.longest(l.home, func(slot.Host) int64 { return slowest })
	}
	var memory int64
	for _, p := range l.Parts {
		memory += int64(min(crowd(l.home), p.Nodes)) * int64(p.Need[slot.Memory])
	}
	return over(memory, b.slowest())
}

// slowest returns the rate at which the slowest host restores memory.
func (b *Book) slowest() int64 {
	slowest := b.policy.ResumeRate
	for _, r := range b.site.rates {
		if r.Resume > 0 && (slowest == 0 || r.Resume < slowest) {
			slowest = r.Resume
		}
	}
	return slowest
}

// largest returns the memory of the largest node, in MB.
func (l *lease) largest() int64 {
	var most int64
	for i := range l.Parts {
		most = max(most, int64(l.Parts[i].Need[slot.Memory]))
	}
	return most
}

// longest returns how long the slowest of the hosts takes for the memory of the
// nodes on it, at rates in MB/s.
func (l *lease) longest(hosts []slot.Host, rate func(slot.Host) int64) slot.Time {
	var most slot.Time
	for _, s := range sums(hosts, l.needs()) {
		most = max(most, over(int64(s.need[slot.Memory]), rate(s.host)))
	}
	return most
}

// crowd returns how many nodes share the fullest host.
func crowd(hosts []slot.Host) int {
	count, most := map[slot.Host]int{}, 0
	for _, h := range hosts {
		count[h]++
		most = max(most, count[h])
	}
	return most
}

// lead returns how long before it runs the lease holds its hosts.
func (b *Book) lead(l *lease) slot.Time {
	if l.saved {
		return b.resumption(l) + l.bringing
	}
	return chosen(l.Boot, b.policy.Boot)
}

// shutdown returns how long the lease holds its hosts after it has run.
func (b *Book) shutdown(l *lease) slot.Time { return chosen(l.Shutdown, b.policy.Shutdown) }

// chosen returns the lease's own time, or the policy's where it has none.
func chosen(own, policy slot.Time) slot.Time {
	if own == 0 {
		return policy
	}
	return max(own, 0)
}

// over returns how long the memory takes at the rate.
func over(memoryMB, rate int64) slot.Time {
	if rate <= 0 {
		return 0
	}
	return slot.Time((memoryMB*1000 + rate - 1) / rate)
}
