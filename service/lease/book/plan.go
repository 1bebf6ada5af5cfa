package book

import (
	"cmp"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// Phase is what a host does for a lease at a time.
type Phase uint8

// The phases.
const (
	Starting  Phase = iota // the nodes boot
	Runs                   // they run
	Saving                 // their memory is saved
	Restoring              // their memory is restored
	Stopping               // they shut down
	Bringing               // the image is transferred to the host
)

// String returns the phase in one word.
func (p Phase) String() string {
	return [...]string{"boot", "run", "suspend", "resume", "shutdown", "transfer"}[p]
}

// Bar is a piece of the schedule as a chart draws it.
type Bar struct {
	Host  slot.Host
	Span  slot.Span
	Lease ID
	Phase Phase
	Nodes int  // of the lease on this host
	Firm  bool // nobody takes it away any more
	Begun bool // the lease has begun; otherwise it is to come
}

// phases tells what goes on between a step and the next.
var phases = map[Verb]Phase{
	Boot: Starting, Run: Runs, Suspend: Saving, Resume: Restoring, Shutdown: Stopping,
}

// Plan returns the schedule during the span as far as it is to come or still
// goes on, by host, then time, then lease. What is over is not in the Book.
func (b *Book) Plan(span slot.Span) []Bar {
	var bars []Bar
	for _, l := range b.leases.all() {
		if common(l.held, span).Empty() {
			continue
		}
		for _, piece := range l.pieces(b.now) {
			if cut := common(piece.Span, span); !cut.Empty() {
				piece.Span = cut
				bars = l.spread(bars, piece)
			}
		}
	}
	for at, r := range b.images {
		cut := common(r.fetch, span)
		if len(r.users) == 0 || cut.Empty() || r.fetch.End <= b.now {
			continue
		}
		bars = append(bars, Bar{
			Host: at.host, Span: cut, Lease: r.users[0], Phase: Bringing, Begun: r.begun,
		})
	}
	slices.SortFunc(bars, func(a, b Bar) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Span.Start, b.Span.Start),
			cmp.Compare(a.Lease, b.Lease), cmp.Compare(a.Phase, b.Phase))
	})
	return bars
}

// pieces returns the lease's phases from now on, the host aside.
func (l *lease) pieces(now slot.Time) []Bar {
	var all []Bar
	add := func(start, end slot.Time, p Phase) {
		all = append(all, Bar{
			Span: slot.Span{Start: start, End: end}, Lease: l.ID, Phase: p, Firm: l.firm,
			Begun: l.state >= Booting && l.state != Suspended,
		})
	}
	current := map[State]Phase{
		Booting: Starting, Running: Runs, Suspending: Saving, Resuming: Restoring, Ending: Stopping,
	}
	steps := l.steps
	if len(steps) > 0 && steps[0].verb == Migrate {
		steps = steps[1:] // it runs meanwhile
	}
	if p, ok := current[l.state]; ok && len(steps) > 0 {
		start := max(min(now, steps[0].at), l.held.Start)
		if l.state == Running {
			start = l.since
		}
		add(start, steps[0].at, p)
	}
	for _, s := range l.steps {
		if p, ok := phases[s.verb]; ok {
			add(s.at, s.until, p)
		}
	}
	return all
}

// spread repeats the piece for each host of the lease.
func (l *lease) spread(bars []Bar, piece Bar) []Bar {
	for i, h := range l.hosts {
		if slices.Contains(l.hosts[:i], h) {
			continue
		}
		piece.Host, piece.Nodes = h, 0
		for _, other := range l.hosts[i:] {
			if other == h {
				piece.Nodes++
			}
		}
		bars = append(bars, piece)
	}
	return bars
}
