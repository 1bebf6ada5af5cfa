package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/epr"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// A deployCmd is the command deploy.
type deployCmd struct {
	MetadataArg string `arg:"" optional:"" name:"metadata" help:"File with the workspace metadata."`
	RequestArg  string `arg:"" optional:"" name:"request" help:"File with the deployment request."`
	Metadata    string `short:"w" placeholder:"FILE" help:"File with the workspace metadata."`
	Request     string `short:"r" placeholder:"FILE" help:"File with the deployment request."`
	Optional    string `short:"f" placeholder:"FILE" help:"File with optional parameters."`
	For         string `placeholder:"TIME" help:"Running time, such as 2h, instead of the request's."`
	leaseFlags
	sizeFlags
	Nodes     int      `short:"n" placeholder:"N" help:"Number of nodes instead of the request's."`
	State     string   `placeholder:"STATE" help:"Initial state instead of the request's: Unpropagated, Propagated, Running, Paused."`
	Checksum  []string `sep:"none" placeholder:"[DISK=]sha256:HEX" help:"What the image must be, as sha256sum prints it: of the root disk, or of that which appears as DISK; repeatable."`
	Name      string   `placeholder:"URI" help:"Name of the workspace instead of the metadata's."`
	File      []string `sep:"none" placeholder:"LOCAL=REMOTE" help:"Write a local text file into the guest at REMOTE; repeatable."`
	SSHKey    string   `name:"ssh-key" placeholder:"FILE" help:"Public key that may log in as root."`
	UserData  string   `placeholder:"FILE" help:"File with user data for the metadata server."`
	SaveTo    string   `placeholder:"URL" help:"Where the root image goes at the end of the lease."`
	Trash     bool     `help:"Throw the workspace away at the end of the lease, as --then destroy."`
	MessageID string   `name:"message-id" placeholder:"URI" help:"Repeat a request whose answer was lost."`

	sources sources // filled in by read
}

// Run leases the machines, writes their EPR files and waits when asked to.
func (c *deployCmd) Run(ctx context.Context, a *app) error {
	r, err := c.read(a)
	if err != nil {
		return err
	}
	if c.DryRun {
		return c.plan(ctx, a, r)
	}
	goal := goal{state: r.Deployment.InitialState, limit: a.timeout()}
	if a.globals.Wait.State != "" {
		goal.state = a.globals.Wait.State
	}
	if err := a.mayWrite(ctx, a.globals.EPRFile); err != nil {
		return err
	}
	var f *follower
	if a.globals.Wait.On { // an address that cannot be listened on shall cost no lease
		if f, err = a.follow(ctx); err != nil {
			return err
		}
		defer f.close()
	}
	created, err := a.create(ctx, r)
	if err != nil {
		return c.place(a.offered(ctx, err, r))
	}
	view := newCreated(created, r)
	err = a.writeEPRs(&view) // before anything else can fail
	if err != nil || f == nil || a.people() {
		err = errors.Join(err, a.print(view))
	}
	for _, name := range view.Files {
		a.tell("Wrote EPR to %q", name)
	}
	if err != nil || f == nil {
		return err
	}
	return a.awaitCreated(ctx, f, view, goal)
}

// create sends the request.
func (a *app) create(ctx context.Context, r client.Request) (*report.Created, error) {
	what := "workspace"
	if r.Deployment.Nodes > 1 {
		what = "group"
	}
	created, err := a.client.Create(ctx, r)
	var lost *client.TransportError
	switch {
	case errors.As(err, &lost) && lost.Sent:
		a.tell("Creating %s %q... unknown.", what, r.Metadata.Name)
		return nil, failf(exitCode(err), "it may have been done: repeat the command with "+
			"--message-id "+lost.MessageID+" to learn of it, without leasing twice", "%w", err)
	case err != nil:
		a.tell("Creating %s %q... failed.", what, r.Metadata.Name)
		return nil, err
	}
	a.keep()
	a.tell("Creating %s %q... done.", what, r.Metadata.Name)
	return created, nil
}

// writeEPRs writes the file that --epr-file names. For a group, its members'
// files lie beside it.
func (a *app) writeEPRs(view *createdView) error {
	name := a.globals.EPRFile
	if name == "" {
		return nil
	}
	if view.Group == "" {
		return a.writeEPR(view, name, view.eprs[0])
	}
	if err := a.writeEPR(view, name, view.group); err != nil {
		return err
	}
	for _, one := range view.eprs {
		if err := a.writeEPR(view, memberFile(name, client.Key(one)), one); err != nil {
			return err
		}
	}
	return nil
}

// writeEPR writes one file. When that fails the reference must not be lost.
func (a *app) writeEPR(view *createdView, name string, r wsa.EPR) error {
	f, err := epr.For(r)
	if err == nil {
		err = f.Write(name)
	}
	if err != nil {
		return failf(exitError, fmt.Sprintf("%s was created: address it by its number, %s",
			client.Describe(r), client.Key(r)), "%w", err)
	}
	view.Files = append(view.Files, name)
	return nil
}

// mayWrite makes sure that an EPR file can be written before something is
// leased, and that no other lease's is overwritten unasked.
func (a *app) mayWrite(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	if _, err := os.Stat(name); err == nil {
		return a.confirm(ctx, fmt.Sprintf("overwrite the EPR file %q", name))
	}
	return epr.Writable(name)
}

// awaitCreated waits for the workspaces' state. People have seen what was
// leased before the wait; scripts get one document after it.
func (a *app) awaitCreated(ctx context.Context, f *follower, view createdView, g goal) error {
	if err := f.watcher.Add(ctx, client.Unstaged, view.eprs...); err != nil {
		return err
	}
	began := time.Now()
	states, err := f.reach(ctx, view.eprs, g)
	for i := range view.Workspaces {
		if state := states[view.Workspaces[i].Key]; state != "" {
			view.Workspaces[i].State = state
		}
	}
	if err == nil {
		a.tell("%s reached target state: %s (%.1fs)", view.title(), g.state,
			time.Since(began).Seconds())
	}
	if a.people() {
		return err
	}
	return errors.Join(a.print(view), err)
}
