package main

import (
	"context"
	"errors"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
)

// A statusCmd is the command status.
type statusCmd struct{ targetsArg }

// Run shows each workspace in full.
func (c *statusCmd) Run(ctx context.Context, a *app) error {
	targets, err := a.workspaces(c.Targets)
	if err != nil {
		return err
	}
	return showEach[detailView](a, targets, func(t target) (v workspaceView, err error) {
		p, err := a.standing(ctx, t)
		if err != nil {
			return v, err
		}
		v = newView(t.epr, client.NewState(p.State), p.Schedule)
		v.NICs, v.Architecture = newNICs(p.NICs), p.Allocation.Architecture
		v.MemoryMB, v.CPUs = amounts(p.Allocation)
		v.Images = newDisks(p.Images)
		if p.Lease != nil {
			l := newStanding(p.Lease)
			v.Lease = &l
		}
		return v, nil
	})
}

// standing reads the properties of a workspace, from face two where there is one:
// there they tell of the lease too. As XML they are shown as the reference's own
// face has them.
func (a *app) standing(ctx context.Context, t target) (*report.ServiceProperties, error) {
	if a.form == "xml" {
		return a.client.Properties(ctx, t.epr)
	}
	p, err := a.client.Standing(ctx, t.epr)
	if errors.Is(err, client.ErrNoFace) {
		return a.client.Properties(ctx, t.epr)
	}
	return p, err
}
