package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/client"
)

// An app is what a command works with: settings, streams and the client.
type app struct {
	*printer
	globals  *Globals
	settings settings
	client   *client.Client
	in       *os.File
	err      io.Writer
	errTTY   bool
	quiet    bool    // nothing is said beside the output
	notes    palette // colours of what goes to err
	last     *etree.Element
	command  string // that runs, as it is typed
}

// newApp resolves the settings and makes the client; it sends nothing.
func newApp(g *Globals) (*app, error) {
	s, err := loadSettings(g.flags(), g.Profile)
	if err != nil {
		return nil, err
	}
	a := &app{
		globals: g, settings: s, in: os.Stdin, err: os.Stderr, quiet: g.Quiet,
		errTTY: term.IsTerminal(int(os.Stderr.Fd())),
	}
	a.notes = newPalette(s.text("color"), a.errTTY)
	a.printer = &printer{
		out: os.Stdout, form: s.text("output"), headers: !g.NoHeaders,
		colors: newPalette(s.text("color"), term.IsTerminal(int(os.Stdout.Fd()))),
	}
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		a.columns = width
	}
	a.client, err = client.New(s.text("service"), client.Options{
		UserAgent: "workspace/" + version, Trace: a.trace,
	})
	if err != nil {
		return nil, usagef("", "cannot use the setting \"service\" of %s: %w",
			s["service"].origin, err)
	}
	return a, nil
}

// trace remembers the last answer for -o xml and tells of exchanges for -v.
func (a *app) trace(x client.Exchange) {
	if x.Body != nil {
		a.last = x.Body
	}
	a.traceAside(x)
}

// aside returns a client for what goes on beside the command: what it hears is
// no part of the command's output.
func (a *app) aside() (*client.Client, error) {
	return client.New(a.settings.text("service"), client.Options{
		UserAgent: "workspace/" + version, Trace: a.traceAside,
	})
}

// traceAside tells of exchanges for -v.
func (a *app) traceAside(x client.Exchange) {
	if !a.globals.Verbose {
		return
	}
	outcome := "ok"
	if x.Err != nil {
		outcome = x.Err.Error()
	}
	a.note("%s %s try %d, %s: %s", x.Action[strings.LastIndexByte(x.Action, '/')+1:], x.URL,
		x.Attempt, x.Took.Round(100*time.Microsecond), outcome)
}

// keep takes the service's last answer into the output of -o xml.
func (a *app) keep() {
	if a.last != nil {
		a.replies = append(a.replies, a.last)
	}
	a.last = nil
}

// note writes a line for people beside the data, over an activity line if
// there is one.
func (a *app) note(format string, args ...any) {
	if a.terminal() != nil {
		format = "\r\x1b[K" + format
	}
	fmt.Fprintf(a.err, format+"\n", args...)
}

// tell writes a line for people when it is people who read the output.
func (a *app) tell(format string, args ...any) {
	if a.people() && !a.quiet {
		a.note(format, args...)
	}
}

// confirm asks a question whose answer may destroy something. Where nobody can
// be asked it refuses, unless --yes was given.
func (a *app) confirm(ctx context.Context, what string) error {
	if a.globals.Yes {
		return nil
	}
	if !term.IsTerminal(int(a.in.Fd())) || !a.errTTY {
		return usagef("say --yes when you mean it", "cannot %s: nobody is there to be asked", what)
	}
	fmt.Fprintf(a.err, "Really %s? [y/N] ", what)
	answer := make(chan string, 1)
	go func() { // ends with the process when ctx ends first: reading a terminal cannot be stopped
		line, err := bufio.NewReader(a.in).ReadString('\n')
		if err != nil {
			fmt.Fprintln(a.err) // nothing ended the question's line
		}
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.err) // the question's line is still open
		return failf(exitInterrupted, "", "cannot %s: interrupted", what)
	case word := <-answer:
		if word == "y" || word == "yes" {
			return nil
		}
	}
	return failf(exitError, "", "cannot %s: you did not agree", what)
}

// terminal returns the terminal beside the output, nil when people do not
// watch one.
func (a *app) terminal() io.Writer {
	if a.errTTY && a.people() && !a.quiet {
		return a.err
	}
	return nil
}

// timeout returns the longest wait that the user allows.
func (a *app) timeout() time.Duration { return a.settings.span("timeout") }
