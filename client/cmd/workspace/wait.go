package main

import (
	"context"
)

// A waitCmd is the command wait.
type waitCmd struct {
	State   string   `arg:"" help:"State to wait for, such as Running, or Gone."`
	Targets []string `arg:"" optional:"" name:"workspace" help:"EPR files, numbers of workspaces or identifiers of groups."`
}

// Run waits until each workspace is in the state.
func (c *waitCmd) Run(ctx context.Context, a *app) error {
	state, err := parseState(c.State)
	if err != nil {
		return usagef("", "cannot wait: %w", err)
	}
	targets, err := a.workspaces(c.Targets)
	if err != nil {
		return err
	}
	f, err := a.follow(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	if err := f.watcher.Add(ctx, "", eprs(targets)...); err != nil {
		return err
	}
	states, err := f.reach(ctx, eprs(targets), goal{state: state, limit: a.timeout()})
	results := make(outcomes, 0, len(targets))
	for _, t := range targets {
		o := newOutcome(t, "wait")
		o.State = states[o.Key]
		results = append(results, o)
	}
	return a.finish(results, err)
}
