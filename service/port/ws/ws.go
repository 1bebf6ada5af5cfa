// Package ws is the port type of WorkspaceService: what can be done to one
// workspace, what it tells of itself, and who wants to be told of its changes.
//
// It must not know what an operation sets in motion, nor how consumers are
// reached.
package ws

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/producer"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Manager is what the port type asks of the core.
type Manager interface {
	Workspace(ctx context.Context, owner workspace.Owner, id workspace.ID) (
		*workspace.Workspace, error)
	Start(ctx context.Context, owner workspace.Owner, id workspace.ID) error
	Shutdown(ctx context.Context, owner workspace.Owner, id workspace.ID,
		kind workspace.ShutdownKind, saveTo string) error
	Destroy(ctx context.Context, owner workspace.Owner, id workspace.ID) error
	SetTermination(ctx context.Context, owner workspace.Owner, id workspace.ID, at time.Time) (
		time.Time, error)
}

var (
	startResponse = xmlstrict.Name{
		Space: schema.Workspace, Local: "startWorkspaceResponse",
	}
	shutdownResponse = xmlstrict.Name{
		Space: schema.Workspace, Local: "shutdownWorkspaceResponse",
	}
)

// face is the port type.
type face struct{ manager Manager }

// New returns the port type over the manager. The producer takes subscriptions.
func New(m Manager, p producer.Source) dispatch.Service {
	f := face{m}
	s := dispatch.Service{
		Name: port.Workspace.One, Key: port.WorkspaceKey,
		Operations: map[string]dispatch.Operation{
			"start":              {Do: f.start, Bare: true},
			"shutdown":           {Do: f.shutdown},
			"Destroy":            {Do: f.destroy, Bare: true},
			"SetTerminationTime": {Do: f.setTerminationTime},
		},
	}
	p.AddTo(s.Operations)
	property.Source{
		Names: new(report.ServiceProperties).Names(), Load: f.properties,
	}.AddTo(s.Operations)
	return s
}

// workspace finds the workspace that the call is about.
func (f face) workspace(
	ctx context.Context, c *dispatch.Call,
) (*workspace.Workspace, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	return f.manager.Workspace(ctx, c.Owner, id)
}

func (f face) properties(ctx context.Context, c *dispatch.Call) (property.Set, error) {
	w, err := f.workspace(ctx, c)
	if err != nil {
		return nil, err
	}
	return document(w), nil
}

func document(w *workspace.Workspace) *report.ServiceProperties {
	return &report.ServiceProperties{
		NICs: port.NICs(w), Schedule: port.Schedule(w), Allocation: port.Allocation(w),
		CurrentTime: time.Now(), TerminationTime: w.Lease.Termination(), State: port.State(w),
	}
}

// Properties returns what writes the property document of a workspace on a
// face, for those who ask it things.
func Properties(_ wsdl.Face, w *workspace.Workspace) func(*xmlstrict.Encoder) {
	return document(w).Write
}

func (f face) start(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	return dispatch.Empty(startResponse), f.manager.Start(ctx, c.Owner, id)
}

func (f face) shutdown(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	r, err := deployment.DecodeShutdown(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	kind, saveTo := port.Shutdown(r)
	return dispatch.Empty(shutdownResponse),
		f.manager.Shutdown(ctx, c.Owner, id, kind, saveTo)
}

func (f face) destroy(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	return wsrf.WriteDestroyResponse, f.manager.Destroy(ctx, c.Owner, id)
}

func (f face) setTerminationTime(
	ctx context.Context, c *dispatch.Call,
) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	at, err := wsrf.ParseSetTerminationTime(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	granted, err := f.manager.SetTermination(ctx, c.Owner, id, at)
	if err != nil {
		return nil, err
	}
	return wsrf.NewTermination{At: granted, Now: time.Now()}.Write, nil
}
