package notify

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A consumer is one place that messages go to, key included: two listeners
// behind one URL do not hold each other up.
type consumer struct {
	epr      string
	place    string                            // the host and port it is at
	owner    workspace.Owner                   // of its first subscription
	waiting  map[workspace.SubscriptionID]bool // told, not yet found empty
	busy     bool                              // being served, or in a queue
	failed   bool                              // by the record, before this life of the service
	failures int                               // in a row
	timer    *time.Timer                       // while waiting to try again
}

// A desk is a Notifier at work. Its fields belong to the goroutine of serve;
// of a consumer, those that serving it needs pass to its worker and come back
// through done.
type desk struct {
	*Notifier
	consumers map[string]*consumer
	healthy   *queue
	doubted   *queue
	done      chan outcome
}

// An outcome is what a worker brings back.
type outcome struct {
	consumer *consumer
	queue    *queue
	left     []workspace.SubscriptionID // with messages still to be delivered
	err      error                      // of the delivery that failed
}

func (d *desk) serve(ctx context.Context) {
	again := time.NewTicker(d.options.Look)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			d.close()
			return
		case <-d.bell:
			d.look(ctx)
		case c := <-d.done:
			d.finish(c)
		case <-again.C:
			d.lookAgain(ctx)
		}
		d.dispatch(ctx)
	}
}

// look sorts what was told into the consumers it is for.
func (d *desk) look(ctx context.Context) {
	d.mu.Lock()
	told, due := d.told, d.due
	d.told, d.due = nil, nil
	d.mu.Unlock()
	for _, c := range due {
		c.timer = nil
		d.enqueue(c)
	}
	for _, id := range told {
		if c := d.consumerOf(ctx, id); c != nil {
			c.waiting[id] = true
			d.enqueue(c)
		}
	}
}

// lookAgain has everything looked at that waits: also messages that wait for
// the end of a pause grow old.
func (d *desk) lookAgain(ctx context.Context) {
	waiting, err := d.source.Waiting(ctx)
	if err == nil {
		d.Tell(waiting)
	}
}

// consumerOf returns the consumer of the subscription, nil when it is gone.
func (d *desk) consumerOf(ctx context.Context, id workspace.SubscriptionID) *consumer {
	s, err := d.source.Subscription(ctx, id)
	if err != nil {
		if !gone(err) && ctx.Err() == nil {
			d.options.Logger.Error("cannot read a subscription", "subscription", id, "error", err)
			time.AfterFunc(d.options.Most, func() { d.Tell([]workspace.SubscriptionID{id}) })
		}
		return nil
	}
	c := d.consumers[string(s.Consumer)]
	if c == nil {
		c = &consumer{
			epr: string(s.Consumer), place: placeOf(s.Address), owner: s.Owner,
			failed:  !s.Failing.IsZero(),
			waiting: make(map[workspace.SubscriptionID]bool),
		}
		d.consumers[c.epr] = c
	}
	return c
}

// enqueue puts the consumer in line, unless it is there, being served, or
// waiting for its next try.
func (d *desk) enqueue(c *consumer) {
	if c.busy || c.timer != nil || len(c.waiting) == 0 {
		return
	}
	c.busy = true
	d.queueOf(c).add(c)
}

func (d *desk) queueOf(c *consumer) *queue {
	if c.failed || c.failures > 0 {
		return d.doubted
	}
	return d.healthy
}

// dispatch gives free slots to those in line.
func (d *desk) dispatch(ctx context.Context) {
	d.fill(ctx, d.healthy)
	d.fill(ctx, d.doubted)
}

func (d *desk) fill(ctx context.Context, q *queue) {
	for c := q.next(); c != nil; c = q.next() {
		ids := slices.Sorted(maps.Keys(c.waiting))
		clear(c.waiting)
		tries := c.failures + 1
		go func() {
			left, err := d.work(ctx, ids, tries)
			d.done <- outcome{c, q, left, err}
		}()
	}
}

// finish takes a consumer back from its worker: what is left is tried again,
// at the end of the line when all went well, after a wait when it did not.
func (d *desk) finish(o outcome) {
	c := o.consumer
	o.queue.free(c)
	c.busy = false
	for _, id := range o.left {
		c.waiting[id] = true
	}
	if o.err == nil {
		if len(o.left) > 0 && (c.failed || c.failures > 0) { // after a pause nothing is left
			d.options.Logger.Info("consumer takes messages again", "subscription", o.left[0])
		}
		c.failed, c.failures = false, 0
		d.settle(c)
		return
	}
	c.failures++
	wait := d.options.backoff(c.failures)
	if c.failures == 1 { // once, or a dead consumer fills the log
		d.options.Logger.Warn("cannot deliver to a consumer, trying again",
			"failures", c.failures, "retry_in", wait, "error", o.err)
	}
	c.timer = time.AfterFunc(wait, func() {
		d.mu.Lock()
		d.due = append(d.due, c)
		d.mu.Unlock()
		d.ring()
	})
}

// settle queues the consumer again when it has more, and forgets it otherwise.
func (d *desk) settle(c *consumer) {
	if len(c.waiting) == 0 {
		delete(d.consumers, c.epr)
		return
	}
	d.enqueue(c)
}

// close waits for the workers, whose requests end with the context.
func (d *desk) close() {
	for d.healthy.used+d.doubted.used > 0 {
		o := <-d.done
		o.queue.free(o.consumer)
	}
	for _, c := range d.consumers {
		if c.timer != nil {
			c.timer.Stop()
		}
	}
}
