package report

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// leased writes an answer as face two has it.
type leased struct {
	writer interface{ WriteLease(*xmlstrict.Encoder) }
}

func (l leased) Write(enc *xmlstrict.Encoder) { l.writer.WriteLease(enc) }

func group(key string) *wsa.EPR {
	epr := wsa.NewEPR("http://h/ws/Group", GroupKey, key)
	return &epr
}

// leases are the answers of face two.
func leases() []answer {
	one := CreatedWorkspace{EPR: epr("6"), Schedule: schedule(), NICs: nics()}
	bare := CreatedWorkspace{EPR: epr("7"), Schedule: Schedule{Duration: time.Minute}}
	broken := corrupted()
	broken.Fault.Edition = wsrf.Final
	return append(standings(), []answer{
		{"created", &Created{Workspaces: []CreatedWorkspace{one}}, as(DecodeCreated)},
		{"created-group", &Created{Workspaces: []CreatedWorkspace{one, bare}, Group: group("g")},
			as(DecodeCreated)},
		{"usage", &Usage{Used: 90 * time.Second, Reserved: 3 * time.Hour}, as(DecodeUsage)},
		{"host", &HostProperties{Key: "node1", VMM: "KVM", Active: true, Reachable: true, CPUs: 8,
			CPUsUsed: 3, MemoryMB: 16384, MemoryMBUsed: 1024,
			Associations: []string{"private", "public"}}, as(DecodeHostProperties)},
		{"host-bare", &HostProperties{Key: "node2", VMM: "Xen"}, as(DecodeHostProperties)},
		{"factory", &FactoryProperties{Edition: wsrf.Final, DefaultRunningTime: time.Hour,
			MaximumRunningTime: 336 * time.Hour, Architectures: []string{"x86_64"},
			VMM:          &metadata.VMM{Type: "KVM"},
			Associations: []string{"public"}}, as(DecodeFactoryProperties)},
		{"workspace", &ServiceProperties{Edition: wsrf.Final, NICs: nics(), Schedule: schedule(),
			Allocation: allocation(), CurrentTime: start.Add(time.Second),
			State: CurrentState{State: "Running"}}, as(DecodeServiceProperties)},
		{"workspace-corrupted", &ServiceProperties{Edition: wsrf.Final, Schedule: schedule(),
			Allocation: allocation(), CurrentTime: start, TerminationTime: start,
			State: broken}, as(DecodeServiceProperties)},
		{"account", &StatusProperties{Edition: wsrf.Final, ChargeGranularity: time.Minute},
			as(DecodeStatusProperties)},
	}...)
}

// TestLeases holds each answer against its golden file and reads it back.
func TestLeases(t *testing.T) {
	for _, tt := range leases() {
		t.Run(tt.name, func(t *testing.T) {
			out := tt.value
			if l, ok := out.(interface{ WriteLease(*xmlstrict.Encoder) }); ok {
				out = leased{l}
			}
			text := bytes.Clone(encode(t, out))
			golden(t, filepath.Join("testdata", "lease", tt.name+".xml"), text)
			doc := soaptest.Parse(t, text)
			got, err := tt.decode(doc, doc.Root)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.value, got, sameEPR); diff != "" {
				t.Errorf("(-written +read):\n%s", diff)
			}
		})
	}
}

// TestLeaseErrors changes one thing in an answer.
func TestLeaseErrors(t *testing.T) {
	tests := []struct{ name, from, to, path, want string }{
		{"other key", "<p:Key>6<", "<p:Key>7<", "/CreateResponse/Workspace/Reference",
			"not that of the key"},
		{"no key", "<p:Key>6</p:Key>", "", "/CreateResponse/Workspace", "Key is missing"},
		{"no reference key", "WorkspaceKey", "OtherKey", "/CreateResponse/Workspace/Reference",
			"not that of the key"},
		{"face one's time", "<t:schedule>", "<t:schedules>", "/CreateResponse/Workspace/schedules",
			"schedules is unknown here"},
		{"face one's name", "p:Workspace>", "t:CreatedWorkspace>",
			"/CreateResponse/CreatedWorkspace", "CreatedWorkspace is unknown here"},
	}
	created := &Created{Workspaces: []CreatedWorkspace{{EPR: epr("6"), Schedule: schedule()}}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.ReplaceAll(string(encode(t, leased{created})), tt.from, tt.to)
			if tt.name == "face one's time" {
				text = strings.ReplaceAll(text, "</t:schedule>", "</t:schedules>")
			}
			doc := soaptest.Parse(t, text)
			_, err := DecodeCreated(doc, doc.Root)
			var bad *xmlstrict.ContentError
			if !errors.As(err, &bad) || bad.Path != tt.path ||
				!strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\n%s", err, text)
			}
		})
	}
}

func TestHostProperty(t *testing.T) {
	h := &HostProperties{Key: "node1", Associations: []string{"a", "b"}}
	enc := xmlstrict.NewEncoder()
	if !h.WriteProperty(enc, PropertyAssociation) || h.WriteProperty(enc, PropertyState) {
		t.Error("the properties are others")
	}
	if got := strings.Count(string(enc.Bytes()), "<p:Association"); got != 2 {
		t.Errorf("%d associations in %s", got, enc.Bytes())
	}
	if len(h.Names()) != 14 {
		t.Errorf("properties %v", h.Names())
	}
}
