// Package run starts the parts of a daemon in order and stops them in the
// opposite order, whatever the reason.
//
// It must not know what the parts do.
package run

import (
	"context"
	"errors"
	"fmt"
)

// Part is something that works until its context ends.
type Part struct {
	Name string
	// Run returns soon after ctx ends. Returning earlier, with or without an
	// error, stops the whole.
	Run func(ctx context.Context) error
}

// errEarly is the cause when a part returns nil before it was asked to stop.
var errEarly = errors.New("it stopped by itself")

// All starts the parts in order and waits until ctx ends or one of them
// returns. Then it stops them, the last one first, each only after those that
// were started behind it have returned. The error names the parts that failed.
func All(ctx context.Context, parts ...Part) error {
	type running struct {
		stop context.CancelFunc
		done chan error
	}
	ended := make(chan struct{}, len(parts))
	started := make([]running, len(parts))
	for i, p := range parts {
		// Not ctx's child: parts behind this one still lean on it when ctx ends.
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		started[i] = running{stop: stop, done: make(chan error, 1)}
		go func() {
			err := p.Run(own)
			if err == nil && own.Err() == nil {
				err = errEarly
			}
			started[i].done <- err
			ended <- struct{}{}
		}()
	}
	select {
	case <-ctx.Done():
	case <-ended:
	}
	var failures []error
	for i := len(parts) - 1; i >= 0; i-- {
		started[i].stop()
		if err := <-started[i].done; err != nil && !errors.Is(err, context.Canceled) {
			failures = append(failures, fmt.Errorf("%s: %w", parts[i].Name, err))
		}
	}
	return errors.Join(failures...)
}
