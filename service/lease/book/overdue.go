package book

import "github.com/philoxenia/philoxenia/service/lease/slot"

// Overdue tells that what a lease is at (booting, resuming, being saved,
// shutting down, or, before it begins, having its image brought) takes until a
// time that is later than planned. The lease holds on to its hosts. Others that
// were to have them then and have not begun move to hosts where they start as
// promised if there are any, and otherwise wait for these.
//
// Of the running time of a reservation, and of an immediate lease, nothing is
// made up for: it ends as promised. Others run as long as they asked for, as far
// as that breaks no promise. Of a lease that runs, or waits without hosts, it is
// told by mistake, and nothing changes.
func (b *Book) Overdue(now slot.Time, id ID, until slot.Time) {
	b.now = max(b.now, now)
}

// Done tells that what a lease is at is complete: it has booted, resumed, been
// saved or shut down, sooner than planned or, under a Policy with Confirm, at
// last. What follows comes with the next Advance. A reservation that has booted
// early still runs at its start. Of a lease that runs or waits it is told by
// mistake, and nothing changes.
func (b *Book) Done(now slot.Time, id ID) {
	b.now = max(b.now, now)
}
