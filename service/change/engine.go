package change

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Engine carries changes out. Its methods are safe for concurrent use.
type Engine struct {
	store       workspace.Store
	plans       map[workspace.ChangeKind]*Plan
	concurrency int
	log         *slog.Logger
	progressed  func(workspace.ID, Progress)

	mu      sync.Mutex
	spawn   func() // starts a worker; nil while Run does not run
	lines   map[workspace.ID]*line
	ready   []*line // that could go on, first come first served
	workers int     // goroutines that carry changes out
	idle    sync.WaitGroup
	waits   waits         // lines that wait for a time
	sooner  chan struct{} // the first wait has changed
}

// New returns an engine that carries out the changes of the store by the
// plans. It does nothing before Run.
func New(store workspace.Store, plans []Plan, options Options) *Engine {
	e := &Engine{
		store:       store,
		plans:       make(map[workspace.ChangeKind]*Plan, len(plans)),
		concurrency: cmp.Or(max(options.Concurrency, 0), 64),
		log:         cmp.Or(options.Logger, slog.Default()),
		progressed:  options.Progressed,
		lines:       make(map[workspace.ID]*line),
		sooner:      make(chan struct{}, 1),
	}
	for i := range plans {
		e.plans[plans[i].Kind] = &plans[i]
	}
	return e
}

// Run goes on with the changes that the store holds, then carries out what is
// offered, until ctx ends. It returns when no handler runs any more and leaves
// what was under way in the record, to be gone on with by the next Run. The
// error is the store's, when the changes cannot be read.
func (e *Engine) Run(ctx context.Context) error {
	held, err := e.store.Changes(ctx)
	if err != nil {
		return err
	}
	e.Offer(held)
	for _, c := range held {
		if c.Kind == workspace.ChangeDestroy {
			e.Interrupt(c.Workspace) // as it was, or would have been, before
		}
	}
	e.employ(func() { e.idle.Go(func() { e.work(ctx) }) })
	e.keepTime(ctx)
	e.employ(nil)
	e.idle.Wait()
	return nil
}

// employ says how workers are started from now on; nil: not at all.
func (e *Engine) employ(spawn func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.spawn = spawn
	e.hire()
}

// Offer tells the engine of changes that have become durable. It never blocks.
// A change that is known already is not taken twice.
func (e *Engine) Offer(changes []*workspace.Change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range changes {
		l := e.lines[c.Workspace]
		if l == nil {
			l = &line{id: c.Workspace, wait: -1}
			e.lines[c.Workspace] = l
		}
		if l.add(c) && l.state == resting {
			e.resume(l)
		}
	}
	e.hire()
}

// Interrupt cancels the task under way of the workspace, because a destroy
// change was queued behind it, and ends a wait for another try. A destroy
// change itself is not interrupted.
func (e *Engine) Interrupt(id workspace.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[id]
	if l == nil || len(l.changes) == 0 || l.changes[0].Kind == workspace.ChangeDestroy {
		return
	}
	l.interrupted = true
	if l.cancel != nil {
		l.cancel()
	}
	if l.state == waiting {
		e.waits.remove(l)
		e.resume(l)
		e.hire()
	}
}

// Progress returns how far the task under way of the workspace is, false when
// there is none.
func (e *Engine) Progress(id workspace.ID) (Progress, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[id]
	if l == nil || l.cancel == nil {
		return Progress{}, false
	}
	return l.progress, true
}

// resume puts the line among those that could go on.
func (e *Engine) resume(l *line) {
	l.state = queued
	e.ready = append(e.ready, l)
}

// hire starts as many workers as there is work for and the bound allows.
func (e *Engine) hire() {
	for n := len(e.ready); n > 0 && e.spawn != nil && e.workers < e.concurrency; n-- {
		e.workers++
		e.spawn()
	}
}

// work goes on with lines until none could.
func (e *Engine) work(ctx context.Context) {
	for l := e.take(ctx); l != nil; l = e.take(ctx) {
		delay := e.advance(ctx, l)
		e.put(l, delay)
	}
}

// take returns the next line that could go on, nil when the worker is to end.
func (e *Engine) take(ctx context.Context) *line {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.ready) == 0 || ctx.Err() != nil {
		e.workers--
		return nil
	}
	l := e.ready[0]
	e.ready[0] = nil
	e.ready = e.ready[1:]
	l.state = working
	return l
}

// put decides what becomes of a line that a worker lets go of: it waits, goes
// on with its next change, or is forgotten.
func (e *Engine) put(l *line, delay time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case len(l.changes) == 0:
		delete(e.lines, l.id)
	case delay > 0 && !l.interrupted:
		l.state = waiting
		e.waits.add(l, time.Now().Add(delay))
		e.wake()
	default:
		e.resume(l)
	}
}
