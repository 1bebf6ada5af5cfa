package main

import (
	"context"
	"time"
)

// A watchCmd is the command watch.
type watchCmd struct {
	targetsArg
	All bool `help:"Watch all my workspaces, new ones too."`
}

// targets returns what is to be watched, none for all.
func (c *watchCmd) targets(a *app) ([]target, error) {
	if !c.All {
		return a.workspaces(c.Targets)
	}
	if len(c.Targets) > 0 || a.globals.EPRFile != "" {
		return nil, usagef("leave out --all, or the others",
			"cannot watch both all and some workspaces")
	}
	return nil, nil
}

// Run prints each change of the named workspaces until they are gone, or of all
// until it is told to end.
func (c *watchCmd) Run(ctx context.Context, a *app) error {
	targets, err := c.targets(a)
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
	again := "go on with: workspace watch " + namesOf(targets)
	if c.All {
		again += "--all"
		err = a.streamMine(limited, f)
	} else {
		err = a.stream(limited, f, targets)
	}
	switch {
	case ctx.Err() != nil:
		return failf(exitInterrupted, again, "cannot watch on: interrupted")
	case limited.Err() != nil:
		return failf(exitTimeout, again, "cannot watch longer than %s: the workspaces exist",
			span(a.timeout()))
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
