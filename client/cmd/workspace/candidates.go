package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A candidatesCmd is the hidden command candidates, by which shells complete what the
// service knows beside workspaces and hosts.
type candidatesCmd struct {
	Kind string `arg:"" enum:"images,networks,snapshots" help:"What is to be named."`
	Of   string `arg:"" optional:"" help:"The workspace whose snapshots are meant."`
}

// candidatesTime is how long a service may take to answer a shell: somebody sits before
// it and can type nothing meanwhile.
const candidatesTime = 3 * time.Second

// Run prints a name a line.
func (c *candidatesCmd) Run(ctx context.Context, a *app) error {
	ctx, cancel := context.WithTimeout(ctx, candidatesTime)
	defer cancel()
	names, err := c.names(ctx, a)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := fmt.Fprintln(a.out, name); err != nil {
			return err
		}
	}
	return nil
}

// names asks the service.
func (c *candidatesCmd) names(ctx context.Context, a *app) ([]string, error) {
	switch c.Kind {
	case "networks":
		all, err := a.networks(ctx)
		return networksView(all).names(), err
	case "images":
		r, err := a.client.FindImages(ctx, "")
		if err != nil {
			return nil, err
		}
		return newImages(r.Entries).candidates(), nil
	}
	targets, err := a.workspaces([]string{c.Of})
	if err != nil {
		return nil, err
	}
	all, err := a.client.Snapshots(ctx, targets[0].epr)
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = one.Name
	}
	return names, err
}

// candidates returns what entries may be called: by version, by tag and, for the
// newest, by name alone.
func (l imagesView) candidates() []string {
	var names []string
	for _, v := range l {
		names = append(names, v.Name, v.key())
		for _, tag := range v.Tags {
			names = append(names, v.Name+":"+tag)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
