package dispatch_test

import (
	"context"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func (m *core) HostModes(context.Context) ([]workspace.HostMode, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.modes), nil
}

func (m *core) SetHost(_ context.Context, _ workspace.Owner, mode workspace.HostMode) error {
	if err := m.change(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.modes = []workspace.HostMode{mode}
	return nil
}

func (m *core) Evacuate(
	context.Context, workspace.Owner, workspace.HostID,
) ([]workspace.Departure, error) {
	return []workspace.Departure{
		{Workspace: 7, Fate: workspace.FateMoves, To: "node-1"},
		{Workspace: 8, Fate: workspace.FateStays, Why: "there is no room"},
	}, m.change()
}

// full says that there is no room, and what would do.
var full = workspace.Errorf(workspace.NoResource, "find room", "", "%w", &workspace.Refusal{
	Code:      "taken",
	Shortages: []workspace.Shortage{{Resource: "memory", Unit: "MB", Wanted: 9, Where: "node-1"}},
	Offers:    []workspace.Offer{{Change: "smaller", Demand: workspace.Allocation{MemoryMB: 4}}},
})

func (m *core) Plan(_ context.Context, r workspace.Request) (workspace.Proposal, error) {
	if r.Nodes > 64 {
		return workspace.Proposal{}, full
	}
	return workspace.Proposal{
		Status: workspace.LeaseActive, Hosts: []workspace.HostID{"node-1"},
	}, nil
}

func (m *core) Schedule(
	context.Context, workspace.Owner, time.Time, time.Time,
) ([]workspace.Bar, error) {
	return []workspace.Bar{{Host: "node-1", Phase: workspace.PhaseRun, Lease: 1}}, nil
}

func (m *core) Resize(
	_ context.Context, owner workspace.Owner, id workspace.ID, r workspace.Resize,
) (*workspace.Workspace, error) {
	if r.MemoryMB > 1<<20 {
		return nil, full
	}
	return nil, m.act(owner, id, func(w *workspace.Workspace) {
		if r.MemoryMB > 0 {
			w.Demand.MemoryMB = r.MemoryMB
		}
	})
}

func (m *core) Use(context.Context, workspace.Owner, workspace.ID) (*workspace.Reading, error) {
	return nil, nil
}

func (m *core) Explain(context.Context, workspace.Owner, workspace.ID) (
	*workspace.Refusal, *workspace.Booking, error,
) {
	return nil, nil, nil
}

func (m *core) Migrate(
	_ context.Context, owner workspace.Owner, id workspace.ID, to workspace.HostID, _ bool,
) (workspace.HostID, error) {
	return to, m.act(owner, id, func(w *workspace.Workspace) { w.Host = to })
}

func (m *core) Keep(
	_ context.Context, owner workspace.Owner, id workspace.ID, _, _ string,
) error {
	return m.act(owner, id, func(*workspace.Workspace) {})
}

func (m *core) Snapshots(
	context.Context, workspace.Owner, workspace.ID,
) ([]workspace.Snapshot, error) {
	return nil, nil
}
