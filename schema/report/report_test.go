package report

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A writer is any answer.
type writer interface{ Write(*xmlstrict.Encoder) }

// sameEPR compares endpoint references by what they lead to.
var sameEPR = cmp.Comparer(func(a, b wsa.EPR) bool {
	if a.Address != b.Address || len(a.Properties) != len(b.Properties) {
		return false
	}
	for i, p := range a.Properties {
		q := b.Properties[i]
		if xmlstrict.NameOf(p) != xmlstrict.NameOf(q) || xmlstrict.Text(p) != xmlstrict.Text(q) {
			return false
		}
	}
	return true
})

var start = time.Date(2026, 11, 21, 22, 47, 43, 914_000_000, time.UTC)

func schedule() Schedule {
	return Schedule{Start: start, Duration: 30 * time.Minute,
		Termination: start.Add(40 * time.Minute)}
}

func nics() []metadata.NIC {
	return []metadata.NIC{{
		Name: "eth0", MAC: "A2:AA:BB:9E:78:6D", Method: metadata.AllocateAndConfigure,
		Hostname: "pub1", IPAddress: "10.9.1.103", Netmask: "255.255.0.0",
		Gateway: "10.9.0.254", Broadcast: "10.9.255.255", Association: "public",
	}}
}

func allocation() deployment.ResourceAllocation {
	return deployment.ResourceAllocation{Architecture: "x86",
		CPUCount: deployment.Exactly(2), Memory: deployment.Exactly(256)}
}

func epr(key string) wsa.EPR {
	return wsa.NewEPR("http://127.0.0.1:8080/wsrf/services/WorkspaceService",
		w("WorkspaceKey"), key)
}

func corrupted() CurrentState {
	return CurrentState{State: "Corrupted", Fault: &wsrf.BaseFault{
		Name: workspaceFault, Timestamp: start,
		Description: []string{"the image's checksum is wrong"},
	}}
}

// answer pairs a value with what reads it.
type answer struct {
	name   string
	value  writer
	decode func(*xmlstrict.Document, *etree.Element) (writer, error)
}

// as adapts a decoder to the table of documents.
func as[T writer](decode func(*xmlstrict.Document, *etree.Element) (T, error)) func(
	*xmlstrict.Document, *etree.Element) (writer, error) {
	return func(doc *xmlstrict.Document, e *etree.Element) (writer, error) { return decode(doc, e) }
}

func documents() []answer {
	group := wsa.NewEPR("http://h/wsrf/services/WorkspaceGroupService",
		xmlstrict.Name{Space: "http://www.globus.org/2008/06/workspace/group",
			Local: "WorkspaceGroupKey"}, "12d9dc5e-d488-4ae6-a3ae-13bca4a76305")
	one := CreatedWorkspace{EPR: epr("6"), Schedule: schedule(), NICs: nics()}
	bare := CreatedWorkspace{EPR: epr("7"), Schedule: Schedule{Duration: time.Minute}}
	return []answer{
		{"created", &Created{Workspaces: []CreatedWorkspace{one}}, as(DecodeCreated)},
		{"created-group", &Created{Workspaces: []CreatedWorkspace{one, bare}, Group: &group},
			as(DecodeCreated)},
		{"factory", &FactoryProperties{DefaultRunningTime: time.Hour,
			MaximumRunningTime: 336 * time.Hour, Architectures: []string{"x86", "x86_64"},
			VMM:          &metadata.VMM{Type: "Xen", Versions: []string{"3"}},
			Associations: []string{"private", "public"}}, as(DecodeFactoryProperties)},
		{"factory-bare", &FactoryProperties{DefaultRunningTime: 90 * time.Second,
			MaximumRunningTime: 1500 * time.Millisecond}, as(DecodeFactoryProperties)},
		{"workspace", &ServiceProperties{NICs: nics(), Schedule: schedule(),
			Allocation: allocation(), CurrentTime: start.Add(time.Second),
			TerminationTime: start.Add(40 * time.Minute), State: CurrentState{State: "Running"}},
			as(DecodeServiceProperties)},
		{"workspace-corrupted", &ServiceProperties{Schedule: schedule(),
			Allocation: allocation(), CurrentTime: start, TerminationTime: start,
			State: corrupted()}, as(DecodeServiceProperties)},
		{"account", &StatusProperties{ChargeGranularity: time.Hour}, as(DecodeStatusProperties)},
		{"usage", &Usage{Used: 9 * time.Minute, Reserved: 3 * time.Hour}, as(DecodeUsage)},
		{"list", CurrentWorkspaces{
			{EPR: epr("1"), State: CurrentState{State: "Running"}, Schedule: schedule(),
				Allocation: allocation(), NICs: nics()},
			{EPR: epr("2"), State: corrupted(), Schedule: schedule(),
				Allocation: allocation(), Details: "moved twice"},
		}, as(DecodeCurrentWorkspaces)},
		{"list-empty", CurrentWorkspaces(nil), as(DecodeCurrentWorkspaces)},
	}
}

// encode writes a value alone.
func encode(t testing.TB, v writer) []byte {
	t.Helper()
	enc := xmlstrict.NewEncoder()
	v.Write(enc)
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	return enc.Bytes()
}

// TestDocuments holds each answer against its golden file and reads it back.
func TestDocuments(t *testing.T) {
	for _, tt := range documents() {
		t.Run(tt.name, func(t *testing.T) {
			out := encode(t, tt.value)
			golden(t, filepath.Join("testdata", tt.name+".xml"), out)
			doc := soaptest.Parse(t, out)
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

// golden compares out with a golden file, in which each element has a line.
func golden(t *testing.T, path string, out []byte) {
	t.Helper()
	lines := append(bytes.ReplaceAll(out, []byte("><"), []byte(">\n<")), '\n')
	if *update {
		if err := os.WriteFile(path, lines, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(lines)); diff != "" {
		t.Errorf("%s (-want +got; go test -update makes it):\n%s", path, diff)
	}
}

// TestRecorded reads the answers of the original server, writes them again and
// expects the same elements, attributes and texts in the same order.
func TestRecorded(t *testing.T) {
	tests := []struct {
		name   string
		decode func(*xmlstrict.Document, *etree.Element) (writer, error)
		inside bool // the document is the child of a response element
	}{
		{"create-response", as(DecodeCreated), false},
		{"create-group-response", as(DecodeCreated), false},
		{"create-ensemble-response", as(DecodeCreated), false},
		{"factory-properties", as(DecodeFactoryProperties), true},
		{"workspace-properties", as(DecodeServiceProperties), true},
		{"account-properties", as(DecodeStatusProperties), true},
		{"usage-response", as(DecodeUsage), false},
		{"list-response", as(DecodeCurrentWorkspaces), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("..", "testdata", "recorded", tt.name+".xml"))
			if err != nil {
				t.Fatal(err)
			}
			doc := soaptest.Parse(t, data)
			root := doc.Root
			if tt.inside {
				for kid := range xmlstrict.Children(root) {
					root = kid
				}
			}
			v, err := tt.decode(doc, root)
			if err != nil {
				t.Fatal(err)
			}
			again := shape(soaptest.Parse(t, encode(t, v)).Root)
			again = slices.DeleteFunc(again, func(line string) bool { // the original had one
				return strings.HasSuffix(line, "TopicExpression/Concrete") ||
					strings.HasSuffix(line, "TopicExpression/Full")
			})
			if diff := cmp.Diff(shape(root), again); diff != "" {
				t.Errorf("(-recorded +ours):\n%s", diff)
			}
		})
	}
}

// shape returns the elements below e with their attributes and texts, one a
// line. Prefixes of qualified names in texts do not count.
func shape(e *etree.Element) []string {
	line := xmlstrict.NameOf(e).String()
	for i := range e.Attr {
		a := xmlstrict.AttrName(e, &e.Attr[i])
		if a.Space != xmlstrict.XMLNSSpace {
			line += " " + a.String() + "=" + e.Attr[i].Value
		}
	}
	text := xmlstrict.Text(e)
	if xmlstrict.Is(e, wsn.Draft.Names().Topic) {
		name, _ := xmlstrict.ResolveQName(e, text)
		text = name.String()
	}
	lines := []string{line + " " + text}
	for kid := range xmlstrict.Children(e) {
		lines = append(lines, shape(kid)...)
	}
	return lines
}

// TestProperties expects that one property is what the whole document has.
func TestProperties(t *testing.T) {
	type set interface {
		writer
		WriteProperty(*xmlstrict.Encoder, xmlstrict.Name) bool
		Names() []xmlstrict.Name
	}
	for _, tt := range documents() {
		properties, ok := tt.value.(set)
		if !ok {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			enc := xmlstrict.NewEncoder()
			root := xmlstrict.NameOf(soaptest.Parse(t, encode(t, properties)).Root)
			enc.Start(root)
			for _, name := range properties.Names() {
				if !properties.WriteProperty(enc, name) {
					t.Errorf("there is no property %s", name)
				}
			}
			enc.End()
			want := shape(soaptest.Parse(t, encode(t, properties)).Root)
			if diff := cmp.Diff(want, shape(soaptest.Parse(t, enc.Bytes()).Root)); diff != "" {
				t.Errorf("(-document +properties):\n%s", diff)
			}
			if properties.WriteProperty(enc, typesVMM) {
				t.Error("t:VMM is a property, as it was not in the original")
			}
		})
	}
}

// typesVMM was asked of the original, and refused: the property is d:VMM.
var typesVMM = t("VMM")

// TestPropertiesInAnyOrder reads a document of another server: other order,
// one property more, no end.
func TestPropertiesInAnyOrder(t *testing.T) {
	text := `<w:ServiceRPSet xmlns:w="http://www.globus.org/2008/06/workspace"
		xmlns:t="http://www.globus.org/2008/06/workspace/types" xmlns:wsrl="` + schema.Lifetime +
		`"><t:currentState><t:state>Paused</t:state></t:currentState>
		<weather xmlns="urn:elsewhere">fine</weather>
		<wsrl:TerminationTime xsi:nil="true"
			xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>
		<wsrl:CurrentTime>2026-11-22T00:00:00Z</wsrl:CurrentTime>
		<ResourceAllocation xmlns="http://www.globus.org/2008/06/workspace/negotiable"/>
		<logistics xmlns="http://www.globus.org/2008/06/workspace/metadata/logistics"/>
		<t:schedule><t:Duration>PT5M</t:Duration></t:schedule></w:ServiceRPSet>`
	doc := soaptest.Parse(t, text)
	p, err := DecodeServiceProperties(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	if p.State.State != "Paused" || p.Schedule.Duration != 5*time.Minute ||
		!p.TerminationTime.IsZero() {
		t.Errorf("got %+v", p)
	}
}

// TestPropertiesAreCounted refuses a document that lacks a property, or has one
// twice that can be there but once.
func TestPropertiesAreCounted(t *testing.T) {
	const open = `<s:StatusRPSet xmlns:s="http://www.globus.org/2008/06/workspace/status">`
	const one = `<s:chargeGranularity>60</s:chargeGranularity>`
	for text, want := range map[string]string{
		"": "chargeGranularity is missing", one + one: "chargeGranularity is repeated",
		one + "word": "text between the elements",
	} {
		doc := soaptest.Parse(t, open+text+`</s:StatusRPSet>`)
		_, err := DecodeStatusProperties(doc, doc.Root)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"other element", `<create xmlns="http://www.globus.org/2008/06/workspace"/>`,
			"createResponse"},
		{"no workspace", `<createResponse xmlns="http://www.globus.org/2008/06/workspace"/>`,
			"CreatedWorkspace is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := soaptest.Parse(t, tt.text)
			v, err := DecodeCreated(doc, doc.Root)
			if err == nil || v != nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v; want %s", v, err, tt.want)
			}
		})
	}
}

// BenchmarkServiceProperties writes the whole property document of a workspace.
func BenchmarkServiceProperties(b *testing.B) {
	p := &ServiceProperties{NICs: nics(), Schedule: schedule(), Allocation: allocation(),
		CurrentTime: start, TerminationTime: start, State: CurrentState{State: "Running"}}
	enc := xmlstrict.NewEncoder()
	b.ReportAllocs()
	for b.Loop() {
		enc.Reset()
		p.Write(enc)
	}
	b.SetBytes(int64(len(enc.Bytes())))
}

// BenchmarkState writes the one property that clients poll.
func BenchmarkState(b *testing.B) {
	p := &ServiceProperties{State: CurrentState{State: "Running"}}
	enc := xmlstrict.NewEncoder()
	b.ReportAllocs()
	for b.Loop() {
		enc.Reset()
		p.WriteProperty(enc, PropertyState)
	}
}

// FuzzDecode feeds the answers of both faces: what can be read is written, and
// that is read and written the same.
func FuzzDecode(f *testing.F) {
	for _, data := range soaptest.Documents(f) {
		f.Add(data)
	}
	all := append(documents(), leases()...)
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := xmlstrict.Parse(data, xmlstrict.DefaultLimits())
		if err != nil {
			return
		}
		for _, d := range all {
			v, err := d.decode(doc, doc.Root)
			var bad *xmlstrict.ContentError
			if err != nil {
				if !errors.As(err, &bad) || bad.Path == "" {
					t.Errorf("an error without place: %v", err)
				}
				continue
			}
			first := bytes.Clone(encode(t, v))
			again := soaptest.Parse(t, first)
			w, err := d.decode(again, again.Root)
			if err != nil {
				t.Fatalf("cannot read again what was read: %v\n%s", err, first)
			}
			if second := encode(t, w); !bytes.Equal(first, second) {
				t.Errorf("written %s\nthen    %s", first, second)
			}
		}
	})
}
