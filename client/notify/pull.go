package notify

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// PullService is what a PullPoint asks of the service; *client.Client is one.
type PullService interface {
	CreatePullPoint(ctx context.Context, until time.Time) (wsa.EPR, error)
	Messages(ctx context.Context, pullPoint wsa.EPR, ask client.Ask) ([]client.Notification, error)
	SetTerminationTime(ctx context.Context, epr wsa.EPR, at time.Time) (time.Time, error)
	Destroy(ctx context.Context, epr wsa.EPR) error
}

// How a PullPoint asks.
const (
	pullLife  = 10 * time.Minute // that a pull point is kept after we are gone
	pullRenew = pullLife / 2     // before it is prolonged
	pullWait  = 30 * time.Second // that the service holds a question open
	pullMost  = 64               // messages at a time
	pullRest  = 2 * time.Second  // longest pause after a failure
)

// PullPoint receives notifications by asking for them: the service keeps them
// in a pull point (WS-BaseNotification 1.3, 5) and holds each question open until there is
// one, so that they come as quickly as to a listener. Nothing needs to reach this process:
// it works behind NAT and firewalls. It is a Receiver.
type PullPoint struct {
	service PullService
	trouble func(error)
	events  chan Event
	numbers translator // of Run alone
	asking  string     // the MessageID of the question that has no answer yet; of Run alone

	mu  sync.Mutex
	epr wsa.EPR
	end time.Time // when the service gives the pull point up
}

// OpenPullPoint creates a pull point at the service; Run takes the messages
// out, and destroys the pull point in the end. One that is never run must be
// closed by Close. trouble is told when the service stops answering, once each
// time; it may be nil. The error is client.ErrNoFace where the service has no
// pull points.
func OpenPullPoint(
	ctx context.Context, service PullService, trouble func(error),
) (*PullPoint, error) {
	p := &PullPoint{
		service: service, trouble: trouble, events: make(chan Event, 2*pullMost),
		numbers: translator{},
	}
	return p, p.open(ctx)
}

// open creates the pull point.
func (p *PullPoint) open(ctx context.Context) error {
	end := time.Now().Add(pullLife)
	epr, err := p.service.CreatePullPoint(ctx, end)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.epr, p.end = epr, end
	return nil
}

// Reference returns the reference to subscribe with. It differs from the one
// before only after an event of the source Reopened.
func (p *PullPoint) Reference() wsa.EPR {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.epr
}

// Events returns the events, in the order in which the service put them in.
// The channel is never closed.
func (p *PullPoint) Events() <-chan Event { return p.events }

// Close destroys the pull point, and what it holds with it.
func (p *PullPoint) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := p.service.Destroy(ctx, p.Reference())
	if client.IsUnknown(err) {
		return nil
	}
	return err
}

// Run takes messages until ctx ends, and then returns nil. While the service
// cannot be reached it goes on trying. A pull point that is lost, because the
// service was away for longer than it keeps one, is replaced.
func (p *PullPoint) Run(ctx context.Context) error {
	defer func() { _ = p.Close() }() // what is left behind ends by itself
	for failures := 0; ctx.Err() == nil; {
		err := p.pull(ctx)
		switch {
		case err == nil:
			failures = 0
		case ctx.Err() != nil:
			return nil
		default:
			if failures == 0 && p.trouble != nil {
				p.trouble(err)
			}
			failures++
			pause(ctx, min(100*time.Millisecond<<min(failures, 10), pullRest))
		}
	}
	return nil
}

// pause waits, less long when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// pull asks once and hands out what came.
func (p *PullPoint) pull(ctx context.Context) error {
	epr := p.Reference()
	if p.asking == "" {
		p.asking = "urn:uuid:" + uuid.NewString()
	}
	all, err := p.service.Messages(ctx, epr, client.Ask{
		Most: pullMost, Wait: pullWait, MessageID: p.asking,
	})
	if err == nil || client.IsFault(err) { // else the same question gets the same messages
		p.asking = ""
	}
	switch {
	case errors.Is(err, client.ErrOverflow):
		return p.hand(ctx, Event{At: time.Now().UTC(), Source: Missed})
	case client.IsUnknown(err):
		return p.reopen(ctx)
	case err != nil:
		return err
	}
	events, err := p.numbers.translate(client.Key(epr), all)
	if err != nil { // they are out of the pull point and come no more
		events = []Event{{At: time.Now().UTC(), Source: Missed}}
	}
	if err := p.hand(ctx, events...); err != nil {
		return err
	}
	return p.prolong(ctx, epr)
}

// hand puts events out, and waits for whoever takes them.
func (p *PullPoint) hand(ctx context.Context, events ...Event) error {
	for _, e := range events {
		select {
		case p.events <- e:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// reopen replaces a pull point that exists no longer.
func (p *PullPoint) reopen(ctx context.Context) error {
	if err := p.open(ctx); err != nil {
		return err
	}
	p.numbers = translator{}
	return p.hand(ctx, Event{At: time.Now().UTC(), Source: Reopened})
}

// prolong moves the end of the pull point when it comes near. One that is gone
// the next question will find.
func (p *PullPoint) prolong(ctx context.Context, epr wsa.EPR) error {
	p.mu.Lock()
	left := time.Until(p.end)
	p.mu.Unlock()
	if left > pullRenew {
		return nil
	}
	end, err := p.service.SetTerminationTime(ctx, epr, time.Now().Add(pullLife))
	if client.IsUnknown(err) {
		return nil
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end = end
	return nil
}
