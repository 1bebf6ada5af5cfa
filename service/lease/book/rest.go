package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// Rest tells that a lease could not resume, or not where it moves to: what is
// left of it is saved on these hosts, by node. It waits, outside the queue until
// Retry, and then goes on elsewhere if it can. begins tells that the memory of a
// node is lost, so that the lease has all of its running time before it again. Of
// a lease that does not resume or run nothing changes.
func (b *Book) Rest(now slot.Time, id ID, home []slot.Host, begins bool) {
	b.now = max(b.now, now)
	l := b.leases.get(id)
	if l == nil || l.over || (l.state != Resuming && l.state != Running) ||
		len(home) != l.nodes() {
		return
	}
	l = b.own(l)
	if l.since != slot.Never {
		l.ran = min(l.ran+b.now-l.since, l.Duration-1)
	}
	if begins {
		l.ran = 0
	}
	shun := l.hosts
	l.saved = true
	b.requeue(l, Suspended)
	l.home, l.shun, l.aside = slices.Clone(home), shun, true
	b.freed = true
	b.review()
}

// Retry lets a lease that could not resume wait in the queue again.
func (b *Book) Retry(now slot.Time, id ID) {
	b.now = max(b.now, now)
	if l := b.leases.get(id); l != nil && l.aside {
		b.own(l).aside = false
		b.changed = true
		b.review()
	}
}
