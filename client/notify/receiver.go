package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// A Receiver is a way on which notifications come to this process: a Consumer
// listens for them, a PullPoint fetches them.
type Receiver interface {
	// Reference returns what to subscribe with.
	Reference() wsa.EPR
	// Events returns what came, each once and in order. It never closes.
	Events() <-chan Event
	// Run receives until ctx ends, and then returns nil.
	Run(ctx context.Context) error
	// Close gives up what was opened, without having run.
	Close() error
}

// Via names a way for notifications.
type Via string

// The ways. Auto takes a pull point where the service has them, for nothing
// needs to reach this process then, and they are as quick; else a listener;
// else none, and a Watcher without a Receiver asks again and again.
const (
	Auto     Via = "auto"
	Listener Via = "listener"
	Pull     Via = "pull"
	Poll     Via = "poll"
)

// Ways lists the names of the ways.
var Ways = []Via{Auto, Pull, Listener, Poll}

// OpenOptions adjust Open.
type OpenOptions struct {
	Via      Via             // Auto when empty
	Consumer ConsumerOptions // of the listener
	NoListen bool            // Auto tries no listener
	// Trouble is told when a way that was taken stops working; may be nil.
	Trouble func(error)
}

// Open opens the way that the options name, nil for Poll. It fails when the
// way that was asked for by its name cannot be had. With Auto it fails only
// when it cannot listen either.
func Open(ctx context.Context, service PullService, o OpenOptions) (Receiver, error) {
	switch o.Via {
	case Poll:
		return nil, nil
	case Listener:
		return listen(o.Consumer)
	case Pull:
		return openPull(ctx, service, o.Trouble)
	case Auto, "":
	default:
		return nil, fmt.Errorf("cannot receive notifications by %q: there is no such way", o.Via)
	}
	r, err := openPull(ctx, service, o.Trouble)
	switch {
	case err == nil:
		return r, nil
	case ctx.Err() != nil:
		return nil, err
	case o.NoListen:
		return nil, nil
	}
	return listen(o.Consumer)
}

// listen is Listen for who wants a Receiver: nil with an error.
func listen(o ConsumerOptions) (Receiver, error) {
	c, err := Listen(o)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// openPull is OpenPullPoint for who wants a Receiver.
func openPull(ctx context.Context, service PullService, trouble func(error)) (Receiver, error) {
	p, err := OpenPullPoint(ctx, service, trouble)
	if errors.Is(err, client.ErrNoFace) {
		return nil, fmt.Errorf("cannot fetch notifications: %w", client.ErrNoFace)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}
