package main

import (
	"context"

	"github.com/philoxenia/philoxenia/client"
)

// A statusCmd is the command status.
type statusCmd struct{ targetsArg }

// Run shows each workspace in full.
func (c *statusCmd) Run(ctx context.Context, a *app) error {
	targets, err := a.workspaces(c.Targets)
	if err != nil {
		return err
	}
	view := detailView{}
	failure := each(a, targets, func(t target) error {
		p, err := a.client.Properties(ctx, t.epr)
		if err != nil {
			return err
		}
		a.keep()
		v := newView(t.epr, client.NewState(p.State), p.Schedule)
		v.NICs, v.Architecture = newNICs(p.NICs), p.Allocation.Architecture
		v.MemoryMB, v.CPUs = amounts(p.Allocation)
		view = append(view, v)
		return nil
	})
	if len(view) == 0 && failure != nil {
		return failure
	}
	if err := a.print(view); err != nil {
		return err
	}
	return failure
}
