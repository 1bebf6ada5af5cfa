package main

import (
	"context"

	"github.com/philoxenia/philoxenia/client"
)

// A saveCmd is the command save.
type saveCmd struct {
	targetsArg
	To string `placeholder:"URL" help:"Where the root image goes; by default to where it came from."`
}

// Run shuts each target down and has its image returned.
func (c *saveCmd) Run(ctx context.Context, a *app) error {
	if c.To != "" {
		if err := checkURI("--to", c.To); err != nil {
			return usagef("", "cannot save: %w", err)
		}
	}
	return a.act(ctx, c.Targets, action{
		name: "save", verb: "Saving", goal: client.TransportReady,
		do: a.shutdown(client.ReadyForTransport, c.To),
	})
}
