package main

import (
	"context"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// A shutdownCmd is the command shutdown.
type shutdownCmd struct {
	targetsArg
	Serialize bool `help:"Write the memory to disk, so that start goes on where it was."`
}

// Run shuts each target down.
func (c *shutdownCmd) Run(ctx context.Context, a *app) error {
	x := action{name: "shutdown", verb: "Shutting down", goal: client.Propagated}
	x.do = a.shutdown(client.Normal, "")
	if c.Serialize {
		x.do = a.shutdown(client.Serialize, "")
	}
	return a.act(ctx, c.Targets, x)
}

// shutdown returns the operation of the shutdown family of that kind.
func (a *app) shutdown(kind client.Kind, saveTo string) func(context.Context, wsa.EPR) error {
	return func(ctx context.Context, epr wsa.EPR) error {
		return a.client.Shutdown(ctx, epr, kind, saveTo)
	}
}
