package sqlite

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	updateOp   = "update the record"
	batchMost  = 256             // updates that share a commit
	owedMost   = time.Second / 2 // how long a debt may wait for a commit
	purgeEvery = time.Hour       // how often old answers are looked for
	answersFor = 24 * time.Hour  // how long an answer is remembered
)

// A request is an update that waits for the writer's answer.
type request struct {
	f    func(workspace.Tx) error
	err  error
	done chan struct{}
}

// A writer runs all updates, one after the other, and commits those that wait
// together in one transaction, so that they share the wait for the disk.
type writer struct {
	*Store
	rows  *rows
	tx    tx
	batch []*request
	timer *time.Timer // to write what is owed
	armed bool        // the timer runs; later debts do not put it off

	failing bool // the last commit failed
}

func newWriter(s *Store, r *rows) *writer {
	w := &writer{Store: s, rows: r}
	w.tx = tx{state: s.state, mu: &s.mu, find: r.answer, wants: s.options.Wants,
		capacity: s.options.PullCapacity}
	return w
}

// run serves updates until the store is closed.
func (w *writer) run() {
	purge := time.NewTicker(purgeEvery)
	defer purge.Stop()
	w.timer = time.NewTimer(owedMost)
	defer w.timer.Stop()
	w.purge()
	w.serve(nil) // the last run may have left debts
	for {
		select {
		case r := <-w.queue:
			w.serve(r)
		case <-w.owing:
			w.arm()
		case <-w.timer.C:
			w.serve(nil)
		case <-purge.C:
			w.purge()
		case <-w.closing:
			w.serve(nil)
			return
		}
	}
}

// arm starts the timer, unless it runs.
func (w *writer) arm() {
	if !w.armed {
		w.timer.Reset(owedMost)
		w.armed = true
	}
}

// serve runs the update and those that wait behind it, commits them, and
// answers. Without an update it writes what is owed: together, as neighbouring
// messages are removed as one.
func (w *writer) serve(first *request) {
	w.batch = w.batch[:0]
	for r := first; r != nil; r = w.next() {
		r.err = w.attempt(r.f)
		w.batch = append(w.batch, r)
	}
	if err := w.commit(first == nil); err != nil {
		w.refuse(explain(updateOp, "", err))
	}
	for i, r := range w.batch {
		r.done <- struct{}{}
		w.batch[i] = nil
	}
}

// next returns the next update that waits, nil when there is none or the batch
// is full. It looks twice: those just answered may be on their way back.
func (w *writer) next() *request {
	if len(w.batch) >= batchMost-1 {
		return nil
	}
	for range 2 {
		select {
		case r := <-w.queue:
			return r
		default:
			runtime.Gosched()
		}
	}
	return nil
}

// refuse fails the updates of a batch that could not be committed.
func (w *writer) refuse(err error) {
	for _, r := range w.batch {
		if r.err == nil {
			r.err = err
		}
	}
}

// report logs that the record cannot be written, or can be again: once each,
// however many updates and debts try meanwhile.
func (w *writer) report(err error) {
	switch failing := err != nil; {
	case failing && !w.failing:
		w.options.Logger.Error("record cannot be written", "error", explain(updateOp, "", err))
	case !failing && w.failing:
		w.options.Logger.Info("record can be written again")
	}
	w.failing = err != nil
}

// attempt runs one update; when it fails, nothing of it remains.
func (w *writer) attempt(f func(workspace.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.options.Logger.Error("update panicked", "panic", p, "stack", string(debug.Stack()))
			err = wrong(updateOp, "", "panic: %v", p)
		}
		if err != nil {
			w.state.drop()
		}
	}()
	w.tx.begin()
	if err = f(&w.tx); err != nil {
		return err
	}
	if err = w.tx.finish(); err != nil {
		return explain(updateOp, "", err)
	}
	w.state.keep()
	return nil
}

// commit makes the batch, and with pay what is owed, durable, shows it to
// readers and tells of it. When it fails, nothing of the batch remains. The
// messages of a subscription that is removed go with it, delivered ones too.
func (w *writer) commit(pay bool) error {
	var owed debts
	if pay || w.state.removes() {
		emptied := w.removeEmptied()
		owed = w.takeDebts()
		owed.emptied = emptied
	}
	if !w.state.dirty() && len(owed.sent) == 0 {
		return nil
	}
	err := w.write(owed)
	w.report(err)
	if err != nil {
		w.mu.Lock()
		w.owed.sent = append(w.owed.sent, owed.sent...)
		w.owed.of = append(w.owed.of, owed.of...)
		w.owed.emptied = append(w.owed.emptied, owed.emptied...)
		w.mu.Unlock()
		w.state.forget()
		w.arm()
		return err
	}
	changes, subscriptions := w.news()
	w.mu.Lock()
	w.state.publish()
	w.mu.Unlock()
	w.tell(changes, subscriptions)
	return nil
}

// removeEmptied removes, as part of the batch, the subscriptions of removed
// workspaces that have nothing more to deliver. It returns those it looked at.
func (w *writer) removeEmptied() []workspace.SubscriptionID {
	w.mu.Lock()
	emptied := w.owed.emptied
	w.owed.emptied = nil
	w.mu.Unlock()
	for _, id := range emptied {
		sub, ok := w.state.subscriptions.under(id)
		if !ok {
			continue
		}
		_, lives := w.state.workspaces.under(sub.Workspace)
		if lives || sub.Workspace == 0 || w.tx.owes(id) {
			continue
		}
		remove := func(t workspace.Tx) error { return t.RemoveSubscription(id) }
		if err := w.attempt(remove); err != nil {
			w.options.Logger.Error("cannot remove a subscription", "subscription", id, "error", err)
		}
	}
	return emptied
}

// takeDebts takes over what was delivered, and finds at the same moment what waits
// for the subscriptions that the batch removes: a message that is delivered just now
// is in one of the two.
func (w *writer) takeDebts() debts {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
	owed := debts{sent: w.owed.sent, of: w.owed.of}
	w.owed.sent, w.owed.of = nil, nil
	for id, e := range w.state.subscriptions.batch {
		if e.there {
			continue
		}
		for _, m := range w.state.outbox[id] {
			owed.dropped = append(owed.dropped, m.Seq)
		}
	}
	return owed
}

// write writes the batch in one transaction.
func (w *writer) write(owed debts) error {
	err := w.rows.run(begin)
	if err == nil {
		err = w.rows.apply(w.state, owed)
	}
	if err == nil {
		err = w.rows.run(commit)
	}
	if err == nil {
		return nil
	}
	if failed := w.rows.abort(); failed != nil {
		err = fmt.Errorf("%w; nor can it be rolled back: %w", err, failed)
	}
	return err
}

// news returns the changes that the batch puts, by rising ID, and the
// subscriptions that it has messages for.
func (w *writer) news() ([]*workspace.Change, []workspace.SubscriptionID) {
	var changes []*workspace.Change
	for _, e := range w.state.changes.batch {
		if e.there {
			changes = append(changes, e.value)
		}
	}
	slices.SortFunc(changes, func(a, b *workspace.Change) int { return int(a.ID - b.ID) })
	var subscriptions []workspace.SubscriptionID
	for _, m := range w.state.pending {
		sub, there := w.state.subscriptions.under(m.Subscription)
		if there && sub.PullPoint == "" {
			subscriptions = append(subscriptions, m.Subscription)
		}
	}
	w.mu.RLock()
	for id, e := range w.state.subscriptions.batch {
		if e.there && e.value.PullPoint == "" && !e.value.Paused && len(w.state.outbox[id]) > 0 {
			subscriptions = append(subscriptions, id) // it may have been resumed
		}
	}
	w.mu.RUnlock()
	slices.Sort(subscriptions)
	return changes, slices.Compact(subscriptions)
}

// tell calls the hooks.
func (w *writer) tell(changes []*workspace.Change, subscriptions []workspace.SubscriptionID) {
	if w.options.OnChanges != nil && len(changes) > 0 {
		w.options.OnChanges(changes)
	}
	if w.options.OnMessages != nil && len(subscriptions) > 0 {
		w.options.OnMessages(subscriptions)
	}
}

// purge forgets old answers.
func (w *writer) purge() {
	err := w.rows.run(purgeAnswers, millis(time.Now().Add(-answersFor)))
	if err != nil {
		w.options.Logger.Error("cannot purge old answers", "error", err)
	}
}
