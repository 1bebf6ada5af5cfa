package main

import (
	"context"

	"github.com/philoxenia/philoxenia/client"
)

// A pauseCmd is the command pause.
type pauseCmd struct{ targetsArg }

// Run pauses each target.
func (c *pauseCmd) Run(ctx context.Context, a *app) error {
	return a.act(ctx, c.Targets, action{
		name: "pause", verb: "Pausing", goal: client.Paused,
		do: a.shutdown(client.Pause, ""),
	})
}
