package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/notify"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// A follower watches workspaces on behalf of a command: it owns the receiver
// that notifications come on, and the watcher that reads them.
type follower struct {
	app     *app
	watcher *notify.Watcher
	aside   *client.Client // of the receiver
	stopped chan error     // what the receiver's Run returned
	stop    context.CancelFunc
}

// follow opens the way that notifications come on; the caller calls close.
func (a *app) follow(ctx context.Context) (*follower, error) {
	f := &follower{app: a, stopped: make(chan error, 1), stop: func() {}}
	var err error
	if f.aside, err = a.aside(); err != nil {
		return nil, err
	}
	receiver, err := notify.Open(ctx, f.aside, a.way(f.trouble))
	if err != nil {
		return nil, unopened(err)
	}
	f.watcher = notify.New(a.client, notify.Options{
		Receiver: receiver, Poll: a.settings.span("poll"), Trouble: f.trouble, Leases: true,
		Transfers: !a.quiet,
	})
	if receiver == nil {
		f.stopped <- nil
		return f, nil
	}
	ctx, f.stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() { f.stopped <- receiver.Run(ctx) }()
	return f, nil
}

// unopened is the failure of a way that cannot be had.
func unopened(err error) error {
	switch {
	case errors.Is(err, notify.ErrListen):
		return failf(exitError, "choose another address with the setting \"listen\", or another "+
			"way with --via", "%w", err)
	case errors.Is(err, client.ErrNoFace):
		return failf(exitError, "leave the choice to --via auto", "%w", err)
	}
	return err
}

// way returns the way that the settings ask for.
func (a *app) way(trouble func(error)) notify.OpenOptions {
	o := notify.OpenOptions{Via: notify.Via(a.settings.text("via")), Trouble: trouble}
	listen := a.settings.text("listen")
	if listen == "auto" {
		host, err := localHost(a.settings.text("service"))
		if err != nil {
			o.NoListen = true // no way to the service: the first read will say so
		}
		listen = net.JoinHostPort(host, "0")
	}
	o.NoListen = o.NoListen || listen == "off"
	o.Consumer = notify.ConsumerOptions{
		Listen: listen, Advertise: a.settings.text("advertise"),
	}
	return o
}

// localHost returns the address of this machine from which the service is
// reached. Nothing is sent: connecting a datagram socket only asks the routes.
func localHost(service string) (string, error) {
	u, err := url.Parse(service)
	if err != nil {
		return "", err
	}
	conn, err := net.Dial("udp", net.JoinHostPort(u.Hostname(), "9"))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	return host, err
}

// trouble tells why events may come late.
func (f *follower) trouble(err error) {
	f.app.note("workspace: %v; asking every %s instead of waiting to be told",
		err, span(f.app.settings.span("poll")))
}

// close ends the subscriptions and the receiver. It takes two seconds at most.
func (f *follower) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = f.watcher.Close(ctx) // what stays behind ends with its workspace
	f.stop()
	<-f.stopped
	f.aside.Close()
}

// A goal is what a command waits for.
type goal struct {
	state string        // where each workspace shall come to
	again bool          // the present state does not count, even when it is that state
	limit time.Duration // longest wait
}

// A pursuit is the progress of workspaces towards a goal.
type pursuit struct {
	app     *app
	goal    goal
	began   time.Time
	open    map[string]bool   // keys of those not there yet
	states  map[string]string // last known
	failure error
	line    *activity
	moving  *progress
	polling func() bool // whether the service is asked, rather than telling
}

// reach waits until every workspace has come to the goal's state, and returns
// the last known states. It tells of each change on the way. Its errors have
// the codes exitTimeout, exitFailed and exitInterrupted.
func (f *follower) reach(ctx context.Context, all []wsa.EPR, g goal) (map[string]string, error) {
	p := &pursuit{
		app: f.app, goal: g, began: time.Now(), open: map[string]bool{},
		states: map[string]string{},
	}
	for _, epr := range all {
		p.open[client.Key(epr)] = true
	}
	// Polling cannot see a state that is left and entered again between reads.
	p.goal.again = g.again && !f.watcher.Polling()
	limited, cancel := context.WithTimeout(ctx, g.limit)
	defer cancel()
	p.line = startActivity(f.app.terminal(), p.waiting(), g.limit)
	p.polling = f.watcher.Polling
	p.moving = startProgress(limited, f, p.transfers(all), progressPeriod)
	err := f.watcher.Run(limited, p.see)
	p.moving.close()
	p.line.stop()
	switch {
	case ctx.Err() != nil:
		return p.states, p.detached()
	case errors.Is(err, context.DeadlineExceeded):
		return p.states, p.late()
	case err != nil:
		return p.states, err
	}
	return p.states, p.failure
}

// transfers returns what is to tell of the workspaces' transfers.
func (p *pursuit) transfers(all []wsa.EPR) *progress {
	told := &progress{line: p.line, wants: among(all)}
	if p.app.terminal() == nil {
		told.say = func(key string, t transfer) {
			p.app.tell("%q %s", "Workspace #"+key, t.line())
		}
	}
	return told
}

// see takes one event and reports whether to go on.
func (p *pursuit) see(e notify.Event) bool {
	if p.moving != nil {
		p.moving.heard(e, p.polling())
	}
	if e.Transfer != nil {
		return true
	}
	if e.Lease != "" {
		if e.Lease != report.LeaseActive && e.Lease != report.LeaseOver { // states tell of these
			p.app.tell("%q %s", "Workspace #"+e.Workspace, leaseText(e))
		}
		return true
	}
	p.states[e.Workspace] = e.State
	arrived := e.State == p.goal.state && (!p.goal.again || e.Source == notify.Notified)
	// A failure that is told of ends the wait as well: what was asked for was
	// given up, and the workspace is back where it can be used.
	ended := isEnd(e.State) || e.Fault != "" && (e.Source == notify.Notified || e.Changed())
	if arrived || ended {
		delete(p.open, e.Workspace)
	}
	if !arrived && ended && p.failure == nil {
		p.failure = p.ended(e)
	}
	p.line.say(p.waiting())
	if e.Was != "" && (e.Changed() || p.goal.again && e.Source == notify.Notified) {
		p.app.tell("%s", changeLine(p.app.notes, e, time.Since(p.began)))
	}
	return len(p.open) > 0
}

// isEnd reports whether no other state follows by itself.
func isEnd(state string) bool {
	return state == client.Corrupted || state == client.Gone
}

// ended is the failure of a workspace that ended in another state.
func (p *pursuit) ended(e notify.Event) error {
	if e.State == client.Gone && (e.Was == "" || e.Was == client.Gone) {
		return failf(exitNotFound, "", "cannot wait for workspace %s: it does not exist",
			e.Workspace)
	}
	cause := "it is " + e.State
	if e.State == client.Gone {
		cause = "it no longer exists"
	}
	if e.Fault != "" {
		cause += ": " + e.Fault
	}
	hint := ""
	if e.State == client.Corrupted {
		hint = "`workspace destroy` ends its lease"
	}
	return failf(exitFailed, hint, "cannot see workspace %s reach %s: %s",
		e.Workspace, p.goal.state, cause)
}

// late is the failure of a wait that took too long.
func (p *pursuit) late() error {
	return failf(exitTimeout, p.resume(), "cannot wait any longer than %s for %s: %s",
		span(p.goal.limit), p.goal.state, p.where())
}

// detached is what an interrupt leads to: the work goes on at the service.
func (p *pursuit) detached() error {
	return failf(exitInterrupted, p.resume(), "cannot wait for %s: interrupted after %s; %s",
		p.goal.state, span(time.Since(p.began)), p.where())
}

// where says in what states the workspaces are that have not arrived.
func (p *pursuit) where() string {
	var parts []string
	for _, key := range sortedKeys(p.open) {
		state := p.states[key]
		if state == "" {
			state = "in a state not read yet"
		}
		parts = append(parts, fmt.Sprintf("workspace %s exists and is %s", key, state))
	}
	return strings.Join(parts, ", ")
}

// resume tells how to go on waiting.
func (p *pursuit) resume() string {
	return fmt.Sprintf("go on waiting with: workspace wait %s %s",
		p.goal.state, strings.Join(sortedKeys(p.open), " "))
}

// waiting is the text of the activity line.
func (p *pursuit) waiting() string {
	return fmt.Sprintf("waiting for %s, %d to go", p.goal.state, len(p.open))
}

// changeLine tells of a change as the original client did. After a reboot the
// state is what it was before.
func changeLine(colors palette, e notify.Event, elapsed time.Duration) string {
	what := fmt.Sprintf("state change: %s --> %s", e.Was, colors.state(e.State))
	if !e.Changed() {
		what = "is " + colors.state(e.State) + " again"
	}
	line := fmt.Sprintf("%q %s (%.1fs)", "Workspace #"+e.Workspace, what, elapsed.Seconds())
	if e.Fault != "" {
		line += ": " + e.Fault
	}
	return line
}
