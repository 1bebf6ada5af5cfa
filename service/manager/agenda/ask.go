package agenda

import (
	"context"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A Draft is a request for a lease: its booking as far as the request goes (ID,
// Owner, Members, Terms, Parts, Duration, Submitted, Image), and what decides
// which hosts will do.
type Draft struct {
	Booking workspace.Booking
	Grace   time.Duration
	VMM     string
	NICs    []workspace.NIC // of each node

	part int // that an offer's amounts are of
}

// Refused is why the Book refused a lease.
type Refused struct {
	*workspace.Refusal
	Lost []workspace.HostID // hosts out of reach that would have had room
}

// Unwrap returns the refusal alone.
func (r *Refused) Unwrap() error { return r.Refusal }

// Submit asks for hosts and puts the booking. The workspaces are put next, and
// then Step gives them what is theirs already. The error is a *Refused, or of
// kind Invalid for terms that make no sense.
func (a *Agenda) Submit(tx workspace.Tx, d *Draft) (*workspace.Booking, error) {
	a.mu.Lock()
	defer a.unlock()
	if err := a.ready(tx); err != nil {
		return nil, err
	}
	at := stamp(d.Booking.Submitted)
	if a.reach(at) {
		tx.OnUndone(a.void)
	}
	t := a.draft(tx, d)
	answer, err := a.book.Submit(at, t)
	if err != nil {
		return nil, err
	}
	if answer.State == book.Refused {
		return nil, a.refused(a.book, d, t, answer.Reason)
	}
	tx.OnUndone(a.void)
	b := d.Booking
	b.Left, b.Warned = make([]bool, len(b.Members)), make([]time.Time, len(b.Members))
	b.Boot, b.Shutdown = allowance(t.Boot), allowance(t.Shutdown)
	a.fill(&b)
	return &b, tx.PutBooking(&b)
}

// Refuses returns why Submit would refuse the draft, nil if it would not.
func (a *Agenda) Refuses(tx workspace.Tx, d *Draft) error {
	a.mu.Lock()
	defer a.unlock()
	if err := a.ready(tx); err != nil {
		return err
	}
	b, t := a.book.Snapshot(), a.draft(tx, d)
	answer, err := b.Submit(stamp(d.Booking.Submitted), t)
	if err == nil && answer.State == book.Refused {
		err = a.refused(b, d, t, answer.Reason)
	}
	return err
}

// draft writes the draft's terms as the Book has them, with the times allowed
// for before and after.
func (a *Agenda) draft(find finder, d *Draft) book.Terms {
	b := &d.Booking
	if immediate(b.Terms) {
		b.Boot, b.Shutdown = -1, -1
	} else {
		b.Boot, b.Shutdown = a.allow(a.o.Boot, b.Parts), a.allow(a.o.Shutdown, b.Parts)
	}
	t := a.terms(find, b)
	t.Hosts = a.may(d.VMM, d.NICs)
	if immediate(b.Terms) { // up to its termination, whatever happens at its end
		t.Duration += length(d.Grace)
	}
	return t
}

// allow returns how long the largest node takes; 0: as the policy has it.
func (a *Agenda) allow(
	times func(memoryMB int64) time.Duration, parts []workspace.Part,
) time.Duration {
	var memory int64
	for _, p := range parts {
		memory = max(memory, p.Demand.MemoryMB)
	}
	if times == nil {
		return 0
	}
	return times(memory)
}

func allowance(t slot.Time) time.Duration {
	if t < 0 {
		return -1
	}
	return span(t)
}

// A finder reads what rules name.
type finder interface {
	Workspace(id workspace.ID) (*workspace.Workspace, error)
	Booking(id workspace.LeaseID) (*workspace.Booking, error)
}

// A reading finds in what is durable.
type reading struct {
	workspace func(workspace.ID) (*workspace.Workspace, error)
	booking   func(workspace.LeaseID) (*workspace.Booking, error)
}

// read returns a finder in what the store holds.
func read(ctx context.Context, from workspace.Reader) reading {
	return reading{
		func(id workspace.ID) (*workspace.Workspace, error) { return from.Workspace(ctx, id) },
		func(id workspace.LeaseID) (*workspace.Booking, error) { return from.Booking(ctx, id) },
	}
}

// Workspace implements finder.
func (r reading) Workspace(id workspace.ID) (*workspace.Workspace, error) {
	return r.workspace(id)
}

// Booking implements finder.
func (r reading) Booking(id workspace.LeaseID) (*workspace.Booking, error) {
	return r.booking(id)
}

// tentative is the number of a lease that is only asked about.
const tentative = workspace.LeaseID(1) << 62

// Plan says what the draft would get, and refuses it as Submit would.
func (a *Agenda) Plan(
	ctx context.Context, store workspace.Store, d *Draft,
) (workspace.Proposal, error) {
	b, err := a.snapshot(ctx, store)
	if err != nil {
		return workspace.Proposal{}, err
	}
	d.Booking.ID = tentative
	a.mu.Lock()
	t := a.draft(read(ctx, store), d)
	a.mu.Unlock()
	answer, err := b.Submit(stamp(now()), t)
	if err != nil {
		return workspace.Proposal{}, err
	}
	a.mu.Lock()
	defer a.unlock()
	if answer.State == book.Refused {
		return workspace.Proposal{}, a.refused(b, d, t, answer.Reason)
	}
	p := workspace.Proposal{
		Status: statuses[answer.State], Start: moment(answer.Start), End: moment(answer.End),
		Hosts: a.names(answer.Hosts), Parts: parted(d.Booking.Parts, answer.Parts, t.Least),
		Preempts: leases(b, d.Booking.Owner, answer.Preempts),
	}
	if immediate(d.Booking.Terms) {
		p.Status, p.End = workspace.LeaseActive, p.Start.Add(d.Booking.Duration)
	}
	return p, nil
}

// Extend renegotiates the time of a lease after the terms of one of its
// workspaces have become new ones: the lease is as long as the longest of its
// members asks for. The error is a *Refused, or of the Book.
func (a *Agenda) Extend(tx workspace.Tx, w *workspace.Workspace) error {
	a.mu.Lock()
	defer a.unlock()
	b, r, err := a.known(tx, w.Booking)
	if err != nil || b == nil {
		return err
	}
	duration := w.Lease.Duration
	if immediate(b.Terms) {
		duration = w.Lease.Termination().Sub(b.From)
	}
	for i, id := range b.Members {
		other, err := tx.Workspace(id)
		if err != nil || id == w.ID || b.Left[i] {
			continue
		}
		lasts := other.Lease.Duration
		if immediate(b.Terms) {
			lasts = other.Lease.Termination().Sub(b.From)
		}
		duration = max(duration, lasts)
	}
	t := r.Terms
	if t.Duration == length(duration) {
		return nil
	}
	t.Duration = length(duration)
	d := &Draft{Booking: *b}
	d.Booking.Duration = duration
	if immediate(b.Terms) {
		d.Grace = w.Lease.Grace
		d.Booking.Duration -= d.Grace
	}
	return a.change(tx, d, t)
}

// Reshape renegotiates what one workspace of a lease takes of its host. The
// error is a *Refused, or of the Book.
func (a *Agenda) Reshape(tx workspace.Tx, w *workspace.Workspace) error {
	a.mu.Lock()
	defer a.unlock()
	b, _, err := a.known(tx, w.Booking)
	if err != nil || b == nil {
		return err
	}
	tx.OnUndone(a.void)
	part := a.book.Alone(book.ID(b.ID), slices.Index(b.Members, w.ID))
	r, _ := a.book.Record(book.ID(b.ID))
	if part < 0 || r.Terms.Parts[part].Need == need(w.Demand) {
		return nil
	}
	t := r.Terms
	t.Parts = slices.Clone(t.Parts)
	t.Parts[part].Need = need(w.Demand)
	t.Least, t.Grain = nil, nil
	d := &Draft{Booking: *b, part: part}
	d.Booking.Parts = parted(b.Parts, r.Terms.Parts, r.Terms.Least)
	d.Booking.Parts[part].Demand = w.Demand // what each CPU is worth is its own
	if immediate(b.Terms) {
		d.Grace = w.Lease.Grace
	}
	return a.change(tx, d, t)
}

// known returns the booking and the Book's record of a lease; nil, when the
// Book does not have it.
func (a *Agenda) known(
	tx workspace.Tx, id workspace.LeaseID,
) (*workspace.Booking, *book.Record, error) {
	if err := a.ready(tx); err != nil {
		return nil, nil, err
	}
	b, err := tx.Booking(id)
	if workspace.KindOf(err) == workspace.NotFound {
		return nil, nil, nil
	}
	r, ok := a.book.Record(book.ID(id))
	if err != nil || !ok {
		return nil, nil, err
	}
	return b, &r, nil
}

// change asks the Book to give a lease other terms; the draft's booking is put
// when it does.
func (a *Agenda) change(tx workspace.Tx, d *Draft, t book.Terms) error {
	answer, err := a.book.Change(stamp(now()), t.ID, t)
	if err != nil {
		return err
	}
	if answer.State == book.Refused {
		return a.refused(a.book, d, t, answer.Reason)
	}
	tx.OnUndone(a.void)
	next := d.Booking
	if err := tx.PutBooking(&next); err != nil {
		return err
	}
	return a.step(tx)
}
