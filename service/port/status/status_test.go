package status

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// desk is a Manager with an account.
type desk struct {
	err     error
	details bool
	hide    bool // the charge granularity
}

func (d desk) Usage(context.Context, workspace.Owner) (workspace.Usage, error) {
	return workspace.Usage{Used: 9 * time.Minute, Reserved: 3 * time.Hour}, d.err
}

func (d desk) Workspaces(
	_ context.Context, owner workspace.Owner,
) ([]*workspace.Workspace, error) {
	return []*workspace.Workspace{
		{ID: 7, Owner: owner, State: workspace.Starting},
		{ID: 9, Owner: owner, State: workspace.Running, NICs: []workspace.NIC{{Name: "eth0"}}},
	}, d.err
}

func (d desk) Site() workspace.Site {
	return workspace.Site{
		ChargeGranularity: 5 * time.Minute, StatusDetails: d.details, HideCharge: d.hide,
	}
}

func (d desk) Details(w *workspace.Workspace) string {
	if w.State == workspace.Running {
		return ""
	}
	return "propagate 5 of 10 bytes"
}

func TestDetailsOnlyWhereTheSiteSaysSo(t *testing.T) {
	body := `<queryCurrentWorkspaces xmlns="` + schema.Status + `"/>`
	service := New(wsdl.One, desk{details: true})
	reply, err := porttest.Call(t, service, "queryCurrentWorkspaces", "", body)
	if err != nil || strings.Count(reply, "details>propagate 5 of 10 bytes<") != 1 {
		t.Errorf("reply = %s, %v; want the details of the one that is on its way", reply, err)
	}
}

func TestReplies(t *testing.T) {
	ask := func(name string) string { return `<` + name + ` xmlns="` + schema.Status + `"/>` }
	tests := map[string]struct {
		operation, body string
		says            []string
	}{
		"usage": {"queryUsedAndReservedTime", ask("queryUsedAndReserved"),
			[]string{"usedTime>PT9M<", "reservedTime>PT180M<"}},
		"list": {"queryCurrentWorkspaces", ask("queryCurrentWorkspaces"),
			[]string{">7</k:WorkspaceKey>", ">Propagated<", ">9</k:WorkspaceKey>", ">Running<",
				">eth0<", porttest.Root + "/wsrf/services/WorkspaceService<"}},
		"granularity": {"GetResourceProperty", `<p:GetResourceProperty xmlns:p="` +
			schema.Properties + `" xmlns:s="` + schema.Status + `">s:chargeGranularity` +
			`</p:GetResourceProperty>`, []string{"chargeGranularity", ">5<"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			reply, err := porttest.Call(t, New(wsdl.One, desk{}), tt.operation, "", tt.body)
			for _, text := range tt.says {
				if err != nil || !strings.Contains(reply, text) {
					t.Errorf("reply lacks %s: %s, %v", text, reply, err)
				}
			}
			if strings.Contains(reply, "details") {
				t.Error("the reply has details, which old clients refuse")
			}
		})
	}
}

func TestErrorsPass(t *testing.T) {
	d := desk{err: workspace.Errorf(workspace.Unavailable, "read the record", "", "locked")}
	for _, operation := range []string{"queryUsedAndReservedTime", "queryCurrentWorkspaces"} {
		_, err := porttest.Call(t, New(wsdl.One, d), operation, "", "<x/>")
		if workspace.KindOf(err) != workspace.Unavailable {
			t.Errorf("%s: error is %v", operation, err)
		}
	}
}

// TestChargeOnlyWhereTheSiteTellsIt reads the whole document and the property,
// on both faces, with and without the granularity.
func TestChargeOnlyWhereTheSiteTellsIt(t *testing.T) {
	tests := map[wsdl.Face]struct{ space, root string }{
		wsdl.One: {schema.Properties, "StatusRPSet"},
		wsdl.Two: {schema.Properties2, "StatusProperties"},
	}
	for face, tt := range tests {
		for _, hide := range []bool{false, true} {
			service := New(face, desk{hide: hide})
			query := `<p:QueryResourceProperties xmlns:p="` + tt.space + `"><p:QueryExpression ` +
				`Dialect="http://www.w3.org/TR/1999/REC-xpath-19991116">/</p:QueryExpression>` +
				`</p:QueryResourceProperties>`
			reply, err := porttest.Call(t, service, "QueryResourceProperties", "", query)
			if err != nil || !strings.Contains(reply, ":"+tt.root) ||
				strings.Contains(reply, ">5</s:chargeGranularity>") == hide {
				t.Errorf("%s, hidden %v: %s, %v", face, hide, reply, err)
			}
			one := `<p:GetResourceProperty xmlns:p="` + tt.space + `" xmlns:s="` + schema.Status +
				`">s:chargeGranularity</p:GetResourceProperty>`
			_, err = porttest.Call(t, service, "GetResourceProperty", "", one)
			if (err != nil) != hide {
				t.Errorf("%s, hidden %v: the property gives %v", face, hide, err)
			}
		}
	}
}

// TestUsageOnFaceTwo asks for the account in face two's words.
func TestUsageOnFaceTwo(t *testing.T) {
	reply, err := porttest.Call(t, New(wsdl.Two, desk{}), "QueryUsage", "",
		`<p:QueryUsage xmlns:p="`+schema.Lease+`"/>`)
	if err != nil || !strings.Contains(reply, ":Used>PT") ||
		!strings.Contains(reply, ":QueryUsageResponse ") {
		t.Errorf("reply is %s, %v", reply, err)
	}
}
