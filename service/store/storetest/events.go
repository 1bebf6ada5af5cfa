package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// subscription returns one to the workspace's states with every field set.
func subscription(id workspace.SubscriptionID, of workspace.ID) *workspace.Subscription {
	return &workspace.Subscription{ID: id, Workspace: of, Owner: "ada",
		Topics: []workspace.Topic{workspace.TopicState}, Format: "f",
		Expression: []byte("<e/>"), Filter: []byte("<f/>"), Consumer: []byte("<c/>"),
		Address: "http://127.0.0.1/", UseNotify: true, PausedWhy: "w", Failing: noon,
		Expires: noon.Add(time.Hour), Created: noon}
}

// subscribe puts subscriptions to the workspace.
func (b *bench) subscribe(of workspace.ID, ids ...workspace.SubscriptionID) {
	b.Helper()
	b.update(func(tx workspace.Tx) error {
		for _, id := range ids {
			if err := tx.PutSubscription(subscription(id, of)); err != nil {
				return err
			}
		}
		return nil
	})
}

// event returns the entering of a state.
func event(of workspace.ID, state workspace.State) workspace.Event {
	return workspace.Event{Workspace: of, Topic: workspace.TopicState, State: state,
		Fault: "f", At: noon}
}

// emit emits the entering of states, in one transaction.
func (b *bench) emit(of workspace.ID, states ...workspace.State) {
	b.Helper()
	b.update(func(tx workspace.Tx) error {
		for _, s := range states {
			if err := tx.Emit(event(of, s)); err != nil {
				return err
			}
		}
		return nil
	})
}

// pending returns the states that wait for the subscription, and the highest
// number.
func (b *bench) pending(id workspace.SubscriptionID) ([]workspace.State, int64) {
	b.Helper()
	all, err := b.store.Pending(b.Context(), id, 100)
	var states []workspace.State
	var last int64
	for _, m := range value(b, all, err) {
		if m.Seq <= last || m.Subscription != id {
			b.Errorf("message %d of %s came after %d of %s", m.Seq, m.Subscription, last, id)
		}
		states, last = append(states, m.State), m.Seq
	}
	return states, last
}

// waits checks which states wait for the subscription, before and after
// reopening.
func (b *bench) waits(id workspace.SubscriptionID, want ...workspace.State) {
	b.Helper()
	for range 2 {
		states, _ := b.pending(id)
		b.same("what waits for "+string(id), states, want)
		b.reopen()
	}
}

// subscriptions: what is put is read, and ends with what waits for it.
func subscriptions(b *bench) {
	id := b.add("ada")
	b.subscribe(id, "s1", "s2")
	paused := subscription("s1", id)
	paused.Paused = true
	b.update(func(tx workspace.Tx) error {
		s, err := tx.Subscription("s1")
		b.same("the subscription in a transaction", s, subscription("s1", id))
		if err != nil {
			return err
		}
		return tx.PutSubscription(subscription("s3", id))
	})
	b.update(func(tx workspace.Tx) error { c := *paused; return tx.PutSubscription(&c) })
	for range 2 {
		s, err := b.store.Subscription(b.Context(), "s1")
		b.same("the subscription", value(b, s, err), paused)
		b.reopen()
	}
	b.emit(id, workspace.Running)
	b.waits("s2", workspace.Running)
	b.update(func(tx workspace.Tx) error {
		if err := tx.Emit(event(id, workspace.Paused)); err != nil {
			return err
		}
		return tx.RemoveSubscription("s2")
	})
	b.waits("s2")
	b.waits("s3", workspace.Running, workspace.Paused)
	_, err := b.store.Subscription(b.Context(), "s2")
	b.kind(err, workspace.NotFound)
}

// orphans: the subscriptions of a removed workspace stay until what waits for
// them is delivered, in whichever order it was emitted and removed.
func orphans(b *bench) {
	id := b.add("ada")
	b.subscribe(id, "s1", "s2")
	b.update(func(tx workspace.Tx) error {
		s := subscription("quiet", id)
		s.Paused = true
		if err := tx.PutSubscription(s); err != nil {
			return err
		}
		if err := tx.RemoveWorkspace(id); err != nil {
			return err
		}
		return tx.Emit(event(id, workspace.Cancelled))
	})
	_, err := b.store.Subscription(b.Context(), "quiet")
	b.kind(err, workspace.NotFound)
	b.waits("s1", workspace.Cancelled)
	b.waits("s2", workspace.Cancelled)
	_, seq := b.pending("s1")
	if err := b.store.Delivered(b.Context(), "s1", seq); err != nil {
		b.Fatal(err)
	}
	b.reopen()
	b.update(func(tx workspace.Tx) error { return tx.AddUsed("ada", 1) })
	_, err = b.store.Subscription(b.Context(), "s1")
	b.kind(err, workspace.NotFound)
	if _, err = b.store.Subscription(b.Context(), "s2"); err != nil {
		b.Error(err)
	}
	b.waits("s2", workspace.Cancelled)
}

// lapsed: an expired subscription gets nothing that happened later, and is
// named.
func lapsed(b *bench) {
	id := b.add("ada")
	b.subscribe(id, "s2", "s1", "owed")
	end := subscription("s1", id).Expires
	b.update(func(tx workspace.Tx) error {
		forever := subscription("forever", id)
		forever.Expires = time.Time{}
		return tx.PutSubscription(forever)
	})
	late := event(id, workspace.Running)
	late.At = end.Add(time.Second)
	b.update(func(tx workspace.Tx) error { return tx.Emit(late) })
	b.waits("s1")
	b.waits("forever", workspace.Running)
	b.update(func(tx workspace.Tx) error {
		for _, id := range []workspace.SubscriptionID{"s1", "s2"} {
			s := *subscription(id, 1)
			s.Paused = true
			if err := tx.PutSubscription(&s); err != nil {
				return err
			}
		}
		return tx.Emit(event(id, workspace.Paused))
	})
	b.reopen()
	b.waits("owed", workspace.Paused)
	for at, want := range map[time.Time][]workspace.SubscriptionID{
		end: nil, end.Add(time.Second): {"owed", "s1", "s2"},
	} {
		ids, err := b.store.Lapsed(b.Context(), at)
		b.same("who has expired", value(b, ids, err), want)
	}
}

// outbox: messages wait in the order in which they were emitted, until they
// are delivered.
func outbox(b *bench) {
	id := b.add("ada")
	b.subscribe(id, "s1", "s2")
	b.emit(id, workspace.Propagating, workspace.Propagated)
	b.undone(func(tx workspace.Tx) error { return tx.Emit(event(id, workspace.Corrupted)) })
	b.emit(id, workspace.Starting)
	b.emit(id, workspace.Running)
	b.update(func(tx workspace.Tx) error { // another topic
		return tx.Emit(workspace.Event{Workspace: id, Topic: workspace.TopicTermination})
	})
	all := []workspace.State{workspace.Propagating, workspace.Propagated,
		workspace.Starting, workspace.Running}
	b.waits("s1", all...)
	two, err := b.store.Pending(b.Context(), "s1", 2)
	b.same("of a limited question, the answers", len(value(b, two, err)), 2)
	b.same("the event", two[0].Event, event(id, workspace.Propagating))
	waiting, err := b.store.Waiting(b.Context())
	slices.Sort(value(b, waiting, err))
	b.same("who waits", waiting, []workspace.SubscriptionID{"s1", "s2"})
	if err := b.store.Delivered(b.Context(), "s1", two[1].Seq); err != nil {
		b.Fatal(err)
	}
	b.waits("s1", all[2:]...)
	b.waits("s2", all...)
	_, last := b.pending("s1")
	if err := b.store.Delivered(b.Context(), "s1", last); err != nil {
		b.Fatal(err)
	}
	b.waits("s1")
	waiting, err = b.store.Waiting(b.Context())
	b.same("who waits still", value(b, waiting, err), []workspace.SubscriptionID{"s2"})
	b.emit(id, workspace.Paused)
	if _, seq := b.pending("s1"); seq <= last {
		b.Errorf("after message %d came %d", last, seq)
	}
}

// paused subscriptions get nothing, and nothing afterwards of what they missed.
func paused(b *bench) {
	id := b.add("ada")
	b.subscribe(id, "s1")
	pause := func(yes bool) {
		b.update(func(tx workspace.Tx) error {
			s := subscription("s1", id)
			s.Paused = yes
			return tx.PutSubscription(s)
		})
	}
	b.emit(id, workspace.Starting)
	pause(true)
	b.emit(id, workspace.Running)
	b.waits("s1", workspace.Starting)
	pause(false)
	b.emit(id, workspace.Pausing)
	b.waits("s1", workspace.Starting, workspace.Pausing)
}

// rollback: of a failed update nothing is left, also not beside others that
// succeed at the same time.
func rollback(b *bench) {
	kept := b.add("ada")
	b.subscribe(kept, "s1")
	var lost workspace.ID
	everything := func(tx workspace.Tx) error {
		w, err := taken(tx, "public", "private")
		if err != nil {
			return err
		}
		lost = w.ID
		c := &workspace.Change{ID: tx.NextChangeID(), Workspace: kept}
		return errors.Join(tx.PutChange(c), tx.Emit(event(kept, workspace.Running)),
			tx.PutGroup(&workspace.Group{ID: "new", Members: []workspace.ID{kept}}),
			tx.PutSubscription(subscription("s2", kept)), tx.RemoveSubscription("s1"),
			tx.RemoveWorkspace(kept), tx.AddUsed("ada", 5))
	}
	var others sync.WaitGroup
	for range 20 {
		others.Go(func() {
			_ = b.store.Update(b.Context(), func(tx workspace.Tx) error {
				return tx.AddUsed("bob", time.Second)
			})
		})
		b.undone(everything)
	}
	others.Wait()
	for range 2 {
		b.same("the kept one", b.workspace(kept), full(kept, "ada"))
		_, err := b.store.Workspace(b.Context(), lost)
		b.kind(err, workspace.NotFound)
		_, err = b.store.Group(b.Context(), "new")
		b.kind(err, workspace.NotFound)
		_, err = b.store.Subscription(b.Context(), "s2")
		b.kind(err, workspace.NotFound)
		held, err := b.store.Changes(b.Context())
		b.same("the changes", len(value(b, held, err)), 0)
		d, err := b.store.Used(b.Context(), "ada")
		b.same("ada's account", value(b, d, err), time.Duration(0))
		d, err = b.store.Used(b.Context(), "bob")
		b.same("bob's account", value(b, d, err), 20*time.Second)
		b.conserved()
		b.exhaust()
		b.waits("s1")
	}
}

// panics in an update fail it and nothing else.
func panics(b *bench) {
	err := b.store.Update(b.Context(), func(tx workspace.Tx) error {
		_ = tx.PutWorkspace(full(tx.NextID(), "ada"))
		panic("oops")
	})
	b.kind(err, workspace.Internal)
	b.conserved()
	b.add("ada")
}

// hooks are told of what became durable, before Update returns.
func hooks(b *bench) {
	var told []string
	b.setup.OnChanges = func(cs []*workspace.Change) {
		for _, c := range cs {
			told = append(told, fmt.Sprint("change ", c.Workspace, " ", c.Step))
		}
	}
	b.setup.OnMessages = func(ids []workspace.SubscriptionID) {
		told = append(told, fmt.Sprint(ids))
	}
	b.reopen()
	expect := func(want ...string) {
		b.Helper()
		b.same("told", told, want)
		told = nil
	}
	id := b.add("ada")
	b.subscribe(id, "s1", "s2")
	expect()
	var c workspace.ChangeID
	b.update(func(tx workspace.Tx) error {
		c = tx.NextChangeID()
		return errors.Join(tx.PutChange(&workspace.Change{ID: c, Workspace: id}),
			tx.Emit(event(id, workspace.Running)), tx.Emit(event(id, workspace.Paused)))
	})
	expect(fmt.Sprint("change ", id, " 0"), "[s1 s2]")
	b.undone(func(tx workspace.Tx) error {
		return errors.Join(tx.PutChange(&workspace.Change{ID: c, Workspace: id, Step: 7}),
			tx.Emit(event(id, workspace.Running)))
	})
	expect()
	b.update(func(tx workspace.Tx) error {
		return tx.PutChange(&workspace.Change{ID: c, Workspace: id, Step: 1})
	})
	expect(fmt.Sprint("change ", id, " 1"))
	b.update(func(tx workspace.Tx) error { return tx.RemoveChange(c) })
	expect()
}

// contexts that have ended refuse an update that was not begun.
func contexts(b *bench) {
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	for range 20 { // whichever comes first: it ran, or it did not
		ran := false
		err := b.store.Update(ctx, func(workspace.Tx) error { ran = true; return nil })
		if ran != (err == nil) {
			b.Fatalf("update ran: %v, and returned %v", ran, err)
		}
	}
}

// closed stores refuse updates.
func closed(b *bench) {
	if err := b.store.Close(); err != nil {
		b.Fatal(err)
	}
	b.kind(b.store.Update(b.Context(), func(workspace.Tx) error { return nil }),
		workspace.Unavailable)
}

// concurrent callers each see their own update done, in one order for all.
func concurrent(b *bench) {
	id := b.add("ada")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				var mine int64
				err := b.store.Update(b.Context(), func(tx workspace.Tx) error {
					return change(tx, id, func(w *workspace.Workspace) {
						w.Lease.Grace++
						mine = w.Version + 1
					})
				})
				if err != nil {
					b.Error(err)
				}
				w, err := b.store.Workspace(b.Context(), id)
				if err != nil || w.Version < mine {
					b.Errorf("after version %d the reader sees %v (%v)", mine, w, err)
				}
			}
		})
	}
	all.Wait()
	for range 2 {
		w := b.workspace(id)
		b.same("the count", w.Lease.Grace, full(id, "").Lease.Grace+400)
		b.same("the version", w.Version, int64(401))
		b.reopen()
	}
}
