package sqlite

import (
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A state is the whole record in memory. The committed rows (the tables' base,
// committed, owners, outbox and pulls) are guarded by the store's lock, as readers
// see them; all else belongs to the writer alone.
type state struct {
	workspaces      table[workspace.ID, *workspace.Workspace]
	groups          table[workspace.GroupID, *workspace.Group]
	changes         table[workspace.ChangeID, *workspace.Change]
	changesOf       table[workspace.ID, []workspace.ChangeID]
	subscriptions   table[workspace.SubscriptionID, *workspace.Subscription]
	subscriptionsOf table[source, []workspace.SubscriptionID]
	subscriptionsAt table[workspace.PullPointID, []workspace.SubscriptionID]
	numbers         table[workspace.SubscriptionID, number]
	points          table[workspace.PullPointID, *workspace.PullPoint]
	arriving        table[workspace.PullPointID, int] // messages of the batch
	kept            table[workspace.Owner, workspace.Kept]
	used            table[workspace.Owner, time.Duration]
	answers         table[requestKey, workspace.Answer]
	bookings        table[workspace.LeaseID, *workspace.Booking]
	modes           table[workspace.HostID, *workspace.HostMode]
	records         table[workspace.HostID, *workspace.HostRecord]
	holds           table[holdKey, *workspace.Hold]
	learned         table[theOne, []byte]
	images          table[workspace.ImageKey, *workspace.Image]
	accounts        table[workspace.Owner, workspace.Account]
	holdings        table[workspace.Owner, holding]

	site      site
	current   use   // as the current update sees it
	committed use   // as readers see it
	pools     pools // as the current update sees them
	taken     []takenAddress
	last      counters

	undone  []func() // to be called when the current update fails
	undoing []func() // and when the batch does

	owners  index
	fresh   []workspace.Message // of the current update
	pending []workspace.Message // of the batch
	outbox  map[workspace.SubscriptionID][]workspace.Message
	pulls   map[workspace.PullPointID]*pull
}

// A source is what subscriptions are to: a workspace, or all of an owner's.
type source struct {
	workspace workspace.ID
	owner     workspace.Owner
}

// sourceOf returns what the subscription is to.
func sourceOf(s *workspace.Subscription) source {
	if s.Workspace != 0 {
		return source{workspace: s.Workspace}
	}
	return source{owner: s.Owner}
}

// A number is that of the last message meant for a subscription.
type number struct {
	last  int64
	loose bool // it stands in no message of the outbox, which would tell it
}

// counters are the highest numbers ever given out.
type counters struct {
	workspace workspace.ID
	change    workspace.ChangeID
	message   int64
}

// A takenAddress is one that the current update took.
type takenAddress struct {
	pool *pool
	slot int
}

// newState returns an empty record on the hosts and networks.
func newState(hosts []workspace.Host, networks []workspace.Network) (*state, error) {
	all, err := newPools(networks)
	if err != nil {
		return nil, err
	}
	s := &state{
		workspaces:      newTable[workspace.ID, *workspace.Workspace](),
		groups:          newTable[workspace.GroupID, *workspace.Group](),
		changes:         newTable[workspace.ChangeID, *workspace.Change](),
		changesOf:       newTable[workspace.ID, []workspace.ChangeID](),
		subscriptions:   newTable[workspace.SubscriptionID, *workspace.Subscription](),
		subscriptionsOf: newTable[source, []workspace.SubscriptionID](),
		subscriptionsAt: newTable[workspace.PullPointID, []workspace.SubscriptionID](),
		numbers:         newTable[workspace.SubscriptionID, number](),
		points:          newTable[workspace.PullPointID, *workspace.PullPoint](),
		arriving:        newTable[workspace.PullPointID, int](),
		kept:            newTable[workspace.Owner, workspace.Kept](),
		used:            newTable[workspace.Owner, time.Duration](),
		answers:         newTable[requestKey, workspace.Answer](),
		bookings:        newTable[workspace.LeaseID, *workspace.Booking](),
		modes:           newTable[workspace.HostID, *workspace.HostMode](),
		records:         newTable[workspace.HostID, *workspace.HostRecord](),
		holds:           newTable[holdKey, *workspace.Hold](),
		learned:         newTable[theOne, []byte](),
		images:          newTable[workspace.ImageKey, *workspace.Image](),
		accounts:        newTable[workspace.Owner, workspace.Account](),
		holdings:        newTable[workspace.Owner, holding](),
		site:            site{configured: hosts}, current: make(use), committed: make(use),
		pools:  all,
		owners: make(index), outbox: make(map[workspace.SubscriptionID][]workspace.Message),
		pulls: make(map[workspace.PullPointID]*pull),
	}
	s.answers.base = nil  // many, and rarely asked for again
	s.arriving.base = nil // those that have arrived are counted apart
	return s, nil
}

// tables returns all tables.
func (s *state) tables() [21]layered {
	return [...]layered{&s.workspaces, &s.groups, &s.changes, &s.changesOf,
		&s.subscriptions, &s.subscriptionsOf, &s.subscriptionsAt, &s.numbers, &s.points,
		&s.arriving, &s.kept, &s.used, &s.answers,
		&s.bookings, &s.modes, &s.records, &s.holds, &s.learned, &s.images, &s.accounts,
		&s.holdings}
}

// shift accounts for a workspace that was from and is now to; either may be nil.
func (s *state) shift(from, to *workspace.Workspace) {
	s.current.add(from, -1)
	s.current.add(to, 1)
	if from != nil && to != nil && from.Holds() == to.Holds() &&
		slices.Equal(from.NICs, to.NICs) {
		return
	}
	s.pools.add(from, -1)
	s.pools.add(to, 1)
}

// keep makes the current update part of the batch.
func (s *state) keep() {
	for _, t := range s.tables() {
		t.keep()
	}
	s.pending = append(s.pending, s.fresh...)
	s.fresh = s.fresh[:0]
	s.undoing, s.undone = append(s.undoing, s.undone...), s.undone[:0]
	s.settle()
}

// drop takes the current update back.
func (s *state) drop() {
	for id, e := range s.workspaces.tx {
		was, _ := s.workspaces.under(id)
		s.shift(e.value, was)
	}
	if len(s.records.tx) > 0 {
		s.site.current = nil
	}
	for _, t := range s.tables() {
		t.drop()
	}
	s.fresh = s.fresh[:0]
	s.settle()
	s.undone = call(s.undone)
}

// call calls the functions, the last one first, and returns none.
func call(fs []func()) []func() {
	for _, f := range slices.Backward(fs) {
		f()
	}
	clear(fs)
	return fs[:0]
}

// settle gives back the addresses that the update took and no workspace holds.
func (s *state) settle() {
	for i := len(s.taken) - 1; i >= 0; i-- {
		s.taken[i].pool.settle(s.taken[i].slot)
	}
	s.taken = s.taken[:0]
	for _, p := range s.pools {
		clear(p.asked)
	}
}

// forget takes the whole batch back, because it could not be committed.
func (s *state) forget() {
	for id, e := range s.workspaces.batch {
		s.shift(e.value, s.workspaces.base[id])
	}
	if s.records.dirty() {
		s.site.current = nil
	}
	for _, t := range s.tables() {
		t.forget()
	}
	s.pending = s.pending[:0]
	s.undoing = call(s.undoing)
}

// publish shows the batch, which is durable, to readers. The caller holds the
// store's lock.
func (s *state) publish() {
	for id, e := range s.workspaces.batch {
		was := s.workspaces.base[id]
		s.committed.add(was, -1)
		s.committed.add(e.value, 1)
		s.owners.shift(was, e.value)
	}
	for id, e := range s.subscriptions.batch {
		if !e.there {
			s.forgetMessages(id)
		}
	}
	s.publishPoints()
	if s.records.dirty() {
		s.site.committed = s.hostsNow()
	}
	for _, t := range s.tables() {
		t.publish()
	}
	for _, m := range s.pending {
		if sub := s.subscriptions.base[m.Subscription]; sub != nil {
			s.outbox[m.Subscription] = append(s.outbox[m.Subscription], m)
			s.pulls[sub.PullPoint].arrive()
		}
	}
	s.pending = s.pending[:0]
	clear(s.undoing)
	s.undoing = s.undoing[:0]
}

// removes reports whether the batch removes a subscription.
func (s *state) removes() bool {
	for _, e := range s.subscriptions.batch {
		if !e.there {
			return true
		}
	}
	return false
}

// dirty reports whether the batch changes anything.
func (s *state) dirty() bool {
	for _, t := range s.tables() {
		if t.dirty() {
			return true
		}
	}
	return len(s.pending) > 0
}
