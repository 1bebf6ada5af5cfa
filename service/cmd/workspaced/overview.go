package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// An overview tells operators in the log what the daemon has to do: at the
// start in short, and in full whenever SIGUSR1 asks.
type overview struct {
	store interface {
		workspace.Reader
		workspace.Outbox
	}
	engine *change.Engine
	pool   *host.Pool
	log    *slog.Logger
}

// Run answers each SIGUSR1 until ctx ends.
func (o overview) Run(ctx context.Context) error {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	defer signal.Stop(asked)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-asked:
		}
		if err := o.full(ctx); err != nil {
			return err
		}
	}
}

// short is one line, and one for each host that workspaces are on and that is
// not there to work on.
func (o overview) short(ctx context.Context, message string) error {
	all, err := o.store.Workspaces(ctx, "")
	if err != nil {
		return err
	}
	changes, err := o.store.Changes(ctx)
	if err != nil {
		return err
	}
	waiting, err := o.store.Waiting(ctx)
	if err != nil {
		return err
	}
	sum, err := o.store.Listening(ctx)
	if err != nil {
		return err
	}
	o.log.Info(message, "hosts", len(o.pool.Nodes()), "workspaces", len(all),
		"changes", len(changes), "undelivered", len(waiting),
		"subscriptions", sum.Subscriptions, "paused", sum.Paused,
		"pull_points", sum.PullPoints, "unfetched", sum.Unfetched, "failing", len(sum.Failing))
	lost := map[workspace.HostID]int{}
	for _, w := range all {
		if w.Holds() && w.Host != "" && !o.pool.Reachable(w.Host) {
			lost[w.Host]++
		}
	}
	for id, n := range lost {
		_, err := o.pool.Node(id)
		o.log.Warn("host with workspaces is out of reach", "host", id, "workspaces", n,
			"error", err)
	}
	return nil
}

// failingMost is how many consumers are named in one overview.
const failingMost = 100

// failing is a line for each consumer that takes no messages.
func (o overview) failing(ctx context.Context) error {
	sum, err := o.store.Listening(ctx)
	if err != nil {
		return err
	}
	for _, f := range sum.Failing[:min(len(sum.Failing), failingMost)] {
		message := "consumer takes no messages"
		if f.Stopped {
			message = "consumer takes no messages, paused until its owner resumes"
		}
		o.log.Info(message, "address", f.Address, "since", f.Since.UTC(),
			"subscriptions", f.Subscriptions)
	}
	return nil
}

// full is the short overview, and a line for each consumer that fails and for
// each change that has not ended.
func (o overview) full(ctx context.Context) error {
	if err := errors.Join(o.short(ctx, "overview"), o.failing(ctx)); err != nil {
		return err
	}
	changes, err := o.store.Changes(ctx)
	if err != nil {
		return err
	}
	for _, c := range changes {
		task, done := "", int64(0)
		if p, ok := o.engine.Progress(c.Workspace); ok && p.Change == c.ID {
			task, done = p.Task, p.Done
		}
		o.log.Info("change has not ended", "change", c.ID, "kind", c.Kind,
			"workspace", c.Workspace, "task", task, "done", done, "attempt", c.Attempt,
			"retry_in", max(time.Until(c.NotBefore), 0).Round(time.Millisecond))
	}
	return nil
}
