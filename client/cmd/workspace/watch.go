package main

import (
	"context"
	"time"
)

// A watchCmd is the command watch.
type watchCmd struct{ targetsArg }

// Run prints each change of the named workspaces until they are gone.
func (c *watchCmd) Run(ctx context.Context, a *app) error {
	targets, err := a.workspaces(c.Targets)
	if err != nil {
		return err
	}
	f, err := a.follow(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	limited, cancel := context.WithTimeout(ctx, a.watchLimit())
	defer cancel()
	err = a.stream(limited, f, targets)
	switch {
	case ctx.Err() != nil:
		return failf(exitInterrupted, "go on with: workspace watch "+namesOf(targets),
			"cannot watch on: interrupted")
	case limited.Err() != nil:
		return failf(exitTimeout, "go on with: workspace watch "+namesOf(targets),
			"cannot watch longer than %s: the workspaces exist", span(a.timeout()))
	}
	return err
}

// watchLimit returns how long to watch: for ever, unless --timeout was given.
func (a *app) watchLimit() time.Duration {
	if a.globals.Timeout == "" {
		return maxSpan
	}
	return a.timeout()
}
