package factory

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

var noon = time.Date(2099, 1, 1, 12, 0, 0, 0, time.UTC)

// proposed and scheduled are what the desk says.
var (
	proposed = workspace.Proposal{
		Status: workspace.LeaseAccepted, Start: noon, End: noon.Add(time.Hour),
		Hosts: []workspace.HostID{"node1"},
		Parts: []workspace.Part{
			{Nodes: 1, Demand: workspace.Allocation{MemoryMB: 512, CPUs: 2}},
		},
		Preempts: []workspace.LeaseID{3},
	}
	scheduled = []workspace.Bar{{Host: "node1", Start: noon, End: noon.Add(time.Minute),
		Phase: workspace.PhaseBoot, Lease: 7, Nodes: 1, CPUs: 2, MemoryMB: 512, Firm: true}}
)

// asFaceTwo returns full as a message of face two with the terms.
func asFaceTwo(t *testing.T, name, terms string) string {
	t.Helper()
	doc := soaptest.Parse(t, full)
	m, err := deployment.DecodeCreate(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(terms, "Until") {
		m.Deployment.MinDuration = 0
	}
	enc := xmlstrict.NewEncoder()
	m.WriteLease(enc)
	text := strings.ReplaceAll(string(enc.Bytes()), "p:Create", "p:"+name)
	return strings.Replace(text, "</n:WorkspaceDeployment>", `<q:LeaseTerms xmlns:q="`+
		schema.Terms+`">`+terms+"</q:LeaseTerms></n:WorkspaceDeployment>", 1)
}

// TestTermsAreTranslated reads all that terms may say.
func TestTermsAreTranslated(t *testing.T) {
	const terms = `<q:Start>2099-01-01T12:00:00Z</q:Start><q:Deadline>2099-01-02T00:00:00Z` +
		`</q:Deadline><q:Warn>PT5M</q:Warn><q:Extra><q:DiskMB>100</q:DiskMB><q:NetInKbps>2000` +
		`</q:NetInKbps></q:Extra><q:Least><q:MemoryMB>512</q:MemoryMB><q:DiskMB>50</q:DiskMB>` +
		`</q:Least><q:Part><q:Nodes>1</q:Nodes><q:Demand><q:CPUs>8</q:CPUs></q:Demand></q:Part>` +
		`<q:Part><q:Nodes>2</q:Nodes></q:Part><q:Near><q:Workspace>4</q:Workspace></q:Near>` +
		`<q:Apart><q:Soft>1</q:Soft><q:Host>node1</q:Host></q:Apart>`
	d := new(desk)
	_, err := porttest.Call(t, New(wsdl.Two, d), "Create", "", asFaceTwo(t, "Create", terms))
	if err != nil {
		t.Fatal(err)
	}
	want := translated
	want.Terms = workspace.LeaseTerms{Kind: workspace.LeaseDeadline, Start: noon,
		Deadline: noon.Add(12 * time.Hour), Affinity: []workspace.AffinityRule{
			{Relation: workspace.Near, Workspaces: []workspace.ID{4}},
			{Relation: workspace.Apart, Soft: true, Hosts: []workspace.HostID{"node1"}},
		}}
	want.Warn = 5 * time.Minute
	want.Demand.DiskMB, want.Demand.NetInKbps = 612, 2000
	want.Least = workspace.Allocation{MemoryMB: 512, DiskMB: 562}
	large := want.Demand
	large.CPUs = 8
	want.Parts = []workspace.Part{
		{Nodes: 1, Demand: large, Least: want.Least},
		{Nodes: 2, Demand: want.Demand, Least: want.Least},
	}
	if diff := cmp.Diff(want, d.asked[0], noDigest); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUntil has an end become a duration, from the start or from now, and two
// such requests be the same.
func TestUntil(t *testing.T) {
	const start, until = `<q:Start>2099-01-01T12:00:00Z</q:Start>`,
		`<q:Until>2099-01-01T13:30:00Z</q:Until>`
	d := new(desk)
	for _, terms := range []string{start + until, until, until} {
		body := asFaceTwo(t, "Create", terms)
		if _, err := porttest.Call(t, New(wsdl.Two, d), "Create", "", body); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.asked[0].Duration; got != 90*time.Minute {
		t.Errorf("it lasts %v", got)
	}
	left := time.Until(noon.Add(90 * time.Minute))
	if got := d.asked[1].Duration; got < left || got > left+time.Minute {
		t.Errorf("from now it lasts %v", got)
	}
	if d.asked[1].Digest != d.asked[2].Digest || d.asked[0].Digest == d.asked[1].Digest {
		t.Error("the digests tell other requests apart")
	}
}

// TestTimesThatPassed refuses them where they stand. In a bubble no time passes between
// what is asked and what is answered.
func TestTimesThatPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := func(name string, d time.Duration) string {
			return "<q:" + name + ">" + wsrf.FormatTime(time.Now().Add(d)) + "</q:" + name + ">"
		}
		tests := map[string]struct{ terms, path, says string }{
			"start": {at("Start", -time.Second), "LeaseTerms/Start",
				"is in the past, here it is"},
			"end": {at("Until", -time.Second), "LeaseTerms/Until",
				"is in the past, here it is"},
			"deadline": {at("Deadline", -time.Second), "LeaseTerms/Deadline", "is in the past"},
			"deadline too soon": {at("Deadline", time.Hour), "LeaseTerms/Deadline",
				"the lease takes 2h30m0s, its deadline is in 1h0m0s"},
		}
		for name, tt := range tests {
			for _, operation := range []string{"Create", "Plan"} {
				refusedAt(t, operation, tt.terms, tt.path, tt.says)
				if t.Failed() {
					t.Fatal(name)
				}
			}
		}
	})
}

// refusedAt expects an operation to refuse the terms at the path with such words.
func refusedAt(t *testing.T, operation, terms, path, says string) {
	t.Helper()
	d := new(desk)
	_, err := porttest.Call(t, New(wsdl.Two, d), operation, "", asFaceTwo(t, operation, terms))
	at := "/" + operation + "/WorkspaceDeployment/" + path + " (line 1)"
	if workspace.KindOf(err) != workspace.Invalid ||
		!strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), at) {
		t.Errorf("%s: error is %v", operation, err)
	}
	if len(d.asked) > 0 {
		t.Errorf("%s: the manager was asked all the same", operation)
	}
}

// TestPlan asks what a request would get.
func TestPlan(t *testing.T) {
	d := new(desk)
	reply, err := porttest.Call(t, New(wsdl.Two, d), "Plan", "", asFaceTwo(t, "Plan", ""))
	if err != nil {
		t.Fatal(err)
	}
	want := `<p:PlanResponse xmlns:p="urn:philoxenia:2026:workspace">` +
		`<p:Status>accepted</p:Status><p:Begin>2099-01-01T12:00:00.000Z</p:Begin><p:End>2099-01-01T13:00:00.000Z</p:End>` +
		`<p:Host>node1</p:Host><p:Part xmlns:q="urn:philoxenia:2026:terms"><q:Nodes>1</q:Nodes>` +
		`<q:Demand><q:MemoryMB>512</q:MemoryMB><q:CPUs>2</q:CPUs></q:Demand></p:Part>` +
		`<p:Preempts>3</p:Preempts></p:PlanResponse>`
	if diff := cmp.Diff(want, reply); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d.asked[0].Terms.Kind != workspace.LeaseImmediate || d.asked[0].Nodes != 3 {
		t.Errorf("asked was %+v", d.asked[0])
	}
}

// TestPlacesOnFaceTwo finds elements by the names that they have on face one.
func TestPlacesOnFaceTwo(t *testing.T) {
	complaint := &workspace.Error{Op: creating, Kind: workspace.NoResource,
		Where: &workspace.Where{Path: "resourceRequest/LeaseTerms/Start"}}
	terms := `<q:Start>2099-01-01T12:00:00Z</q:Start>`
	_, err := porttest.Call(t, New(wsdl.Two, &desk{err: complaint}), "Create", "",
		asFaceTwo(t, "Create", terms))
	if err == nil || !strings.Contains(err.Error(),
		"/Create/WorkspaceDeployment/LeaseTerms/Start (line 1)") {
		t.Errorf("error is %v", err)
	}
}

func TestSchedule(t *testing.T) {
	ask := func(parts string) string {
		return `<p:QuerySchedule xmlns:p="` + schema.Lease + `">` + parts + `</p:QuerySchedule>`
	}
	d := new(desk)
	reply, err := porttest.Call(t, New(wsdl.Two, d), "QuerySchedule", "", ask(
		`<p:From>2099-01-01T00:00:00Z</p:From><p:Until>2099-01-02T00:00:00Z</p:Until>`))
	if err != nil || !strings.Contains(reply, `<p:Bar><p:Host>node1</p:Host><p:Begin>`+
		`2099-01-01T12:00:00.000Z</p:Begin><p:End>2099-01-01T12:01:00.000Z</p:End>`+
		`<p:Phase>boot</p:Phase><p:Lease>7</p:Lease><p:Nodes>1</p:Nodes><p:CPUs>2</p:CPUs>`+
		`<p:MemoryMB>512</p:MemoryMB><p:Firm>true</p:Firm><p:Begun>false</p:Begun></p:Bar>`) {
		t.Errorf("reply is %s, %v", reply, err)
	}
	if _, err := porttest.Call(t, New(wsdl.Two, d), "QuerySchedule", "", ask("")); err != nil {
		t.Error(err)
	}
	if got := d.spans[0]; !got[0].Equal(noon.Add(-12*time.Hour)) ||
		!got[1].Equal(noon.Add(12*time.Hour)) {
		t.Errorf("asked was for %v", got)
	}
	if got := d.spans[1]; time.Since(got[0]) > time.Minute || !got[1].IsZero() {
		t.Errorf("without times asked was for %v", got)
	}
	if operations := New(wsdl.One, d).Operations; len(operations) != 4 {
		t.Errorf("face one has %d operations", len(operations))
	}
}
