package servicegroup

import (
	"context"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/producer"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/port/ws"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Manager is what the groups of workspaces ask of the core.
type Manager interface {
	Workspaces(ctx context.Context, owner workspace.Owner) ([]*workspace.Workspace, error)
	Workspace(ctx context.Context, owner workspace.Owner, id workspace.ID) (
		*workspace.Workspace, error)
}

// workspaceContent are the properties of a workspace that its entry tells.
var workspaceContent = []xmlstrict.Name{
	report.PropertyLogistics, report.PropertySchedule, report.PropertyAllocation,
	wsrf.Final.Names().TerminationTime, report.PropertyState,
}

// Workspaces returns the group of the caller's workspaces, which is also the
// producer of what happens to any of them, and the port type of its entries.
func Workspaces(m Manager, producers producer.Source) []dispatch.Service {
	k := &kind[*workspace.Workspace]{
		group: port.Workspaces, entry: port.WorkspaceEntry, member: port.Workspace.Two,
		key: port.WorkspaceKey, root: lease("WorkspacesProperties"), content: workspaceContent,
		list: func(ctx context.Context, c *dispatch.Call) ([]*workspace.Workspace, error) {
			return m.Workspaces(ctx, c.Owner)
		},
		find: func(ctx context.Context, c *dispatch.Call) (*workspace.Workspace, error) {
			id, err := port.WorkspaceID(c)
			if err != nil {
				return nil, err
			}
			return m.Workspace(ctx, c.Owner, id)
		},
		keyOf: func(w *workspace.Workspace) string { return w.ID.String() },
		write: writeWorkspace, version: func(w *workspace.Workspace) int64 { return w.Version },
	}
	group, entries := k.services(topics()...)
	producers.All = true
	producers.AddTo(group.Operations)
	return []dispatch.Service{group, entries}
}

// writeWorkspace writes the content of a workspace's entry.
func writeWorkspace(enc *xmlstrict.Encoder, w *workspace.Workspace) {
	told := ws.Document(wsdl.Two, w)
	for _, name := range workspaceContent {
		told.WriteProperty(enc, name)
	}
}

// topics are the properties of a producer; the group's are those of each of
// its members.
func topics() []property.Row[members[*workspace.Workspace]] {
	member := &report.ServiceProperties{Edition: wsrf.Final}
	var rows []property.Row[members[*workspace.Workspace]]
	for _, name := range member.Names() {
		if name.Space != schema.BaseNotification2 && name.Space != schema.Topics1 {
			continue
		}
		rows = append(rows, property.Row[members[*workspace.Workspace]]{
			Name: name,
			Write: func(enc *xmlstrict.Encoder, _ members[*workspace.Workspace]) {
				member.WriteProperty(enc, name)
			},
		})
	}
	return rows
}
