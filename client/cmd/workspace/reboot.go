package main

import (
	"context"

	"github.com/philoxenia/philoxenia/client"
)

// A rebootCmd is the command reboot.
type rebootCmd struct{ targetsArg }

// Run reboots each target.
func (c *rebootCmd) Run(ctx context.Context, a *app) error {
	return a.act(ctx, c.Targets, action{
		name: "reboot", verb: "Rebooting", goal: client.Running, again: true,
		do: a.shutdown(client.Reboot, ""),
	})
}
