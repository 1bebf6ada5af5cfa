package deployment

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// termed is the document that the table of wrong terms breaks.
const termed = `<WorkspaceDeployment
  xmlns="http://www.globus.org/2008/06/workspace/negotiable" xmlns:q="urn:philoxenia:2026:terms"
  xmlns:j="http://schemas.ggf.org/jsdl/2005/11/jsdl">
<DeploymentTime><minDuration>PT2H</minDuration></DeploymentTime>
<InitialState>Running</InitialState>
<ResourceAllocation>
<j:IndividualCPUCount><j:Range><j:LowerBound>1</j:LowerBound>
<j:UpperBound>4</j:UpperBound></j:Range></j:IndividualCPUCount>
<j:IndividualPhysicalMemory><j:Exact>1024</j:Exact></j:IndividualPhysicalMemory>
</ResourceAllocation>
<NodeNumber>3</NodeNumber>
<q:LeaseTerms>
<q:Kind>best-effort</q:Kind>
<q:Preemptible>true</q:Preemptible>
<q:Warn>PT5M</q:Warn>
<q:Extra><q:DiskMB>100</q:DiskMB><q:NetInKbps>2000</q:NetInKbps></q:Extra>
<q:Least><q:MemoryMB>512</q:MemoryMB><q:NetInKbps>500</q:NetInKbps></q:Least>
<q:Part><q:Nodes>1</q:Nodes><q:Demand><q:CPUs>8</q:CPUs></q:Demand></q:Part>
<q:Part><q:Nodes>2</q:Nodes><q:Least><q:MemoryMB>256</q:MemoryMB></q:Least></q:Part>
<q:Near><q:Workspace>7</q:Workspace></q:Near>
<q:Apart><q:Soft>true</q:Soft><q:Host>node1</q:Host></q:Apart>
<q:Image><q:MountAs>sda1</q:MountAs>
<q:SHA256>E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855</q:SHA256></q:Image>
</q:LeaseTerms>
</WorkspaceDeployment>`

// readTerms returns the request in termed.
func readTerms(t *testing.T) *WorkspaceDeployment {
	t.Helper()
	doc := soaptest.Parse(t, termed)
	v, err := Decode(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDecodeTerms(t *testing.T) {
	v := readTerms(t)
	want := &LeaseTerms{
		Kind: BestEffort, Preemptible: true, Warn: 5 * time.Minute,
		Extra: Amounts{DiskMB: 100, NetInKbps: 2000},
		Least: Amounts{MemoryMB: 512, NetInKbps: 500},
		Parts: []Part{{Nodes: 1, Demand: Amounts{CPUs: 8}},
			{Nodes: 2, Least: Amounts{MemoryMB: 256}}},
		Near:  []Placement{{Workspaces: []int64{7}}},
		Apart: []Placement{{Soft: true, Hosts: []string{"node1"}}},
		Images: []Image{{MountAs: "sda1",
			SHA256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
	}
	if diff := cmp.Diff(want, v.Terms); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTermsAmounts works out what nodes are to have, and what will do.
func TestTermsAmounts(t *testing.T) {
	v := readTerms(t)
	v.Allocation.Bandwidth = []Bandwidth{{Incoming: Exactly(1500)},
		{Incoming: Between(1000, 2001), Outgoing: Exactly(8e6)}}
	v.Terms.Extra = Amounts{DiskMB: 100}
	type both struct{ Most, Least Amounts }
	of := func(most, least Amounts) both { return both{most, least} }
	tests := []struct {
		name      string
		got, want both
	}{
		{"request", of(v.Amounts()), both{
			Amounts{MemoryMB: 1024, CPUs: 4, DiskMB: 100, NetInKbps: 5, NetOutKbps: 8000},
			Amounts{MemoryMB: 512, CPUs: 1, NetInKbps: 500}}},
		{"other CPUs", of(v.PartAmounts(v.Terms.Parts[0])), both{
			Amounts{MemoryMB: 1024, CPUs: 8, DiskMB: 100, NetInKbps: 5, NetOutKbps: 8000},
			Amounts{MemoryMB: 512, NetInKbps: 500}}},
		{"other bound", of(v.PartAmounts(v.Terms.Parts[1])), both{
			Amounts{MemoryMB: 1024, CPUs: 4, DiskMB: 100, NetInKbps: 5, NetOutKbps: 8000},
			Amounts{MemoryMB: 256, CPUs: 1, NetInKbps: 500}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	v.Terms = nil
	most, least := v.Amounts()
	if most != (Amounts{MemoryMB: 1024, CPUs: 1}) || least != (Amounts{}) {
		t.Errorf("without terms: %v, %v", most, least)
	}
}

// TestKinds leaves the kind out.
func TestKinds(t *testing.T) {
	now := time.Now()
	tests := map[string]*LeaseTerms{
		Immediate: {Until: now}, Reservation: {Start: now}, ByDeadline: {Start: now, Deadline: now},
		BestEffort: {Kind: BestEffort},
	}
	for want, terms := range tests {
		if got := terms.Is(); got != want {
			t.Errorf("%v is %s, not %s", terms, got, want)
		}
	}
	if (*LeaseTerms)(nil).Is() != Immediate {
		t.Error("no terms are not immediate")
	}
}

// Parts of that document, and where it is.
const (
	kind  = "<q:Kind>best-effort</q:Kind>\n<q:Preemptible>true</q:Preemptible>"
	start = "<q:Start>2035-01-01T09:00:00Z</q:Start>"
	terms = root + "/LeaseTerms"
)

var wrongTerms = []broken{
	{"unknown kind", ">best-effort<", ">whenever<", terms + "/Kind", 13,
		`unknown kind of lease "whenever"`, "one of immediate, reservation, best-effort, deadline"},
	{"no start", ">best-effort<", ">reservation<", terms + "/Kind", 13,
		"a reservation has no Start", "an element Start"},
	{"no deadline", ">best-effort<", ">deadline<", terms + "/Kind", 13,
		"a deadline lease has no Deadline", "an element Deadline"},
	{"start of a best effort", "</q:Kind>", "</q:Kind>" + start, terms + "/Start", 13,
		"a lease of the kind best-effort has no Start", "no Start, or Kind reservation"},
	{"deadline of a best effort", "</q:Kind>",
		"</q:Kind><q:Deadline>2035-01-01T09:00:00Z</q:Deadline>", terms + "/Deadline", 13,
		"a lease of the kind best-effort has no Deadline", "no Deadline, or Kind deadline"},
	{"preemptible reservation", "<q:Kind>best-effort</q:Kind>", start, terms + "/Preemptible", 14,
		"cannot be preempted: the lease is of the kind reservation", "Kind best-effort"},
	{"end of a best effort", "</q:Kind>", "</q:Kind><q:Until>2035-01-01T09:00:00Z</q:Until>",
		terms + "/Until", 13, "a lease of the kind best-effort has no fixed end", "minDuration"},
	{"two ends", kind, "<q:Until>2035-01-01T09:00:00Z</q:Until>", terms + "/Until", 13,
		"there are both Until and minDuration", "either of them"},
	{"deadline before start", kind, start + "<q:Deadline>2035-01-01T08:00:00Z</q:Deadline>",
		terms + "/Deadline", 13, "the deadline is before the start", "after Start"},
	{"deadline too soon", kind, start + "<q:Deadline>2035-01-01T10:59:59Z</q:Deadline>",
		terms + "/Deadline", 13, "between Start and Deadline are 1h59m59s, the lease takes 2h0m0s",
		"at least 2h0m0s after Start"},
	{"no time", ">best-effort</q:Kind>", ">reservation</q:Kind>\n<q:Start>tomorrow</q:Start>",
		terms + "/Start", 14, `"tomorrow" is not a time`, "a dateTime"},
	{"warning too soon", "PT5M", "PT2H", terms + "/Warn", 15,
		"the warning would come before the lease starts", "less than 2h0m0s"},
	{"negative warning", "PT5M", "-PT5M", terms + "/Warn", 15, "is negative", "a duration"},
	{"no disk", ">100<", ">0<", terms + "/Extra/DiskMB", 16, `"0" is out of range`,
		"a whole number from 1 to 2147483647"},
	{"negative bandwidth", ">2000<", ">-1<", terms + "/Extra/NetInKbps", 16,
		`"-1" is out of range`, "a whole number from 1"},
	{"absurd bound", ">512<", ">99999999999<", terms + "/Least/MemoryMB", 17,
		`"99999999999" is out of range`, "to 2147483647"},
	{"lower above upper", ">512<", ">2048<", terms + "/Least/MemoryMB", 17,
		"the lower bound of MemoryMB, 2048, is above the upper one, 1024", "at most 1024"},
	{"lower without upper", "<q:NetInKbps>2000</q:NetInKbps>", "", terms + "/Least/NetInKbps", 17,
		"there is a least NetInKbps, but no NetInKbps is asked for", "how much there should be"},
	{"memory in Extra", "<q:DiskMB>100</q:DiskMB>", "<q:MemoryMB>1</q:MemoryMB>",
		terms + "/Extra/MemoryMB", 16, "element MemoryMB is unknown here", "one of DiskMB"},
	{"no nodes", "<q:Nodes>1</q:Nodes>", "<q:Nodes>0</q:Nodes>",
		terms + "/Part[1]/Nodes", 18,
		`"0" is out of range`, "from 1 to 32767"},
	{"absurd nodes", "<q:Nodes>1</q:Nodes>", "<q:Nodes>1000000</q:Nodes>",
		terms + "/Part[1]/Nodes", 18, `"1000000" is out of range`, "from 1 to 32767"},
	{"other nodes", "<q:Nodes>1</q:Nodes>", "<q:Nodes>2</q:Nodes>", terms + "/Part[1]", 18,
		"the parts have 4 nodes", "parts of 3 nodes together"},
	{"bound of a part", ">256<", ">1025<", terms + "/Part[2]/Least/MemoryMB", 19,
		"of part 2, the lower bound of MemoryMB, 1025, is above", "at most 1024"},
	{"workspace zero", ">7<", ">0<", terms + "/Near/Workspace", 20,
		`"0" is out of range`, "from 1"},
	{"no host", ">node1<", "><", terms + "/Apart/Host", 21, "Host is empty", "text"},
	{"order", "<q:Near>", "<q:Apart/><q:Near>", terms + "/Near", 20, "Near is out of order",
		"it before Apart"},
	{"short checksum", "E3B0", "", terms + "/Image/SHA256", 23, "is no SHA-256",
		"64 hexadecimal digits"},
	{"no checksum", "E3B0", "G3B0", terms + "/Image/SHA256", 23, "is no SHA-256",
		"64 hexadecimal digits"},
	{"no disk of the image", "<q:MountAs>sda1</q:MountAs>", "", terms + "/Image", 22,
		"MountAs is missing", "MountAs"},
	{"twice", "</q:LeaseTerms>", "</q:LeaseTerms><q:LeaseTerms/>", root + "/LeaseTerms[2]", 24,
		"LeaseTerms is repeated", "at most 1"},
	{"bounds crossed", "<j:Range><j:LowerBound>1</j:LowerBound>\n<j:UpperBound>4</j:UpperBound>" +
		"</j:Range>", "<j:UpperBoundedRange>1</j:UpperBoundedRange>\n" +
		"<j:LowerBoundedRange>2</j:LowerBoundedRange>", alloc + "/IndividualCPUCount", 7,
		"the lower bound 2 is above the upper one, 1", "an upper bound above"},
	{"absurd range", "<j:UpperBound>4<", "<j:UpperBound>1e300<", alloc + "/IndividualCPUCount", 7,
		"IndividualCPUCount is absurdly large", "at most 2147483647"},
	{"bandwidth twice", "</ResourceAllocation>", "<Bandwidth><nic><name>eth0</name></nic>" +
		"</Bandwidth></ResourceAllocation>", terms + "/Extra", 16, "bandwidth is given here",
		"either of them"},
}

func TestWrongTerms(t *testing.T) {
	for _, tt := range wrongTerms {
		t.Run(tt.name, func(t *testing.T) {
			doc := soaptest.Parse(t, tt.breakUp(t, termed))
			v, err := Decode(doc, doc.Root)
			if v != nil {
				t.Errorf("got %v with the error", v)
			}
			tt.check(t, "deployment request", err)
		})
	}
}

// TestEndBeforeStart has no minDuration, which the table's document has.
func TestEndBeforeStart(t *testing.T) {
	text := strings.Replace(termed, "<minDuration>PT2H</minDuration>", "", 1)
	for until, ok := range map[string]bool{
		"2035-01-01T09:00:00Z": false, "2035-01-01T08:00:00Z": false, "2035-01-01T10:00:00Z": true,
	} {
		terms := strings.Replace(text, kind, start+"<q:Until>"+until+"</q:Until>", 1)
		doc := soaptest.Parse(t, terms)
		if _, err := Decode(doc, doc.Root); (err == nil) != ok ||
			err != nil && !strings.Contains(err.Error(), "the lease ends before it starts") {
			t.Errorf("%s: %v", until, err)
		}
	}
}

// TestTermsAreOfFaceTwo expects face one to refuse terms and to write none.
func TestTermsAreOfFaceTwo(t *testing.T) {
	enc := xmlstrict.NewEncoder()
	v := readTerms(t)
	v.Write(enc, RequestFile)
	text := string(enc.Bytes())
	if !strings.Contains(text, "LeaseTerms") {
		t.Fatalf("terms are not written: %s", text)
	}
	text = strings.ReplaceAll(text, "n:WorkspaceDeployment", "t:resourceRequest")
	text = strings.Replace(text, "<t:resourceRequest",
		`<t:resourceRequest xmlns:t="`+RequestWire.Space+`"`, 1)
	doc := soaptest.Parse(t, text)
	if _, err := Decode(doc, doc.Root); err == nil ||
		!strings.Contains(err.Error(), "element LeaseTerms is unknown here") {
		t.Errorf("got %v", err)
	}
	wire := xmlstrict.NewEncoder()
	v.Write(wire, RequestWire)
	if strings.Contains(string(wire.Bytes()), "LeaseTerms") {
		t.Errorf("terms on face one: %s", wire.Bytes())
	}
}

// TestTermsWriteAndRead writes all that terms may have.
func TestTermsWriteAndRead(t *testing.T) {
	full := full()
	full.Nodes = 3
	full.MinDuration = 0
	full.Allocation.CPUCount, full.Allocation.Bandwidth = Between(1, 4), nil
	at := time.Date(2099, 1, 1, 9, 0, 0, int(250*time.Millisecond), time.UTC)
	amounts := Amounts{1, 2, 3, 4, 5, 6}
	full.Terms = &LeaseTerms{
		Kind: Reservation, Start: at, Until: at.Add(time.Hour), Warn: time.Minute,
		Extra: Amounts{DiskMB: 9, NetInKbps: 8, NetOutKbps: 7},
		Least: Amounts{DiskMB: 1, NetOutKbps: 1},
		Parts: []Part{{1, amounts, amounts}, {Nodes: 2}},
		Near:  []Placement{{}, {Soft: true, Workspaces: []int64{1, 2}, Hosts: []string{"a", "b"}}},
		Apart: []Placement{{Hosts: []string{"c"}}},
	}
	enc := xmlstrict.NewEncoder()
	full.Write(enc, RequestFile)
	doc := soaptest.Parse(t, enc.Bytes())
	got, err := Decode(doc, doc.Root)
	if diff := cmp.Diff(full, got); err != nil || diff != "" {
		t.Errorf("%v (-written +read):\n%s\n%s", err, diff, enc.Bytes())
	}
}
