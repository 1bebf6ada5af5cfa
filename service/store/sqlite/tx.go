package sqlite

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A tx is the view that an update has of the record. There is one, used for
// all updates, as they run one after the other.
type tx struct {
	*state
	mu       *sync.RWMutex // guards the outbox
	wants    func(*workspace.Subscription, workspace.Event, *workspace.Workspace) bool
	find     func(requestKey) (workspace.Answer, bool, error) // of what is committed
	capacity int                                              // of a pull point
	scratch  []workspace.HostUse
	orphans  []workspace.SubscriptionID // of workspaces removed by this update
	failed   error                      // of a method that cannot return it
}

// begin readies the view for the next update.
func (t *tx) begin() {
	t.orphans, t.failed = t.orphans[:0], nil
}

// finish does what is left to do when an update has succeeded.
func (t *tx) finish() error {
	for _, id := range t.orphans {
		_, there := t.subscriptions.get(id) // the update itself may have removed it
		if there && !t.owes(id) {
			if err := t.RemoveSubscription(id); err != nil {
				return err
			}
		}
	}
	return t.failed
}

// owes reports whether messages wait for the subscription.
func (t *tx) owes(id workspace.SubscriptionID) bool {
	waits := func(m workspace.Message) bool { return m.Subscription == id }
	t.mu.RLock()
	waiting := len(t.outbox[id])
	t.mu.RUnlock()
	return waiting > 0 ||
		slices.ContainsFunc(t.pending, waits) || slices.ContainsFunc(t.fresh, waits)
}

// missing is the error for a resource that is not there.
func missing(what, id string) error {
	return workspace.Errorf(workspace.NotFound, "find the "+what, id, "no such %s", what)
}

// wrong is the error for a caller's mistake.
func wrong(op, id, format string, args ...any) error {
	return workspace.Errorf(workspace.Internal, op, id, format, args...)
}

// NextID implements workspace.WorkspaceTx.
func (t *tx) NextID() workspace.ID {
	t.last.workspace++
	return t.last.workspace
}

// Workspace implements workspace.WorkspaceTx.
func (t *tx) Workspace(id workspace.ID) (*workspace.Workspace, error) {
	if w, ok := t.workspaces.get(id); ok {
		return w, nil
	}
	return nil, missing("workspace", id.String())
}

// PutWorkspace implements workspace.WorkspaceTx. It sets w's version, and what
// does not change, from the record.
func (t *tx) PutWorkspace(w *workspace.Workspace) error {
	if w.ID <= 0 || w.ID > t.last.workspace {
		return wrong("put the workspace", w.ID.String(), "its ID did not come from NextID")
	}
	was, ok := t.workspaces.get(w.ID)
	if was == w {
		return wrong("put the workspace", w.ID.String(), "it was changed in place, not copied")
	}
	if ok {
		w.Spec, w.NICs, w.Demand.Architecture = was.Spec, was.NICs, was.Demand.Architecture
		w.Owner, w.Group, w.Initial, w.Created = was.Owner, was.Group, was.Initial, was.Created
	}
	w.Version = 1
	if before, ok := t.workspaces.under(w.ID); ok {
		w.Version = before.Version + 1
	}
	t.shift(was, w)
	t.account(was, w)
	t.workspaces.put(w.ID, w)
	return nil
}

// RemoveWorkspace implements workspace.WorkspaceTx.
func (t *tx) RemoveWorkspace(id workspace.ID) error {
	w, err := t.Workspace(id)
	if err != nil {
		return err
	}
	t.shift(w, nil)
	t.account(w, nil)
	t.workspaces.remove(id)
	if g, ok := t.groups.get(w.Group); ok {
		left := *g
		left.Members = without(g.Members, id)
		t.groups.put(g.ID, &left)
	}
	subscriptions, _ := t.subscriptionsOf.get(source{workspace: id})
	t.orphans = append(t.orphans, subscriptions...)
	return nil
}

// Group implements workspace.WorkspaceTx.
func (t *tx) Group(id workspace.GroupID) (*workspace.Group, error) {
	if g, ok := t.groups.get(id); ok {
		return g, nil
	}
	return nil, missing("group", string(id))
}

// PutGroup implements workspace.WorkspaceTx. It keeps a copy, members rising.
func (t *tx) PutGroup(g *workspace.Group) error {
	if g.ID == "" {
		return wrong("put the group", "", "it has no ID")
	}
	kept := *g
	kept.Members = slices.Clone(g.Members)
	slices.Sort(kept.Members)
	kept.Members = slices.Compact(kept.Members)
	t.groups.put(g.ID, &kept)
	return nil
}

// RemoveGroup implements workspace.WorkspaceTx.
func (t *tx) RemoveGroup(id workspace.GroupID) error {
	if _, err := t.Group(id); err != nil {
		return err
	}
	t.groups.remove(id)
	return nil
}

// Hosts implements workspace.PoolTx.
func (t *tx) Hosts() []workspace.HostUse {
	t.scratch = hostUses(t.scratch[:0], t.hostsNow(), t.current)
	return t.scratch
}

// Used implements workspace.PoolTx.
func (t *tx) Used(id workspace.HostID) workspace.Capacity { return t.current[id] }

// hostUses appends the hosts with what is used of them.
func hostUses(to []workspace.HostUse, hosts []workspace.Host, u use) []workspace.HostUse {
	for _, h := range hosts {
		to = append(to, workspace.HostUse{Host: h, Used: u[h.ID]})
	}
	return to
}

// AllWorkspaces implements workspace.PoolTx.
func (t *tx) AllWorkspaces() []*workspace.Workspace {
	all := make([]*workspace.Workspace, 0, len(t.workspaces.base))
	t.workspaces.all(func(_ workspace.ID, w *workspace.Workspace) { all = append(all, w) })
	slices.SortFunc(all, func(a, b *workspace.Workspace) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// AddUsed implements workspace.PoolTx.
func (t *tx) AddUsed(owner workspace.Owner, d time.Duration) error {
	was, _ := t.used.get(owner)
	t.used.put(owner, was+d)
	return nil
}

// NextChangeID implements workspace.ChangeTx.
func (t *tx) NextChangeID() workspace.ChangeID {
	t.last.change++
	return t.last.change
}

// PutChange implements workspace.ChangeTx.
func (t *tx) PutChange(c *workspace.Change) error {
	if c.ID <= 0 || c.ID > t.last.change {
		return wrong("put the change", fmt.Sprint(c.ID), "its ID did not come from NextChangeID")
	}
	was, ok := t.changes.get(c.ID)
	switch {
	case was == c:
		return wrong("put the change", fmt.Sprint(c.ID), "it was changed in place, not copied")
	case ok && was.Workspace != c.Workspace:
		return wrong("put the change", fmt.Sprint(c.ID), "it belongs to another workspace")
	case !ok:
		of, _ := t.changesOf.get(c.Workspace)
		t.changesOf.put(c.Workspace, with(of, c.ID))
	}
	t.changes.put(c.ID, c)
	return nil
}

// RemoveChange implements workspace.ChangeTx.
func (t *tx) RemoveChange(id workspace.ChangeID) error {
	c, ok := t.changes.get(id)
	if !ok {
		return missing("change", fmt.Sprint(id))
	}
	t.changes.remove(id)
	of, _ := t.changesOf.get(c.Workspace)
	setOrRemove(&t.changesOf, c.Workspace, without(of, id))
	return nil
}

// setOrRemove puts the keys, or removes the entry when none is left.
func setOrRemove[K comparable, V any](t *table[K, []V], key K, left []V) {
	if len(left) == 0 {
		t.remove(key)
		return
	}
	t.put(key, left)
}

// ChangesOf implements workspace.ChangeTx.
func (t *tx) ChangesOf(id workspace.ID) []*workspace.Change {
	ids, _ := t.changesOf.get(id)
	if len(ids) == 0 {
		return nil
	}
	of := make([]*workspace.Change, 0, len(ids))
	for _, id := range ids {
		c, _ := t.changes.get(id)
		of = append(of, c)
	}
	return of
}
