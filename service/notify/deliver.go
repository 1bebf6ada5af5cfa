package notify

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// batchMost is how many messages go in one envelope.
const batchMost = 64

// work sends one envelope of what waits for the subscriptions, all of one
// consumer: the oldest messages over all of them that can go together. It
// returns the subscriptions that have, or may have, more; the error is that of
// a consumer that did not take it, for the tries-th time in a row.
func (n *Notifier) work(
	ctx context.Context, ids []workspace.SubscriptionID, tries int,
) ([]workspace.SubscriptionID, error) {
	var all []Delivery
	for _, id := range ids {
		waiting, err := n.waiting(ctx, id)
		if err != nil {
			return ids, err
		}
		all = append(all, waiting...)
	}
	if len(all) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(all, func(a, b Delivery) int {
		return cmp.Compare(a.Message.Seq, b.Message.Seq)
	})
	batch := together(all)
	err := n.send(ctx, batch)
	if err != nil {
		if ctx.Err() == nil {
			all, err = n.failed(ctx, all, tries, err)
		}
		return subscriptions(all), err
	}
	if err := n.answers(ctx, batch); err != nil {
		return ids, err
	}
	return subscriptions(all), n.delivered(ctx, batch)
}

// waiting returns what waits for the subscription and may be sent: nothing
// after its end, nothing while the service has paused it.
func (n *Notifier) waiting(ctx context.Context, id workspace.SubscriptionID) ([]Delivery, error) {
	s, err := n.source.Subscription(ctx, id)
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	messages, err := n.source.Pending(ctx, id, batchMost)
	if err != nil || len(messages) == 0 {
		return nil, err
	}
	all := make([]Delivery, len(messages))
	for i, m := range messages {
		all[i] = Delivery{s, m}
	}
	if s.Over(time.Now()) {
		return nil, n.delivered(ctx, all)
	}
	if s.PausedWhy != "" {
		_, err := n.dropOld(ctx, all)
		return nil, err
	}
	return all, nil
}

// together returns the first messages that can go in one envelope: as many as
// are written the same way, or one alone that goes without Notify around it.
func together(all []Delivery) []Delivery {
	first, n := all[0].Subscription, 1
	for first.UseNotify && n < min(len(all), batchMost) {
		s := all[n].Subscription
		if s.Format != first.Format || !s.UseNotify {
			break
		}
		n++
	}
	return all[:n]
}

// subscriptions returns those that the messages are for, each once.
func subscriptions(all []Delivery) []workspace.SubscriptionID {
	ids := make([]workspace.SubscriptionID, len(all))
	for i, d := range all {
		ids[i] = d.Message.Subscription
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// delivered takes the messages, which are the oldest of their subscriptions,
// out of the outbox.
func (n *Notifier) delivered(ctx context.Context, batch []Delivery) error {
	last := make(map[workspace.SubscriptionID]int64, 1)
	for _, d := range batch {
		last[d.Message.Subscription] = d.Message.Seq
	}
	for id, seq := range last {
		if err := n.source.Delivered(ctx, id, seq); err != nil {
			return err
		}
	}
	return nil
}

// dropOld drops the messages that are too old to be worth another try, and
// returns the others.
func (n *Notifier) dropOld(ctx context.Context, all []Delivery) ([]Delivery, error) {
	old := func(d Delivery) bool { return time.Since(d.Message.At) >= n.options.GiveUp }
	i := 0
	for ; i < len(all) && old(all[i]); i++ {
		n.options.Logger.Error("drop a message that cannot be delivered",
			"subscription", all[i].Message.Subscription, "workspace", all[i].Message.Workspace)
	}
	return all[i:], n.delivered(ctx, all[:i])
}

// send posts the messages and waits for the consumer's 200 or 202, whose body,
// empty by right, is thrown away.
func (n *Notifier) send(ctx context.Context, batch []Delivery) error {
	s := batch[0].Subscription
	format := n.options.Formats[s.Format]
	if format == nil {
		return fmt.Errorf("no format %q is known", s.Format)
	}
	envelope, err := format.Encode(batch)
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {envelope.ContentType}}
	if envelope.Action != "" {
		header["Soapaction"] = []string{`"` + envelope.Action + `"`}
	}
	code, status, err := post(ctx, n.client, letter{s.Address, header, envelope.Body})
	if err != nil {
		return err
	}
	if code != http.StatusOK && code != http.StatusAccepted {
		return fmt.Errorf("consumer %s answered %s", xmlstrict.Clip(s.Address), status)
	}
	return nil
}
