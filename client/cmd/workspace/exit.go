package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/philoxenia/philoxenia/client"
)

// The exit codes. They are a contract with scripts: the list is append-only.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitDenied      = 4
	exitConflict    = 5
	exitNoResource  = 6
	exitTimeout     = 7
	exitFailed      = 8
	exitUnreachable = 9
	exitPartial     = 10
	exitInterrupted = 130
)

// exits is the table of exit codes as the man page and the JSON errors show it.
var exits = []struct {
	code int
	name string
	text string
}{
	{exitOK, "ok", "It was done."},
	{exitError, "error", "It was not done, for a reason that no other code names."},
	{exitUsage, "usage", "The arguments, a document or the configuration are wrong."},
	{exitNotFound, "not-found", "The workspace, group or subscription is unknown."},
	{exitDenied, "denied", "The policy of the service forbids it."},
	{exitConflict, "conflict", "The state does not allow it, or the service is busy."},
	{exitNoResource, "no-resource", "The pool cannot hold it, or a quota is reached."},
	{exitTimeout, "timeout", "The wait was over before the state came; the workspace exists."},
	{exitFailed, "failed", "The workspace is Corrupted, or ended before the state came."},
	{exitUnreachable, "unreachable",
		"The service cannot be reached, or the host that it is to add."},
	{exitPartial, "partial", "Some of several were done, some were not."},
	{exitInterrupted, "interrupted", "Interrupted; what was asked for goes on at the service."},
}

// exitName returns the word for an exit code.
func exitName(code int) string {
	for _, e := range exits {
		if e.code == code {
			return e.name
		}
	}
	return "error"
}

// A failure is an error that knows its exit code and what to do about it.
type failure struct {
	code int
	err  error
	hint string
}

// Error returns the text of the cause.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.err }

// failf makes a failure with a formatted text; %w wraps.
func failf(code int, hint, format string, args ...any) *failure {
	return &failure{code: code, err: fmt.Errorf(format, args...), hint: hint}
}

// usagef makes the failure of wrong arguments.
func usagef(hint, format string, args ...any) *failure {
	return failf(exitUsage, hint, format, args...)
}

// exitCode maps an error to the code that the process ends with.
func exitCode(err error) int {
	var f *failure
	var many *partial
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &many):
		return many.exitCode()
	case errors.As(err, &f):
		return f.code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case client.IsUnknown(err):
		return exitNotFound
	case client.IsInvalid(err):
		return exitUsage
	case client.IsNoResource(err):
		return exitNoResource
	case client.IsDenied(err):
		return exitDenied
	case client.IsConflict(err):
		return exitConflict
	case isUnreachable(err):
		return exitUnreachable
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	}
	return exitError
}

// advice is what helps where something else than a workspace is not there, or is not
// in a state that allows it, by the commands that are about it.
var advice = map[string]string{
	"workspace host":      "`workspace host list` shows the hosts and how they are",
	"workspace image":     "`workspace image list` shows what the library has",
	"workspace image add": "bring the file there first, or correct the location",
	"workspace network":   "`workspace network show` shows whose addresses are",
	"workspace resize": "`workspace status` shows the state it is in: let one that is paused " +
		"go on with `workspace start`, or shut it down",
	"workspace migrate": "`workspace status` shows the state it is in, " +
		"`workspace snapshot list` what is kept of it",
}

// advise gives an error the advice of the command, where the general one would be
// about a workspace.
func (a *app) advise(err error) error {
	code := exitCode(err)
	var f *failure
	switch {
	case err == nil || errors.As(err, &f):
		return err
	case code == exitUsage && (a.command == "workspace host add" ||
		a.command == "workspace host probe"):
		return failf(code, "keys of a host's table are options: networks.N is --net N=..., "+
			"ssh.known_hosts --ssh-known-hosts", "%w", err)
	case code == exitNotFound && (a.command == "workspace migrate" ||
		a.command == "workspace resize"),
		code != exitNotFound && code != exitConflict:
		return err
	}
	for name := a.command; name != ""; {
		if hint := advice[name]; hint != "" {
			return failf(code, hint, "%w", err)
		}
		name = name[:max(strings.LastIndex(name, " "), 0)]
	}
	return err
}

// isUnreachable reports whether no answer came from a service at all: none came,
// or one that says that there is no service (WS-Addressing 1.0 SOAP Binding, 6.4.3).
func isUnreachable(err error) bool {
	var t *client.TransportError
	var f *client.Fault
	return errors.As(err, &t) || errors.As(err, &f) && f.Code == "DestinationUnreachable"
}

// hintFor returns the advice that goes with an error, or "".
func hintFor(err error, service string) string {
	var f *failure
	if errors.As(err, &f) && f.hint != "" {
		return f.hint
	}
	if errors.Is(err, client.ErrNoFace) {
		return "the service is older than this command; its other commands work"
	}
	switch exitCode(err) {
	case exitNotFound:
		return "it may have ended; `workspace list` shows what you have"
	case exitDenied:
		return "`workspace factory` shows what the service allows"
	case exitConflict:
		return "`workspace status` shows the state it is in; try again when it has settled"
	case exitNoResource:
		return "ask for less (--memory, --cpus, --nodes) or try again later"
	case exitUnreachable:
		return reachHint(err, service)
	}
	return ""
}

// reachHint is the advice where nobody answers: an EPR file has an address of
// its own, which --service does not change.
func reachHint(err error, service string) string {
	var t *client.TransportError
	if errors.As(err, &t) && t.URL != "" && hostOf(t.URL) != hostOf(service) {
		return "is a workspace service running at " + t.URL + "? The EPR file names it"
	}
	return "is a workspace service running at " + service + "? Name another with --service"
}

// hostOf returns the host and port of a URL.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
