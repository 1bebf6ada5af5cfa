package main

import (
	"context"
	"fmt"

	"github.com/philoxenia/philoxenia/client"
)

// A destroyCmd is the command destroy.
type destroyCmd struct {
	targetsArg
	All bool `help:"Destroy every workspace that list shows. Asks first."`
}

// Run destroys each target. Naming one is consent enough; --all is not.
func (c *destroyCmd) Run(ctx context.Context, a *app) error {
	x := action{
		name: "destroy", verb: "Destroying", done: "destroyed", goal: client.Gone,
		do: a.client.Destroy,
	}
	if !c.All {
		return a.act(ctx, c.Targets, x)
	}
	if len(c.Targets) > 0 || a.globals.EPRFile != "" {
		return usagef("leave out one of them", "cannot destroy both all and some workspaces")
	}
	all, err := a.mine(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		a.tell("There is no workspace to destroy.")
		return a.print(outcomes{})
	}
	if err := a.confirm(ctx, fmt.Sprintf("destroy all %d workspaces", len(all))); err != nil {
		return err
	}
	return a.actOn(ctx, all, x)
}
