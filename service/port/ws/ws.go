// Package ws is the port type of workspaces, WorkspaceService on face one and
// Workspace on face two: what can be done to one workspace, and what it tells
// of itself.
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
	Scheduler
	Meter
	Mover
}

// Meter tells what a workspace uses; nil: nobody knows.
type Meter interface {
	Use(ctx context.Context, owner workspace.Owner, id workspace.ID) (*workspace.Reading, error)
}

// Scheduler is what the port type asks about the lease of a workspace.
type Scheduler interface {
	Renegotiate(ctx context.Context, owner workspace.Owner, id workspace.ID,
		terms workspace.Terms) (*workspace.Workspace, error)
	Resize(ctx context.Context, owner workspace.Owner, id workspace.ID, r workspace.Resize) (
		*workspace.Workspace, error)
	Explain(ctx context.Context, owner workspace.Owner, id workspace.ID) (
		*workspace.Refusal, *workspace.Booking, error)
}

// words are what a face calls the answers.
type words struct{ start, shutdown xmlstrict.Name }

var wordsOf = map[wsdl.Face]words{
	wsdl.One: {
		xmlstrict.Name{Space: schema.Workspace, Local: "startWorkspaceResponse"},
		xmlstrict.Name{Space: schema.Workspace, Local: "shutdownWorkspaceResponse"},
	},
	wsdl.Two: {deployment.StartLeaseResponse, deployment.ShutdownLeaseResponse},
}

// portType is the port type on a face.
type portType struct {
	manager Manager
	words   words
}

// New returns the port type over the manager on a face. The producer takes
// subscriptions.
func New(face wsdl.Face, m Manager, producers producer.Source) dispatch.Service {
	p := portType{m, wordsOf[face]}
	s := dispatch.Service{
		Face: face, Name: port.Workspace.On(face), Key: port.WorkspaceKey,
		Operations: map[string]dispatch.Operation{
			port.Start.On(face):    {Do: p.start, Bare: true},
			port.Shutdown.On(face): {Do: p.shutdown},
			"Destroy":              {Do: p.destroy, Bare: true},
			"SetTerminationTime":   {Do: p.setTerminationTime},
		},
	}
	p.addMoves(face, s.Operations)
	producers.AddTo(s.Operations)
	property.Source{
		Names: Document(face, new(workspace.Workspace)).Names(), Load: p.properties,
		Writable: append(writable, report.PropertyShape), Change: p.change,
		Measured: []xmlstrict.Name{report.PropertyUse},
	}.AddTo(&s)
	return s
}

// workspace finds the workspace that the call is about.
func (p portType) workspace(
	ctx context.Context, c *dispatch.Call,
) (*workspace.Workspace, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	return p.manager.Workspace(ctx, c.Owner, id)
}

func (p portType) properties(ctx context.Context, c *dispatch.Call) (property.Set, error) {
	w, err := p.workspace(ctx, c)
	if err != nil {
		return nil, err
	}
	lease := func() (*workspace.Refusal, *workspace.Booking) {
		why, booking, err := p.manager.Explain(ctx, c.Owner, w.ID)
		if err != nil {
			return nil, nil // it went away meanwhile: then it has no lease
		}
		return why, booking
	}
	use := func() *report.Use {
		r, err := p.manager.Use(ctx, c.Owner, w.ID)
		if err != nil {
			return nil // it went away meanwhile
		}
		return port.Use(r)
	}
	return document{c.Face, w, lease, use}, nil
}

// document is the property document of a workspace. What is asked for is made
// when it is written, and no more: most requests are for one property.
type document struct {
	face wsdl.Face
	w    *workspace.Workspace
	// lease tells how the lease stands and why it waits, which is work.
	lease func() (*workspace.Refusal, *workspace.Booking)
	use   func() *report.Use // what it uses, which its host is asked for
}

// Write writes the whole document.
func (d document) Write(enc *xmlstrict.Encoder) {
	told := Document(d.face, d.w)
	if d.face == wsdl.Two {
		d.standing(told)
		told.Use = d.use()
	}
	told.Write(enc)
}

// standing adds what the scheduler says.
func (d document) standing(told *report.ServiceProperties) {
	why, booking := d.lease()
	told.Lease, told.Explanation = port.Lease(d.w, booking), dispatch.Explanation(why)
}

// WriteProperty writes one property.
func (d document) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	told := report.ServiceProperties{Edition: port.Edition(d.face)}
	switch name {
	case report.PropertyState:
		told.State = port.State(d.w)
	case report.PropertyLogistics:
		told.NICs = port.NICs(d.w)
	case report.PropertyAllocation:
		told.Allocation = port.Allocation(d.w)
	case report.PropertySchedule:
		told.Schedule = port.Schedule(d.w)
	case report.PropertyDiskImage:
		told.Images = port.DiskImages(d.w)
	case report.PropertyShape:
		told.Shape = dispatch.Amounts(d.w.Demand)
	case report.PropertyUse:
		if d.face == wsdl.Two {
			told.Use = d.use()
		}
	case report.PropertyLease, report.PropertyExplanation:
		if d.face == wsdl.Two {
			d.standing(&told)
		}
	default:
		told.CurrentTime, told.TerminationTime = time.Now(), port.Termination(d.w)
	}
	return told.WriteProperty(enc, name)
}

// Document returns what a workspace tells of itself on a face, the scheduler's
// part aside.
func Document(face wsdl.Face, w *workspace.Workspace) *report.ServiceProperties {
	return &report.ServiceProperties{
		Edition: port.Edition(face),
		NICs:    port.NICs(w), Schedule: port.Schedule(w), Allocation: port.Allocation(w),
		CurrentTime: time.Now(), TerminationTime: port.Termination(w), State: port.State(w),
		Shape: dispatch.Amounts(w.Demand), Images: port.DiskImages(w),
	}
}

// Properties returns what writes the property document of a workspace on a
// face, for those who ask it things.
func Properties(face wsdl.Face, w *workspace.Workspace) func(*xmlstrict.Encoder) {
	return Document(face, w).Write
}

func (p portType) start(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	return dispatch.Empty(p.words.start), p.manager.Start(ctx, c.Owner, id)
}

func (p portType) shutdown(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	r, err := deployment.DecodeShutdown(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	kind, saveTo := port.ShutdownTo(r)
	return dispatch.Empty(p.words.shutdown),
		p.manager.Shutdown(ctx, c.Owner, id, kind, saveTo)
}

func (p portType) destroy(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	return port.Edition(c.Face).WriteDestroyResponse, p.manager.Destroy(ctx, c.Owner, id)
}

// setTerminationTime answers SetTerminationTime; a duration counts from now
// (WS-ResourceLifetime 1.2, 5.1).
func (p portType) setTerminationTime(
	ctx context.Context, c *dispatch.Call,
) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	edition := port.Edition(c.Face)
	end, err := edition.ParseSetTerminationTime(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	granted, err := p.manager.SetTermination(ctx, c.Owner, id, end.From(time.Now()))
	if err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) {
		wsrf.NewTermination{At: granted, Now: time.Now()}.WriteIn(enc, edition)
	}, nil
}
