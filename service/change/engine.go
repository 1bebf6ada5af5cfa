package change

import (
	"context"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Engine carries changes out.
type Engine struct {
	store   workspace.Store
	plans   map[workspace.ChangeKind]*Plan
	options Options
}

// New returns an engine that carries out the changes of the store by the
// plans. It does nothing before Run.
func New(store workspace.Store, plans []Plan, options Options) *Engine {
	return &Engine{store: store, options: options}
}

// Run goes on with the changes that the store holds, then carries out what is
// offered, until ctx ends. It returns when no handler runs any more and leaves
// what was under way in the record, to be gone on with by the next Run.
func (e *Engine) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Offer tells the engine of changes that have become durable. It never blocks.
// A change that is known already is not taken twice.
func (e *Engine) Offer(changes []*workspace.Change) {}

// Interrupt cancels the task under way of the workspace, because a destroy
// change was queued behind it, and ends a wait for another try.
func (e *Engine) Interrupt(id workspace.ID) {}

// Progress returns how far the task under way of the workspace is, false when
// there is none.
func (e *Engine) Progress(id workspace.ID) (Progress, bool) { return Progress{}, false }
