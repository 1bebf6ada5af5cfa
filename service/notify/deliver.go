package notify

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// batch is how many messages of one subscription are taken at a time.
const batch = 32

// work delivers what waits for the subscriptions, all of one consumer, oldest
// first over all of them. It returns the subscriptions that have, or may have,
// more; the error is that of the delivery that failed.
func (n *Notifier) work(
	ctx context.Context, ids []workspace.SubscriptionID,
) ([]workspace.SubscriptionID, error) {
	var all []workspace.Message
	var more []workspace.SubscriptionID
	for _, id := range ids {
		messages, err := n.source.Pending(ctx, id, batch)
		if err != nil {
			return ids, err
		}
		all = append(all, messages...)
		if len(messages) == batch {
			more = append(more, id)
		}
	}
	slices.SortStableFunc(all, func(a, b workspace.Message) int {
		return cmp.Compare(a.Seq, b.Seq)
	})
	for i, m := range all {
		if err := n.deliver(ctx, m); err != nil {
			return union(more, all[i:]), err
		}
	}
	return more, nil
}

// union returns ids with the subscriptions of the messages, each once.
func union(ids []workspace.SubscriptionID, rest []workspace.Message) []workspace.SubscriptionID {
	for _, m := range rest {
		ids = append(ids, m.Subscription)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// deliver sends one message and takes it out of the outbox. What happened after
// the subscription's end is not sent. A message that is too old to be worth
// another try counts as delivered, and the log says so.
func (n *Notifier) deliver(ctx context.Context, m workspace.Message) error {
	s, err := n.source.Subscription(ctx, m.Subscription)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !s.Expires.IsZero() && m.At.After(s.Expires) {
		return n.source.Delivered(ctx, m.Subscription, m.Seq)
	}
	err = n.send(ctx, s, m)
	if err != nil && (ctx.Err() != nil || time.Since(m.At) < n.options.GiveUp) {
		return err
	}
	if err != nil {
		n.options.Logger.Error("drop a message that cannot be delivered",
			"subscription", m.Subscription, "workspace", m.Workspace, "error", err)
	}
	return n.source.Delivered(ctx, m.Subscription, m.Seq)
}

// send posts the message and waits for the consumer's 200 or 202, whose body,
// empty by right, is thrown away.
func (n *Notifier) send(ctx context.Context, s *workspace.Subscription, m workspace.Message) error {
	format := n.options.Formats[s.Format]
	if format == nil {
		return fmt.Errorf("no format %q is known", s.Format)
	}
	envelope, err := format.Encode([]Delivery{{s, m}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, n.options.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(
		ctx, http.MethodPost, s.Address, bytes.NewReader(envelope.Body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", envelope.ContentType)
	if envelope.Action != "" {
		request.Header.Set("SOAPAction", `"`+envelope.Action+`"`)
	}
	response, err := n.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("consumer %s answered %s",
			xmlstrict.Clip(s.Address), xmlstrict.Clip(response.Status))
	}
	return nil
}
