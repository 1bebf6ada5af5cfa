// Package pace knows how long hosts take with guests, and says what to plan
// with: what it has learned is kept in the record.
//
// It must not know leases or hypervisors: it is told how long things took.
package pace

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// saveEvery is how often what was learned is written, if there is anything new.
const saveEvery = time.Minute

// Pace is what is known of hosts' times. It is safe for concurrent use.
type Pace struct {
	known func(workspace.HostID) bool
	log   *slog.Logger

	mu    sync.Mutex
	times *learn.Times
}

// New returns a Pace that knows nothing but the policy. Known tells which hosts
// there are.
func New(p learn.Policy, known func(workspace.HostID) bool, log *slog.Logger) *Pace {
	return &Pace{known: known, log: log, times: learn.New(p)}
}

// Load takes what the record says was learned. What cannot be read is learned
// anew.
func (p *Pace) Load(ctx context.Context, record workspace.BookingReader) error {
	data, err := record.Learned(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.times.Decode(data); err != nil {
		p.log.Error("times are learned anew: those of before cannot be read", "error", err)
	}
	return nil
}

// Took tells how long something took on a host, with so many MB.
func (p *Pace) Took(what learn.What, host workspace.HostID, sizeMB int64, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.times.Observe(what, host, sizeMB, took)
}

// Expect returns how long something is to be planned for, on a host, or on any
// where the host is empty.
func (p *Pace) Expect(what learn.What, host workspace.HostID, sizeMB int64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.times.Expect(what, host, sizeMB)
}

// Rate returns how many MB a second are to be planned for on a host.
func (p *Pace) Rate(what learn.What, host workspace.HostID) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.times.Rate(what, host)
}

// Run writes what was learned to the record now and then, until ctx ends, and
// once more then.
func (p *Pace) Run(ctx context.Context, store workspace.Store) error {
	ticker := time.NewTicker(saveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.save(ctx, store)
		case <-ctx.Done():
			p.save(context.WithoutCancel(ctx), store)
			return nil
		}
	}
}

// save writes what is new.
func (p *Pace) save(ctx context.Context, store workspace.Store) {
	p.mu.Lock()
	fresh := p.times.Fresh()
	data := p.times.Encode(p.known)
	p.mu.Unlock()
	if !fresh {
		return
	}
	err := store.Update(ctx, func(tx workspace.Tx) error { return tx.PutLearned(data) })
	if err != nil {
		p.log.Error("cannot keep the times that were learned", "error", err)
		p.mu.Lock()
		p.times.Stale()
		p.mu.Unlock()
	}
}
