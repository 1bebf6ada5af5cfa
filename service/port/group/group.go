// Package group is the port type of groups, WorkspaceGroupService on face one
// and Group on face two: what can be done to all workspaces of one create
// request together. It has no properties.
//
// It must not know the members, nor what becomes of each.
package group

import (
	"context"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Manager is what the port type asks of the core. Errors of several members
// come joined.
type Manager interface {
	StartGroup(ctx context.Context, owner workspace.Owner, id workspace.GroupID) error
	ShutdownGroup(ctx context.Context, owner workspace.Owner, id workspace.GroupID,
		kind workspace.ShutdownKind, saveTo string) error
	DestroyGroup(ctx context.Context, owner workspace.Owner, id workspace.GroupID) error
}

// words are what a face calls the answers.
type words struct{ start, shutdown xmlstrict.Name }

var wordsOf = map[wsdl.Face]words{
	wsdl.One: {
		xmlstrict.Name{Space: schema.Group, Local: "startWorkspacesResponse"},
		xmlstrict.Name{Space: schema.Group, Local: "shutdownWorkspacesResponse"},
	},
	wsdl.Two: {deployment.StartLeaseResponse, deployment.ShutdownLeaseResponse},
}

// portType is the port type on a face.
type portType struct {
	manager Manager
	words   words
}

// New returns the port type over the manager on a face.
func New(face wsdl.Face, m Manager) dispatch.Service {
	p := portType{m, wordsOf[face]}
	return dispatch.Service{
		Face: face, Name: port.Group.On(face), Key: port.GroupKey,
		Operations: map[string]dispatch.Operation{
			port.Start.On(face):    {Do: p.start, Bare: true},
			port.Shutdown.On(face): {Do: p.shutdown},
			"Destroy":              {Do: p.destroy, Bare: true},
		},
	}
}

func (p portType) start(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	return dispatch.Empty(p.words.start), p.manager.StartGroup(ctx, c.Owner, port.GroupID(c))
}

func (p portType) shutdown(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	r, err := deployment.DecodeShutdown(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	kind, saveTo := port.ShutdownTo(r)
	err = p.manager.ShutdownGroup(ctx, c.Owner, port.GroupID(c), kind, saveTo)
	return dispatch.Empty(p.words.shutdown), err
}

func (p portType) destroy(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	err := p.manager.DestroyGroup(ctx, c.Owner, port.GroupID(c))
	return port.Edition(c.Face).WriteDestroyResponse, err
}
