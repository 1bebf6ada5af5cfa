// Package status is the port type of the caller's account,
// WorkspaceStatusService on face one and Status on face two: what the caller
// has, and how much running time it took.
//
// It must not know how time is charged.
package status

import (
	"context"
	"slices"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Manager is what the port type asks of the core.
type Manager interface {
	Usage(ctx context.Context, owner workspace.Owner) (workspace.Usage, error)
	Workspaces(ctx context.Context, owner workspace.Owner) ([]*workspace.Workspace, error)
	Details(w *workspace.Workspace) string
	Site() workspace.Site
}

// portType is the port type on a face.
type portType struct{ manager Manager }

// New returns the port type over the manager on a face.
func New(face wsdl.Face, m Manager) dispatch.Service {
	p := portType{m}
	s := dispatch.Service{
		Face: face, Name: port.Status.On(face), Operations: map[string]dispatch.Operation{},
	}
	if face == wsdl.Two {
		s.Operations["QueryUsage"] = dispatch.Operation{Do: p.usage, Bare: true}
	} else {
		s.Operations["queryUsedAndReservedTime"] = dispatch.Operation{Do: p.usage, Bare: true}
		s.Operations["queryCurrentWorkspaces"] = dispatch.Operation{Do: p.list, Bare: true}
	}
	property.Source{
		Names: document(face, m.Site()).Names(), Load: p.properties, Anonymous: true,
	}.AddTo(&s)
	return s
}

// properties is a property document that knows its names.
type properties interface {
	property.Set
	Names() []xmlstrict.Name
}

// document returns what the face tells of accounting. Where the site says so,
// the granularity is not told: the oldest clients know no property here.
func document(face wsdl.Face, site workspace.Site) properties {
	told := &report.StatusProperties{
		Edition: port.Edition(face), ChargeGranularity: site.ChargeGranularity,
	}
	if site.HideCharge {
		return without{told}
	}
	return told
}

// without is the document without the granularity.
type without struct{ *report.StatusProperties }

// Names returns the names of the properties that are left.
func (w without) Names() []xmlstrict.Name {
	return slices.DeleteFunc(w.StatusProperties.Names(), func(name xmlstrict.Name) bool {
		return name == report.PropertyChargeGranularity
	})
}

// Write writes the properties that are left.
func (w without) Write(enc *xmlstrict.Encoder) {
	root := report.StatusRPSet
	if w.Edition == wsrf.Final {
		root = report.StatusLeaseRPSet
	}
	enc.Start(root)
	for _, name := range w.Names() {
		w.WriteProperty(enc, name)
	}
	enc.End()
}

func (p portType) usage(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	u, err := p.manager.Usage(ctx, c.Owner)
	if err != nil {
		return nil, err
	}
	told := report.Usage{Used: u.Used, Reserved: u.Reserved}
	if c.Face == wsdl.Two {
		return told.WriteLease, nil
	}
	return told.Write, nil
}

// list tells of the caller's workspaces. The optional s:details, which clients
// before Nimbus 2.9 refuse, is there where the site says so: it tells what is
// under way, and how far it is.
func (p portType) list(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	all, err := p.manager.Workspaces(ctx, c.Owner)
	if err != nil {
		return nil, err
	}
	details := p.manager.Site().StatusDetails
	list := make(report.CurrentWorkspaces, len(all))
	for i, w := range all {
		list[i] = report.CurrentWorkspace{
			EPR: port.WorkspaceEPR(c, w.ID), State: port.State(w), Schedule: port.Schedule(w),
			Allocation: port.Allocation(w), NICs: port.NICs(w),
		}
		if details {
			list[i].Details = p.manager.Details(w)
		}
	}
	return list.Write, nil
}

func (p portType) properties(_ context.Context, c *dispatch.Call) (property.Set, error) {
	return document(c.Face, p.manager.Site()), nil
}
