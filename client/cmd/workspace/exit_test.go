package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/notify"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// faulted is the error of an answer that is a fault.
func faulted(local, description string) error {
	return &client.Fault{
		Op: "do it", Name: xmlstrict.Name{Local: local}, Description: description,
	}
}

func TestExitCodes(t *testing.T) {
	unknown := faulted("WorkspaceUnknownFault", "")
	tests := []struct {
		name string
		err  error
		code int
	}{
		{"no error", nil, exitOK},
		{"any error", errors.New("x"), exitError},
		{"wrong arguments", usagef("", "x"), exitUsage},
		{"a fault about the document", faulted("WorkspaceMetadataFault", ""), exitUsage},
		{"unknown", fmt.Errorf("more: %w", unknown), exitNotFound},
		{"denied", faulted("WorkspaceResourceRequestDeniedFault", "too long"), exitDenied},
		{"disabled", faulted("OperationDisabledFault", ""), exitConflict},
		{"busy", faulted("WorkspaceSchedulingFault", ""), exitConflict},
		{"the pool is full", faulted("WorkspaceResourceRequestDeniedFault",
			"memory: wanted 9, h has 8 free"), exitNoResource},
		{"too late", context.DeadlineExceeded, exitTimeout},
		{"corrupted", failf(exitFailed, "", "x"), exitFailed},
		{"no answer", &client.TransportError{Op: "x", Err: errors.New("refused")}, exitUnreachable},
		{"one of two", &partial{1, 2, unknown}, exitPartial},
		{"two of two", &partial{2, 2, unknown}, exitNotFound},
		{"interrupted", &client.TransportError{Err: context.Canceled}, exitInterrupted},
		{"a defect of the service", faulted("WorkspaceCreationFault", ""), exitError},
	}
	tested := map[int]bool{}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := exitCode(test.err); got != test.code {
				t.Errorf("%d (%s), expected %d (%s)", got, exitName(got), test.code,
					exitName(test.code))
			}
		})
		tested[test.code] = true
	}
	for _, e := range exits {
		if !tested[e.code] {
			t.Errorf("nothing leads to the exit code %d (%s)", e.code, e.name)
		}
	}
}

func TestErrorsAreShown(t *testing.T) {
	err := usagef("do that", "cannot do it: %s", "why")
	var people, scripts bytes.Buffer
	printError(&people, err, "table", "http://h/")
	if want := "workspace: cannot do it: why\nhint: do that\n"; people.String() != want {
		t.Errorf("people see %q, expected %q", people.String(), want)
	}
	printError(&scripts, err, "json", "http://h/")
	var v struct {
		Error struct {
			Code                int
			Kind, Message, Hint string
		}
	}
	if err := json.Unmarshal(scripts.Bytes(), &v); err != nil || v.Error.Code != 2 ||
		v.Error.Kind != "usage" || v.Error.Message != "cannot do it: why" ||
		v.Error.Hint != "do that" {
		t.Errorf("scripts see %s, %v", scripts.String(), err)
	}
}

// TestAdviceIsOfTheCommand: who asks about a host is not told of workspaces.
func TestAdviceIsOfTheCommand(t *testing.T) {
	unknown := faulted("WorkspaceUnknownFault", "")
	busy := faulted("WorkspaceSchedulingFault", "")
	for _, test := range []struct {
		command string
		err     error
		hint    string
	}{
		{"workspace host remove", busy, "workspace host list"},
		{"workspace host", unknown, "workspace host list"},
		{"workspace image add", unknown, "bring the file there"},
		{"workspace image show", unknown, "workspace image list"},
		{"workspace network hold", unknown, "workspace network show"},
		{"workspace migrate", busy, "snapshot list"},
		{"workspace migrate", unknown, "it may have ended"},
		{"workspace status", unknown, "it may have ended"},
		{"workspace host add", faulted("WorkspaceMetadataFault", ""), "--ssh-known-hosts"},
		{"workspace host list", usagef("do that", "x"), "do that"},
		{"workspace host list", errors.New("x"), ""},
	} {
		a := &app{command: test.command}
		got := a.advise(test.err)
		if hint := hintFor(got, ""); exitCode(got) != exitCode(test.err) ||
			!strings.Contains(hint, test.hint) || (hint == "") != (test.hint == "") {
			t.Errorf("%s: %q with %d, expected %q with %d", test.command, hint, exitCode(got),
				test.hint, exitCode(test.err))
		}
	}
}

func TestEndingInAnotherState(t *testing.T) {
	tests := []struct {
		name  string
		event notify.Event
		code  int
		text  string
	}{
		{"corrupted", notify.Event{Workspace: "7", Was: "Propagated", State: "Corrupted",
			Fault: "disk full"}, exitFailed,
			"cannot see workspace 7 reach Running: it is Corrupted: disk full"},
		{"ended", notify.Event{Workspace: "7", Was: "Propagated", State: client.Gone}, exitFailed,
			"cannot see workspace 7 reach Running: it no longer exists"},
		{"never was", notify.Event{Workspace: "7", State: client.Gone}, exitNotFound,
			"cannot wait for workspace 7: it does not exist"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var err bytes.Buffer
			p := &pursuit{
				app:  &app{err: &err, printer: &printer{form: "table"}},
				goal: goal{state: "Running"}, open: map[string]bool{"7": true, "8": true},
				states: map[string]string{}, line: startActivity(nil, "", time.Minute),
			}
			if !p.see(test.event) {
				t.Error("does not wait for the other workspace")
			}
			if p.see(notify.Event{Workspace: "8", State: "Running"}) {
				t.Error("waits on although all have arrived or ended")
			}
			if exitCode(p.failure) != test.code || p.failure.Error() != test.text {
				t.Errorf("failure %v with code %d", p.failure, exitCode(p.failure))
			}
			if strings.Contains(err.String(), "-->") != (test.event.Was != "") {
				t.Errorf("told %q", err.String())
			}
		})
	}
}
