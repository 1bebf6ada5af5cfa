package agenda

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// FirstDeployTask is the task with which a recorded deployment goes on: the two
// before it, reserve and allocate, are done when its host is given.
const FirstDeployTask = 2

// Step does what is due: it carries what the Book says into the record.
func (a *Agenda) Step(tx workspace.Tx) error {
	a.mu.Lock()
	defer a.unlock()
	if err := a.ready(tx); err != nil {
		return err
	}
	return a.step(tx)
}

func (a *Agenda) step(tx workspace.Tx) error {
	tx.OnUndone(a.void)
	at := stamp(now())
	a.reach(at)
	a.renew(tx, at)
	a.rank(tx, a.book, at)
	if err := a.retry(tx, at); err != nil {
		return err
	}
	for _, action := range a.book.Advance(at) {
		if err := a.apply(tx, action); err != nil {
			return err
		}
	}
	if err := a.settle(tx); err != nil {
		return err
	}
	if err := a.sync(tx); err != nil {
		return err
	}
	if a.book.Next() < a.armed {
		a.stir()
	}
	return nil
}

// apply carries one action into the record.
func (a *Agenda) apply(tx workspace.Tx, act book.Action) error {
	b, err := tx.Booking(workspace.LeaseID(act.Lease))
	if workspace.KindOf(err) == workspace.NotFound {
		return nil // the last of its workspaces is gone
	}
	if err != nil {
		return err
	}
	for i, id := range b.Members {
		w, err := tx.Workspace(id)
		if err != nil || w.Gone() || b.Left[i] {
			continue
		}
		switch act.Verb {
		case book.Transfer:
			err = a.stage(tx, b, i, act.Hosts[0])
		case book.Boot, book.Resume:
			err = a.seat(tx, w, act.Hosts[i], a.share(act.Lease, i))
		case book.Suspend:
			err = order(tx, w.ID, workspace.ChangeSuspend, "")
		case book.Migrate:
			err = a.ship(tx, w, a.pool[act.Hosts[i]].ID)
		case book.Kill:
			err = a.evict(tx, w)
		}
		if err != nil {
			return err
		}
	}
	if act.Verb == book.Migrate {
		// A Book that is made again tells of moves again. Who came before it did so was
		// counted too early, and nobody else will say that it is there.
		return a.tally(tx, workspace.LeaseID(act.Lease))
	}
	return nil
}

// leaves reports whether a workspace is on its way off its host already: a Book
// that is made again tells of it again.
func leaves(tx workspace.Tx, w *workspace.Workspace) bool {
	return w.State == workspace.Serialized && w.Parked ||
		under(tx, w.ID, workspace.ChangeSuspend) || under(tx, w.ID, workspace.ChangeMigrate)
}

// ship sends a workspace to another host: as it runs, if it does, else as files.
func (a *Agenda) ship(tx workspace.Tx, w *workspace.Workspace, to workspace.HostID) error {
	still := a.still[w.ID]
	delete(a.still, w.ID)
	if to == w.Host || leaves(tx, w) {
		return nil
	}
	if w.State != workspace.Running && w.State != workspace.Paused {
		return order(tx, w.ID, workspace.ChangeSuspend, "")
	}
	course := workspace.Course{From: w.Host, To: to, Cold: still}
	return order(tx, w.ID, workspace.ChangeMigrate, course.String())
}

// share returns what the Book grants a node of the lease.
func (a *Agenda) share(id book.ID, node int) slot.Amount {
	r, _ := a.book.Record(id)
	for _, p := range r.Terms.Parts {
		if node < p.Nodes {
			return p.Need
		}
		node -= p.Nodes
	}
	return slot.Amount{}
}

// stage lets the image of a node come to a host where the node is to be: it has
// nothing of the host's room yet.
func (a *Agenda) stage(tx workspace.Tx, b *workspace.Booking, node int, h slot.Host) error {
	r, known := a.book.Record(book.ID(b.ID))
	if !known || len(r.Hosts) <= node || r.Hosts[node] != h {
		return nil
	}
	w, err := tx.Workspace(b.Members[node])
	if err != nil || w.Host != "" || w.Initial == workspace.Unpropagated {
		return err
	}
	next := *w
	next.Host, next.Parked = a.pool[h].ID, true
	return a.deploy(tx, &next)
}

// seat gives a workspace its host. What it has on another one, or is about to
// lose there, comes first.
func (a *Agenda) seat(tx workspace.Tx, w *workspace.Workspace, h slot.Host, n slot.Amount) error {
	if under(tx, w.ID, workspace.ChangeEvict) {
		return nil // it is seated when that has ended
	}
	host, home := a.pool[h].ID, w.Host
	moves := home != "" && home != host
	if moves && w.State != workspace.Serialized && w.State != workspace.Propagated {
		return a.evict(tx, w)
	}
	next := *w
	next.Host, next.Parked, next.Demand = host, true, granted(w.Demand, n)
	anew := w.State == workspace.Propagated && spent(w)
	if spent(w) || stuck(w) {
		next.Fault = ""
	}
	a.seated = append(a.seated, w.ID)
	switch {
	case !moves && asleep(tx, w):
		return tx.PutWorkspace(&next)
	case w.State == workspace.Serialized || (w.State == workspace.Propagated && moves):
		if err := tx.PutWorkspace(&next); err != nil {
			return err
		}
		if err := order(tx, w.ID, workspace.ChangeResume, string(home)); err != nil || !anew {
			return err
		}
		return order(tx, w.ID, workspace.ChangeStart, "")
	case anew:
		if err := tx.PutWorkspace(&next); err != nil {
			return err
		}
		return order(tx, w.ID, workspace.ChangeStart, "")
	case w.State == workspace.Unpropagated && w.Initial != workspace.Unpropagated:
		return a.deploy(tx, &next)
	}
	return tx.PutWorkspace(&next)
}

// deploy puts the workspace on its way to its host.
func (a *Agenda) deploy(tx workspace.Tx, w *workspace.Workspace) error {
	next, err := w.State.Next(workspace.TriggerPropagate)
	if err != nil {
		return err
	}
	w.State, w.Changed, w.Fault = next, now(), ""
	if err := tx.PutWorkspace(w); err != nil {
		return err
	}
	c := &workspace.Change{
		ID: tx.NextChangeID(), Kind: workspace.ChangeDeploy, Workspace: w.ID,
		Status: workspace.ChangeDoing, Step: FirstDeployTask, Created: w.Changed,
	}
	if len(tx.ChangesOf(w.ID)) > 0 {
		c.Status, c.Step = workspace.ChangeQueued, 0
	}
	return tx.PutChange(c)
}

// order queues a change of the scheduler's behind what is under way.
func order(tx workspace.Tx, id workspace.ID, kind workspace.ChangeKind, argument string) error {
	_, err := workspace.Queue(tx, workspace.Change{
		Kind: kind, Workspace: id, Argument: argument,
	})
	return err
}

// under reports whether a change of the kind is under way or queued.
func under(tx workspace.Tx, id workspace.ID, kind workspace.ChangeKind) bool {
	return slices.ContainsFunc(tx.ChangesOf(id), func(c *workspace.Change) bool {
		return c.Kind == kind
	})
}

// evict takes the host from a workspace, whatever is under way there.
func (a *Agenda) evict(tx workspace.Tx, w *workspace.Workspace) error {
	if w.Host == "" || under(tx, w.ID, workspace.ChangeEvict) {
		return nil
	}
	home := "" // of one that was on its way from there
	for _, c := range tx.ChangesOf(w.ID) {
		switch c.Kind {
		case workspace.ChangeResume:
			home = c.Argument
		case workspace.ChangeMigrate:
			home = string(c.Elsewhere(w.Host))
		}
		if err := tx.RemoveChange(c.ID); err != nil {
			return err
		}
	}
	a.cut = append(a.cut, w.ID)
	a.stir()
	return order(tx, w.ID, workspace.ChangeEvict, home)
}

// settle lets workspaces have the room on their hosts that is theirs by the
// Book, where those that had it before are really gone, and tells who is there.
func (a *Agenda) settle(tx workspace.Tx) error {
	if len(a.seated) == 0 {
		return nil
	}
	waiting := a.seated
	a.seated = nil
	for _, id := range waiting {
		w, err := tx.Workspace(id)
		if err != nil || !w.Parked || w.Host == "" || w.Gone() || stuck(w) {
			continue
		}
		if !a.fits(tx, w) {
			a.seated = append(a.seated, id)
			continue
		}
		next := *w
		next.Parked = false
		if err := tx.PutWorkspace(&next); err != nil {
			return err
		}
		if err := a.goneOn(tx, w); err != nil {
			return err
		}
		if err := a.tally(tx, w.Booking); err != nil {
			return err
		}
	}
	return nil
}

// fits reports whether the host has room for the workspace as things are there.
func (a *Agenda) fits(tx workspace.Tx, w *workspace.Workspace) bool {
	h, known := a.index[w.Host]
	if !known {
		return false
	}
	free := room(a.pool[h].Capacity).Minus(taken(tx.Used(w.Host)))
	for r, has := range room(a.pool[h].Capacity) {
		if has == most { // not counted there
			free[r] = most
		}
	}
	wants := need(w.Demand)
	return wants.Fits(&free)
}

// waiting finds who waits for room after the Book was made.
func (a *Agenda) waiting(tx workspace.Tx) {
	a.seated = nil
	for _, w := range tx.AllWorkspaces() {
		if !w.Parked || w.Host == "" || w.Gone() || stuck(w) {
			continue
		}
		r, known := a.book.Record(book.ID(w.Booking))
		b, err := tx.Booking(w.Booking)
		has := r.State == book.Booting || r.State == book.Resuming || r.State == book.Running
		if err != nil || !known || !has { // who waits may have a plan, and has no room yet
			continue
		}
		node := slices.Index(b.Members, w.ID)
		if node >= 0 && !b.Left[node] && a.pool[r.Hosts[node]].ID == w.Host {
			a.seated = append(a.seated, w.ID)
		}
	}
}
