// Package factory is the port type of WorkspaceFactoryService: it creates
// workspaces and groups, and tells what the pool offers.
//
// It must not know how a request is placed, or whether it may be.
package factory

import (
	"context"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Manager is what the port type asks of the core.
type Manager interface {
	Create(ctx context.Context, r workspace.Request) (workspace.Created, error)
	Site() workspace.Site
}

// face is the port type.
type face struct{ manager Manager }

// New returns the port type over the manager.
func New(m Manager) dispatch.Service {
	f := face{m}
	s := dispatch.Service{Name: port.Factory.One, Operations: map[string]dispatch.Operation{
		"create": {Do: f.create},
	}}
	property.Source{
		Names: new(report.FactoryProperties).Names(), Load: f.properties, Anonymous: true,
	}.AddTo(s.Operations)
	return s
}

func (f face) create(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	m, err := deployment.DecodeCreate(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	r, err := request(c, m)
	if err != nil {
		return nil, err
	}
	made, err := f.manager.Create(ctx, r)
	if err != nil {
		return nil, place(c, err)
	}
	return created(c, made).Write, nil
}

// created is the answer to a create message.
func created(c *dispatch.Call, made workspace.Created) *report.Created {
	answer := new(report.Created)
	for _, w := range made.Workspaces {
		answer.Workspaces = append(answer.Workspaces, report.CreatedWorkspace{
			EPR: port.WorkspaceEPR(c, w.ID), Schedule: port.Schedule(w), NICs: port.NICs(w),
		})
	}
	if made.Group != "" {
		group := port.GroupEPR(c, made.Group)
		answer.Group = &group
	}
	return answer
}

// properties tells of the pool. Of several architectures the first alone is
// told: the clients of the original's time take no more.
func (f face) properties(context.Context, *dispatch.Call) (property.Set, error) {
	site := f.manager.Site()
	p := &report.FactoryProperties{
		DefaultRunningTime: site.DefaultDuration,
		MaximumRunningTime: site.MaximumDuration,
		Architectures:      site.Architectures[:min(1, len(site.Architectures))],
		Associations:       site.Associations,
	}
	if site.VMMType != "" {
		p.VMM = &metadata.VMM{Type: site.VMMType, Versions: site.VMMVersions}
	}
	return p, nil
}
