package group

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// desk is a Manager that writes down what it is asked.
type desk struct {
	asked string
	err   error
}

func (d *desk) StartGroup(_ context.Context, _ workspace.Owner, id workspace.GroupID) error {
	d.asked = "start " + string(id)
	return d.err
}

func (d *desk) ShutdownGroup(
	_ context.Context, _ workspace.Owner, id workspace.GroupID,
	kind workspace.ShutdownKind, to string,
) error {
	d.asked = "shutdown " + string(id) + " " + string(kind) + " " + to
	return d.err
}

func (d *desk) DestroyGroup(_ context.Context, _ workspace.Owner, id workspace.GroupID) error {
	d.asked = "destroy " + string(id)
	return d.err
}

func TestOperationsReachTheManager(t *testing.T) {
	shutdown := `<shutdownWorkspaces xmlns="` + schema.Group + `" xmlns:t="` + schema.Types +
		`" xmlns:n="` + schema.Negotiable + `"><t:shutdownType>ReadyForTransport</t:shutdownType>` +
		`<n:PostShutdown><n:rootPartitionUnpropagationTarget>sftp://r/x` +
		`</n:rootPartitionUnpropagationTarget></n:PostShutdown></shutdownWorkspaces>`
	tests := map[string]struct{ operation, body, asked, reply string }{
		"start": {"start", `<startWorkspaces xmlns="` + schema.Group + `"/>`, "start g1",
			`<g:startWorkspacesResponse xmlns:g="` + schema.Group + `"/>`},
		"shutdown": {"shutdown", shutdown, "shutdown g1 ReadyForTransport sftp://r/x",
			`<g:shutdownWorkspacesResponse xmlns:g="` + schema.Group + `"/>`},
		"destroy": {"Destroy", `<Destroy xmlns="` + schema.Lifetime + `"/>`, "destroy g1",
			`<wsrl:DestroyResponse xmlns:wsrl="` + schema.Lifetime + `"/>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := new(desk)
			reply, err := porttest.Call(t, New(wsdl.One, d), tt.operation, "g1", tt.body)
			if err != nil || reply != tt.reply || d.asked != tt.asked {
				t.Errorf("asked %q, reply is %s, %v", d.asked, reply, err)
			}
			d.err = errors.Join(
				workspace.Errorf(workspace.Conflict, "start", "7", "it is off"),
				workspace.Errorf(workspace.Conflict, "start", "9", "it is gone"))
			_, err = porttest.Call(t, New(wsdl.One, d), tt.operation, "g1", tt.body)
			if workspace.KindOf(err) != workspace.Conflict ||
				!strings.Contains(err.Error(), `"7"`) || !strings.Contains(err.Error(), `"9"`) {
				t.Errorf("error is %v, want those of both members", err)
			}
		})
	}
}

func TestBadShutdownAsksNobody(t *testing.T) {
	d := new(desk)
	_, err := porttest.Call(t, New(wsdl.One, d), "shutdown", "g1", "<x/>")
	if err == nil || d.asked != "" {
		t.Errorf("error is %v, asked %q", err, d.asked)
	}
}
