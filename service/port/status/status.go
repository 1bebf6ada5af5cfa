// Package status is the port type of WorkspaceStatusService: what the caller
// has, and how much running time it took.
//
// It must not know how time is charged.
package status

import (
	"context"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Manager is what the port type asks of the core.
type Manager interface {
	Usage(ctx context.Context, owner workspace.Owner) (workspace.Usage, error)
	Workspaces(ctx context.Context, owner workspace.Owner) ([]*workspace.Workspace, error)
	Details(w *workspace.Workspace) string
	Site() workspace.Site
}

// face is the port type.
type face struct{ manager Manager }

// New returns the port type over the manager.
func New(m Manager) dispatch.Service {
	f := face{m}
	s := dispatch.Service{Name: port.Status.One, Operations: map[string]dispatch.Operation{
		"queryUsedAndReservedTime": {Do: f.usage, Bare: true},
		"queryCurrentWorkspaces":   {Do: f.list, Bare: true},
	}}
	property.Source{
		Names: new(report.StatusProperties).Names(), Load: f.properties, Anonymous: true,
	}.AddTo(s.Operations)
	return s
}

func (f face) usage(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	u, err := f.manager.Usage(ctx, c.Owner)
	if err != nil {
		return nil, err
	}
	return report.Usage{Used: u.Used, Reserved: u.Reserved}.Write, nil
}

// list tells of the caller's workspaces. The optional s:details, which clients
// before Nimbus 2.9 refuse, is there where the site says so: it tells what is
// under way, and how far it is.
func (f face) list(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	all, err := f.manager.Workspaces(ctx, c.Owner)
	if err != nil {
		return nil, err
	}
	details := f.manager.Site().StatusDetails
	list := make(report.CurrentWorkspaces, len(all))
	for i, w := range all {
		list[i] = report.CurrentWorkspace{
			EPR: port.WorkspaceEPR(c, w.ID), State: port.State(w), Schedule: port.Schedule(w),
			Allocation: port.Allocation(w), NICs: port.NICs(w),
		}
		if details {
			list[i].Details = f.manager.Details(w)
		}
	}
	return list.Write, nil
}

func (f face) properties(context.Context, *dispatch.Call) (property.Set, error) {
	return &report.StatusProperties{ChargeGranularity: f.manager.Site().ChargeGranularity}, nil
}
