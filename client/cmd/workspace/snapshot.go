package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/philoxenia/philoxenia/client"
)

// A snapshotCmd is the command snapshot.
type snapshotCmd struct {
	Create snapshotCreateCmd `cmd:"" help:"Keep the state of a workspace: its disks and, where it is in memory, that too."`
	List   snapshotListCmd   `cmd:"" aliases:"ls" help:"List the snapshots of a workspace, the oldest first."`
	Revert snapshotRevertCmd `cmd:"" help:"Go back to a snapshot: what the workspace has become since is thrown away."`
	Delete snapshotDeleteCmd `cmd:"" help:"Delete a snapshot."`
}

// snapshotArgs say which snapshot of which workspace.
type snapshotArgs struct {
	Target string `arg:"" name:"workspace" help:"An EPR file or the number of a workspace."`
	Name   string `arg:"" name:"name" help:"The snapshot's name: letters, digits, - and _."`
}

// do does something about the snapshot.
func (c *snapshotArgs) do(ctx context.Context, a *app, action, done string) error {
	targets, err := a.workspaces([]string{c.Target})
	if err != nil {
		return err
	}
	t := targets[0]
	if err := a.client.KeepSnapshot(ctx, t.epr, action, c.Name); err != nil {
		return err
	}
	a.keep()
	a.tell("Snapshot %q of %s: %s.", c.Name, t, done)
	return a.finish(outcomes{newOutcome(t, "snapshot "+action)}, nil)
}

// kept returns the snapshot of that name; nil: there is none.
func (c *snapshotArgs) kept(ctx context.Context, a *app) (*snapshotView, error) {
	targets, err := a.workspaces([]string{c.Target})
	if err != nil {
		return nil, err
	}
	all, err := a.client.Snapshots(ctx, targets[0].epr)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.Name == c.Name {
			return new(snapshotView(s)), nil
		}
	}
	return nil, nil
}

// A snapshotCreateCmd is the command snapshot create.
type snapshotCreateCmd struct{ snapshotArgs }

// Run makes the snapshot. The service leaves one of that name as it is, for those who
// ask again because an answer was lost; people mean the state of now.
func (c *snapshotCreateCmd) Run(ctx context.Context, a *app) error {
	old, err := c.kept(ctx, a)
	if err != nil {
		return err
	}
	if old != nil {
		return failf(exitConflict, fmt.Sprintf("take another name, or remove it first: "+
			"`workspace snapshot delete %s %s`", c.Target, c.Name),
			"cannot keep snapshot %q of %s: there is one of that name, of %s", c.Name, c.Target,
			moment(&old.Made))
	}
	return c.do(ctx, a, client.SnapshotCreate, "accepted")
}

// A snapshotRevertCmd is the command snapshot revert.
type snapshotRevertCmd struct{ snapshotArgs }

// Run goes back, once whoever asks has agreed.
func (c *snapshotRevertCmd) Run(ctx context.Context, a *app) error {
	what := fmt.Sprintf("throw away what %s has become since snapshot %q", c.Target, c.Name)
	if err := a.confirm(ctx, what); err != nil {
		return err
	}
	return c.do(ctx, a, client.SnapshotRevert, "goes back")
}

// A snapshotDeleteCmd is the command snapshot delete.
type snapshotDeleteCmd struct{ snapshotArgs }

// Run deletes the snapshot, and what there may be of one that was not finished.
func (c *snapshotDeleteCmd) Run(ctx context.Context, a *app) error {
	old, err := c.kept(ctx, a)
	if err != nil {
		return err
	}
	if old == nil {
		targets, err := a.workspaces([]string{c.Target})
		if err == nil {
			err = a.client.KeepSnapshot(ctx, targets[0].epr, client.SnapshotDelete, c.Name)
		}
		if err != nil {
			return err
		}
		return failf(exitNotFound, fmt.Sprintf("`workspace snapshot list %s` shows them", c.Target),
			"cannot delete snapshot %q of %s: there is none of that name", c.Name, c.Target)
	}
	return c.do(ctx, a, client.SnapshotDelete, "deleted")
}

// A snapshotListCmd is the command snapshot list.
type snapshotListCmd struct {
	Target string `arg:"" name:"workspace" help:"An EPR file or the number of a workspace."`
}

// A snapshotView is a snapshot as it is shown.
type snapshotView struct {
	Name   string    `json:"name"`
	Made   time.Time `json:"made"`
	Memory bool      `json:"memory"`
	SizeMB int       `json:"sizeMB"`
}

// snapshotsView are several of them.
type snapshotsView []snapshotView

// names returns the names.
func (l snapshotsView) names() []string {
	var names []string
	for _, v := range l {
		names = append(names, v.Name)
	}
	return names
}

// write prints a line for each.
func (l snapshotsView) write(w io.Writer, _ *printer) error {
	for _, v := range l {
		what := "disks"
		if v.Memory {
			what = "disks and memory"
		}
		_, err := fmt.Fprintf(w, "%s  %s  %d MB, %s\n", v.Name, moment(&v.Made), v.SizeMB, what)
		if err != nil {
			return err
		}
	}
	return nil
}

// Run lists them.
func (c *snapshotListCmd) Run(ctx context.Context, a *app) error {
	targets, err := a.workspaces([]string{c.Target})
	if err != nil {
		return err
	}
	all, err := a.client.Snapshots(ctx, targets[0].epr)
	if err != nil {
		return err
	}
	a.keep()
	view := snapshotsView{}
	for _, s := range all {
		view = append(view, snapshotView(s))
	}
	return a.print(view)
}
