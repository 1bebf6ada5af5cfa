package agenda

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/calendar"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// forever is the end of a chart that names none: windows are not drawn beyond
// what leases need.
const forever = 10 * 365 * 24 * time.Hour

// bars are the phases as the Book has them.
var bars = map[book.Phase]workspace.BarPhase{
	book.Starting: workspace.PhaseBoot, book.Runs: workspace.PhaseRun,
	book.Saving: workspace.PhaseSuspend, book.Restoring: workspace.PhaseResume,
	book.Stopping: workspace.PhaseShutdown, book.Bringing: workspace.PhaseTransfer,
}

// Schedule returns what hosts do, and are to do, between the times, by host and
// time; without an end, as far as anything is planned. shows says whose leases
// are named.
func (a *Agenda) Schedule(
	ctx context.Context, store workspace.Store, from, until time.Time,
	shows func(workspace.Owner) bool,
) ([]workspace.Bar, error) {
	b, err := a.snapshot(ctx, store)
	if err != nil {
		return nil, err
	}
	if until.IsZero() {
		until = from.Add(forever)
	}
	var all []workspace.Bar
	for _, piece := range b.Plan(slot.Span{Start: stamp(from), End: stamp(until)}) {
		r, known := b.Record(piece.Lease)
		if !known {
			continue
		}
		bar := workspace.Bar{
			Host: a.host(piece.Host), Start: moment(piece.Span.Start), End: moment(piece.Span.End),
			Phase: bars[piece.Phase], Nodes: piece.Nodes, Firm: piece.Firm, Begun: piece.Begun,
		}
		bar.CPUs, bar.MemoryMB = takes(&r, piece.Host)
		if shows(workspace.Owner(r.Terms.Owner)) {
			bar.Lease = workspace.LeaseID(piece.Lease)
		}
		all = append(all, a.cutAtEnd(ctx, store, piece, bar)...)
	}
	return a.closed(ctx, store, all, from, until)
}

// cutAtEnd splits the bar of an immediate lease where its running time ends: its
// host is its own up to its termination.
func (a *Agenda) cutAtEnd(
	ctx context.Context, store workspace.Store, piece book.Bar, bar workspace.Bar,
) []workspace.Bar {
	b, err := store.Booking(ctx, workspace.LeaseID(piece.Lease))
	if err != nil || !immediate(b.Terms) || bar.Phase != workspace.PhaseRun {
		return []workspace.Bar{bar}
	}
	end := bar.Start
	for _, id := range b.Members {
		if w, err := store.Workspace(ctx, id); err == nil && w.Lease.End().After(end) {
			end = w.Lease.End()
		}
	}
	if !end.Before(bar.End) {
		return []workspace.Bar{bar}
	}
	after := bar
	after.Start, after.Phase, after.Begun = end, workspace.PhaseShutdown, false
	bar.End = end
	if !bar.Start.Before(bar.End) {
		return []workspace.Bar{after}
	}
	return []workspace.Bar{bar, after}
}

func (a *Agenda) host(h slot.Host) workspace.HostID {
	a.mu.Lock()
	defer a.unlock()
	return a.pool[h].ID
}

// takes sums up what the nodes of a lease take of a host.
func takes(r *book.Record, h slot.Host) (cpus, memory int64) {
	node := 0
	for _, p := range r.Terms.Parts {
		for range p.Nodes {
			if node < len(r.Hosts) && r.Hosts[node] == h {
				cpus += (int64(p.Need[slot.CPU]) + percent - 1) / percent
				memory += int64(p.Need[slot.Memory])
			}
			node++
		}
	}
	return cpus, memory
}

// closed adds the windows of hosts to the bars, as far as the bars go where
// the chart has no end of its own.
func (a *Agenda) closed(
	ctx context.Context, store workspace.Store, all []workspace.Bar, from, until time.Time,
) ([]workspace.Bar, error) {
	windows, err := a.closings(ctx, store)
	if err != nil {
		return nil, err
	}
	if last := from.Add(horizon); until.After(last) {
		until = last
	}
	for _, host := range slices.Sorted(maps.Keys(windows)) {
		for _, w := range windows[host] {
			spans, err := calendar.Spans(w, from, until)
			if err != nil {
				return nil, err
			}
			for _, s := range spans {
				all = append(all, workspace.Bar{
					Host: host, Start: later(s.Start, from), End: sooner(s.End, until),
					Phase: workspace.PhaseClosed, Firm: true,
				})
			}
		}
	}
	return all, nil
}

// closings returns the windows of each host.
func (a *Agenda) closings(
	ctx context.Context, store workspace.Store,
) (map[workspace.HostID][]workspace.Window, error) {
	modes, err := store.HostModes(ctx)
	if err != nil {
		return nil, err
	}
	hosts, err := store.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	all := map[workspace.HostID][]workspace.Window{}
	for _, m := range modes {
		all[m.Host] = m.Windows
	}
	for _, h := range hosts {
		all[h.ID] = a.every(h.ID, all[h.ID])
	}
	return all, nil
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
