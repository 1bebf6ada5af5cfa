package notify

import (
	"context"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// pauseTries is how often a consumer must have failed in this life of the
// service before its subscriptions are paused: the time that the service was
// down tells nothing about the consumer.
const pauseTries = 3

// failed notes that the consumer of the messages did not take them: since when,
// durably, and once that is too long a pause of its subscriptions, which only
// their owner ends. It returns the messages that are worth another try.
func (n *Notifier) failed(
	ctx context.Context, all []Delivery, tries int, why error,
) ([]Delivery, error) {
	since := time.Now().UTC().Truncate(time.Millisecond)
	err := n.amend(ctx, all, func(s *workspace.Subscription) bool {
		switch {
		case s.Failing.IsZero():
			s.Failing = since
		case n.exhausted(s, tries):
			s.Paused = true
			s.PausedWhy = "its consumer has taken no message since " +
				s.Failing.Format(time.RFC3339)
		default:
			return false
		}
		return true
	})
	if err != nil {
		return all, err
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(d Delivery) bool {
		return n.exhausted(d.Subscription, tries)
	})
	if len(rest) < len(all) {
		n.options.Logger.Warn("pause the subscriptions of a consumer that fails",
			"subscription", all[0].Subscription.ID, "failures", tries, "error", why)
	}
	if len(rest) == 0 {
		return nil, nil
	}
	left, err := n.dropOld(ctx, rest)
	if err != nil {
		return rest, err
	}
	return left, why
}

// exhausted reports whether the subscription's consumer has failed for too long.
func (n *Notifier) exhausted(s *workspace.Subscription, tries int) bool {
	return s.PausedWhy == "" && !s.Failing.IsZero() && tries >= pauseTries &&
		time.Since(s.Failing) >= n.options.PauseAfter
}

// answers notes that the consumer takes messages.
func (n *Notifier) answers(ctx context.Context, batch []Delivery) error {
	return n.amend(ctx, batch, func(s *workspace.Subscription) bool {
		failed := !s.Failing.IsZero()
		s.Failing = time.Time{}
		return failed
	})
}

// amend changes the subscriptions of the messages where do says so. It asks the
// store only when there is one to change.
func (n *Notifier) amend(
	ctx context.Context, all []Delivery, do func(*workspace.Subscription) bool,
) error {
	var ids []workspace.SubscriptionID
	for _, d := range all {
		if s := *d.Subscription; !slices.Contains(ids, s.ID) && do(&s) {
			ids = append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return n.source.Update(ctx, func(tx workspace.Tx) error {
		for _, id := range ids {
			s, err := tx.Subscription(id)
			if gone(err) {
				continue
			}
			if err != nil {
				return err
			}
			if do(s) {
				if err := tx.PutSubscription(s); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
