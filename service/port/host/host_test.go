package host

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// pool is a Keeper of one host.
type pool struct {
	modes []workspace.HostMode
	fail  error
}

func (p *pool) HostUses(context.Context) ([]workspace.HostUse, error) {
	return []workspace.HostUse{{Host: workspace.Host{ID: "node1", VMM: "KVM"}}}, nil
}

func (p *pool) Reachable(workspace.HostID) bool { return true }

func (p *pool) HostModes(context.Context) ([]workspace.HostMode, error) { return p.modes, nil }

func (p *pool) SetHost(
	_ context.Context, owner workspace.Owner, mode workspace.HostMode,
) error {
	if p.fail == nil {
		p.modes = []workspace.HostMode{mode}
	}
	return p.fail
}

// set is a request to have the host be as the parts say.
func set(parts string) string {
	return `<r:SetResourceProperties xmlns:r="` + schema.Properties2 + `" xmlns:p="` +
		schema.Lease + `"><r:Update><p:Mode>` + parts +
		`</p:Mode></r:Update></r:SetResourceProperties>`
}

const window = `<p:Window><p:Begin>2026-11-22T12:00:00Z</p:Begin><p:End>2026-11-22T14:00:00Z` +
	`</p:End><p:Rule>FREQ=DAILY</p:Rule><p:Left><p:CPUs>2</p:CPUs><p:MemoryMB>512</p:MemoryMB>` +
	`</p:Left><p:Comment>mine</p:Comment></p:Window>`

// TestMode changes what is wanted of a host and reads it back.
func TestMode(t *testing.T) {
	p := new(pool)
	body := set(`<p:Drained>true</p:Drained><p:Comment>new disks</p:Comment>` + window)
	if _, err := porttest.Call(t, New(p), "SetResourceProperties", "node1", body); err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	want := []workspace.HostMode{{Host: "node1", Drained: true, Comment: "new disks",
		Windows: []workspace.Window{{Start: noon, End: noon.Add(2 * time.Hour), Rule: "FREQ=DAILY",
			Left: workspace.Capacity{CPUs: 2, MemoryMB: 512}, Comment: "mine"}}}}
	if diff := cmp.Diff(want, p.modes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	get := `<r:GetResourceProperty xmlns:r="` + schema.Properties2 + `" xmlns:p="` +
		schema.Lease + `">p:Mode</r:GetResourceProperty>`
	reply, err := porttest.Call(t, New(p), "GetResourceProperty", "node1", get)
	if err != nil || !strings.Contains(reply, "<p:Drained>true</p:Drained>") ||
		!strings.Contains(reply, "<p:Left><p:CPUs>2</p:CPUs><p:MemoryMB>512</p:MemoryMB><") {
		t.Errorf("it tells %s, %v", reply, err)
	}
}

// TestWrongModes leaves the host as it is.
func TestWrongModes(t *testing.T) {
	with := func(window string) string { return set(`<p:Drained>0</p:Drained>` + window) }
	tests := map[string]struct{ body, says string }{
		"nothing":   {set(``), "Drained is missing"},
		"perhaps":   {set(`<p:Drained>perhaps</p:Drained>`), `"perhaps" is not a truth value`},
		"backwards": {with(strings.Replace(window, "T14", "T11", 1)), "before it begins"},
		"negative":  {with(strings.Replace(window, ">2<", ">-2<", 1)), `"-2" is out of range`},
		"others":    {strings.ReplaceAll(set(`x`), "p:Mode", "p:CPUs"), "is not possible"},
		"two modes": {strings.Replace(set(`<p:Drained>0</p:Drained>`), "</r:Update>",
			"<p:Mode/></r:Update>", 1), "a second Mode"},
		"no such host": {set(`<p:Drained>0</p:Drained>`), "no host of that name"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, key := new(pool), "node1"
			if name == "no such host" {
				key = "node9"
			}
			_, err := porttest.Call(t, New(p), "SetResourceProperties", key, tt.body)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error is %v, want %q", err, tt.says)
			}
			if len(p.modes) > 0 {
				t.Error("the host was changed all the same")
			}
		})
	}
	p := &pool{fail: workspace.Errorf(workspace.Denied, "change it", "", "only operators may")}
	_, err := porttest.Call(t, New(p), "SetResourceProperties", "node1",
		set(`<p:Drained>0</p:Drained>`))
	var typed *wsrf.FaultError
	if workspace.KindOf(err) != workspace.Denied || errors.As(err, &typed) {
		t.Errorf("error is %v", err)
	}
}
