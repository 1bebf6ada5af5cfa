package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// leaseBooks reads what a daemon that was killed has left of leases.
type leaseBooks struct {
	books
	lives []period
	met   map[string]int // changes under way at a kill, by kind

	seen        map[workspace.LeaseID]bool // reservations that were found at their start
	undisturbed int                        // of them those that no kill was near
	latest      time.Duration
}

// A period is from one time to another.
type period struct{ from, to time.Time }

// A leaseRow is one workspace in the record, as its lease matters.
type leaseRow struct {
	id       workspace.ID
	host     workspace.HostID
	state    string
	fault    string
	parked   bool
	booking  workspace.LeaseID
	memoryMB int64
	cpus     int64
	underWay bool // a change of it is
}

// examine returns what does not add up.
func (b *leaseBooks) examine(ctx context.Context, l *lessee) ([]string, error) {
	if err := b.open(); err != nil {
		return nil, err
	}
	rows, err := b.leaseRows(ctx)
	if err != nil {
		return nil, err
	}
	bookings, err := b.bookings(ctx)
	if err != nil {
		return nil, err
	}
	wrong := heldTwice(rows)
	wrong = append(wrong, promisedTwice(bookings)...)
	wrong = append(wrong, matched(rows, bookings)...)
	l.mu.Lock()
	wrong = append(wrong, b.kept(bookings, rows, l)...)
	l.mu.Unlock()
	machines, err := b.guests(rows)
	return append(wrong, machines...), err
}

// leaseRows returns every workspace of the record, and counts what is under way.
func (b *leaseBooks) leaseRows(ctx context.Context) (map[workspace.ID]*leaseRow, error) {
	rs, err := b.db.QueryContext(ctx, "SELECT workspace, host, state, fault, parked, booking, "+
		"memory, cpus FROM standing")
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	all := map[workspace.ID]*leaseRow{}
	for rs.Next() {
		r := &leaseRow{}
		if err := rs.Scan(&r.id, &r.host, &r.state, &r.fault, &r.parked, &r.booking, &r.memoryMB,
			&r.cpus); err != nil {
			return nil, err
		}
		all[r.id] = r
	}
	if err := rs.Err(); err != nil {
		return nil, err
	}
	changes, err := b.db.QueryContext(ctx, "SELECT workspace, kind FROM change")
	if err != nil {
		return nil, err
	}
	defer changes.Close()
	if b.met == nil {
		b.met = map[string]int{}
	}
	for changes.Next() {
		var id workspace.ID
		var kind string
		if err := changes.Scan(&id, &kind); err != nil {
			return nil, err
		}
		b.met[kind]++
		if all[id] != nil {
			all[id].underWay = true
		}
	}
	return all, changes.Err()
}

// bookings returns every booking of the record.
func (b *leaseBooks) bookings(ctx context.Context) (map[workspace.LeaseID]*workspace.Booking,
	error) {
	rs, err := b.db.QueryContext(ctx, "SELECT id, booking FROM booking")
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	all := map[workspace.LeaseID]*workspace.Booking{}
	for rs.Next() {
		var text string
		k := &workspace.Booking{}
		if err := rs.Scan(&k.ID, &text); err != nil {
			return nil, err
		}
		id := k.ID
		if err := json.Unmarshal([]byte(text), k); err != nil {
			return nil, fmt.Errorf("booking %d: %w", id, err)
		}
		k.ID = id
		all[id] = k
	}
	return all, rs.Err()
}

// heldTwice says which hosts have less room than what the record gives of them.
func heldTwice(rows map[workspace.ID]*leaseRow) []string {
	var wrong []string
	memory, cpus := map[workspace.HostID]int64{}, map[workspace.HostID]int64{}
	for _, r := range rows {
		if r.host != "" && !r.parked {
			memory[r.host] += r.memoryMB
			cpus[r.host] += r.cpus
		}
	}
	for h := range memory {
		if memory[h] > smallMemoryMB || cpus[h] > smallCPUs {
			wrong = append(wrong, fmt.Sprintf("the record gives %d MB and %d CPUs of %s", memory[h],
				cpus[h], h))
		}
	}
	return wrong
}

// promisedTwice says where bookings promise more of a host at a time to come than
// it has.
func promisedTwice(bookings map[workspace.LeaseID]*workspace.Booking) []string {
	type change struct {
		at           time.Time
		memory, cpus int64
		lease        workspace.LeaseID
	}
	changes := map[workspace.HostID][]change{}
	for _, k := range bookings {
		if k.Status == workspace.LeaseOver || len(k.Hosts) == 0 {
			continue
		}
		var demands []workspace.Allocation
		for _, p := range k.Parts {
			for range p.Nodes {
				demands = append(demands, p.Demand)
			}
		}
		for i, h := range k.Hosts {
			if k.Left[i] || i >= len(demands) {
				continue
			}
			d := demands[i]
			changes[h] = append(changes[h], change{k.From, d.MemoryMB, d.CPUs, k.ID},
				change{k.Until, -d.MemoryMB, -d.CPUs, k.ID})
		}
	}
	var wrong []string
	for h, all := range changes {
		slices.SortFunc(all, func(a, b change) int {
			if d := a.at.Compare(b.at); d != 0 {
				return d
			}
			return int(a.memory - b.memory) // what is given back first
		})
		var memory, cpus int64
		for _, c := range all {
			memory, cpus = memory+c.memory, cpus+c.cpus
			if memory > smallMemoryMB || cpus > smallCPUs {
				wrong = append(wrong, fmt.Sprintf("%d MB and %d CPUs of %s are promised at %s, "+
					"when lease %d begins", memory, cpus, h, c.at.Format(time.TimeOnly), c.lease))
				break
			}
		}
	}
	return wrong
}

// matched says which workspaces have no booking that knows them, and which
// bookings are of nobody.
func matched(
	rows map[workspace.ID]*leaseRow, bookings map[workspace.LeaseID]*workspace.Booking,
) []string {
	var wrong []string
	alive := map[workspace.LeaseID]bool{}
	for _, r := range rows {
		alive[r.booking] = true
		k := bookings[r.booking]
		if k == nil {
			wrong = append(wrong, fmt.Sprintf("workspace %d has no booking", r.id))
		} else if !slices.Contains(k.Members, r.id) {
			wrong = append(wrong, fmt.Sprintf("workspace %d is no member of lease %d", r.id, k.ID))
		}
		if r.state == "Corrupted" {
			wrong = append(wrong, fmt.Sprintf("workspace %d is Corrupted: %s", r.id, r.fault))
		}
	}
	for id := range bookings {
		if !alive[id] {
			wrong = append(wrong, fmt.Sprintf("lease %d has a booking and no workspace", id))
		}
	}
	return wrong
}

// kept holds what clients were told against the bookings.
func (b *leaseBooks) kept(
	bookings map[workspace.LeaseID]*workspace.Booking, rows map[workspace.ID]*leaseRow, l *lessee,
) []string {
	var wrong []string
	known := map[workspace.ID]bool{}
	for first, p := range l.promises {
		for _, key := range p.keys {
			known[idOf(key)] = true
		}
		k := bookings[workspace.LeaseID(idOf(first))]
		if k == nil {
			continue // all of it was destroyed: what is left without is found by others
		}
		if len(k.Members) != p.nodes || k.Duration != p.length ||
			string(k.Terms.Kind) != p.kind || k.Ran > k.Duration {
			wrong = append(wrong, fmt.Sprintf("lease %d was %+v, is %+v", k.ID, p, k))
		}
		if p.kind == "reservation" {
			wrong = append(wrong, b.onTime(k, p)...)
		}
	}
	for id := range rows {
		if !known[id] && len(l.open) == 0 {
			wrong = append(wrong, fmt.Sprintf("workspace %d is there, and nobody asked for it", id))
		}
	}
	return wrong
}

// near is how long before a reservation is to have its hosts a daemon has to live
// for it to be held to the start.
const near = 500 * time.Millisecond

// onTime holds a reservation to its start.
func (b *leaseBooks) onTime(k *workspace.Booking, p *promise) []string {
	if !k.Terms.Start.Equal(p.start) {
		return []string{fmt.Sprintf("reservation %d was to start at %v, is to at %v", k.ID, p.start,
			k.Terms.Start)}
	}
	if !k.Runs.IsZero() && k.Runs.Before(p.start) || !k.Since.IsZero() && k.Since.Before(p.start) {
		return []string{fmt.Sprintf("reservation %d runs at %v, before its start", k.ID, k.Runs)}
	}
	if b.seen == nil {
		b.seen = map[workspace.LeaseID]bool{}
	}
	if k.Since.IsZero() || b.seen[k.ID] {
		return nil
	}
	b.seen[k.ID] = true
	for _, life := range b.lives {
		if k.From.Sub(life.from) > near && life.to.After(p.start) {
			b.undisturbed++
			b.latest = max(b.latest, k.Since.Sub(p.start))
		}
	}
	return nil
}

// guests holds the simulated hosts against the record: of workspaces with
// nothing under way both say the same, and no host bears more than it has.
func (b *leaseBooks) guests(rows map[workspace.ID]*leaseRow) ([]string, error) {
	records, err := sim.ReadJournal(filepath.Join(b.data, "sim"))
	if err != nil {
		return nil, err
	}
	var wrong []string
	there := map[workspace.ID]workspace.Condition{}
	memory := map[workspace.HostID]int64{}
	for at, h := range sim.Replay(records) {
		if is, twice := there[at.Machine]; twice && up(is) && up(h.Condition) {
			wrong = append(wrong, fmt.Sprintf("machine %d is up on two hosts", at.Machine))
		}
		if r := rows[at.Machine]; r != nil && (r.host == at.Host || r.underWay) {
			there[at.Machine] = h.Condition
		} else {
			wrong = append(wrong, fmt.Sprintf("machine %d is %s on %s, by the record it is on %q",
				at.Machine, h.Condition, at.Host, hostOf(r)))
		}
		if up(h.Condition) {
			memory[at.Host] += h.Shape.MemoryMB
		}
	}
	for h, mb := range memory {
		if mb > smallMemoryMB {
			wrong = append(wrong, fmt.Sprintf("machines take %d MB of %s", mb, h))
		}
	}
	for id, r := range rows {
		is, ok := there[id]
		if !ok {
			is = workspace.ConditionAbsent
		}
		may := conditions[r.state]
		if !r.underWay && may != nil && !slices.Contains(may, is) {
			wrong = append(wrong, fmt.Sprintf("workspace %d is %s with nothing under way, its "+
				"machine %s", id, r.state, is))
		}
	}
	return wrong, nil
}

// up reports whether a machine takes memory of its host.
func up(c workspace.Condition) bool {
	return c == workspace.ConditionRunning || c == workspace.ConditionPaused
}

func hostOf(r *leaseRow) workspace.HostID {
	if r == nil {
		return "none"
	}
	return r.host
}

func idOf(key string) workspace.ID {
	n, _ := strconv.ParseInt(key, 10, 64) // no number is nobody's
	return workspace.ID(n)
}
