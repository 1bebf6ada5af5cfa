package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// mostRank bounds a rank.
const mostRank = mostTime

// SetRank lets the owner's leases stand back in the queue as if they had been
// submitted so much later; those that wait already included. Less than 0 lets
// them stand ahead. Since it is a time, nobody is overtaken by leases that came
// later than the ranks differ: a rank delays a share, it cannot starve anyone.
func (b *Book) SetRank(now slot.Time, owner string, behind slot.Time) {
	b.now = max(b.now, now)
	behind = max(min(behind, mostRank), -mostRank)
	if b.ranks[owner] == behind {
		return
	}
	if b.ranks[owner] = behind; behind == 0 {
		delete(b.ranks, owner)
	}
	for id, l := range b.leases.all() {
		if l.Owner == owner {
			b.own(b.leases.get(id)).turn = l.Submitted + behind
		}
	}
	b.reorder()
	b.changed = true
	b.review()
}

// reorder sorts the queue.
func (b *Book) reorder() {
	slices.SortFunc(b.queue, func(v, w ID) int {
		if b.leases.get(v).before(b.leases.get(w)) {
			return -1
		}
		return 1
	})
}
