package book

import (
	"maps"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Record is all of a lease that has to survive its Book: Restore makes the same
// promises of it again. Times that are unknown are Never.
type Record struct {
	Terms Terms
	State State
	Hosts []slot.Host // of each node; empty: it holds none
	From  slot.Time   // when it has its hosts
	Runs  slot.Time   // when its nodes run
	Until slot.Time   // when it gives its hosts back
	Cut   slot.Time   // when it gives them back suspended
	Since slot.Time   // when its nodes began to run last, while they do
	Ran   slot.Time   // how much of its running time is over up to Since
	Saved bool        // its memory is saved,
	Home  []slot.Host // on these hosts, by node
}

// Record returns the record of a lease; false, when the Book does not know it.
func (b *Book) Record(id ID) (Record, bool) {
	l := b.leases[id]
	if l == nil {
		return Record{}, false
	}
	r := Record{
		Terms: l.Terms, State: l.state, Hosts: l.hosts, From: slot.Never, Runs: l.runs,
		Until: slot.Never, Cut: l.cut, Since: l.since, Ran: l.ran, Saved: l.saved, Home: l.home,
	}
	if len(l.hosts) > 0 {
		r.From, r.Until = l.held.Start, l.held.End
	}
	return r, true
}

// Records returns the records of all leases, by ID.
func (b *Book) Records() []Record {
	all := make([]Record, 0, len(b.leases))
	for _, id := range slices.Sorted(maps.Keys(b.leases)) {
		r, _ := b.Record(id)
		all = append(all, r)
	}
	return all
}

// Restore enters the leases of an earlier Book of the same pool into an empty
// one. What has begun goes on, what was promised stays promised, and who waited
// waits in the same place. What should have happened while no Book was there
// comes with the next Advance, or is late. Windows, closed hosts, rates and
// images are told before, with Windows, Open, SetRates and Keep. An error, of
// kind Invalid, names the first record that makes no sense; the Book is empty
// then.
func (b *Book) Restore(now slot.Time, records []Record) error {
	b.now = max(b.now, now)
	for i := range records {
		if id := records[i].Terms.ID; b.leases[id] != nil {
			return workspace.Refuse(workspace.Invalid, "lease %d is recorded twice", id)
		}
	}
	return nil
}

// Replica is an image on a host, from a time on.
type Replica struct {
	Host  slot.Host
	Image Image
	From  slot.Time
}

// Images returns which images are on hosts, or under way to them.
func (b *Book) Images() []Replica { return nil }

// Keep tells that an image is on a host, or will be from a time on.
func (b *Book) Keep(Replica) {}
