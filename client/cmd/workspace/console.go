package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
)

// A consoleCmd is the command console.
type consoleCmd struct {
	targetArg
	Log    bool `help:"Print what the console has said since the first boot, and end."`
	Lines  int  `short:"n" placeholder:"N" help:"With --log, the last N lines alone."`
	Follow bool `short:"f" help:"With --log, go on printing what it says."`
	Force  bool `help:"Take the console over from whom has it."`
	Once   bool `help:"End with the connection, rather than connect again. Where input is no terminal and ends, the console ends when nothing more comes."`
}

// targetArg is the argument of commands on one workspace.
type targetArg struct {
	Target string `arg:"" optional:"" name:"workspace" help:"The workspace's EPR file or number."`
}

// one resolves the argument.
func (t targetArg) one(a *app) (target, error) {
	var args []string
	if t.Target != "" {
		args = []string{t.Target}
	}
	all, err := a.workspaces(args)
	if err != nil {
		return target{}, err
	}
	if len(all) != 1 {
		return target{}, usagef("name one of its members",
			"cannot connect to %d workspaces at once", len(all))
	}
	return all[0], nil
}

// escape ends a console: Ctrl-], as with telnet and virsh.
const escape = 0x1d

// How long to wait before a console is asked for again.
const (
	firstPause = 500 * time.Millisecond
	lastPause  = 10 * time.Second
)

// Run connects the terminal to the workspace's serial line.
func (c *consoleCmd) Run(ctx context.Context, a *app) error {
	t, err := c.one(a)
	if err != nil {
		return err
	}
	if c.Log {
		return c.history(ctx, a, t)
	}
	if c.Follow || c.Lines != 0 {
		return usagef("", "cannot connect to the console: --follow and --lines go with --log")
	}
	fd := int(a.in.Fd())
	if !term.IsTerminal(fd) {
		return c.attend(ctx, a, t)
	}
	a.note("Connected to the console of %s as soon as it can be; Ctrl-] ends.", t)
	ctx, restore, err := a.raw(ctx, fd)
	if err != nil {
		return err
	}
	defer restore()
	return c.attend(ctx, a, t)
}

// raw hands every key on as it is typed, until restore is called. A signal ends the
// context; a second one ends the process, and leaves the terminal as it was too.
func (a *app) raw(ctx context.Context, fd int) (context.Context, func(), error) {
	before, err := term.MakeRaw(fd)
	if err != nil {
		return ctx, nil, failf(exitError, "", "cannot use the terminal: %w", err)
	}
	var once sync.Once
	restore := func() {
		once.Do(func() { _ = term.Restore(fd, before); a.note("") })
	}
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	over := make(chan struct{})
	go func() { // ends with restore
		for first := true; ; first = false {
			select {
			case <-over:
				return
			case <-signals:
			}
			if cancel(); !first {
				restore()
				os.Exit(exitInterrupted)
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(over)
		cancel()
		restore()
	}, nil
}

// attend connects, and again after each interruption.
func (c *consoleCmd) attend(ctx context.Context, a *app, t target) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	typed := make(chan []byte)
	go func() { // ends with the process: reading a terminal cannot be stopped
		if listen(ctx, a.in, typed) {
			cancel()
		}
		close(typed)
	}()
	s := seat{app: a, target: t, typed: typed,
		ask: report.ConsoleRequest{Kind: report.ConsoleSerial, Force: c.Force}}
	pause := firstPause
	for {
		began := time.Now()
		err := s.connect(ctx)
		switch {
		case ctx.Err() != nil, errors.Is(err, errQuiet):
			return nil // the user's own doing
		case c.Once, final(err):
			return err
		}
		if time.Since(began) > lastPause {
			pause, s.told = firstPause, false
		}
		if !s.told {
			a.note("\r\nThe console is not connected (%v); trying again.\r", reason(err))
			s.told = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
		s.ask.Force = false // taken once; nobody fights over it
	}
}

// final reports whether asking again is of no use. A pass that a restart of the
// service has made void is not: the next one is good.
func final(err error) bool {
	if errors.Is(err, client.ErrPass) {
		return false
	}
	return client.IsUnknown(err) || client.IsDenied(err) || client.IsInvalid(err) ||
		errors.Is(err, client.ErrNoFace)
}

// reason is the cause of an interruption.
func reason(err error) any {
	if err == nil {
		return "it ended"
	}
	return err
}

// listen passes on what is typed, and reports whether the escape was.
func listen(ctx context.Context, in io.Reader, typed chan<- []byte) bool {
	buf := make([]byte, 4096)
	for {
		n, err := in.Read(buf)
		data := append([]byte(nil), buf[:n]...)
		for i, b := range data {
			if b == escape {
				data, err = data[:i], errEscaped
				break
			}
		}
		if len(data) > 0 {
			select {
			case typed <- data:
			case <-ctx.Done():
				return false
			}
		}
		if err != nil {
			return errors.Is(err, errEscaped)
		}
	}
}

var errEscaped = errors.New("the user has left")

// A seat is somebody before a console.
type seat struct {
	app    *app
	target target
	ask    report.ConsoleRequest
	typed  <-chan []byte
	told   bool // that it is not connected
}

// connect connects once, until the connection ends. Who was told that it broke is
// told that it is there again.
func (s *seat) connect(ctx context.Context) error {
	line, err := s.app.dial(ctx, s.target, s.ask)
	if err != nil {
		return err
	}
	defer line.Close()
	if s.told {
		s.app.note("\r\nThe console is connected again.\r")
	}
	return converse(ctx, line, s.app.out, s.typed)
}

// converse passes on what is typed and what the machine says, until one side ends.
func converse(
	ctx context.Context, line io.ReadWriter, out io.Writer, typed <-chan []byte,
) error {
	ended, heard := make(chan error, 1), make(chan struct{}, 1)
	go func() { _, err := io.Copy(noting{out, heard}, line); ended <- err }()
	var silence <-chan time.Time // since all was said, or the answer to it
	var late <-chan time.Time    // the machine talks on and on
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return err
		case <-silence:
			return errQuiet
		case <-late:
			return errQuiet
		case <-heard:
			if silence != nil {
				silence = time.After(quiet)
			}
		case data, more := <-typed:
			if !more {
				typed, silence, late = nil, time.After(quiet), time.After(listening)
				continue
			}
			if _, err := line.Write(data); err != nil {
				return err
			}
		}
	}
}

// A console whose input has ended ends when nothing came for some time, or, where the
// machine is never silent for so long, after all that it was listened to.
const (
	quiet     = 2 * time.Second
	listening = 20 * time.Second
)

var errQuiet = errors.New("all was said")

// noting is a writer that tells when something was written.
type noting struct {
	to    io.Writer
	heard chan<- struct{}
}

// Write writes, and tells without waiting.
func (n noting) Write(p []byte) (int, error) {
	select {
	case n.heard <- struct{}{}:
	default:
	}
	return n.to.Write(p)
}

// dial asks for a pass and uses it.
func (a *app) dial(
	ctx context.Context, t target, ask report.ConsoleRequest,
) (io.ReadWriteCloser, error) {
	pass, err := a.pass(ctx, t, ask)
	if err != nil {
		return nil, err
	}
	line, err := a.client.Dial(ctx, pass)
	return line, advised(err, t, ask)
}

// pass asks for a pass.
func (a *app) pass(
	ctx context.Context, t target, ask report.ConsoleRequest,
) (*report.ConsolePass, error) {
	pass, err := a.client.OpenConsole(ctx, t.epr, ask)
	return pass, advised(err, t, ask)
}

// advised adds to a refusal what to do about it.
func advised(err error, t target, ask report.ConsoleRequest) error {
	var f *client.Fault
	if err == nil || !errors.As(err, &f) {
		return err
	}
	key := client.Key(t.epr)
	switch text := f.Error(); {
	case errors.Is(err, client.ErrPass):
		return failf(exitConflict, "a pass is good once, and for ten minutes; say the command "+
			"again", "%w", err)
	case f.Kind == "unavailable", f.Kind == "transient":
		return failf(exitConflict, "`workspace host list` shows which hosts answer; what runs "+
			"on one that does not goes on, and can be reached when it is back", "%w", err)
	case f.Kind == "conflict" && strings.Contains(text, "taken"):
		return failf(exitConflict, "--force takes it over; --log shows what it says, beside "+
			"whom has it", "%w", err)
	case f.Kind == "conflict" && strings.Contains(text, "start it first"):
		return failf(exitConflict, "`workspace start "+key+"` starts it; `workspace console "+key+
			" --log` shows what it said before", "%w", err)
	case f.Kind == "conflict" && ask.Kind == report.ConsoleScreen:
		return failf(exitConflict, "`workspace console "+key+"` leads to its serial line",
			"%w", err)
	case f.Kind == "denied" && ask.Kind == report.ConsolePort:
		return failf(exitDenied, "the site's operator allows ports, with site.forward_ports",
			"%w", err)
	}
	return err
}
