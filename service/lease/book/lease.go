package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// A lease is one in the Book. Leases are shared between snapshots: only one's
// own may be written, which Book.own sees to.
type lease struct {
	Terms
	progress
	book   *byte // the token of the Book that may write it
	state  State
	turn   slot.Time // its place in the queue; equals go by ID
	firm   bool      // nobody is preferred to it: it counts in the firm table
	by     slot.Time // of one that is only tried: when it has to begin to be of use; 0: any
	asked  []Part    // what it asks for, while it is planned with less; else nil
	hosts  []slot.Host
	held   slot.Span // of its hosts, in the tables; empty: it holds none
	ran    slot.Time // running time it has had, up to its last suspension
	runs   slot.Time // when it runs, or is to; Never without a plan
	since  slot.Time // when it began to run last; Never while it does not run
	cut    slot.Time // when it is to be suspended; Never
	steps  []step    // what comes, in order
	pinned bool      // its image is counted on, on its hosts
	// To resume elsewhere than at home it is brought there for so long from
	// when it has its hosts, over these links.
	bringing slot.Time
	streams  []stream
	saved    bool        // its memory is saved,
	home     []slot.Host // on these hosts, by node
	aside    bool        // it waits for Retry
	shun     []slot.Host // where it could not resume last
	avoid    []slot.Host // of a copy: hosts that are not looked at
}

// A step is an action to come.
type step struct {
	at, until slot.Time
	verb      Verb
}

// waiting reports whether the lease is in the queue, with a plan or without.
func (l *lease) waiting() bool { return l.state == Queued || l.state == Suspended }

// left returns how much running time it still has to have.
func (l *lease) left() slot.Time { return l.Duration - l.ran }

// needs returns what each node needs, in order.
func (l *lease) needs() []slot.Amount {
	all := make([]slot.Amount, 0, l.nodes())
	l.each(func(_ int, need *slot.Amount) { all = append(all, *need) })
	return all
}

// before is the order of the queue.
func (l *lease) before(m *lease) bool {
	if l.turn != m.turn {
		return l.turn < m.turn
	}
	return l.ID < m.ID
}

// begun reports whether the lease runs already.
func (l *lease) begun() bool { return l.state == Running }

// done returns when the running time of a lease with a plan is over.
func (l *lease) done() slot.Time {
	if l.begun() {
		return l.since + l.left()
	}
	return l.runs + l.left()
}

// A share is what a gang takes of one host.
type share struct {
	host slot.Host
	need slot.Amount
}

// sums adds up by host what the nodes need, in order of the hosts.
func sums(hosts []slot.Host, needs []slot.Amount) []share {
	all := make([]share, len(hosts))
	for i, h := range hosts {
		all[i] = share{h, needs[i]}
	}
	slices.SortStableFunc(all, func(a, b share) int { return int(a.host) - int(b.host) })
	n := 0
	for _, s := range all {
		if n > 0 && all[n-1].host == s.host {
			all[n-1].need = all[n-1].need.Plus(s.need)
			continue
		}
		all[n] = s
		n++
	}
	return all[:n]
}

// length returns how long the lease holds its hosts when nothing interrupts it.
func (b *Book) length(l *lease) slot.Time {
	return b.lead(l) + l.left() + b.shutdown(l)
}

// least returns how long the lease has to hold its hosts for a start to be
// worth it: long enough for a suspension, where that is allowed.
func (b *Book) least(l *lease) slot.Time {
	if !l.Preemptible || !b.policy.has(BySuspension) {
		return b.length(l)
	}
	save := b.suspension(l, l.home)
	useful := max(slot.Time(b.policy.Threshold)*(save+b.resumption(l)), 1)
	return min(b.lead(l)+useful+save, b.length(l))
}

// script lets the lease run as decided: it fills in its steps.
func (b *Book) script(l *lease, d *decision) {
	l.settle(d)
	l.bringing, l.streams = d.bringing, d.streams
	l.hosts, l.held, l.runs, l.cut = d.hosts, d.hold, d.hold.Start+b.lead(l), d.cut
	l.steps = append([]step{{d.hold.Start, l.runs, l.opener()}}, b.ending(l, false)...)
}

// ending returns the steps of a lease from when it runs, or from now on when it
// has begun to: up to its suspension, or to its end.
func (b *Book) ending(l *lease, begun bool) []step {
	done := l.done()
	last := done
	if l.cut != slot.Never {
		last = min(l.cut-b.suspension(l, l.hosts), done-1)
	}
	steps := make([]step, 0, 4)
	if !begun {
		steps = append(steps, step{l.runs, last, Run})
	}
	if l.cut != slot.Never {
		return append(steps, step{last, l.cut, Suspend}, step{l.cut, l.cut, park})
	}
	over := done + b.shutdown(l)
	return append(steps, step{done, over, Shutdown}, step{over, over, End})
}
