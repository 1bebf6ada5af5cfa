package agenda

import (
	"reflect"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// sync writes the bookings of what has changed in the Book, and tells
// subscribers how their leases stand now.
func (a *Agenda) sync(tx workspace.Tx) error {
	for _, id := range a.book.Touched() {
		old, err := tx.Booking(workspace.LeaseID(id))
		if workspace.KindOf(err) == workspace.NotFound {
			continue // the last of its workspaces is gone
		}
		if err != nil {
			return err
		}
		b := *old
		a.fill(&b)
		if err := a.put(tx, old, &b); err != nil {
			return err
		}
	}
	return nil
}

// put writes a booking where it differs, with what follows for its workspaces.
func (a *Agenda) put(tx workspace.Tx, old, b *workspace.Booking) error {
	if reflect.DeepEqual(old, b) {
		return nil
	}
	if err := tx.PutBooking(b); err != nil {
		return err
	}
	return a.follow(tx, old, b)
}

// fill writes into the booking how its lease stands in the Book.
func (a *Agenda) fill(b *workspace.Booking) {
	r, known := a.book.Record(book.ID(b.ID))
	if !known {
		b.Status, b.Phase, b.Since = workspace.LeaseOver, "", time.Time{}
		b.Cut, b.Leaving, b.Arrived = time.Time{}, nil, time.Time{}
		return
	}
	b.Status, b.Phase = statuses[r.State], phases[r.State]
	b.Hosts, b.Home = a.names(r.Hosts), a.names(r.Home)
	b.From, b.Runs, b.Until = moment(r.From), moment(r.Runs), moment(r.Until)
	b.Cut, b.Since = moment(r.Cut), moment(r.Since)
	b.Ran, b.Saved = span(r.Ran), r.Saved
	b.Leaving, b.Arrived = a.names(r.Left), moment(r.Arrived)
	b.Parts = parted(b.Parts, r.Terms.Parts, r.Terms.Least)
}

// parted writes the Book's parts in the place of those that they were made of.
func parted(old []workspace.Part, parts []book.Part, will []slot.Amount) []workspace.Part {
	var all []workspace.Part
	first, of := 0, 0 // the old part in which the node lies, and its first node
	node := 0
	for i, p := range parts {
		for node >= first+old[of].Nodes {
			first += old[of].Nodes
			of++
		}
		part := old[of]
		part.Nodes = p.Nodes
		if p.Need == (slot.Amount{}) {
			part.Demand, part.Least = workspace.Allocation{}, workspace.Allocation{}
		} else if need(part.Demand) != p.Need {
			part.Demand = granted(part.Demand, p.Need)
		}
		if will != nil && p.Need != (slot.Amount{}) {
			part.Least = granted(part.Least, will[i])
		}
		all = append(all, part)
		node += p.Nodes
	}
	return all
}

// follow brings the workspaces of a booking in step with it.
func (a *Agenda) follow(tx workspace.Tx, old, b *workspace.Booking) error {
	begins, moves := start(b)
	for i, id := range b.Members {
		w, err := tx.Workspace(id)
		if err != nil || w.Gone() {
			continue
		}
		if moves && !b.Left[i] && !w.Lease.Start.Equal(begins) {
			next := *w
			next.Lease.Start = begins
			if err := tx.PutWorkspace(&next); err != nil {
				return err
			}
			w = &next
		}
		if old.Status != b.Status {
			if err := tell(tx, w, b.Status); err != nil {
				return err
			}
		}
	}
	return nil
}

// start returns when the running time of a lease counts from, where that is not
// settled when it is accepted: from when it runs, and after an interruption so
// that it ends when it will have had all of it. Zero: it does not run.
func start(b *workspace.Booking) (begins time.Time, moves bool) {
	kind := kinds[b.Terms.Kind]
	switch {
	case kind != book.BestEffort && kind != book.Deadline:
		return time.Time{}, false
	case b.Phase == workspace.PhaseShutdown || b.Status == workspace.LeaseOver:
		return time.Time{}, false
	case !b.Since.IsZero():
		return b.Since.Add(-b.Ran), true
	case kind == book.Deadline:
		return b.Runs, true
	}
	return time.Time{}, true
}

// tell tells subscribers how the workspace's lease stands.
func tell(tx workspace.Tx, w *workspace.Workspace, s workspace.LeaseStatus) error {
	e := workspace.Event{
		Workspace: w.ID, Topic: workspace.TopicLease, State: w.State, At: now(), Lease: s,
	}
	if !w.Lease.Start.IsZero() {
		e.End = w.Lease.End()
	}
	return tx.Emit(e)
}

// Tell tells subscribers that the terms of a workspace's lease are others.
func (a *Agenda) Tell(tx workspace.Tx, w *workspace.Workspace) error {
	b, err := tx.Booking(w.Booking)
	if err != nil {
		return nil //nolint:nilerr // a lease of before there were bookings
	}
	return tell(tx, w, b.Status)
}

// Warn marks that subscribers were warned of the workspace's present end, and
// reports false when they had been.
func (a *Agenda) Warn(tx workspace.Tx, w *workspace.Workspace) (bool, error) {
	old, err := tx.Booking(w.Booking)
	if err != nil {
		return false, nil //nolint:nilerr // a lease of before there were bookings
	}
	node := slices.Index(old.Members, w.ID)
	if node < 0 || old.Warned[node].Equal(w.Lease.End()) {
		return false, nil
	}
	b := *old
	b.Warned = slices.Clone(old.Warned)
	b.Warned[node] = w.Lease.End()
	return true, tx.PutBooking(&b)
}
