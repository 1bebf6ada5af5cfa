package manager_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestTransfersAreTold has one subscriber that asked to hear of transfers, and one that
// asked for all else, for whom nothing is kept.
func TestTransfersAreTold(t *testing.T) {
	scene(t, func(r *rig) {
		w := r.create(request(1))
		synctest.Wait()
		r.check(r.store.Update(r.t.Context(), func(tx workspace.Tx) error {
			for id, topic := range map[string]workspace.Topic{
				"asked": workspace.TopicTransfer, "other": workspace.TopicState,
			} {
				p := &workspace.PullPoint{ID: workspace.PullPointID(id), Owner: ada}
				if err := tx.PutPullPoint(p); err != nil {
					return err
				}
				if err := tx.PutSubscription(&workspace.Subscription{
					ID: workspace.SubscriptionID(id), Workspace: w.ID, Owner: ada,
					PullPoint: p.ID, Topics: []workspace.Topic{topic}}); err != nil {
					return err
				}
			}
			return nil
		}))
		h := manager.NewHerald(r.store, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(r.t.Context())
		defer stop()
		go func() { r.check(h.Run(ctx)) }()
		for done := int64(0); done <= 100; done += 50 {
			h.Progressed(w.ID, change.Progress{Task: "propagate", Done: done, Total: 100})
		}
		synctest.Wait()
		var got []int64
		for _, e := range r.told("asked", workspace.TopicTransfer) {
			got = append(got, e.Transfer.Done)
		}
		if diff := cmp.Diff([]int64{0, 50, 100}, got); diff != "" {
			r.t.Errorf("bytes that were told (-want +got):\n%s", diff)
		}
		if all := r.told("other", workspace.TopicTransfer); len(all) != 0 {
			r.t.Errorf("who did not ask has %+v", all)
		}
	})
}
