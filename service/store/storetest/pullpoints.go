package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// point puts a pull point that ends an hour after noon.
func (b *bench) point(id workspace.PullPointID, owner workspace.Owner) {
	b.Helper()
	b.update(func(tx workspace.Tx) error {
		return tx.PutPullPoint(&workspace.PullPoint{ID: id, Owner: owner, Created: noon,
			Expires: noon.Add(time.Hour)})
	})
}

// pull puts subscriptions whose messages go to the pull point.
func (b *bench) pull(at workspace.PullPointID, of workspace.ID, ids ...workspace.SubscriptionID) {
	b.Helper()
	for _, id := range ids {
		b.put(id, of, func(s *workspace.Subscription) { s.PullPoint = at })
	}
}

// fetch asks the pull point and returns what it gave, as "subscription number".
func (b *bench) fetch(id workspace.PullPointID, ask workspace.Ask) string {
	b.Helper()
	handed, err := b.store.Take(b.Context(), id, ask)
	text := ""
	for _, m := range value(b, handed, err).Messages {
		text += fmt.Sprint(m.Subscription, m.Number, " ")
	}
	return text
}

// pullPoints: what is put is read, holds the messages of its subscriptions,
// and ends with both.
func pullPoints(b *bench) {
	var told [][]workspace.SubscriptionID
	b.setup.OnMessages = func(ids []workspace.SubscriptionID) { told = append(told, ids) }
	b.reopen()
	id := b.add("ada")
	b.point("p", "ada")
	b.pull("p", id, "s1", "s2")
	b.subscribe(id, "posted")
	for range 2 {
		p, err := b.store.PullPoint(b.Context(), "p")
		b.same("the pull point", value(b, p, err), &workspace.PullPoint{ID: "p", Owner: "ada",
			Created: noon, Expires: noon.Add(time.Hour)})
		b.reopen()
	}
	b.emit(id, workspace.Running)
	b.same("who was told of", told, [][]workspace.SubscriptionID{{"posted"}})
	waiting, err := b.store.Waiting(b.Context())
	b.same("who waits to be posted to", sorted(b, waiting, err),
		[]workspace.SubscriptionID{"posted"})
	b.update(func(tx workspace.Tx) error {
		return errors.Join(tx.Emit(event(id, workspace.Paused)), tx.RemovePullPoint("p"))
	})
	for range 2 {
		_, err = b.store.PullPoint(b.Context(), "p")
		b.kind(err, workspace.NotFound)
		_, err = b.store.Take(b.Context(), "p", workspace.Ask{})
		b.kind(err, workspace.NotFound)
		_, err = b.store.Subscription(b.Context(), "s1")
		b.kind(err, workspace.NotFound)
		b.reopen()
	}
	b.waits("posted", workspace.Running, workspace.Paused)
	b.update(func(tx workspace.Tx) error {
		b.kind(tx.RemovePullPoint("p"), workspace.NotFound)
		b.kind(tx.PutPullPoint(&workspace.PullPoint{}), workspace.Internal)
		s := subscription("lost", id)
		s.PullPoint = "p"
		b.kind(tx.PutSubscription(s), workspace.NotFound)
		s = subscription("posted", id)
		s.PullPoint = "q"
		b.kind(tx.PutSubscription(s), workspace.Internal)
		return nil
	})
}

// handsOut: what was given is given again until another request comes, and is
// not lost by a restart.
func handsOut(b *bench) {
	id := b.add("ada")
	b.point("p", "ada")
	b.pull("p", id, "a", "b")
	b.same("of an empty pull point", b.fetch("p", workspace.Ask{Request: "r0"}), "")
	b.emit(id, workspace.Starting, workspace.Running)
	three := workspace.Ask{Most: 3, Request: "r1"}
	b.same("the first answer", b.fetch("p", three), "a1 b1 a2 ")
	b.emit(id, workspace.Paused)
	b.same("the same again", b.fetch("p", three), "a1 b1 a2 ")
	b.same("with another limit", b.fetch("p", workspace.Ask{Most: 1, Request: "r1"}), "a1 b1 a2 ")
	b.same("the next", b.fetch("p", workspace.Ask{Request: "r2"}), "b2 a3 b3 ")
	b.reopen()
	b.same("after a restart", b.fetch("p", workspace.Ask{Most: 2, Request: "r3"}), "b2 a3 ")
	b.same("without an ID", b.fetch("p", workspace.Ask{Most: 5}), "b3 ")
	b.same("without an ID again", b.fetch("p", workspace.Ask{}), "")
	b.emit(id, workspace.Running)
	b.same("the newest", b.fetch("p", workspace.Ask{Request: "r1"}), "a4 b4 ")
	b.update(func(tx workspace.Tx) error { return tx.RemoveSubscription("a") })
	b.same("of a subscription that ended", b.fetch("p", workspace.Ask{Request: "r1"}), "b4 ")
	b.same("in the end", b.fetch("p", workspace.Ask{Request: "r4"}), "")
	b.sequenced("b", "last 4")
}

// wakes: who waits is woken by a message, and by the end of the pull point.
func wakes(b *bench) {
	id := b.add("ada")
	b.point("p", "ada")
	b.pull("p", id, "a")
	waits := func() <-chan struct{} {
		handed, err := b.store.Take(b.Context(), "p", workspace.Ask{})
		return value(b, handed, err).More
	}
	wakes := func(what string, f func()) {
		b.Helper()
		more := waits()
		select {
		case <-more:
			b.Errorf("woken before %s", what)
		default:
		}
		f()
		select {
		case <-more:
		default:
			b.Errorf("not woken by %s", what)
		}
	}
	wakes("a message", func() { b.emit(id, workspace.Running) })
	wakes("the next", func() { b.emit(id, workspace.Paused) })
	wakes("its end", func() {
		b.update(func(tx workspace.Tx) error { return tx.RemovePullPoint("p") })
	})
}

// overflows: a pull point that is full drops what is new and counts it; the
// numbers go on.
func overflows(b *bench) {
	b.setup.PullCapacity = 4
	b.reopen()
	id := b.add("ada")
	b.point("p", "ada")
	b.pull("p", id, "a", "b")
	dropped := func(want int64) {
		b.Helper()
		for range 2 {
			p, err := b.store.PullPoint(b.Context(), "p")
			b.same("what was dropped", value(b, p, err).Dropped, want)
			b.reopen()
		}
	}
	b.emit(id, workspace.Starting)
	dropped(0)
	b.emit(id, workspace.Running, workspace.Paused, workspace.Running)
	dropped(4)
	b.sequenced("a", "1 2 last 4")
	b.same("what was kept", b.fetch("p", workspace.Ask{Most: 3, Request: "1"}), "a1 b1 a2 ")
	b.emit(id, workspace.Paused) // what was handed out is still there
	dropped(6)
	b.same("the rest", b.fetch("p", workspace.Ask{Most: 3, Request: "2"}), "a1 b1 a2 ")
	b.same("the rest", b.fetch("p", workspace.Ask{Most: 3, Request: "3"}), "b2 ")
	b.emit(id, workspace.Running)
	b.same("what came then", b.fetch("p", workspace.Ask{Request: "4"}), "a6 b6 ")
	b.update(func(tx workspace.Tx) error {
		p, err := tx.PullPoint("p")
		if err != nil {
			return err
		}
		told := *p
		told.Dropped = 0
		return tx.PutPullPoint(&told)
	})
	dropped(0)
}

// pullRollback: a failed update leaves neither messages nor a count of them.
func pullRollback(b *bench) {
	b.setup.PullCapacity = 2
	b.reopen()
	id := b.add("ada")
	b.point("p", "ada")
	b.pull("p", id, "a")
	for range 5 {
		b.undone(func(tx workspace.Tx) error {
			return errors.Join(tx.Emit(event(id, workspace.Running)),
				tx.Emit(event(id, workspace.Paused)), tx.Emit(event(id, workspace.Running)))
		})
	}
	b.emit(id, workspace.Running, workspace.Paused)
	b.same("what there is room for", b.fetch("p", workspace.Ask{}), "a1 a2 ")
	p, err := b.store.PullPoint(b.Context(), "p")
	b.same("what was dropped", value(b, p, err).Dropped, int64(0))
}

// lapsedPullPoints are named; a subscription that expired is named once what
// waits at its pull point is fetched.
func lapsedPullPoints(b *bench) {
	id := b.add("ada")
	b.point("p1", "ada")
	b.point("p2", "ada")
	b.pull("p1", id, "a")
	b.emit(id, workspace.Running)
	for at, want := range map[time.Time][]workspace.PullPointID{
		noon.Add(time.Hour): nil, noon.Add(2 * time.Hour): {"p1", "p2"},
	} {
		ids, err := b.store.LapsedPullPoints(b.Context(), at)
		b.same("what has expired", value(b, ids, err), want)
	}
	over := noon.Add(2 * time.Hour)
	ids, err := b.store.Lapsed(b.Context(), over)
	b.same("who has expired", len(value(b, ids, err)), 0)
	b.fetch("p1", workspace.Ask{Request: "1"})
	b.fetch("p1", workspace.Ask{Request: "2"})
	ids, err = b.store.Lapsed(b.Context(), over)
	b.same("who has expired", value(b, ids, err), []workspace.SubscriptionID{"a"})
}
