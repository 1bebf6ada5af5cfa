package book

import (
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// ID names a lease in its Book.
type ID int64

// Kind is what a lease asks of time.
type Kind uint8

// The kinds of lease.
const (
	Immediate   Kind = iota // now, or not at all
	Reservation             // at Start, to the millisecond
	BestEffort              // when there is room; waits in a queue
	Deadline                // not before Start, and done by Deadline
)

// String returns the kind in words.
func (k Kind) String() string {
	return [...]string{"immediate", "reservation", "best effort", "deadline"}[k]
}

// Part is so many equal nodes of a gang. A node has a host of its own choice.
type Part struct {
	Nodes int
	Need  slot.Amount // of each node
}

// Image is what the nodes boot from.
type Image struct {
	Name   string // the zero Image needs no transfer
	SizeMB int64
}

// Terms are what a lease asks for. All nodes of all parts run together.
type Terms struct {
	ID    ID
	Owner string // its leases share a place in the queue (SetRank)
	Kind  Kind
	Parts []Part // at most; as much as there is is granted
	// Least is what will do, of each node of each part; nil, or zero for a
	// resource: as Parts. What is granted when the lease begins or is accepted
	// takes the place of the Need in Parts.
	Least []slot.Amount
	// Grain are the steps in which less than Parts is granted, from Least up,
	// by part; nil, or zero for a resource: 1.
	Grain       []slot.Amount
	Affinity    []Affinity
	Image       Image
	Submitted   slot.Time            // its place in the queue, equals by ID; see SetRank
	Start       slot.Time            // of a Reservation; earliest of a Deadline
	Deadline    slot.Time            // of a Deadline
	Duration    slot.Time            // milliseconds of running asked for
	Preemptible bool                 // whether a BestEffort lease may be interrupted
	Hosts       func(slot.Host) bool // which hosts will do; nil: all
	Stays       bool                 // once it has hosts it goes on on these alone (Stay)
	// Boot is the time before the nodes run, Shutdown that after; 0: as the policy
	// has it, and less: none.
	Boot, Shutdown slot.Time
}

// mostNodes and mostNeed bound a request, so that sums stay in their types.
const (
	mostNodes = 1 << 20
	mostNeed  = 1 << 30
	mostTime  = slot.Time(1) << 50 // 35,000 years
)

// check returns what is wrong with the terms themselves, whatever the pool.
func (t *Terms) check(now slot.Time) error {
	refuse := func(what string, args ...any) error {
		return workspace.Refuse(workspace.Invalid, what, args...)
	}
	switch {
	case len(t.Parts) == 0:
		return refuse("a lease of no nodes")
	case t.Duration <= 0 || t.Duration > mostTime:
		return refuse("a duration of %d ms", t.Duration)
	case t.Start < 0 || t.Start > mostTime || t.Deadline < 0 || t.Deadline > mostTime:
		return refuse("a time outside the calendar")
	case t.Boot > mostTime || t.Shutdown > mostTime:
		return refuse("a boot or shutdown of more than 35,000 years")
	case t.Kind > Deadline:
		return refuse("no kind of lease has the number %d", t.Kind)
	case t.Kind == Reservation && t.Start < now:
		return refuse("a start %d ms in the past", now-t.Start)
	case t.Kind == Deadline && t.Deadline-max(t.Start, now) < t.Duration:
		return refuse("a deadline sooner than the duration of %d ms allows", t.Duration)
	case t.Image.SizeMB < 0 || t.Image.SizeMB > mostNeed:
		return refuse("an image of %d MB", t.Image.SizeMB)
	}
	nodes := 0
	for _, p := range t.Parts {
		if p.Nodes <= 0 || p.Nodes > mostNodes {
			return refuse("a part of %d nodes", p.Nodes)
		}
		nodes += p.Nodes
		for r, need := range p.Need {
			if need < 0 || need > mostNeed {
				return refuse("a need of %d of %s", need, slot.Resource(r))
			}
		}
	}
	if nodes > mostNodes {
		return refuse("a gang of %d nodes", nodes)
	}
	return t.checkLeast()
}

// checkLeast returns what is wrong with the bounds from below.
func (t *Terms) checkLeast() error {
	if t.Least != nil && len(t.Least) != len(t.Parts) ||
		t.Grain != nil && len(t.Grain) != len(t.Parts) {
		return workspace.Refuse(workspace.Invalid, "bounds of %d and %d parts for %d",
			len(t.Least), len(t.Grain), len(t.Parts))
	}
	for i, least := range t.Least {
		for r, need := range least {
			if most := t.Parts[i].Need[r]; need < 0 || need > most {
				return workspace.Refuse(workspace.Invalid, "at least %d of %s, and at most %d",
					need, slot.Resource(r), most)
			}
		}
	}
	for _, grain := range t.Grain {
		for r, step := range grain {
			if step < 0 {
				return workspace.Refuse(workspace.Invalid, "steps of %d of %s", step,
					slot.Resource(r))
			}
		}
	}
	return nil
}

// nodes returns how many nodes the gang has.
func (t *Terms) nodes() int {
	n := 0
	for _, p := range t.Parts {
		n += p.Nodes
	}
	return n
}

// each calls f for every node in order of the parts, with what it needs.
func (t *Terms) each(f func(node int, need *slot.Amount)) {
	n := 0
	for i := range t.Parts {
		for range t.Parts[i].Nodes {
			f(n, &t.Parts[i].Need)
			n++
		}
	}
}
