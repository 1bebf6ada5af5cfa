package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/notify"
	"github.com/philoxenia/philoxenia/schema/report"
)

// An eventsCmd is the command events.
type eventsCmd struct{ targetsArg }

// An eventView is one event as it is shown; in JSON, one line each.
type eventView struct {
	Time      time.Time `json:"time"`
	Workspace string    `json:"workspace"`
	Previous  string    `json:"previous"`
	State     string    `json:"state"`
	Fault     string    `json:"fault,omitempty"`
	Source    string    `json:"source"`

	Lease string     `json:"lease,omitempty"` // the event is of the lease: how it stands now
	End   *time.Time `json:"end,omitempty"`   // when running time will be over, with Lease

	Transfer *transferView `json:"transfer,omitempty"` // the event is of an image on its way
}

// A transferView is how far an image on its way is.
type transferView struct {
	Task  string `json:"task"`
	Done  int64  `json:"done"` // bytes
	Total int64  `json:"total"`
}

// Run prints events of the named workspaces, or of all, until interrupted.
func (c *eventsCmd) Run(ctx context.Context, a *app) error {
	f, err := a.follow(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	if len(c.Targets) > 0 || a.globals.EPRFile != "" {
		err = a.streamNamed(ctx, f, c.Targets)
	} else {
		err = a.streamMine(ctx, f)
	}
	if ctx.Err() != nil {
		return nil // being interrupted is how it ends
	}
	return err
}

// streamNamed prints events of the named workspaces until they are gone.
func (a *app) streamNamed(ctx context.Context, f *follower, args []string) error {
	targets, err := a.workspaces(args)
	if err != nil {
		return err
	}
	return a.stream(ctx, f, targets)
}

// streamMine prints events of all that the caller has, and of what comes.
func (a *app) streamMine(ctx context.Context, f *follower) error {
	if err := f.watcher.AddAll(ctx); err != nil {
		return err
	}
	return a.printEvents(ctx, f, func(string) bool { return true })
}

// mine returns every workspace that the caller has.
func (a *app) mine(ctx context.Context) ([]target, error) {
	current, err := a.client.Current(ctx)
	if err != nil {
		return nil, err
	}
	a.keep()
	all := make([]target, 0, len(current))
	for _, w := range current {
		all = append(all, target{epr: w.EPR, named: client.Key(w.EPR)})
	}
	return all, nil
}

// stream prints events of the workspaces until every one is gone.
func (a *app) stream(ctx context.Context, f *follower, targets []target) error {
	if err := f.watcher.Add(ctx, "", eprs(targets)...); err != nil {
		return err
	}
	return a.printEvents(ctx, f, among(eprs(targets)))
}

// printEvents prints what the follower sees, until there is nothing to follow; of
// transfers those of the workspaces that are wanted.
func (a *app) printEvents(ctx context.Context, f *follower, wants func(string) bool) error {
	s := &stream{app: a, line: startActivity(a.foot(), "", 0)}
	defer s.line.stop()
	told := &progress{line: s.line, wants: wants}
	if a.foot() == nil {
		told.say = s.transfer
	}
	moving := startProgress(ctx, f, told, a.settings.span("poll"))
	defer moving.close()
	err := f.watcher.Run(ctx, func(e notify.Event) bool {
		moving.heard(e, f.watcher.Polling())
		return e.Transfer != nil || s.event(e)
	})
	if s.broken != nil {
		return s.broken
	}
	return err
}

// foot returns the terminal at whose foot a line can stand below the output, nil
// when the output goes elsewhere.
func (a *app) foot() io.Writer {
	if !term.IsTerminal(int(os.Stdout.Fd())) {
		return nil
	}
	return a.terminal()
}

// A stream is the output of events, which come from several sides.
type stream struct {
	app  *app
	line *activity

	mu     sync.Mutex
	broken error // why nothing can be written any more
}

// event writes one event and reports whether to go on.
func (s *stream) event(e notify.Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line.above(func() { s.broken = errors.Join(s.broken, s.app.printEvent(e)) })
	return s.broken == nil
}

// transfer writes how far an image is.
func (s *stream) transfer(key string, t transfer) {
	if s.app.form == "name" {
		return // they are the names of workspaces to which something happened
	}
	s.event(notify.Event{Workspace: key, At: time.Now().UTC(), Source: notify.Notified,
		Transfer: &report.Transfer{Task: t.task, Done: t.done, Total: t.total}})
}

// printEvent writes one event.
func (a *app) printEvent(e notify.Event) error {
	v := eventView{
		Time: e.At, Workspace: e.Workspace, Previous: e.Was, State: e.State, Fault: e.Fault,
		Source: string(e.Source), Lease: e.Lease, End: known(e.End),
	}
	if e.Lease != "" {
		v.State = e.Was // it is what it was
	}
	if t := e.Transfer; t != nil {
		v.Transfer = &transferView{Task: t.Task, Done: t.Done, Total: t.Total}
	}
	var err error
	switch a.form {
	case "json":
		err = writeJSON(a.out, v, "")
	case "yaml":
		err = writeYAML(a.out, []eventView{v})
	case "name":
		_, err = fmt.Fprintln(a.out, v.Workspace)
	default:
		_, err = fmt.Fprintln(tamer{a.out}, v.line(a.colors))
	}
	return unwritten(err)
}

// line is the event for people.
func (v eventView) line(colors palette) string {
	text := fmt.Sprintf("%s workspace %s: ", v.Time.Local().Format("15:04:05.000"), v.Workspace)
	switch told := v.Source == string(notify.Notified); {
	case v.Transfer != nil:
		text += transfer{v.Transfer.Task, v.Transfer.Done, v.Transfer.Total}.line()
	case v.Lease != "":
		text += leaseText(notify.Event{Lease: v.Lease, End: zeroOf(v.End), At: v.Time})
	case v.Previous != "" && v.Previous != v.State:
		text += v.Previous + " --> " + colors.state(v.State)
	case v.Previous != "" && told: // as after a reboot
		text += "is " + colors.state(v.State) + " again"
	default:
		text += colors.state(v.State)
	}
	if v.Fault != "" {
		text += ": " + v.Fault
	}
	return text
}

// leaseText tells how a lease stands now.
func leaseText(e notify.Event) string {
	if e.Lease == notify.EndsSoon {
		return "its running time is over at " + bothWays(&e.End, e.At)
	}
	text := "its lease " + standingView{Status: e.Lease}.sentence()
	if !e.End.IsZero() && e.Lease != report.LeaseOver {
		text += ", until " + bothWays(&e.End, e.At)
	}
	return text
}

// zeroOf returns the time, the zero one where it is not known.
func zeroOf(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}
