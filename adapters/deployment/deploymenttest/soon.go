package deploymenttest

import (
	"context"
	"time"
)

// Soon returns a context that says it ends after soon, and ends by more later: a call that
// asks a guest for its help leaves itself time for force by what its context says, and
// how long that then takes is the computer's affair.
func Soon(ctx context.Context, soon, more time.Duration) (context.Context, context.CancelFunc) {
	announced := time.Now().Add(soon)
	ctx, cancel := context.WithTimeout(ctx, soon+more)
	return hurried{ctx, announced}, cancel
}

// hurried is a context that announces its end too early.
type hurried struct {
	context.Context
	announced time.Time
}

// Deadline is the time that was announced.
func (h hurried) Deadline() (time.Time, bool) { return h.announced, true }
