package ws

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/port/producer"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

func serveTwo(d *desk) dispatch.Service { return New(wsdl.Two, d, producer.Source{}) }

// TestCommandsOnFaceTwo has the same things asked of the manager as on face one.
func TestCommandsOnFaceTwo(t *testing.T) {
	tests := map[string]struct{ operation, body, asked, reply string }{
		"start": {"Start", `<p:Start xmlns:p="` + schema.Lease + `"/>`, "start 7",
			"StartResponse"},
		"save": {"Shutdown", `<p:Shutdown xmlns:p="` + schema.Lease +
			`"><p:Type>ReadyForTransport</p:Type><p:SaveTo>sftp://r/new.img</p:SaveTo></p:Shutdown>`,
			"shutdown 7 ReadyForTransport sftp://r/new.img", "ShutdownResponse"},
		"destroy": {"Destroy", `<l:Destroy xmlns:l="` + schema.Lifetime2 + `"/>`, "destroy 7",
			`DestroyResponse xmlns:`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := new(desk)
			reply, err := porttest.Call(t, serveTwo(d), tt.operation, "7", tt.body)
			if err != nil || !strings.Contains(reply, tt.reply) {
				t.Errorf("reply is %s, %v", reply, err)
			}
			if len(d.asked) != 1 || d.asked[0] != tt.asked {
				t.Errorf("the manager was asked %q, want %q", d.asked, tt.asked)
			}
		})
	}
}

// set is a request to update properties.
func set(values string) string {
	return `<r:SetResourceProperties xmlns:r="` + schema.Properties2 + `" xmlns:t="` +
		schema.Types + `" xmlns:l="` + schema.Lifetime2 + `"><r:Update>` + values +
		`</r:Update></r:SetResourceProperties>`
}

// The lease of the desk's workspace began at no time, lasts an hour and has a
// minute's grace.
const (
	asItIs = `0001-01-01T01:01:00.000Z`
	later  = `2036-01-01T00:00:00.000Z`
)

// A change is a request to change properties, and what becomes of it.
type change struct {
	body  string
	terms workspace.Terms // zero: the lease is left alone
	fault xmlstrict.Name
}

// changes are requests by what they ask for.
func changes() map[string]change {
	end := time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	schedule := func(parts string) string {
		return set(`<t:schedule>` + parts + `</t:schedule>`)
	}
	names := wsrf.Final.Names()
	invalid, unable := names.InvalidModification, names.UnableToModifyResourceProperty
	none := xmlstrict.Name{}
	return map[string]change{
		"the end": {set(`<l:TerminationTime>` + later + `</l:TerminationTime>`),
			workspace.Terms{End: end}, none},
		"the end it has": {set(`<l:TerminationTime>` + asItIs + `</l:TerminationTime>`),
			workspace.Terms{}, none},
		"no end": {set(`<l:TerminationTime xmlns:i="` + xmlstrict.XSISpace + `" i:nil="true"/>`),
			workspace.Terms{}, unable},
		"a schedule's end": {
			schedule(`<t:ActualTerminationTime>` + later + `</t:ActualTerminationTime>`),
			workspace.Terms{End: end}, none},
		"a duration": {schedule(`<t:Duration>PT2H</t:Duration>`),
			workspace.Terms{Duration: 2 * time.Hour}, none},
		"the duration it has, and another end": {schedule(`<t:Duration>PT1H</t:Duration>` +
			`<t:ActualTerminationTime>` + later + `</t:ActualTerminationTime>`),
			workspace.Terms{End: end}, none},
		"the same end twice": {set(`<l:TerminationTime>` + later + `</l:TerminationTime>` +
			`<t:schedule><t:ActualTerminationTime>` + later + `</t:ActualTerminationTime>` +
			`</t:schedule>`), workspace.Terms{End: end}, none},
		"two ends": {set(`<l:TerminationTime>` + later + `</l:TerminationTime><t:schedule>` +
			`<t:ActualTerminationTime>2037-01-01T00:00:00Z</t:ActualTerminationTime></t:schedule>`),
			workspace.Terms{}, invalid},
		"no time": {set(`<l:TerminationTime>soon</l:TerminationTime>`),
			workspace.Terms{}, invalid},
		"no duration": {schedule(`<t:Duration>long</t:Duration>`),
			workspace.Terms{}, invalid},
		"a duration of none": {schedule(`<t:Duration>PT0S</t:Duration>`),
			workspace.Terms{}, invalid},
		"an empty schedule": {schedule(``), workspace.Terms{}, invalid},
		"something else":    {schedule(`<t:x/>`), workspace.Terms{}, invalid},
		"another start": {schedule(`<t:ActualInstantiationTime>` + later +
			`</t:ActualInstantiationTime>`), workspace.Terms{}, unable},
		"a start that is none": {schedule(`<t:ActualInstantiationTime>x` +
			`</t:ActualInstantiationTime>`), workspace.Terms{}, invalid},
	}
}

// TestTerms reads what a change of properties asks of the lease.
func TestTerms(t *testing.T) {
	none := xmlstrict.Name{}
	for name, tt := range changes() {
		t.Run(name, func(t *testing.T) {
			d := new(desk)
			_, err := porttest.Call(t, serveTwo(d), "SetResourceProperties", "7", tt.body)
			var typed *wsrf.FaultError
			switch {
			case tt.fault != none && (!errors.As(err, &typed) || typed.Fault != tt.fault):
				t.Errorf("error is %v, want %s", err, tt.fault)
			case tt.fault == none && err != nil:
				t.Errorf("refused: %v", err)
			}
			if asked := len(d.terms) == 1; asked != (tt.terms != workspace.Terms{}) ||
				asked && d.terms[0] != tt.terms {
				t.Errorf("asked for %v, want %v", d.terms, tt.terms)
			}
		})
	}
}

// TestPropertiesAreThoseOfTheDocument writes each property alone and finds it in
// the whole document.
func TestPropertiesAreThoseOfTheDocument(t *testing.T) {
	for _, face := range []wsdl.Face{wsdl.One, wsdl.Two} {
		w := &workspace.Workspace{
			ID: 7, State: workspace.Running, NICs: []workspace.NIC{{Name: "eth0"}},
			Demand: workspace.Allocation{MemoryMB: 256},
			Lease:  workspace.Lease{Duration: time.Hour},
		}
		whole := text(t, document{face, w, nothing, unused}.Write)
		for _, name := range Document(face, w).Names() {
			if strings.HasSuffix(name.Local, "CurrentTime") {
				continue // it goes on
			}
			one := text(t, func(enc *xmlstrict.Encoder) {
				enc.Start(xmlstrict.NameOf(root(t, whole)))
				document{face, w, nothing, unused}.WriteProperty(enc, name)
				enc.End()
			})
			for child := range xmlstrict.Children(root(t, one)) {
				if got := xmlstrict.Text(child); !strings.Contains(whole, got) ||
					xmlstrict.NameOf(child) != name {
					t.Errorf("%s: %s alone is %s, not so in %s", face, name, one, whole)
				}
			}
		}
		x := xmlstrict.Name{Local: "x"}
		if (document{face, w, nothing, unused}).WriteProperty(xmlstrict.NewEncoder(), x) {
			t.Errorf("%s has a property that it has not", face)
		}
	}
}

// nothing is said of a lease that the scheduler does not have.
func nothing() (*workspace.Refusal, *workspace.Booking) { return nil, nil }

// TestWaiting reads of a lease that waits what the scheduler says, and no times
// that nobody knows.
func TestWaiting(t *testing.T) {
	submitted := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	d := &desk{
		why: &workspace.Refusal{Code: "taken", Earliest: submitted.Add(time.Hour),
			Offers: []workspace.Offer{{Change: "fewer", Nodes: 1}}},
		booking: &workspace.Booking{ID: 7, Status: workspace.LeaseQueued, Submitted: submitted,
			Terms: workspace.LeaseTerms{Kind: workspace.LeaseBestEffort, Preemptible: true},
			Runs:  submitted.Add(time.Hour), Duration: time.Hour,
			Hosts: []workspace.HostID{"node1"}},
		reading: &workspace.Reading{ID: 7, CPUTime: 90 * time.Second, Memory: 1 << 28, Unused: 5,
			Disks: []workspace.DiskReading{{ReadBytes: 512, ReadOperations: 1}},
			NICs:  []workspace.NICReading{{OutBytes: 60, OutPackets: 2}}},
	}
	get := `<r:GetResourcePropertyDocument xmlns:r="` + schema.Properties2 + `"/>`
	reply, err := porttest.Call(t, serveTwo(d), "GetResourcePropertyDocument", "7", get)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`<p:Kind>best-effort</p:Kind><p:Status>queued</p:Status>`,
		`<p:Begin>2026-11-22T13:00:00.000Z</p:Begin><p:End>2026-11-22T14:00:00.000Z</p:End>`,
		`<p:Preemptible>true</p:Preemptible><p:Host>node1</p:Host></p:Lease>`,
		`<p:Use><p:CPUTime>PT90S</p:CPUTime><p:Memory>268435456</p:Memory><p:Unused>5</p:Unused>`,
		`<p:Disk><p:InBytes>512</p:InBytes><p:OutBytes>0</p:OutBytes><p:Ins>1</p:Ins>`,
		`<p:OutBytes>60</p:OutBytes><p:Ins>0</p:Ins><p:Outs>2</p:Outs></p:NIC></p:Use>`,
		`<p:Explanation><p:Code>taken</p:Code>`, `<p:Change>fewer</p:Change><p:Nodes>1</p:Nodes>`,
		`<q:MemoryMB>256</q:MemoryMB><q:CPUs>2</q:CPUs><q:CPUPercent>50</q:CPUPercent>`,
		`<t:schedule><t:Duration>PT3600S</t:Duration></t:schedule>`, `xsi:nil="true"`,
	} {
		if !strings.Contains(reply, part) {
			t.Errorf("%s is not in %s", part, reply)
		}
	}
	one := `<r:GetResourceProperty xmlns:r="` + schema.Properties2 + `" xmlns:p="` + schema.Lease +
		`">p:Explanation</r:GetResourceProperty>`
	reply, err = porttest.Call(t, serveTwo(d), "GetResourceProperty", "7", one)
	if err != nil || !strings.Contains(reply, "<p:Code>taken<") {
		t.Errorf("alone it is %s, %v", reply, err)
	}
	reply, err = porttest.Call(t, serveTwo(new(desk)), "GetResourceProperty", "7", one)
	if err != nil || strings.Contains(reply, "Explanation") {
		t.Errorf("without reason it is %s, %v", reply, err)
	}
}

// TestResize reads what a change of the allocation asks for.
func TestResize(t *testing.T) {
	shape := func(parts string) string {
		return set(`<p:Allocation xmlns:p="` + schema.Lease + `" xmlns:q="` + schema.Terms + `">` +
			parts + `</p:Allocation>`)
	}
	names := wsrf.Final.Names()
	invalid, unable := names.InvalidModification, names.UnableToModifyResourceProperty
	none := xmlstrict.Name{}
	all := workspace.Shape{
		MemoryMB: 512, CPUs: 4, CPUPercent: 100, NetInKbps: 1000, NetOutKbps: 2000,
	}
	tests := map[string]struct {
		body  string
		shape workspace.Shape
		fault xmlstrict.Name
		says  string
	}{
		"memory": {shape(`<q:MemoryMB>512</q:MemoryMB>`), workspace.Shape{MemoryMB: 512}, none, ""},
		"all": {shape(`<q:MemoryMB>512</q:MemoryMB><q:CPUs>4</q:CPUs><q:CPUPercent>100` +
			`</q:CPUPercent><q:NetInKbps>1000</q:NetInKbps><q:NetOutKbps>2000</q:NetOutKbps>`),
			all, none, ""},
		"nothing": {shape(``), workspace.Shape{}, invalid, "nothing is asked for"},
		"no memory": {shape(`<q:MemoryMB>0</q:MemoryMB>`), workspace.Shape{}, invalid,
			`line 1, /SetResourceProperties/Update/Allocation/MemoryMB`},
		"less than none": {shape(`<q:CPUs>-1</q:CPUs>`), workspace.Shape{}, invalid,
			`"-1" is out of range`},
		"absurd": {shape(`<q:CPUs>99999999999</q:CPUs>`), workspace.Shape{}, invalid,
			"a whole number from 1 to 2147483647"},
		"another disk": {shape(`<q:DiskMB>9</q:DiskMB>`), workspace.Shape{}, unable,
			"disks stay as they are"},
		"another namespace": {shape(`<MemoryMB>1</MemoryMB>`), workspace.Shape{}, invalid,
			"MemoryMB is in the wrong namespace"},
		"two": {set(strings.Repeat(`<p:Allocation xmlns:p="`+schema.Lease+`"/>`, 2)),
			workspace.Shape{}, invalid, "a second Allocation"},
		"the end too": {set(`<p:Allocation xmlns:p="` + schema.Lease + `"/><l:TerminationTime>` +
			later + `</l:TerminationTime>`), workspace.Shape{}, unable, "one after the other"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := new(desk)
			_, err := porttest.Call(t, serveTwo(d), "SetResourceProperties", "7", tt.body)
			var typed *wsrf.FaultError
			if tt.fault != none && (!errors.As(err, &typed) || typed.Fault != tt.fault ||
				!strings.Contains(err.Error(), tt.says)) {
				t.Errorf("error is %v, want %s with %q", err, tt.fault, tt.says)
			}
			if tt.fault == none && (err != nil || len(d.shapes) != 1 || d.shapes[0] != tt.shape) {
				t.Errorf("asked for %v, %v; want %v", d.shapes, err, tt.shape)
			}
			if tt.fault != none && len(d.asked) > 0 {
				t.Errorf("the manager was asked all the same: %v", d.asked)
			}
		})
	}
}

// text returns what is written.
func text(t *testing.T, write func(*xmlstrict.Encoder)) string {
	t.Helper()
	enc := xmlstrict.NewEncoder()
	if write(enc); enc.Err() != nil {
		t.Fatal(enc.Err())
	}
	return string(enc.Bytes())
}

// root returns the root element of a text.
func root(t *testing.T, text string) *etree.Element {
	t.Helper()
	doc, err := xmlstrict.Parse([]byte(text), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return doc.Root
}

// unused is the use of a workspace that is not in memory.
func unused() *report.Use { return nil }
