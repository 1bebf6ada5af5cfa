package ws

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/port/producer"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

func (d *desk) Migrate(
	_ context.Context, _ workspace.Owner, _ workspace.ID, to workspace.HostID, still bool,
) (workspace.HostID, error) {
	if !still {
		return "", workspace.Errorf(workspace.Denied, "migrate workspace", "", "only cold ones")
	}
	return to + "-there", nil
}

func (d *desk) Keep(
	_ context.Context, _ workspace.Owner, id workspace.ID, action, name string,
) error {
	return workspace.Errorf(workspace.Conflict, action+" snapshot", name, "of %v", id)
}

func (d *desk) Snapshots(
	context.Context, workspace.Owner, workspace.ID,
) ([]workspace.Snapshot, error) {
	return []workspace.Snapshot{{Name: "a", Made: time.Unix(0, 0), Memory: true, SizeMB: 7}}, nil
}

// TestMoves hands what is asked for to the core, and its answers back.
func TestMoves(t *testing.T) {
	s := New(wsdl.Two, &desk{}, producer.Source{})
	p := ` xmlns:p="` + schema.Lease + `"`
	for _, c := range []struct{ operation, body, says string }{
		{"Migrate", `<p:Migrate` + p + `><p:Host>b</p:Host><p:Cold>true</p:Cold></p:Migrate>`,
			"b-there"},
		{"Migrate", `<p:Migrate` + p + `/>`, "only cold ones"},
		{"Snapshot", `<p:Snapshot` + p + `><p:Action>revert</p:Action><p:Name>x</p:Name>` +
			`</p:Snapshot>`, `revert snapshot "x"`},
		{"Snapshot", `<p:Snapshot` + p + `><p:Action>copy</p:Action><p:Name>x</p:Name>` +
			`</p:Snapshot>`, "create"},
		{"QuerySnapshots", `<p:QuerySnapshots` + p + `/>`, ":SizeMB>7<"},
	} {
		reply, err := porttest.Call(t, s, c.operation, "1", c.body)
		if err != nil {
			reply = err.Error()
		}
		if !strings.Contains(reply, c.says) {
			t.Errorf("%s: got %s, want %s", c.body, reply, c.says)
		}
	}
}
