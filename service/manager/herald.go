package manager

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// How often subscribers hear how far a transfer is: for each tenth of it, and when so
// much time has passed.
const (
	heraldTenth  = 10
	heraldPeriod = 5 * time.Second
	heraldMost   = 1024 // transfers remembered before old ones are forgotten
)

// Herald tells those who subscribed to it how far images are on their way. Nothing is
// recorded for anybody else, and what cannot be told in time is left out: the next
// one says more.
type Herald struct {
	store workspace.Store
	log   *slog.Logger
	queue chan heard

	mu   sync.Mutex
	last map[workspace.ID]said
}

// heard is a progress that is to be told.
type heard struct {
	id workspace.ID
	at workspace.TransferProgress
}

// said is what was told of a workspace last.
type said struct {
	change workspace.ChangeID
	task   string
	done   int64
	total  int64
	tenth  int64
	at     time.Time
}

// NewHerald returns a Herald, which tells nothing before Run.
func NewHerald(store workspace.Store, log *slog.Logger) *Herald {
	return &Herald{store: store, log: log, queue: make(chan heard, 256),
		last: map[workspace.ID]said{}}
}

// Progressed takes in how far a task is, of which bytes in all are known.
func (h *Herald) Progressed(id workspace.ID, p change.Progress) {
	if p.Total <= 0 || p.Done < 0 || p.Done > p.Total || !h.due(id, p) {
		return
	}
	select {
	case h.queue <- heard{id, workspace.TransferProgress{
		Task: p.Task, Done: p.Done, Total: p.Total}}:
	default: // who is that far behind hears of the next
	}
}

// due reports whether it is time to tell of it, and notes that it was.
func (h *Herald) due(id workspace.ID, p change.Progress) bool {
	tenth := int64(float64(p.Done) / float64(p.Total) * heraldTenth)
	now := said{p.Change, p.Task, p.Done, p.Total, tenth, time.Now()}
	h.mu.Lock()
	defer h.mu.Unlock()
	last, known := h.last[id]
	same := known && last.change == now.change && last.task == now.task && last.total == now.total
	soon := now.tenth == last.tenth && now.at.Sub(last.at) < heraldPeriod
	if same && (soon || now.done == last.done) {
		return false
	}
	if len(h.last) >= heraldMost { // of transfers that are over, most of them
		maps.DeleteFunc(h.last, func(_ workspace.ID, s said) bool {
			return now.at.Sub(s.at) > 2*heraldPeriod
		})
	}
	h.last[id] = now
	return true
}

// Run tells, until ctx ends.
func (h *Herald) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case one := <-h.queue:
			if err := h.tell(ctx, one); err != nil && ctx.Err() == nil {
				h.log.Warn("how far a transfer is cannot be told", "workspace", one.id,
					"error", err)
			}
		}
	}
}

// tell queues a message for each subscription to it.
func (h *Herald) tell(ctx context.Context, one heard) error {
	return h.store.Update(ctx, func(tx workspace.Tx) error {
		w, err := tx.Workspace(one.id)
		if err != nil || w.Gone() {
			return nil //nolint:nilerr // what is gone is on no way
		}
		return tx.Emit(workspace.Event{Workspace: w.ID, Topic: workspace.TopicTransfer,
			State: w.State, At: now(), Transfer: one.at})
	})
}
