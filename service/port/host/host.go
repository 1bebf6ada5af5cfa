// Package host is the port type of the pool's hosts (service Host of face two):
// what each tells of itself, what operators want of it, and how they test it, take
// it out of the pool or give up what is on it.
//
// It must not know how hosts are reached, what runs on them, or who operates
// them.
package host

import (
	"context"
	"time"

	"github.com/beevik/etree"

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
	HostUses(ctx context.Context) ([]workspace.HostUse, error)
	Reachable(id workspace.HostID) bool
	HostModes(ctx context.Context) ([]workspace.HostMode, error)
	// Standing tells whether the host answers, and when it was added.
	Standing(ctx context.Context, owner workspace.Owner, id workspace.HostID) (
		workspace.Liveness, time.Time, error)
	// Described tells operators how a host is described; nil for everyone else.
	Described(owner workspace.Owner, id workspace.HostID) *workspace.HostSpec
}

// Fleet changes which hosts there are, and tests them, for operators.
type Fleet interface {
	Add(ctx context.Context, owner workspace.Owner, spec workspace.HostSpec,
		first workspace.HostMode) error
	ProbeNew(ctx context.Context, owner workspace.Owner, spec workspace.HostSpec) (
		[]workspace.Finding, error)
	Probe(ctx context.Context, owner workspace.Owner, id workspace.HostID) (
		[]workspace.Finding, error)
	Remove(ctx context.Context, owner workspace.Owner, id workspace.HostID) error
	Forget(ctx context.Context, owner workspace.Owner, id workspace.HostID) (
		[]workspace.ID, error)
}

// Keeper is also asked to change hosts, which operators may.
type Keeper interface {
	Manager
	Fleet
	SetHost(ctx context.Context, owner workspace.Owner, mode workspace.HostMode) error
	Evacuate(ctx context.Context, owner workspace.Owner, id workspace.HostID) (
		[]workspace.Departure, error)
}

// New returns the port type over the manager.
func New(m Keeper) dispatch.Service {
	s := dispatch.Service{
		Face: wsdl.Two, Name: port.Host, Key: report.HostKey,
		Operations: map[string]dispatch.Operation{},
	}
	load := func(ctx context.Context, c *dispatch.Call) (property.Set, error) {
		return Find(ctx, m, c.Owner, c.Key)
	}
	s.Operations["Probe"] = dispatch.Operation{Do: probe(m), Bare: true}
	s.Operations["Forget"] = dispatch.Operation{Do: forget(m), Bare: true}
	s.Operations["Evacuate"] = dispatch.Operation{Do: evacuate(m), Bare: true}
	s.Operations["Destroy"] = dispatch.Operation{Do: remove(m), Bare: true}
	property.Source{
		Names: new(report.HostProperties).Names(), Load: load,
		Writable: []xmlstrict.Name{report.PropertyMode},
		Change: func(ctx context.Context, c *dispatch.Call, values property.Values) error {
			return change(ctx, m, c, values[report.PropertyMode])
		},
	}.AddTo(&s)
	return s
}

// change has a host be as an operator wants it.
func change(
	ctx context.Context, m Keeper, c *dispatch.Call, wanted []*etree.Element,
) error {
	invalid := wsrf.Final.Names().InvalidModification
	if len(wanted) > 1 {
		return &wsrf.FaultError{Fault: invalid, Err: c.Document.Errorf(wanted[1], "one value",
			"a second %s", wanted[1].Tag)}
	}
	told, err := report.DecodeMode(c.Document, wanted[0])
	if err != nil {
		return &wsrf.FaultError{Fault: invalid, Err: err}
	}
	return m.SetHost(ctx, c.Owner, mode(workspace.HostID(c.Key), told))
}

// All returns what every host of the pool tells, in the order of their names.
func All(
	ctx context.Context, m Manager, owner workspace.Owner,
) ([]*report.HostProperties, error) {
	uses, err := m.HostUses(ctx)
	if err != nil {
		return nil, err
	}
	modes, err := m.HostModes(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*report.HostProperties, len(uses))
	for i := range uses {
		all[i] = properties(&uses[i], m.Reachable(uses[i].ID))
		alive, added, err := m.Standing(ctx, owner, uses[i].ID)
		if err != nil {
			return nil, err
		}
		all[i].Added, all[i].Description = added, description(m.Described(owner, uses[i].ID))
		all[i].Liveness = &report.Liveness{Answers: alive.Answers, Since: alive.Since,
			Version: alive.Version, LastError: alive.Error}
		for _, mode := range modes {
			if mode.Host == uses[i].ID {
				all[i].Mode = told(mode)
			}
		}
	}
	return all, nil
}

// Find returns what the host of a key tells; the error is of kind NotFound when
// there is none.
func Find(
	ctx context.Context, m Manager, owner workspace.Owner, key string,
) (*report.HostProperties, error) {
	all, err := All(ctx, m, owner)
	if err != nil {
		return nil, err
	}
	for _, h := range all {
		if h.Key == key {
			return h, nil
		}
	}
	return nil, workspace.Errorf(workspace.NotFound, "find the host", key,
		"the pool has no host of that name")
}

// properties translates a host.
func properties(u *workspace.HostUse, reachable bool) *report.HostProperties {
	return &report.HostProperties{
		Key: string(u.ID), VMM: u.VMM, Active: u.Active, Reachable: reachable,
		CPUs: int(u.Capacity.CPUs), CPUsUsed: int(u.Used.CPUs),
		MemoryMB: int(u.Capacity.MemoryMB), MemoryMBUsed: int(u.Used.MemoryMB),
		Associations: u.Associations,
	}
}
