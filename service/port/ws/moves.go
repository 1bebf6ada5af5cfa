package ws

import (
	"context"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Mover is what the port type asks about hosts of a workspace and its states there.
type Mover interface {
	Migrate(ctx context.Context, owner workspace.Owner, id workspace.ID,
		to workspace.HostID, still bool) (workspace.HostID, error)
	Keep(ctx context.Context, owner workspace.Owner, id workspace.ID, action, name string) error
	Snapshots(ctx context.Context, owner workspace.Owner, id workspace.ID) (
		[]workspace.Snapshot, error)
}

// addMoves adds the operations that face two alone has.
func (p portType) addMoves(face wsdl.Face, all map[string]dispatch.Operation) {
	if face != wsdl.Two {
		return
	}
	all["Migrate"] = dispatch.Operation{Do: p.migrate}
	all["Snapshot"] = dispatch.Operation{Do: p.snapshot}
	all["QuerySnapshots"] = dispatch.Operation{Do: p.snapshots, Bare: true}
}

func (p portType) migrate(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	m, err := report.DecodeMove(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	to, err := p.manager.Migrate(ctx, c.Owner, id, workspace.HostID(m.Host), m.Cold)
	if err != nil {
		return nil, err
	}
	return (&report.Move{Host: string(to)}).WriteResponse, nil
}

func (p portType) snapshot(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	k, err := report.DecodeKeep(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	return dispatch.Empty(report.SnapshotResponse),
		p.manager.Keep(ctx, c.Owner, id, k.Action, k.Name)
}

func (p portType) snapshots(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	all, err := p.manager.Snapshots(ctx, c.Owner, id)
	if err != nil {
		return nil, err
	}
	var told report.Snapshots
	for _, s := range all {
		told = append(told, report.Kept{Name: s.Name, Made: s.Made, Memory: s.Memory,
			SizeMB: int(s.SizeMB)})
	}
	return told.Write, nil
}
