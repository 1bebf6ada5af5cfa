// Package group is the port type of WorkspaceGroupService: what can be done to
// all workspaces of one create request together. It has no properties.
//
// It must not know the members, nor what becomes of each.
package group

import (
	"context"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Manager is what the port type asks of the core. Errors of several members
// come joined.
type Manager interface {
	StartGroup(ctx context.Context, owner workspace.Owner, id workspace.GroupID) error
	ShutdownGroup(ctx context.Context, owner workspace.Owner, id workspace.GroupID,
		kind workspace.ShutdownKind, saveTo string) error
	DestroyGroup(ctx context.Context, owner workspace.Owner, id workspace.GroupID) error
}

var (
	startResponse = xmlstrict.Name{
		Space: schema.Group, Local: "startWorkspacesResponse",
	}
	shutdownResponse = xmlstrict.Name{
		Space: schema.Group, Local: "shutdownWorkspacesResponse",
	}
)

// face is the port type.
type face struct{ manager Manager }

// New returns the port type over the manager.
func New(m Manager) dispatch.Service {
	f := face{m}
	return dispatch.Service{
		Name: port.Group.One, Key: port.GroupKey, Operations: map[string]dispatch.Operation{
			"start":    {Do: f.start, Bare: true},
			"shutdown": {Do: f.shutdown},
			"Destroy":  {Do: f.destroy, Bare: true},
		},
	}
}

func (f face) start(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	return dispatch.Empty(startResponse), f.manager.StartGroup(ctx, c.Owner, port.GroupID(c))
}

func (f face) shutdown(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	r, err := deployment.DecodeShutdown(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	kind, saveTo := port.Shutdown(r)
	err = f.manager.ShutdownGroup(ctx, c.Owner, port.GroupID(c), kind, saveTo)
	return dispatch.Empty(shutdownResponse), err
}

func (f face) destroy(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	err := f.manager.DestroyGroup(ctx, c.Owner, port.GroupID(c))
	return wsrf.WriteDestroyResponse, err
}
