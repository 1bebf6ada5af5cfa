// Package agenda drives the scheduler of the live service: it keeps the Book of
// leases beside the record, asks it for hosts, carries what it says into the
// record as hosts given and changes queued, and tells it what really happened.
//
// The record decides. The Book is written inside the update that makes its
// decisions durable; where that update is undone the Book is thrown away and
// made again from the bookings, to the same promises. Other goroutines ask
// snapshots.
//
// It must not know how a change is carried out, what a document looks like, or
// what a hypervisor is.
package agenda

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Options are what an Agenda is made of. The zero Options lease in order and
// interrupt nobody.
type Options struct {
	Policy     book.Policy // Confirm is a second
	Repository int32       // kbit/s of the link to the image repository; 0: no limit
	// Accepts maps the VMM that a request asks for to kinds of host that will do.
	Accepts map[string][]string
	// Reachable says whether a host answers; nil: all do.
	Reachable func(workspace.HostID) bool
	// Boot and Shutdown say how long a machine with so much memory takes, with a
	// margin; nil, or 0: as the Policy has it.
	Boot, Shutdown func(memoryMB int64) time.Duration
	// Rates say how fast a host saves and restores; nil: as the Policy has it.
	Rates func(workspace.HostID) book.Rates
	// Transfer says how fast one image comes to a host, in kbit/s; nil, or 0: as the
	// Policy has it.
	Transfer func() int32
	// Behind says how far back in the queue owners stand; nil: nobody does.
	Behind func(tx workspace.Tx, at time.Time) map[workspace.Owner]time.Duration
	// Fixed are the windows of a host that no operator changes; nil: none.
	Fixed func(workspace.HostID) []workspace.Window
	// Interrupt stops the task under way of a workspace whose change was removed.
	Interrupt func(workspace.ID)
	Logger    *slog.Logger // nil: none
}

// Agenda is the scheduler of the live service. It is safe for concurrent use.
type Agenda struct {
	o    Options
	log  *slog.Logger
	wake chan struct{} // something may be due sooner

	mu      sync.Mutex
	book    *book.Book // nil: not made yet, or void
	pool    []workspace.Host
	index   map[workspace.HostID]slot.Host  // of those that are there
	numbers map[workspace.HostID]slot.Host  // of all that ever were: none is given twice
	alike   map[string]bool                 // kinds of request for which every host will do
	lost    []bool                          // of each host, as the Book was told
	seated  []workspace.ID                  // that wait for room to be really free
	cut     []workspace.ID                  // whose changes under way were removed
	still   map[workspace.ID]bool           // that are to stand still while they move
	spare   map[spare]int64                 // images that hosts have, used or not: their MB
	resting map[workspace.LeaseID]time.Time // that could not resume, and when they may try
	armed   slot.Time                       // until when Run rests
	renewed time.Time                       // when windows were written out last
	ranked  time.Time                       // when owners were told where they stand last
	ranks   map[workspace.Owner]time.Duration
}

// New returns an Agenda.
func New(o Options) *Agenda {
	o.Policy.Confirm = length(pulse)
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Agenda{o: o, log: log, wake: make(chan struct{}, 1), spare: map[spare]int64{},
		still: map[workspace.ID]bool{}}
}

// pulse is how often hosts are looked at, at least.
const pulse = time.Second

// Run does what is due when it is due, until ctx ends.
func (a *Agenda) Run(ctx context.Context, store workspace.Store) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.wake:
		case <-timer.C:
		}
		a.interrupt()
		wait := pulse
		if err := a.tick(ctx, store); err == nil {
			failing, wait = false, a.rest()
		} else if !failing && ctx.Err() == nil {
			a.log.Error("cannot do what is scheduled, trying again", "error", err,
				"retry_in", pulse)
			failing = true
		}
		timer.Reset(wait)
	}
}

// tick does what is due now.
func (a *Agenda) tick(ctx context.Context, store workspace.Store) error {
	if !a.due() {
		return nil
	}
	return store.Update(ctx, a.Step)
}

// interrupt stops the tasks of changes that were removed.
func (a *Agenda) interrupt() {
	a.mu.Lock()
	cut := a.cut
	a.cut = nil
	a.mu.Unlock()
	for _, id := range cut {
		if a.o.Interrupt != nil {
			a.o.Interrupt(id)
		}
	}
}

// due reports whether there is something to do now.
func (a *Agenda) due() bool {
	a.mu.Lock()
	defer a.unlock()
	if a.book == nil || a.stirred() || time.Since(a.renewed) > renewal ||
		time.Since(a.ranked) > ranking {
		return true
	}
	return a.book.Next() <= stamp(now()) || len(a.rested()) > 0
}

// rest returns how long nothing is due, a pulse at most.
func (a *Agenda) rest() time.Duration {
	a.mu.Lock()
	defer a.unlock()
	wait := pulse
	if a.book != nil && a.book.Next() != slot.Never {
		wait = min(max(time.Until(moment(a.book.Next())), time.Millisecond), pulse)
	}
	a.armed = stamp(now().Add(wait))
	return wait
}

// stir lets Run look again.
func (a *Agenda) stir() {
	select {
	case a.wake <- struct{}{}:
	default: // it will
	}
}

// unlock ends what began with the lock. After a panic the Book may be half of one
// thing and half of another, and is made again from the record.
func (a *Agenda) unlock() {
	p := recover()
	if p != nil {
		a.book = nil
	}
	a.mu.Unlock()
	if p != nil {
		panic(p)
	}
}

// void throws the Book away: what was done to it has not become durable.
func (a *Agenda) void() {
	a.mu.Lock()
	a.book = nil
	a.mu.Unlock()
	a.stir()
}

// snapshot returns a Book to ask what-if questions, made first where there is
// none.
func (a *Agenda) snapshot(ctx context.Context, store workspace.Store) (*book.Book, error) {
	for {
		a.mu.Lock()
		if a.book != nil {
			defer a.unlock()
			return a.book.Snapshot(), nil
		}
		a.mu.Unlock()
		if err := store.Update(ctx, a.Step); err != nil {
			return nil, err
		}
	}
}

// now is the time as the record keeps it: UTC, in milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
