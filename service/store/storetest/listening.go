package storetest

import (
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// listening: who is told of events is summed up, and whose consumers fail is
// named once for each, the longest first, before and after a restart.
func listening(b *bench) {
	id := b.add("ada")
	none, err := b.store.Listening(b.Context())
	b.same("of nobody", value(b, none, err), workspace.Listening{})
	b.point("p", "ada")
	b.point("q", "ada")
	b.pull("p", id, "a", "b")
	b.update(func(tx workspace.Tx) error {
		for name, change := range map[string]func(*workspace.Subscription){
			"well": func(*workspace.Subscription) {},
			"mute": func(s *workspace.Subscription) { s.Paused = true },
			"old": func(s *workspace.Subscription) {
				s.Address, s.Failing = "http://old.example/", noon.Add(-time.Hour)
				s.Paused, s.PausedWhy = true, "it takes nothing"
			},
			"new1": func(s *workspace.Subscription) {
				s.Address, s.Failing = "http://new.example/", noon.Add(time.Second)
			},
			"new2": func(s *workspace.Subscription) {
				s.Address, s.Failing = "http://new.example/", noon
			},
		} {
			s := subscription(workspace.SubscriptionID(name), id)
			s.Paused, s.PausedWhy, s.Failing = false, "", time.Time{}
			change(s)
			if err := tx.PutSubscription(s); err != nil {
				return err
			}
		}
		return nil
	})
	b.emit(id, workspace.Running, workspace.Paused)
	for range 2 {
		got, err := b.store.Listening(b.Context())
		b.same("who listens", value(b, got, err), workspace.Listening{Subscriptions: 7, Paused: 1,
			PullPoints: 2, Unfetched: 4, Failing: []workspace.FailingTarget{
				{Address: "http://old.example/", Since: noon.Add(-time.Hour), Subscriptions: 1,
					Stopped: true},
				{Address: "http://new.example/", Since: noon, Subscriptions: 2},
			}})
		b.reopen()
	}
}
