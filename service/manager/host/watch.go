package host

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// How often a host is asked for everything, whatever it reported, and whether it
// is there; how long it may take to answer; and how long to wait before one that
// did not is tried again.
const (
	relist      = 30 * time.Second
	pulse       = 5 * time.Second
	answerLimit = 10 * time.Second
	firstWait   = time.Second
	lastWait    = 10 * time.Second
)

// WatcherOptions are what a Watcher is made of.
type WatcherOptions struct {
	Store workspace.Store
	Pool  *Pool
	// Grace is how long a host may be out of reach before its workspaces are marked
	// and their subscribers told; 0: 15 seconds.
	Grace time.Duration
	// Rehost is told, in the update, that hosts have changed; may be nil.
	Rehost func(tx workspace.Tx) error
	// Mend makes what surrounds the machines of a host agree with the record, at each
	// look at all of them; there is what the host has. May be nil.
	Mend   Mend
	Logger *slog.Logger
}

// Mend puts right what surrounds the machines that are on a host. It is idempotent
// and quick where all is well.
type Mend func(ctx context.Context, n *Node, store workspace.Reader,
	there map[workspace.ID]workspace.Condition) error

// Watcher keeps the record in step with what the hosts report: a guest that
// went off or crashed by itself, or is not there any more, and hosts that vanish
// and come back.
type Watcher struct {
	store  workspace.Store
	pool   *Pool
	grace  time.Duration
	rehost func(tx workspace.Tx) error
	mend   Mend
	log    *slog.Logger
}

// NewWatcher returns a Watcher over the pool.
func NewWatcher(o WatcherOptions) *Watcher {
	if o.Rehost == nil {
		o.Rehost = func(workspace.Tx) error { return nil }
	}
	return &Watcher{
		store: o.Store, pool: o.Pool, grace: cmp.Or(o.Grace, 15*time.Second),
		rehost: o.Rehost, mend: o.Mend, log: o.Logger,
	}
}

// Run watches every host until ctx ends, those too that come while it runs.
func (w *Watcher) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	watched := map[*Node]context.CancelFunc{}
	for {
		nodes, changed := w.pool.Follow()
		for n, leave := range watched {
			if !slices.Contains(nodes, n) {
				leave()
				delete(watched, n)
			}
		}
		for _, n := range nodes {
			if watched[n] != nil {
				continue
			}
			own, leave := context.WithCancel(ctx)
			watched[n] = leave
			all.Go(func() { w.attend(own, n) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// attend attaches to the host, and again after each interruption.
func (w *Watcher) attend(ctx context.Context, n *Node) {
	var vigils sync.WaitGroup
	defer vigils.Wait()
	wait := firstWait
	for ctx.Err() == nil {
		began := time.Now()
		err := w.attach(ctx, n)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastWait+answerLimit {
			wait = firstWait
		}
		if n.failed(err) { // once for an outage, however long
			w.log.Warn("host is out of reach", "host", n.ID, "error", err)
			vigils.Go(func() { w.vigil(ctx, n) })
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, lastWait)
	}
}

// attach listens to the host's reports and compares the whole of it with the
// record now and then. Listening begins first, so that nothing falls between.
func (w *Watcher) attach(ctx context.Context, n *Node) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard := make(chan error, 1)
	var listening sync.WaitGroup
	defer listening.Wait()
	defer cancel()
	listening.Go(func() {
		heard <- n.Watch(ctx, func(o workspace.Observed) {
			if stopped(o.Condition) {
				w.look(ctx, n, o.ID)
			}
		})
	})
	tick, ping := time.NewTicker(relist), time.NewTicker(pulse)
	defer tick.Stop()
	defer ping.Stop()
	err := w.compare(ctx, n)
	for err == nil {
		select {
		case err := <-heard:
			return err
		case <-tick.C:
			err = w.compare(ctx, n)
		case <-ping.C:
			err = answers(ctx, n)
		}
	}
	return err
}

// answers asks the host for something small.
func answers(ctx context.Context, n *Node) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	_, err := n.Deployment.Capacity(ctx)
	return err
}

// compare holds everything on the host against everything recorded there, and
// then takes it for one that answers.
func (w *Watcher) compare(ctx context.Context, n *Node) error {
	there, err := list(ctx, n)
	if err != nil {
		return err
	}
	conditions := make(map[workspace.ID]workspace.Condition, len(there))
	for _, o := range there {
		conditions[o.ID] = o.Condition
	}
	if err := w.clear(ctx, n, conditions); err != nil {
		return err
	}
	w.mends(ctx, n, conditions)
	recorded, err := w.store.Workspaces(ctx, "")
	if err != nil {
		return err
	}
	for _, ws := range recorded {
		if ws.Host != n.ID {
			continue
		}
		condition, ok := conditions[ws.ID]
		if !ok {
			condition = workspace.ConditionAbsent
		}
		delete(conditions, ws.ID)
		if stopped(condition) && resting(ws.State) {
			w.look(ctx, n, ws.ID)
		}
	}
	for id := range conditions {
		w.strange(ctx, n, id)
	}
	return w.greet(ctx, n)
}

// mends has the host's surroundings put right. That they cannot be now makes no
// host one that is lost.
func (w *Watcher) mends(
	ctx context.Context, n *Node, there map[workspace.ID]workspace.Condition,
) {
	if w.mend == nil {
		return
	}
	limited, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	if err := w.mend(limited, n, w.store, there); err != nil && ctx.Err() == nil {
		w.log.Warn("networks of a host cannot be looked after", "host", n.ID, "error", err)
	}
}

// list asks the host for its machines.
func list(ctx context.Context, n *Node) ([]workspace.Observed, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	return n.List(ctx)
}

// strange reports a machine that carries our identity and is in no record. It
// is left alone: killing what we do not understand is not ours to do.
func (w *Watcher) strange(ctx context.Context, n *Node, id workspace.ID) {
	if _, err := w.store.Workspace(ctx, id); err != nil && ctx.Err() == nil {
		w.log.Warn("machine without a record is left alone", "host", n.ID, "workspace", id)
	}
}

// look asks the host about one workspace that seems to have stopped by itself
// and records what is so. A change under way knows better, and a record that
// moved since the question was asked makes the answer stale.
func (w *Watcher) look(ctx context.Context, n *Node, id workspace.ID) {
	before, err := w.store.Workspace(ctx, id)
	if err != nil || !resting(before.State) || before.Host != n.ID {
		return
	}
	condition, err := n.Inspect(ctx, id)
	if err != nil || !stopped(condition) {
		return
	}
	moved := false
	err = w.store.Update(ctx, func(tx workspace.Tx) error {
		ws, err := tx.Workspace(id)
		moved = err == nil && ws.Version == before.Version && len(tx.ChangesOf(id)) == 0
		if !moved {
			return nil //nolint:nilerr // gone or moved: nothing to record
		}
		on, fault := verdict(condition)
		_, err = workspace.Move(tx, id, on, fault)
		return err
	})
	if err != nil {
		w.log.Error("cannot record what a host reported",
			"host", n.ID, "workspace", id, "error", err)
		return
	}
	if !moved { // as a guest that migrated: it is not where it was, and nothing befell it
		return
	}
	w.log.Info("guest stopped by itself", "host", n.ID, "workspace", id, "condition", condition)
}

// verdict says what a stopped guest means for its workspace.
func verdict(c workspace.Condition) (workspace.Trigger, string) {
	switch c {
	case workspace.ConditionCrashed:
		return workspace.TriggerFail, "the guest crashed"
	case workspace.ConditionAbsent:
		return workspace.TriggerFail, "the guest is no longer on its host"
	}
	return workspace.TriggerOff, ""
}

func stopped(c workspace.Condition) bool {
	return c == workspace.ConditionOff || c == workspace.ConditionCrashed ||
		c == workspace.ConditionAbsent
}

// resting reports whether a guest is expected to be in memory with no
// operation on its way.
func resting(s workspace.State) bool {
	return s == workspace.Running || s == workspace.Paused
}
