// Package line is what both ends of a console's WebSocket (RFC 6455) agree on.
//
// It must not know WebSockets' library, nor what the bytes mean.
package line

import (
	"context"
	"time"
)

// Protocol is the subprotocol, that of VNC clients in browsers too.
const Protocol = "binary"

// every is how often the other side is asked, and how long it may take to answer: short
// enough for what stands between not to forget a connection on which nothing is said.
const every = 20 * time.Second

// A Socket is a connection whose other side answers pings.
type Socket interface {
	// Ping returns when the other side has answered, or an error at ctx's end.
	Ping(ctx context.Context) error
}

// Watch asks the other side now and then whether it is still there, and returns when it
// does not answer: a machine that lost its power says no goodbye. It also returns at
// the end of ctx. Somebody must be reading from the socket meanwhile.
func Watch(ctx context.Context, s Socket) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		alive, cancel := context.WithTimeout(ctx, every)
		err := s.Ping(alive)
		cancel()
		if err != nil {
			return
		}
	}
}
