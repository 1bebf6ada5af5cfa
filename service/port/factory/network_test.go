package factory

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

func (d *desk) Networks(context.Context, workspace.Owner) ([]workspace.NetworkUse, error) {
	return []workspace.NetworkUse{{Name: "public", First: "10.0.0.1", Last: "10.0.0.9",
		Addresses: 9, Leased: 1, Held: 2, Holds: []workspace.Hold{oneHold}, Leases: one}}, d.err
}

func (d *desk) Hold(
	_ context.Context, owner workspace.Owner, h workspace.Hold,
) (workspace.Hold, error) {
	d.held = append(d.held, h)
	h.By, h.Since = owner, oneHold.Since
	return h, d.err
}

func (d *desk) Release(
	_ context.Context, _ workspace.Owner, association, ip string,
) (workspace.Hold, error) {
	d.held = append(d.held, workspace.Hold{Association: association, First: ip})
	return oneHold, d.err
}

var oneHold = workspace.Hold{Association: "public", First: "10.0.0.2", Last: "10.0.0.3",
	Comment: "a < b", By: "ada", Since: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}

var one = []workspace.AddressLease{{Workspace: 7, Owner: "eve", MAC: "A2:AA:BB:00:00:01",
	Address: workspace.Address{IP: "10.0.0.1", IP6: "2001:db8::1", Hostname: "h"}}}

func ours(name, content string) string {
	return `<p:` + name + ` xmlns:p="` + schema.Lease + `">` + content + `</p:` + name + `>`
}

// TestNetworks: what operators ask and hear of addresses.
func TestNetworks(t *testing.T) {
	d := new(desk)
	call := func(operation, content string) string {
		t.Helper()
		reply, err := porttest.Call(t, New(wsdl.Two, d), operation, "", ours(operation, content))
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	if reply := call("QueryNetworks", ""); !strings.Contains(reply,
		"<p:IPAddress>10.0.0.1</p:IPAddress><p:IPv6Address>2001:db8::1</p:IPv6Address>") ||
		!strings.Contains(reply, "<p:Comment>a &lt; b</p:Comment>") {
		t.Errorf("it tells %s", reply)
	}
	hold := `<p:Hold><p:First>10.0.0.2</p:First><p:Last>10.0.0.3</p:Last>` +
		`<p:Comment>why</p:Comment><p:By>somebody else</p:By></p:Hold>`
	if reply := call("HoldAddresses", hold); !strings.Contains(reply,
		"<p:By>"+string(porttest.Owner)+"</p:By><p:Since>2026-11-22T09:00:00") {
		t.Errorf("it tells %s", reply)
	}
	call("ReleaseAddress", `<p:Association>public</p:Association><p:Address>10.0.0.2</p:Address>`)
	want := []workspace.Hold{{First: "10.0.0.2", Last: "10.0.0.3", Comment: "why"},
		{Association: "public", First: "10.0.0.2"}}
	if diff := cmp.Diff(want, d.held); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	d.err = workspace.Errorf(workspace.Denied, "hold", "", "only an operator")
	for operation, content := range map[string]string{
		"QueryNetworks": "", "HoldAddresses": hold, "ReleaseAddress": "<p:Address>x</p:Address>"} {
		_, err := porttest.Call(t, New(wsdl.Two, d), operation, "", ours(operation, content))
		if workspace.KindOf(err) != workspace.Denied {
			t.Errorf("%s: %v", operation, err)
		}
	}
}
