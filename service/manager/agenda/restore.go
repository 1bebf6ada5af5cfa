package agenda

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// ready makes the Book where there is none, from the record as the update sees
// it. The caller holds the lock.
func (a *Agenda) ready(tx workspace.Tx) error {
	if a.book != nil {
		return nil
	}
	tx.OnUndone(a.void)
	if err := a.adopt(tx); err != nil {
		return err
	}
	var records []book.Record
	var which []workspace.LeaseID
	a.resting = map[workspace.LeaseID]time.Time{}
	a.open(tx)
	for _, b := range tx.AllBookings() {
		if r, ok := a.record(tx, b); ok {
			records, which = append(records, r), append(which, b.ID)
			if r.Aside {
				a.resting[b.ID] = b.Again
			}
		}
	}
	at := stamp(now())
	made := a.blank(tx, at)
	if err := made.Restore(at, records); err != nil {
		a.log.Error("bookings do not fit together, each is looked at", "error", err)
		records = a.sound(tx, at, records)
		made = a.blank(tx, at)
		if err := made.Restore(at, records); err != nil {
			return err
		}
	}
	a.book = made
	a.book.Watch()
	a.waiting(tx)
	a.log.Debug("schedule is made from the record", "leases", len(which))
	return nil
}

// open learns the pool. A host keeps its number as long as the process runs, also
// when it is gone: snapshots of the Book from before speak of it.
func (a *Agenda) open(tx workspace.Tx) {
	pool := make([]workspace.Host, len(a.pool)) // others may read the old one
	for i, h := range a.pool {
		pool[i].ID = h.ID
	}
	if a.numbers == nil {
		a.numbers = map[workspace.HostID]slot.Host{}
	}
	a.index, a.alike = map[workspace.HostID]slot.Host{}, map[string]bool{}
	for _, h := range tx.Hosts() {
		number, known := a.numbers[h.ID]
		if !known {
			number = slot.Host(len(pool))
			pool = append(pool, workspace.Host{})
			a.numbers[h.ID] = number
		}
		pool[number], a.index[h.ID] = h.Host, number
	}
	a.pool, a.lost = pool, make([]bool, len(pool))
}

// gone reports whether the host with the number is in the pool no more.
func (a *Agenda) gone(h slot.Host) bool {
	_, there := a.index[a.pool[h].ID]
	return !there
}

// Rehost has the Book know hosts as this update has put them: it is made again
// from the record, with what is promised already.
func (a *Agenda) Rehost(tx workspace.Tx) error {
	a.mu.Lock()
	defer a.unlock()
	if a.book != nil && a.upToDate(tx.Hosts()) {
		return nil
	}
	a.book = nil
	tx.OnUndone(a.void)
	if err := a.ready(tx); err != nil {
		return err
	}
	return a.step(tx)
}

// upToDate reports whether the Book knows the hosts as they are.
func (a *Agenda) upToDate(hosts []workspace.HostUse) bool {
	if len(hosts) != len(a.index) {
		return false
	}
	for _, h := range hosts {
		number, known := a.index[h.ID]
		if !known || !reflect.DeepEqual(a.pool[number], h.Host) {
			return false
		}
	}
	return true
}

// blank returns a Book of the pool with no leases, and hosts as they are.
func (a *Agenda) blank(tx workspace.Tx, at slot.Time) *book.Book {
	capacities := make([]slot.Amount, len(a.pool))
	for i, h := range a.pool {
		capacities[i] = room(h.Capacity)
	}
	b := book.New(book.Pool{Hosts: capacities, Repository: a.o.Repository}, a.o.Policy)
	modes := a.modes(tx)
	for i, h := range a.pool {
		a.equip(b, at, slot.Host(i), modes[h.ID])
		if a.lost[i] = a.gone(slot.Host(i)) || !a.reachable(h.ID); a.lost[i] {
			b.Lost(at, slot.Host(i))
		}
	}
	a.renewed = time.Now()
	a.rank(tx, b, at)
	a.keep(tx, b, at)
	return b
}

// sound returns the records that can be restored alone. One that cannot is left
// to its workspaces: its hosts are counted as they stand in the record.
func (a *Agenda) sound(
	tx workspace.Tx, at slot.Time, records []book.Record,
) (good []book.Record) {
	for _, r := range records {
		if err := a.blank(tx, at).Restore(at, []book.Record{r}); err != nil {
			a.log.Error("booking cannot be restored", "lease", r.Terms.ID, "error", err)
			continue
		}
		good = append(good, r)
	}
	return good
}

// adopt makes bookings for what holds hosts and has none: records of before
// there were bookings. Each is a lease that began when the workspace's did.
func (a *Agenda) adopt(tx workspace.Tx) error {
	for _, old := range tx.AllWorkspaces() {
		if old.Booking != 0 || !old.HoldsHost() {
			continue
		}
		w := *old
		w.Booking = workspace.LeaseID(w.ID)
		b := &workspace.Booking{
			ID: w.Booking, Owner: w.Owner, Members: []workspace.ID{w.ID},
			Terms: workspace.LeaseTerms{Kind: workspace.LeaseImmediate},
			Parts: []workspace.Part{{Nodes: 1, Demand: w.Demand}}, Duration: w.Lease.Duration,
			Submitted: w.Created, Status: workspace.LeaseActive, Phase: workspace.PhaseRun,
			Hosts: []workspace.HostID{w.Host}, From: w.Lease.Start, Runs: w.Lease.Start,
			Since: w.Lease.Start, Until: w.Lease.Termination(),
			Left: make([]bool, 1), Warned: make([]time.Time, 1), Boot: -1, Shutdown: -1,
		}
		if err := tx.PutBooking(b); err != nil {
			return err
		}
		if err := tx.PutWorkspace(&w); err != nil {
			return err
		}
	}
	return nil
}

// record writes a booking as the Book's record; false, when it is over.
func (a *Agenda) record(tx workspace.Tx, b *workspace.Booking) (book.Record, bool) {
	if b.Status == workspace.LeaseOver {
		return book.Record{}, false
	}
	hosts, known := a.places(b.Hosts)
	home, homeKnown := a.places(b.Home)
	left, leftKnown := a.places(b.Leaving)
	if !known || !homeKnown || !leftKnown {
		a.log.Error("lease is on a host that has left the pool", "lease", b.ID)
		return book.Record{}, false
	}
	return book.Record{
		Terms: a.terms(tx, b), State: state(b), Hosts: hosts,
		From: stamp(b.From), Runs: stamp(b.Runs), Until: stamp(b.Until), Cut: stamp(b.Cut),
		Since: stamp(b.Since), Ran: length(b.Ran), Saved: b.Saved, Home: home,
		Left: left, Arrived: stamp(b.Arrived), Moored: moored(tx, b), Aside: !b.Again.IsZero(),
	}, true
}

// places numbers hosts; false, when one of them is unknown.
func (a *Agenda) places(ids []workspace.HostID) (hosts []slot.Host, known bool) {
	for _, id := range ids {
		h, ok := a.index[id]
		if !ok {
			return nil, false
		}
		hosts = append(hosts, h)
	}
	return hosts, true
}

// terms writes what a booking asks for as the Book has it.
func (a *Agenda) terms(tx finder, b *workspace.Booking) book.Terms {
	t := book.Terms{
		ID: book.ID(b.ID), Owner: string(b.Owner), Kind: kinds[b.Terms.Kind],
		Image:     book.Image{Name: b.Image, SizeMB: b.ImageMB},
		Submitted: slot.Time(b.Submitted.UnixMilli()), Duration: length(b.Duration),
		Preemptible: b.Terms.Preemptible, Affinity: a.affinity(tx, b.Terms.Affinity),
		Stays: stays(b),
		Boot:  length(b.Boot), Shutdown: length(b.Shutdown),
	}
	if b.Boot < 0 {
		t.Boot = -1
	}
	if b.Shutdown < 0 {
		t.Shutdown = -1
	}
	if !b.Terms.Start.IsZero() {
		t.Start = stamp(b.Terms.Start)
	}
	if !b.Terms.Deadline.IsZero() {
		t.Deadline = stamp(b.Terms.Deadline)
	}
	if immediate(b.Terms) && !b.Until.IsZero() { // its hosts are its own up to its termination
		t.Duration = length(b.Until.Sub(b.From))
	}
	t.Parts, t.Least, t.Grain = shapes(b.Parts)
	for _, id := range b.Members {
		if w, err := tx.Workspace(id); err == nil {
			t.Hosts = a.may(w.Spec.VMM.Type, w.NICs)
			break
		}
	}
	return t
}

// shapes writes parts as the Book has them. CPUs are granted whole.
func shapes(parts []workspace.Part) (all []book.Part, will, grain []slot.Amount) {
	flexible := false
	for _, p := range parts {
		all = append(all, book.Part{Nodes: p.Nodes, Need: need(p.Demand)})
		will = append(will, least(p))
		cpu := int32(p.Demand.PerCPU())
		grain = append(grain, slot.Amount{slot.CPU: cpu, slot.Memory: 1})
		flexible = flexible || will[len(will)-1] != need(p.Demand)
	}
	if !flexible {
		return all, nil, nil
	}
	return all, will, grain
}

// affinity writes rules as the Book has them. What they name is looked up when
// they are: of a workspace that is gone they say nothing.
func (a *Agenda) affinity(tx finder, rules []workspace.AffinityRule) []book.Affinity {
	var all []book.Affinity
	for _, r := range rules {
		rule := book.Affinity{Apart: r.Relation == workspace.Apart, Soft: r.Soft}
		if r.Relation == workspace.Within {
			rule.Zone = a.zone(a.pool)
		}
		for _, id := range r.Workspaces {
			w, err := tx.Workspace(id)
			if err != nil || w.Booking == 0 {
				continue
			}
			if b, err := tx.Booking(w.Booking); err == nil {
				rule.Others = append(rule.Others,
					book.Node{Lease: book.ID(b.ID), Node: slices.Index(b.Members, id)})
			}
		}
		for _, id := range r.Hosts {
			if h, ok := a.index[id]; ok {
				rule.Hosts = append(rule.Hosts, h)
			}
		}
		named := len(r.Workspaces) + len(r.Hosts)
		if named > 0 && len(rule.Others)+len(rule.Hosts) == 0 && r.Relation == workspace.Apart {
			continue
		}
		all = append(all, rule)
	}
	return all
}

// zone returns which hosts of a pool reach each other: those that have addresses of
// one kind for it.
func (a *Agenda) zone(pool []workspace.Host) func(slot.Host) int {
	return func(h slot.Host) int {
		if int(h) >= len(pool) {
			return 0
		}
		ip, err := netip.ParseAddr(pool[h].Overlay)
		switch {
		case err != nil:
			return 0
		case ip.Is4():
			return 4
		}
		return 6
	}
}

// may returns which hosts will do for a kind of request; nil: all.
func (a *Agenda) may(vmm string, nics []workspace.NIC) func(slot.Host) bool {
	var accepted []string
	if vmm != "" {
		accepted = a.o.Accepts[vmm]
	}
	pool := a.pool
	will := func(h slot.Host) bool { return usable(&pool[h], accepted, nics) }
	var key strings.Builder
	key.WriteString(vmm)
	for _, n := range nics {
		key.WriteByte(0)
		key.WriteString(n.Association)
	}
	all, known := a.alike[key.String()]
	if !known {
		all = true
		for i := range a.pool {
			all = all && (a.gone(slot.Host(i)) || will(slot.Host(i)))
		}
		a.alike[key.String()] = all
	}
	if all {
		return nil
	}
	return will
}

// usable reports whether the host may take a request at all, room aside.
func usable(h *workspace.Host, vmms []string, nics []workspace.NIC) bool {
	if len(vmms) > 0 && !slices.Contains(vmms, h.VMM) {
		return false
	}
	if len(h.Associations) == 0 {
		return true
	}
	return !slices.ContainsFunc(nics, func(n workspace.NIC) bool {
		return !slices.Contains(h.Associations, n.Association)
	})
}
