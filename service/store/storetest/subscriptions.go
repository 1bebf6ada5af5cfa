package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// put puts a subscription that the change makes of an ordinary one.
func (b *bench) put(
	id workspace.SubscriptionID, of workspace.ID, change func(*workspace.Subscription),
) {
	b.Helper()
	b.update(func(tx workspace.Tx) error {
		s := subscription(id, of)
		change(s)
		return tx.PutSubscription(s)
	})
}

// sequence returns the numbers of the messages that wait for the subscription,
// and the number that it says was its last.
func (b *bench) sequence(id workspace.SubscriptionID) string {
	b.Helper()
	all, err := b.store.Pending(b.Context(), id, 100)
	text := ""
	for _, m := range value(b, all, err) {
		text += fmt.Sprint(m.Number, " ")
	}
	s, err := b.store.Subscription(b.Context(), id)
	return fmt.Sprint(text, "last ", value(b, s, err).Last)
}

// sequenced checks the numbers, before and after reopening.
func (b *bench) sequenced(id workspace.SubscriptionID, want string) {
	b.Helper()
	for range 2 {
		b.same("the numbers of "+string(id), b.sequence(id), want)
		b.reopen()
	}
}

// done takes the first n messages of the subscription out of the outbox.
func (b *bench) done(id workspace.SubscriptionID, n int) {
	b.Helper()
	all, err := b.store.Pending(b.Context(), id, n)
	value(b, all, err)
	if err := b.store.Delivered(b.Context(), id, all[n-1].Seq); err != nil {
		b.Fatal(err)
	}
}

// resumed: who has messages waiting and is put is told of, so that delivery
// that the service itself paused goes on.
func resumed(b *bench) {
	var told [][]workspace.SubscriptionID
	b.setup.OnMessages = func(ids []workspace.SubscriptionID) { told = append(told, ids) }
	b.reopen()
	id := b.add("ada")
	b.subscribe(id, "s1", "s2")
	b.emit(id, workspace.Running)
	pause := func(yes bool) func(*workspace.Subscription) {
		return func(s *workspace.Subscription) { s.Paused = yes }
	}
	b.put("s1", id, pause(true))
	told = nil
	b.put("s1", id, pause(false))
	b.same("who was told of", told, [][]workspace.SubscriptionID{{"s1"}})
	b.waits("s1", workspace.Running)
}

// ownerWide: a subscription to workspace 0 is to all that its owner has and
// will have, and outlives each of them.
func ownerWide(b *bench) {
	old := b.add("ada")
	b.subscribe(0, "all")
	b.subscribe(old, "one")
	other, young := b.add("bob"), b.add("ada")
	b.emit(old, workspace.Running)
	b.emit(other, workspace.Paused)
	b.emit(young, workspace.Starting)
	b.waits("all", workspace.Running, workspace.Starting)
	b.waits("one", workspace.Running)
	b.update(func(tx workspace.Tx) error {
		return errors.Join(tx.RemoveWorkspace(old), tx.Emit(event(old, workspace.Cancelled)))
	})
	b.waits("all", workspace.Running, workspace.Starting, workspace.Cancelled)
	b.done("all", 3)
	b.update(func(tx workspace.Tx) error { return tx.RemoveWorkspace(young) })
	b.sequenced("all", "last 3")
}

// severalTopics: one subscription may be to several.
func severalTopics(b *bench) {
	id := b.add("ada")
	b.put("both", id, func(s *workspace.Subscription) {
		s.Topics = []workspace.Topic{workspace.TopicState, workspace.TopicTermination}
	})
	b.subscribe(id, "state")
	b.update(func(tx workspace.Tx) error {
		end := event(id, workspace.Paused)
		end.Topic = workspace.TopicTermination
		return errors.Join(tx.Emit(event(id, workspace.Running)), tx.Emit(end))
	})
	b.waits("both", workspace.Running, workspace.Paused)
	b.waits("state", workspace.Running)
}

// filters are asked with the workspace as it is in the transaction; what they
// hold back is not meant for the subscription, and has no number.
func filters(b *bench) {
	b.setup.Wants = func(
		s *workspace.Subscription, e workspace.Event, w *workspace.Workspace,
	) bool {
		return string(s.Filter) == w.State.String() && w.ID == e.Workspace
	}
	b.reopen()
	id := b.add("ada")
	filter := func(text string) func(*workspace.Subscription) {
		return func(s *workspace.Subscription) { s.Filter = []byte(text) }
	}
	b.put("all", id, func(s *workspace.Subscription) { s.Filter = nil })
	b.put("paused", id, filter("Paused"))
	for _, state := range []workspace.State{workspace.Running, workspace.Paused} {
		b.update(func(tx workspace.Tx) error {
			err := change(tx, id, func(w *workspace.Workspace) { w.State = state })
			return errors.Join(err, tx.Emit(event(id, state)))
		})
	}
	b.sequenced("all", "1 2 last 2")
	b.sequenced("paused", "1 last 1")
}

// messageNumbers of a subscription have neither gaps nor repetitions, except
// that what a pause withholds counts; they go on after a restart, whatever was
// delivered, and after an update that failed.
func messageNumbers(b *bench) {
	id := b.add("ada")
	b.subscribe(id, "s1", "s2")
	b.emit(id, workspace.Starting, workspace.Running)
	b.sequenced("s1", "1 2 last 2")
	b.undone(func(tx workspace.Tx) error { return tx.Emit(event(id, workspace.Paused)) })
	b.emit(id, workspace.Paused)
	b.done("s1", 2)
	b.sequenced("s1", "3 last 3")
	b.done("s1", 1)
	b.sequenced("s1", "last 3")
	b.put("s1", id, func(s *workspace.Subscription) { s.Paused = true })
	b.emit(id, workspace.Running)
	b.sequenced("s1", "last 4")
	b.put("s1", id, func(s *workspace.Subscription) { s.Last = 99 }) // the store counts
	b.emit(id, workspace.Paused)
	b.sequenced("s1", "5 last 5")
	b.sequenced("s2", "1 2 3 4 5 last 5")
	late := event(id, workspace.Running)
	late.At = subscription("s1", id).Expires.Add(time.Second)
	b.update(func(tx workspace.Tx) error { return tx.Emit(late) })
	b.sequenced("s1", "5 last 5")
}

// keptOfOwner counts each owner's own, before and after reopening.
func keptOfOwner(b *bench) {
	id := b.add("ada")
	b.subscribe(id, "s1", "s2")
	b.subscribe(0, "s3")
	b.point("p1", "ada")
	b.point("p2", "bob")
	b.put("s4", id, func(s *workspace.Subscription) { s.PullPoint = "p1" })
	counts := func(want ...workspace.Kept) {
		b.Helper()
		for range 2 {
			var got []workspace.Kept
			b.update(func(tx workspace.Tx) error {
				got = []workspace.Kept{tx.Kept("ada"), tx.Kept("bob"), tx.Kept("eve")}
				return nil
			})
			b.same("what is kept", got, want)
			b.reopen()
		}
	}
	counts(workspace.Kept{Subscriptions: 4, PullPoints: 1}, workspace.Kept{PullPoints: 1},
		workspace.Kept{})
	b.undone(func(tx workspace.Tx) error { return tx.RemovePullPoint("p1") })
	b.update(func(tx workspace.Tx) error {
		return errors.Join(tx.RemoveSubscription("s1"), tx.RemovePullPoint("p1"))
	})
	counts(workspace.Kept{Subscriptions: 2}, workspace.Kept{PullPoints: 1}, workspace.Kept{})
	b.update(func(tx workspace.Tx) error { return tx.RemoveWorkspace(id) })
	counts(workspace.Kept{Subscriptions: 1}, workspace.Kept{PullPoints: 1}, workspace.Kept{})
}

// sorted returns the IDs in order.
func sorted[T ~string](b *bench, ids []T, err error) []T {
	b.Helper()
	slices.Sort(value(b, ids, err))
	return ids
}
