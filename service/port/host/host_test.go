package host

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// pool is a Keeper of one host.
type pool struct {
	modes []workspace.HostMode
	added []workspace.HostSpec
	gone  []workspace.HostID
	fail  error
}

func (p *pool) HostUses(context.Context) ([]workspace.HostUse, error) {
	return []workspace.HostUse{{Host: workspace.Host{ID: "node1", VMM: "KVM"}}}, nil
}

func (p *pool) Reachable(workspace.HostID) bool { return true }

func (p *pool) HostModes(context.Context) ([]workspace.HostMode, error) { return p.modes, nil }

func (p *pool) Standing(
	context.Context, workspace.Owner, workspace.HostID,
) (workspace.Liveness, time.Time, error) {
	return workspace.Liveness{Answers: true, Version: "QEMU 9"}, time.Time{}, nil
}

func (p *pool) Add(
	_ context.Context, _ workspace.Owner, spec workspace.HostSpec, first workspace.HostMode,
) error {
	p.added, p.modes = append(p.added, spec), append(p.modes, first)
	return p.fail
}

func (p *pool) Described(workspace.Owner, workspace.HostID) *workspace.HostSpec {
	return &workspace.HostSpec{ID: "node1", URI: "qemu:///system", DiskIOPS: 9}
}

func (p *pool) ProbeNew(
	_ context.Context, _ workspace.Owner, spec workspace.HostSpec,
) ([]workspace.Finding, error) {
	p.added = append(p.added, spec)
	return []workspace.Finding{{Check: "c", Verdict: "fail", Text: "t", Do: "d"}}, p.fail
}

func (p *pool) Probe(
	context.Context, workspace.Owner, workspace.HostID,
) ([]workspace.Finding, error) {
	return []workspace.Finding{{Check: "c", Verdict: "ok", Text: "t"}}, p.fail
}

func (p *pool) Remove(_ context.Context, _ workspace.Owner, id workspace.HostID) error {
	p.gone = append(p.gone, id)
	return p.fail
}

func (p *pool) Forget(
	context.Context, workspace.Owner, workspace.HostID,
) ([]workspace.ID, error) {
	return []workspace.ID{7, 8}, p.fail
}

// full is a host of which everything is said.
var full = report.HostSpec{
	Name: "new", URI: "qemu+tls://h/system", VMM: "KVM", Acceleration: "tcg",
	Directory: "/d", Capacity: report.Capacity{CPUs: 2, MemoryMB: 512}, MaxImageMB: 9,
	Associations: []string{"lan"},
	Networks:     []report.HostNetwork{{Association: "lan", Target: "network:default"}},
	SSH: &report.HostSSH{Address: "h:22", User: "u", KeyFile: "k", KnownHosts: "o",
		Peer: "p"},
	TLS:  &report.HostTLS{CAFile: "ca", CertFile: "c", KeyFile: "k"},
	Peer: "qemu+tls://p/system", DiskMBps: 3, DiskIOPS: 4,
	Mode: &report.Mode{Drained: true, Comment: "new"},
}

// TestFleet adds, tests, removes and gives up hosts.
func TestFleet(t *testing.T) {
	p := new(pool)
	group := dispatch.Service{Operations: map[string]dispatch.Operation{}, Face: wsdl.Two}
	AddTo(&group, p)
	body := func(name xmlstrict.Name) string {
		enc := xmlstrict.NewEncoder()
		full.Write(enc, name)
		return string(enc.Bytes())
	}
	for name, tt := range map[string]struct {
		s               dispatch.Service
		op, body, wants string
	}{
		"add":   {group, "AddHost", body(report.AddHost), ">new</k:HostKey>"},
		"probe": {group, "ProbeHost", body(report.ProbeHost), "<p:Verdict>fail</p:Verdict>"},
		"probe one there": {New(p), "Probe", `<p:Probe xmlns:p="` + schema.Lease + `"/>`,
			"<p:Verdict>ok</p:Verdict><p:Text>t</p:Text></p:Finding>"},
		"forget": {New(p), "Forget", `<p:Forget xmlns:p="` + schema.Lease + `"/>`,
			"<p:Workspace>7</p:Workspace><p:Workspace>8</p:Workspace>"},
		"evacuate": {New(p), "Evacuate", `<p:Evacuate xmlns:p="` + schema.Lease + `"/>`,
			"<p:Workspace>7</p:Workspace><p:Fate>moves</p:Fate><p:Host>b</p:Host>"},
		"remove": {New(p), "Destroy", `<l:Destroy xmlns:l="` + schema.Lifetime2 + `"/>`,
			"DestroyResponse"},
	} {
		t.Run(name, func(t *testing.T) {
			reply, err := porttest.Call(t, tt.s, tt.op, "node1", tt.body)
			if err != nil || !strings.Contains(reply, tt.wants) {
				t.Errorf("it says %s, %v; want %s", reply, err, tt.wants)
			}
		})
	}
	if len(p.added) != 2 || len(p.gone) != 1 || p.gone[0] != "node1" {
		t.Fatalf("%d described, %v gone", len(p.added), p.gone)
	}
	want := workspace.HostSpec{
		ID: "new", URI: "qemu+tls://h/system", VMM: "KVM", Acceleration: "tcg", Dir: "/d",
		Capacity: workspace.Capacity{CPUs: 2, MemoryMB: 512}, MaxImageMB: 9,
		Associations: []string{"lan"}, Networks: map[string]string{"lan": "network:default"},
		SSH: &workspace.HostSSH{Address: "h:22", User: "u", KeyFile: "k", KnownHosts: "o",
			Peer: "p"},
		TLS:  &workspace.HostTLS{CAFile: "ca", CertFile: "c", KeyFile: "k"},
		Peer: "qemu+tls://p/system", DiskMBps: 3, DiskIOPS: 4,
	}
	if diff := cmp.Diff(want, p.added[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	first := workspace.HostMode{Host: "new", Drained: true, Comment: "new"}
	if diff := cmp.Diff([]workspace.HostMode{first}, p.modes); diff != "" {
		t.Errorf("at first (-want +got):\n%s", diff)
	}
}

func (p *pool) Evacuate(
	context.Context, workspace.Owner, workspace.HostID,
) ([]workspace.Departure, error) {
	return []workspace.Departure{{Workspace: 7, Fate: workspace.FateMoves, To: "b"}}, p.fail
}

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
