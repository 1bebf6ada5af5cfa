package servicegroup

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/wssg"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/port/producer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// pool is a Manager with workspaces of one owner.
type pool []*workspace.Workspace

func (p pool) Workspaces(
	_ context.Context, owner workspace.Owner,
) ([]*workspace.Workspace, error) {
	if owner != porttest.Owner {
		return nil, nil
	}
	return p, nil
}

func (p pool) Workspace(
	_ context.Context, _ workspace.Owner, id workspace.ID,
) (*workspace.Workspace, error) {
	for _, w := range p {
		if w.ID == id {
			return w, nil
		}
	}
	return nil, workspace.Errorf(workspace.NotFound, "find it", id.String(), "unknown")
}

// newPool returns so many workspaces; every fourth runs.
func newPool(n int) pool {
	p := make(pool, n)
	for i := range p {
		state := workspace.Paused
		if i%4 == 0 {
			state = workspace.Running
		}
		p[i] = &workspace.Workspace{
			ID: workspace.ID(i + 1), Owner: porttest.Owner, State: state, Version: 1,
			Demand: workspace.Allocation{MemoryMB: 256, CPUs: 2, Architecture: "x86"},
			Lease:  workspace.Lease{Start: time.Unix(1e9, 0), Duration: time.Hour},
			NICs: []workspace.NIC{
				{Name: "eth0", Association: "public", Method: "AllocateAndConfigure",
					Address: workspace.Address{IP: fmt.Sprintf("10.0.%d.%d", i/250, i%250)}},
				{Name: "eth1", Association: "private", Method: "AllocateAndConfigure",
					Address: workspace.Address{Hostname: fmt.Sprintf("n%d & co", i)}},
			},
		}
	}
	return p
}

// serve returns the group's service and that of its entries.
func serve(p pool) (group, entries dispatch.Service) {
	all := Workspaces(p, producer.Source{})
	return all[0], all[1]
}

// ask returns the request for an expression.
func ask(expression string) string {
	enc := xmlstrict.NewEncoder()
	wsrf.Final.WriteQuery(enc, expression, map[string]string{
		"t": schema.Types, "sg": schema.ServiceGroup2, "l": schema.Logistics,
		"wsa": wsa.Space200508, "p": schema.Lease, "w": schema.Workspace,
		"rp": schema.Properties2,
	})
	return string(enc.Bytes())
}

// answer evaluates an expression and returns the response's content.
func answer(t *testing.T, s dispatch.Service, expression string) string {
	t.Helper()
	reply, err := porttest.Call(t, s, "QueryResourceProperties", "", ask(expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	_, content, _ := strings.Cut(reply, ">")
	return strings.TrimSuffix(content, "</wsrp:QueryResourcePropertiesResponse>")
}

func TestQuery(t *testing.T) {
	group, _ := serve(newPool(5))
	tests := map[string]string{
		"count(//sg:Entry)":                                           "5",
		"count(/p:WorkspacesProperties/sg:Entry)":                     "5",
		"count(//t:currentState[t:state='Running'])":                  "2",
		"string(//sg:Entry[.//t:state='Running'][2]//w:WorkspaceKey)": "5",
		"/*/sg:Entry[5]/sg:MemberServiceEPR//w:WorkspaceKey/text()":   "5",
		"count(//l:nic[l:ipConfig/l:hostname='n3 & co'])":             "1",
		"count(/*/sg:MembershipContentRule)":                          "1",
		"string(/*/rp:QueryExpressionDialect)":                        wsrf.XPathDialect,
		"local-name(/*/*[last()])":                                    "QueryExpressionDialect",
	}
	for expression, want := range tests {
		if got := answer(t, group, expression); got != want {
			t.Errorf("%s is %s, want %s", expression, got, want)
		}
	}
}

// TestQueryFollowsChanges asks again after a workspace changed, and another
// came and one went.
func TestQueryFollowsChanges(t *testing.T) {
	p := newPool(3)
	group, _ := serve(p)
	const running = "count(//t:state[.='Running'])"
	if got := answer(t, group, running); got != "1" {
		t.Errorf("%s run, want 1", got)
	}
	p[1].State, p[1].Version = workspace.Running, 2
	if got := answer(t, group, running); got != "2" {
		t.Errorf("%s run after a change, want 2", got)
	}
	p[0] = &workspace.Workspace{ID: 9, Owner: porttest.Owner, State: workspace.Running}
	if got := answer(t, group, "count(//w:WorkspaceKey[.='9'])"); got != "2" {
		t.Errorf("the new one is referred to %s times, want 2", got)
	}
}

// document returns the one element that an expression selects.
func document(
	t *testing.T, s dispatch.Service, expression string,
) (*xmlstrict.Document, *etree.Element) {
	t.Helper()
	reply, err := porttest.Call(t, s, "QueryResourceProperties", "", ask(expression))
	if err != nil {
		t.Fatal(err)
	}
	doc := soaptest.Parse(t, reply)
	return doc, doc.Root.ChildElements()[0]
}

// shape lists the names and texts in a tree.
func shape(e *etree.Element) string {
	text := xmlstrict.NameOf(e).String() + "(" + xmlstrict.RawText(e)
	for child := range xmlstrict.Children(e) {
		text += shape(child)
	}
	return text + ")"
}

// TestGroupDocument reads what the group tells with the codec of the standard.
func TestGroupDocument(t *testing.T) {
	group, entries := serve(newPool(3))
	doc, written := document(t, group, "/")
	_, asked := document(t, group, "/*")
	if got, want := shape(asked), shape(written); got != want {
		t.Errorf("the document is %s\nand by a query %s", want, got)
	}
	for i, at := range written.ChildElements()[1:4] {
		e, err := wssg.ParseEntry(doc, at)
		if err != nil {
			t.Fatal(err)
		}
		key, _ := e.Member.Key(port.WorkspaceKey)
		if key != fmt.Sprint(i+1) || e.Reference == nil ||
			len(e.Elements) != len(workspaceContent) {
			t.Errorf("entry %d is of %s, with %d properties", i, key, len(e.Elements))
		}
	}
	reply, err := porttest.Call(t, entries, "GetResourceProperty", "2",
		`<g:GetResourceProperty xmlns:g="`+schema.Properties2+`" xmlns:s="`+schema.ServiceGroup2+
			`">s:MemberEPR</g:GetResourceProperty>`)
	if err != nil || !strings.Contains(reply, ">2</") {
		t.Errorf("the entry tells %s, %v", reply, err)
	}
}

// BenchmarkQuery asks a group of 10,000 workspaces, as the service does with
// all but the store.
func BenchmarkQuery(b *testing.B) {
	group, _ := serve(newPool(10_000))
	do := group.Operations["QueryResourceProperties"].Do
	for _, expression := range []string{
		"//t:currentState[t:state='Running']",
		"/*/sg:Entry[.//t:state='Running']/sg:MemberServiceEPR",
		"count(//l:nic[l:name='eth1'])",
		"//sg:Entry[.//l:ipAddress='10.0.39.7']",
	} {
		b.Run(expression, func(b *testing.B) {
			doc := soaptest.Parse(b, ask(expression))
			for b.Loop() {
				reply, err := do(b.Context(), &dispatch.Call{
					Owner: porttest.Owner, Face: group.Face, Root: porttest.Root,
					Document: doc, Body: doc.Root,
				})
				if err != nil {
					b.Fatal(err)
				}
				enc := xmlstrict.Borrow()
				reply(enc)
				enc.Release()
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/query")
		})
	}
}
