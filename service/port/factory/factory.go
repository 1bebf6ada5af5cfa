// Package factory is the port type that creates workspaces and groups, and
// tells what the pool offers: WorkspaceFactoryService on face one and
// WorkspaceFactory on face two, which also says what a request would get, and
// what hosts are to do.
//
// It must not know how a request is placed, or whether it may be.
package factory

import (
	"context"
	"errors"
	"time"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Manager is what the port type asks of the core.
type Manager interface {
	Create(ctx context.Context, r workspace.Request) (workspace.Created, error)
	Plan(ctx context.Context, r workspace.Request) (workspace.Proposal, error)
	Schedule(ctx context.Context, owner workspace.Owner, from, until time.Time) (
		[]workspace.Bar, error)
	Site() workspace.Site
	Networks
}

// portType is the port type.
type portType struct{ manager Manager }

// create is what the faces call the operation that creates.
var create = port.Names{One: "create", Two: "Create"}

// New returns the port type over the manager on a face.
func New(face wsdl.Face, m Manager) dispatch.Service {
	p := portType{m}
	s := dispatch.Service{
		Face: face, Name: port.Factory.On(face), Operations: map[string]dispatch.Operation{
			create.On(face): {Do: p.create},
		},
	}
	if face == wsdl.Two {
		s.Operations["Plan"] = dispatch.Operation{Do: p.plan}
		s.Operations["QuerySchedule"] = dispatch.Operation{Do: p.schedule}
		s.Operations["QueryNetworks"] = dispatch.Operation{Do: p.networks}
		s.Operations["HoldAddresses"] = dispatch.Operation{Do: p.hold}
		s.Operations["ReleaseAddress"] = dispatch.Operation{Do: p.release}
	}
	none := report.FactoryProperties{Edition: port.Edition(face)}
	property.Source{
		Names: none.Names(), Load: p.properties, Anonymous: true,
	}.AddTo(&s)
	return s
}

func (p portType) create(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	r, err := asked(c)
	if err != nil {
		return nil, err
	}
	made, err := p.manager.Create(ctx, r)
	if c.Face == wsdl.Two && errors.Is(err, workspace.ErrMessageIDUsed) {
		return nil, wsa.InvalidHeader(wsa.DuplicateMessageID, "MessageID", err)
	}
	if err != nil {
		return nil, place(c, err)
	}
	if c.Face == wsdl.Two {
		return created(c, made).WriteLease, nil
	}
	return created(c, made).Write, nil
}

// asked reads the request of a create message, or of the question what it would
// get.
func asked(c *dispatch.Call) (workspace.Request, error) {
	m, err := deployment.DecodeCreate(c.Document, c.Body)
	if err != nil {
		return workspace.Request{}, err
	}
	return request(c, m)
}

// created is the answer to a create message.
func created(c *dispatch.Call, made workspace.Created) *report.Created {
	answer := new(report.Created)
	for _, w := range made.Workspaces {
		answer.Workspaces = append(answer.Workspaces, report.CreatedWorkspace{
			EPR: port.WorkspaceEPR(c, w.ID), Schedule: port.Schedule(w), NICs: port.NICs(w),
			Images: port.DiskImages(w),
		})
	}
	if made.Group != "" {
		group := port.GroupEPR(c, made.Group)
		answer.Group = &group
	}
	return answer
}

// properties tells of the pool. Of several architectures the first alone is
// told on face one: the clients of the original's time take no more.
func (p portType) properties(_ context.Context, c *dispatch.Call) (property.Set, error) {
	site := p.manager.Site()
	told := &report.FactoryProperties{
		Edition:            port.Edition(c.Face),
		DefaultRunningTime: site.DefaultDuration,
		MaximumRunningTime: site.MaximumDuration,
		Architectures:      site.Architectures,
		Associations:       site.Associations,
	}
	if c.Face == wsdl.One {
		told.Architectures = site.Architectures[:min(1, len(site.Architectures))]
	}
	if site.VMMType != "" {
		told.VMM = &metadata.VMM{Type: site.VMMType, Versions: site.VMMVersions}
	}
	return told, nil
}
