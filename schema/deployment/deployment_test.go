package deployment

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// file returns the text of a file.
func file(t testing.TB, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// request is the document that the table of errors breaks.
const request = `<WorkspaceDeployment
  xmlns="http://www.globus.org/2008/06/workspace/negotiable"
  xmlns:j="http://schemas.ggf.org/jsdl/2005/11/jsdl">
<DeploymentTime><minDuration>PT30M</minDuration></DeploymentTime>
<InitialState>Running</InitialState>
<ResourceAllocation>
<j:IndividualCPUCount><j:Exact>2.0</j:Exact></j:IndividualCPUCount>
<j:IndividualPhysicalMemory><j:Exact>256.0</j:Exact></j:IndividualPhysicalMemory>
<Storage><entry><partitionName>a</partitionName>
<j:IndividualDiskSpace><j:Exact>512.0</j:Exact></j:IndividualDiskSpace></entry></Storage>
</ResourceAllocation>
<NodeNumber>3</NodeNumber>
<ShutdownMechanism>Trash</ShutdownMechanism>
<PostShutdown>
<rootPartitionUnpropagationTarget>file://b</rootPartitionUnpropagationTarget></PostShutdown>
</WorkspaceDeployment>`

func TestDecode(t *testing.T) {
	doc := soaptest.Parse(t, request)
	got, err := Decode(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	want := &WorkspaceDeployment{
		MinDuration: 30 * time.Minute, InitialState: Running, Nodes: 3, Mechanism: Trash,
		PostShutdown: &PostShutdown{Target: "file://b"},
		Allocation: ResourceAllocation{CPUCount: Exactly(2), Memory: Exactly(256),
			Storage: []Storage{{Partition: "a", Space: *Exactly(512)}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const (
	root   = "/WorkspaceDeployment"
	alloc  = root + "/ResourceAllocation"
	memory = "<j:IndividualPhysicalMemory><j:Exact>256.0</j:Exact></j:IndividualPhysicalMemory>"
)

// A broken document replaces a part of another and tells what must be said.
type broken struct {
	name, from, to string
	path           string
	line           int
	want, expected string
}

var requests = []broken{
	{"no memory", memory, "", alloc, 6, "memory must be given", "IndividualPhysicalMemory"},
	{"memory zero", "256.0", "0", alloc + "/IndividualPhysicalMemory/Exact", 8,
		"IndividualPhysicalMemory is less than one", "at least 1 MB"},
	{"memory below one", "256.0", "0.9", alloc + "/IndividualPhysicalMemory/Exact", 8,
		"IndividualPhysicalMemory is less than one", "at least 1 MB"},
	{"memory negative", "256.0", "-256.0", alloc + "/IndividualPhysicalMemory/Exact", 8,
		"IndividualPhysicalMemory is less than one", "at least 1 MB"},
	{"memory absurd", "256.0", "1e300", alloc + "/IndividualPhysicalMemory/Exact", 8,
		"IndividualPhysicalMemory is absurdly large", "at most 2147483647 MB"},
	{"memory just too much", "256.0", "2147483648", alloc + "/IndividualPhysicalMemory/Exact", 8,
		"absurdly large", "at most 2147483647 MB"},
	{"memory infinite", "256.0", "INF", alloc + "/IndividualPhysicalMemory/Exact", 8,
		`"INF" is not a finite number`, "a number"},
	{"memory not a number", "256.0", "NaN", alloc + "/IndividualPhysicalMemory/Exact", 8,
		`"NaN" is not a finite number`, "a number"},
	{"memory in words", "256.0", "much", alloc + "/IndividualPhysicalMemory/Exact", 8,
		`"much" is not a finite number`, "a number"},
	{"memory in hexadecimal", "256.0", "0x1p8", alloc + "/IndividualPhysicalMemory/Exact", 8,
		`"0x1p8" is not a finite number`, "a number"},
	{"memory without amount", "<j:Exact>256.0</j:Exact>", "",
		alloc + "/IndividualPhysicalMemory", 8, "IndividualPhysicalMemory has no amount",
		"a number of MB"},
	{"CPUs zero", ">2.0<", ">0.0<", alloc + "/IndividualCPUCount/Exact", 7,
		"IndividualCPUCount is less than one", "at least 1 CPUs"},
	{"empty interval", "<j:Exact>2.0</j:Exact>", "<j:Range><j:LowerBound>4</j:LowerBound>" +
		"<j:UpperBound>2</j:UpperBound></j:Range>", alloc + "/IndividualCPUCount/Range", 7,
		"nothing is in the range", "above the lower"},
	{"bound flag", "<j:Exact>2.0</j:Exact>",
		`<j:LowerBoundedRange exclusiveBound="perhaps">2</j:LowerBoundedRange>`,
		alloc + "/IndividualCPUCount/LowerBoundedRange", 7, `exclusiveBound is "perhaps"`, "true"},
	{"epsilon", "<j:Exact>2.0</j:Exact>", `<j:Exact epsilon="x">2.0</j:Exact>`,
		alloc + "/IndividualCPUCount/Exact", 7, `epsilon is "x"`, "a number"},
	{"disk zero", "512.0", "0", alloc + "/Storage/entry/IndividualDiskSpace/Exact", 10,
		"IndividualDiskSpace is less than one", "at least 1 MB"},
	{"partition twice", "<Storage>", "<Storage><entry><partitionName>a</partitionName>" +
		"<j:IndividualDiskSpace><j:Exact>1</j:Exact></j:IndividualDiskSpace></entry>",
		alloc + "/Storage/entry[2]", 9, `more than one entry for "a"`, "one entry"},
	{"months", "PT30M", "P1M", root + "/DeploymentTime/minDuration", 4,
		`"P1M" holds months, whose length is not fixed`, "a duration"},
	{"years", "PT30M", "P1Y", root + "/DeploymentTime/minDuration", 4,
		`"P1Y" holds years, whose length is not fixed`, "a duration"},
	{"negative duration", "PT30M", "-PT30M", root + "/DeploymentTime/minDuration", 4,
		`"-PT30M" is negative`, "a duration"},
	{"no time at all", "PT30M", "PT0S", root + "/DeploymentTime/minDuration", 4,
		`"PT0S" is no time at all`, "longer than zero"},
	{"duration in words", "PT30M", "30 minutes", root + "/DeploymentTime/minDuration", 4,
		`"30 minutes" is not a duration`, "a duration"},
	{"absurd duration", "PT30M", "PT99999999999999999999S", root + "/DeploymentTime/minDuration",
		4, "is too long", "a duration"},
	{"Unstaged", ">Running<", ">Unstaged<", root + "/InitialState", 5,
		`unknown initial state "Unstaged"`, "one of Unpropagated, Propagated, Running, Paused"},
	{"unknown state", ">Running<", ">Asleep<", root + "/InitialState", 5,
		`unknown initial state "Asleep"`, "one of"},
	{"no node", ">3<", ">0<", root + "/NodeNumber", 12, `"0" is out of range`, "from 1 to 32767"},
	{"too many nodes", ">3<", ">32768<", root + "/NodeNumber", 12, `"32768" is out of range`,
		"from 1 to 32767"},
	{"half a node", ">3<", ">1.5<", root + "/NodeNumber", 12, `"1.5" is out of range`,
		"a whole number"},
	{"mechanism", ">Trash<", ">Normal<", root + "/ShutdownMechanism", 13,
		`unknown shutdown mechanism "Normal"`, "one of Serialize, Trash"},
	{"empty PostShutdown", "<rootPartitionUnpropagationTarget>file://b" +
		"</rootPartitionUnpropagationTarget>", "", root + "/PostShutdown", 14,
		"rootPartitionUnpropagationTarget is missing", "rootPartition"},
	{"target without scheme", "file://b", "b", root + "/PostShutdown/" +
		"rootPartitionUnpropagationTarget", 15, `"b" is not an absolute URI`, "scheme"},
	{"wrong order", "<NodeNumber>3</NodeNumber>\n<ShutdownMechanism>Trash</ShutdownMechanism>",
		"<ShutdownMechanism>Trash</ShutdownMechanism><NodeNumber>3</NodeNumber>",
		root + "/ShutdownMechanism", 12, "ShutdownMechanism is out of order",
		"NodeNumber before it"},
	{"unknown element", "<NodeNumber>", "<Priority>1</Priority><NodeNumber>", root + "/Priority",
		12, "element Priority is unknown here", "NodeNumber"},
	{"wrong namespace", "<NodeNumber>3</NodeNumber>", `<NodeNumber xmlns="urn:x">3</NodeNumber>`,
		root + "/NodeNumber", 12, `NodeNumber is in the wrong namespace "urn:x"`, "negotiable"},
	{"other document", "WorkspaceDeployment", "Deployment", "/Deployment", 1, "the element is",
		"WorkspaceDeployment"},
}

// check holds an error against what must be said.
func (tt broken) check(t *testing.T, document string, err error) {
	t.Helper()
	var bad *xmlstrict.ContentError
	if !errors.As(err, &bad) {
		t.Fatalf("got %v", err)
	}
	if bad.Document != document || bad.Path != tt.path || bad.Line != tt.line {
		t.Errorf("at %s %s:%d, want %s %s:%d", bad.Document, bad.Path, bad.Line, document,
			tt.path, tt.line)
	}
	if !strings.Contains(bad.Err.Error(), tt.want) {
		t.Errorf("got %q, want %q", bad.Err, tt.want)
	}
	if !strings.Contains(bad.Expected, tt.expected) {
		t.Errorf("expected %q, want %q", bad.Expected, tt.expected)
	}
}

// breakUp returns the text with the replacement made.
func (tt broken) breakUp(t *testing.T, text string) string {
	t.Helper()
	changed := strings.ReplaceAll(text, tt.from, tt.to)
	if changed == text {
		t.Fatalf("%q is not in the document", tt.from)
	}
	return changed
}

func TestDecodeErrors(t *testing.T) {
	for _, tt := range requests {
		t.Run(tt.name, func(t *testing.T) {
			doc := soaptest.Parse(t, tt.breakUp(t, request))
			v, err := Decode(doc, doc.Root)
			if v != nil {
				t.Errorf("got %v with the error", v)
			}
			tt.check(t, "deployment request", err)
		})
	}
}

// optionals is the document that the next table breaks.
const optionals = `<OptionalParameters xmlns="http://www.globus.org/2008/06/workspace/types">
<stageIn><sourceURL>gsiftp://a/b</sourceURL><destURL>gsiftp://c/d</destURL></stageIn>
<filewrite><content>role: worker
</content><pathOnVM>/etc/role.txt</pathOnVM></filewrite>
<mdServerUserdata>x</mdServerUserdata>
</OptionalParameters>`

func TestDecodeOptionalErrors(t *testing.T) {
	const path = "/OptionalParameters/filewrite/pathOnVM"
	tests := []broken{
		{"relative path", "/etc/role.txt", "etc/role.txt", path, 4,
			`"etc/role.txt" is not absolute`, "an absolute path"},
		{"dots", "/etc/role.txt", "/etc/../role.txt", path, 4,
			`"/etc/../role.txt" is not a plain path`, "without . or .."},
		{"directory", "/etc/role.txt", "/etc/", path, 4, `"/etc/" is not a plain path`, "a file"},
		{"root", "/etc/role.txt", "/", path, 4, `"/" is not a plain path`, "a file"},
		{"long path", "/etc/role.txt", "/" + strings.Repeat("a", 512), path, 4,
			"the path has 513 bytes", "at most 512 bytes"},
		{"long name", "/etc/role.txt", "/" + strings.Repeat("a", 256), path, 4,
			"a name in the path is too long", "at most 255 bytes"},
		{"control character", "/etc/role.txt", "/etc/a&#9;b", path, 4, "is not a word", "control"},
		{"content", "role: worker\n", strings.Repeat("ä", MaxContent+1),
			"/OptionalParameters/filewrite/content", 3, "the file has 40961 characters",
			"at most 40960 characters"},
		{"no path", "<pathOnVM>/etc/role.txt</pathOnVM>", "", "/OptionalParameters/filewrite", 3,
			"pathOnVM is missing", "pathOnVM"},
		{"no source", "<sourceURL>gsiftp://a/b</sourceURL>", "", "/OptionalParameters/stageIn",
			2, "sourceURL is missing", "sourceURL"},
		{"userdata first", "<stageIn>", "<mdServerUserdata/><stageIn>",
			"/OptionalParameters/stageIn", 2, "stageIn is out of order",
			"it before mdServerUserdata"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := soaptest.Parse(t, tt.breakUp(t, optionals))
			v, err := DecodeOptional(doc, doc.Root)
			if v != nil {
				t.Errorf("got %v with the error", v)
			}
			tt.check(t, "optional parameters", err)
		})
	}
}

func TestContentAtTheLimit(t *testing.T) {
	content := strings.Repeat("ä", MaxContent)
	doc := soaptest.Parse(t, strings.Replace(optionals, "role: worker\n", content, 1))
	if _, err := DecodeOptional(doc, doc.Root); err != nil {
		t.Error(err)
	}
}

func TestOptionalWriteAndRead(t *testing.T) {
	empty, credential := "", "-----BEGIN-----\n"
	want := &OptionalParameters{
		StageIn: &Transfer{Endpoint: "https://h/s", Source: "gsiftp://a/b",
			Destination: "gsiftp://c/d", Checksum: "00", ChecksumType: "md5"},
		StageOut:   &Transfer{Source: "http://a/b", Destination: "http://c/d"},
		Files:      []File{{Content: " a\n\tb ", Path: "/x"}, {Path: "/y/z"}},
		UserData:   &empty,
		Credential: &credential,
	}
	for _, name := range []xmlstrict.Name{OptionalFile, OptionalWire} {
		enc := xmlstrict.NewEncoder()
		want.Write(enc, name)
		doc := soaptest.Parse(t, enc.Bytes())
		got, err := DecodeOptional(doc, doc.Root)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
	}
}

func TestAmount(t *testing.T) {
	tests := []struct {
		name  string
		value *Range
		want  int64
		ok    bool
	}{
		{"nil", nil, 0, false},
		{"empty", &Range{}, 0, false},
		{"exact", Exactly(256), 256, true},
		{"exact is cut", Exactly(256.9), 256, true},
		{"first exact", &Range{Exact: []Exact{{Value: 2}, {Value: 1}}}, 2, true},
		{"exact before the others", &Range{Lower: &Boundary{Value: 9}, Exact: []Exact{{Value: 2}}},
			2, true},
		{"interval", &Range{Intervals: []Interval{{Boundary{Value: 1.5}, Boundary{Value: 4}}}},
			2, true},
		{"lower bound", &Range{Lower: &Boundary{Value: 4}}, 4, true},
		{"exclusive lower bound", &Range{Lower: &Boundary{Value: 4, Exclusive: true}}, 5, true},
		{"upper bound", &Range{Upper: &Boundary{Value: 4.5}}, 4, true},
		{"exclusive upper bound", &Range{Upper: &Boundary{Value: 4, Exclusive: true}}, 3, true},
		{"beyond an int64", Exactly(1e300), 1 << 62, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := tt.value.Amount(); got != tt.want || ok != tt.ok {
				t.Errorf("got %d, %v; want %d, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

// full has every part that a request may have.
func full() *WorkspaceDeployment {
	ranges := &Range{Upper: &Boundary{Value: 8, Exclusive: true}, Lower: &Boundary{Value: 2},
		Exact:     []Exact{{Value: 3.5, Epsilon: 0.5}, {Value: 4}},
		Intervals: []Interval{{Boundary{Value: 1}, Boundary{Value: 2, Exclusive: true}}}}
	return &WorkspaceDeployment{
		InitialState: Paused, Nodes: 32767, Mechanism: Serialize, MinDuration: 90 * time.Second,
		Allocation: ResourceAllocation{
			Architecture: "x86_64", CPUSpeed: Exactly(3e9), CPUPercentage: Exactly(50),
			CPUCount: ranges, Memory: Exactly(9.9999999e7),
			Bandwidth: []Bandwidth{{NIC: "eth0", Incoming: Exactly(1e10)}, {NIC: "eth1"}},
			Storage:   []Storage{{Partition: "a", Space: *Exactly(1)}},
		},
	}
}

func TestWriteAndRead(t *testing.T) {
	for _, name := range []xmlstrict.Name{RequestFile, RequestWire} {
		enc := xmlstrict.NewEncoder()
		full().Write(enc, name)
		doc := soaptest.Parse(t, enc.Bytes())
		got, err := Decode(doc, doc.Root)
		if err != nil {
			t.Fatalf("%v\n%s", err, enc.Bytes())
		}
		if diff := cmp.Diff(full(), got); diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
	}
}

func TestDoublesHaveAFraction(t *testing.T) {
	enc := xmlstrict.NewEncoder()
	full().Write(enc, RequestFile)
	for _, want := range []string{">4.0<", ">99999999.0<", ">3.5<", ">3000000000.0<"} {
		if !strings.Contains(string(enc.Bytes()), want) {
			t.Errorf("%s is not in %s", want, enc.Bytes())
		}
	}
}
