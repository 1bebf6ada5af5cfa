package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/philoxenia/philoxenia/client"
)

// A migrateCmd is the command migrate.
type migrateCmd struct {
	targetsArg
	To   string `placeholder:"HOST" help:"The host to go to; otherwise the scheduler chooses one."`
	Live bool   `xor:"how" help:"The guest runs meanwhile; so it is unless --cold is given."`
	Cold bool   `xor:"how" help:"The guest stands still meanwhile."`
}

// A moveView is where a workspace goes, as it is shown.
type moveView struct {
	Key  string `json:"key"`
	Host string `json:"host"`
}

// movesView are several of them.
type movesView []moveView

// names returns the keys.
func (l movesView) names() []string {
	return keys(l, func(v moveView) string { return v.Key })
}

// write prints a line for each.
func (l movesView) write(w io.Writer, _ *printer) error {
	for _, v := range l {
		if _, err := fmt.Fprintf(w, "Workspace #%s goes to %s.\n", v.Key, v.Host); err != nil {
			return err
		}
	}
	return nil
}

// Run moves each workspace.
func (c *migrateCmd) Run(ctx context.Context, a *app) error {
	targets, err := a.workspaces(c.Targets)
	if err != nil {
		return err
	}
	if a.globals.Wait.On {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.timeout())
		defer cancel()
	}
	return showEach[movesView](a, targets, func(t target) (moveView, error) {
		host, err := a.client.Migrate(ctx, t.epr, c.To, c.Cold)
		if err == nil && a.globals.Wait.On {
			err = c.arrive(ctx, a, t, host)
		}
		if c.To != "" && exitCode(err) == exitNotFound {
			err = failf(exitNotFound, "`workspace host list` shows the hosts, `workspace list` "+
				"what you have", "%w", err)
		}
		return moveView{client.Key(t.epr), host}, err
	})
}

// arrive waits until the workspace is on the host: asking for what is done already
// does nothing more, and as long as it is under way the service says so.
func (c *migrateCmd) arrive(ctx context.Context, a *app, t target, host string) error {
	for {
		_, err := a.client.Migrate(ctx, t.epr, host, c.Cold)
		if err == nil || (exitCode(err) != exitConflict && ctx.Err() == nil) {
			return err
		}
		select {
		case <-ctx.Done():
			return failf(exitTimeout, "it goes on all the same", "%s has not arrived on %s: %w", t,
				host, err)
		case <-time.After(glance):
		}
	}
}

// glance is how long is waited between two looks at something that moves.
const glance = 300 * time.Millisecond
