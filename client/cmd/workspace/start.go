package main

import (
	"context"

	"github.com/philoxenia/philoxenia/client"
)

// A targetsArg is the argument that names workspaces and groups.
type targetsArg struct {
	Targets []string `arg:"" optional:"" name:"workspace" help:"EPR files, numbers of workspaces or identifiers of groups."`
}

// A startCmd is the command start.
type startCmd struct{ targetsArg }

// Run starts each target.
func (c *startCmd) Run(ctx context.Context, a *app) error {
	return a.act(ctx, c.Targets, action{
		name: "start", verb: "Starting", goal: client.Running, do: a.client.Start,
	})
}
