package factory

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

const (
	space = "http://www.globus.org/2008/06/workspace"
	jsdl  = "http://schemas.ggf.org/jsdl/2005/11/jsdl"
)

// full is a create message with everything that is translated.
const full = `<create xmlns="` + space + `" xmlns:t="` + space + `/types" xmlns:m="` + space +
	`/metadata" xmlns:l="` + space + `/metadata/logistics" xmlns:d="` + space +
	`/metadata/definition" xmlns:n="` + space + `/negotiable" xmlns:j="` + jsdl + `"><t:metadata>
<m:name>urn:example:worker</m:name>
<l:logistics><l:networking>
 <l:nic><l:name>eth0</l:name><l:ipConfig>
  <l:acquisitionMethod>AllocateAndConfigure</l:acquisitionMethod></l:ipConfig>
  <l:association>public</l:association></l:nic>
 <l:nic><l:name>eth1</l:name><l:ipConfig>
  <l:acquisitionMethod>AcceptAndConfigure</l:acquisitionMethod>
  <l:hostname>own</l:hostname><l:ipAddress>10.1.0.7</l:ipAddress>
  <l:netmask>255.255.0.0</l:netmask><l:gateway>10.1.0.1</l:gateway>
  <l:broadcast>10.1.255.255</l:broadcast></l:ipConfig></l:nic>
</l:networking></l:logistics>
<d:definition><d:requirements>
 <j:CPUArchitecture><j:CPUArchitectureName>x86_64</j:CPUArchitectureName></j:CPUArchitecture>
 <d:VMM><d:type>Xen</d:type><d:version>3</d:version></d:VMM>
 <d:kernel><d:image>file://site</d:image><d:parameters>quiet</d:parameters></d:kernel>
</d:requirements><d:diskCollection>
 <d:rootVBD><d:location>sftp://images/worker.img</d:location><d:mountAs>sda1</d:mountAs>
  <d:permissions>ReadWrite</d:permissions></d:rootVBD>
 <d:partition><d:location>file://data.img</d:location><d:mountAs>sda2</d:mountAs>
  <d:permissions>ReadOnly</d:permissions></d:partition>
 <d:blankspacePartition><d:partitionName>scratch</d:partitionName>
  <d:mountAs>sda3</d:mountAs></d:blankspacePartition>
</d:diskCollection></d:definition></t:metadata>
<t:resourceRequest>
 <n:DeploymentTime><n:minDuration>PT2H30M</n:minDuration></n:DeploymentTime>
 <n:InitialState>Paused</n:InitialState>
 <n:ResourceAllocation>
  <j:IndividualCPUCount><j:Exact>2.0</j:Exact></j:IndividualCPUCount>
  <j:IndividualPhysicalMemory><j:Exact>1024.0</j:Exact></j:IndividualPhysicalMemory>
  <n:Storage><n:entry><n:partitionName>scratch</n:partitionName>
   <j:IndividualDiskSpace><j:Exact>512.0</j:Exact></j:IndividualDiskSpace></n:entry></n:Storage>
 </n:ResourceAllocation>
 <n:NodeNumber>3</n:NodeNumber>
 <n:ShutdownMechanism>Serialize</n:ShutdownMechanism>
 <n:PostShutdown><n:rootPartitionUnpropagationTarget>sftp://images/saved.img` +
	`</n:rootPartitionUnpropagationTarget></n:PostShutdown>
</t:resourceRequest>
<t:optionalParameters>
 <t:stageIn><t:serviceEndpoint>https://h/a</t:serviceEndpoint>
  <t:sourceURL>gsiftp://a</t:sourceURL><t:destURL>gsiftp://b</t:destURL></t:stageIn>
 <t:filewrite><t:content>role: worker</t:content><t:pathOnVM>/etc/role</t:pathOnVM></t:filewrite>
 <t:mdServerUserdata>BATCH=42</t:mdServerUserdata>
</t:optionalParameters></create>`

// translated is what full means.
var translated = workspace.Request{
	Owner: porttest.Owner, MessageID: "uuid:7",
	Spec: workspace.Spec{
		Name: "urn:example:worker", Architecture: "x86_64",
		VMM:    workspace.VMM{Type: "Xen", Versions: []string{"3"}},
		Kernel: workspace.Kernel{Image: "file://site", Parameters: "quiet"},
		Disks: []workspace.Disk{
			{Role: workspace.RootDisk, Location: "sftp://images/worker.img", MountAs: "sda1"},
			{Role: workspace.PartitionDisk, Location: "file://data.img", MountAs: "sda2",
				ReadOnly: true},
			{Role: workspace.BlankDisk, Name: "scratch", MountAs: "sda3", SizeMB: 512},
		},
		NICs: []workspace.NIC{
			{Name: "eth0", Association: "public", Method: workspace.AllocateAndConfigure},
			{Name: "eth1", Method: workspace.AcceptAndConfigure, Address: workspace.Address{
				Hostname: "own", IP: "10.1.0.7", Netmask: "255.255.0.0", Gateway: "10.1.0.1",
				Broadcast: "10.1.255.255",
			}},
		},
		Files:    []workspace.File{{Path: "/etc/role", Content: "role: worker"}},
		UserData: "BATCH=42",
		StageIn: &workspace.Transfer{
			Endpoint: "https://h/a", Source: "gsiftp://a", Destination: "gsiftp://b",
		},
	},
	Demand: workspace.Allocation{
		MemoryMB: 1024, CPUs: 2, DiskMB: 512, Architecture: "x86_64", CPUsGiven: true,
	},
	Duration: 150 * time.Minute, Nodes: 3, Initial: workspace.Paused,
	Mechanism: workspace.MechanismSerialize, SaveTo: "sftp://images/saved.img",
}

// desk is a Manager that keeps what it is asked.
type desk struct {
	asked []workspace.Request
	spans [][2]time.Time
	held  []workspace.Hold
	err   error
}

func (d *desk) Create(_ context.Context, r workspace.Request) (workspace.Created, error) {
	d.asked = append(d.asked, r)
	w := &workspace.Workspace{ID: 7, Lease: workspace.Lease{Duration: r.Duration}}
	return workspace.Created{Workspaces: []*workspace.Workspace{w, w, w}, Group: "g"}, d.err
}

func (d *desk) Plan(_ context.Context, r workspace.Request) (workspace.Proposal, error) {
	d.asked = append(d.asked, r)
	return proposed, d.err
}

func (d *desk) Schedule(
	_ context.Context, owner workspace.Owner, from, until time.Time,
) ([]workspace.Bar, error) {
	d.spans = append(d.spans, [2]time.Time{from, until})
	return scheduled, d.err
}

func (d *desk) Site() workspace.Site { return workspace.Site{} }

// create sends a create message.
func send(t *testing.T, d *desk, body string) (string, error) {
	t.Helper()
	return porttest.Call(t, New(wsdl.One, d), "create", "", body)
}

// noDigest leaves out what TestDigest is about.
var noDigest = cmpopts.IgnoreFields(workspace.Request{}, "Digest")

// The digest tells requests apart by what they ask for, however it is written.
func TestDigest(t *testing.T) {
	d := new(desk)
	for _, body := range []string{
		full, strings.ReplaceAll(full, "\n", "\n  "), strings.Replace(full, "1024", "1025", 1),
	} {
		if _, err := send(t, d, body); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := d.asked[0].Digest, d.asked[1].Digest; a == "" || a != b {
		t.Errorf("the same request has digests %q and %q", a, b)
	}
	if a, b := d.asked[0].Digest, d.asked[2].Digest; a == b {
		t.Errorf("another request has the same digest %q", a)
	}
}

func TestCreateIsTranslated(t *testing.T) {
	d := new(desk)
	reply, err := send(t, d, full)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(translated, d.asked[0], noDigest); diff != "" {
		t.Errorf("the request differs:\n%s", diff)
	}
	if n := strings.Count(reply, "<t:CreatedWorkspace"); n != 3 {
		t.Errorf("the reply tells of %d workspaces, want 3", n)
	}
	if !strings.Contains(reply, ">g</k:WorkspaceGroupKey>") {
		t.Errorf("the reply does not name the group: %s", reply)
	}
}

// TestCreateDefaults leaves out what may be left out.
func TestCreateDefaults(t *testing.T) {
	body := cut(full, "<t:optionalParameters>", "</t:optionalParameters>")
	body = cut(body, "<l:logistics>", "</l:logistics>")
	body = cut(body, "<n:minDuration>", "</n:minDuration>")
	body = cut(body, "<n:ShutdownMechanism>", "</n:PostShutdown>")
	body = cut(body, "<j:IndividualCPUCount>", "</j:IndividualCPUCount>")
	body = cut(body, "<d:kernel>", "</d:kernel>")
	d := new(desk)
	if _, err := send(t, d, body); err != nil {
		t.Fatal(err)
	}
	want := translated
	want.Spec.Files, want.Spec.UserData, want.Spec.StageIn = nil, "", nil
	want.Spec.NICs, want.Spec.Kernel = nil, workspace.Kernel{}
	want.Duration, want.Mechanism, want.SaveTo = 0, workspace.MechanismNormal, ""
	want.Demand.CPUs, want.Demand.CPUsGiven = 0, false
	if diff := cmp.Diff(want, d.asked[0], noDigest); diff != "" {
		t.Errorf("the request differs:\n%s", diff)
	}
}

// cut removes the text from one mark to the end of another.
func cut(s, from, to string) string {
	i := strings.Index(s, from)
	j := strings.Index(s, to)
	return s[:i] + s[j+len(to):]
}

func TestCreateRefuses(t *testing.T) {
	tests := map[string]struct {
		old, replacement string
		kind             workspace.Kind
		says             string
	}{
		"a blank disk without size": {"<n:partitionName>scratch", "<n:partitionName>other",
			workspace.Invalid, `partition "scratch" has no size`},
		"a size without disk": {"<n:entry>", "<n:entry><n:partitionName>other</n:partitionName>" +
			"<j:IndividualDiskSpace><j:Exact>1</j:Exact></j:IndividualDiskSpace></n:entry><n:entry>",
			workspace.Invalid, `partition "other"`},
		"an ensemble": {"</create>", "<t:partOfEnsemble>true</t:partOfEnsemble></create>",
			workspace.Denied, "ensembles"},
		"the end of one": {"</create>", "<t:ensembleDone>1</t:ensembleDone></create>",
			workspace.Denied, "ensembles"},
		"a context": {"</create>", "<t:lockContext>true</t:lockContext></create>",
			workspace.Denied, "contextualization"},
		"contextualization": {"</l:logistics>", "<l:contextualization/></l:logistics>",
			workspace.Denied, "contextualization"},
		"a credential": {"</t:optionalParameters>",
			"<t:credentialToCopy>x</t:credentialToCopy></t:optionalParameters>",
			workspace.Denied, "credentialToCopy"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := new(desk)
			_, err := send(t, d, strings.Replace(full, tt.old, tt.replacement, 1))
			if err == nil || workspace.KindOf(err) != tt.kind ||
				!strings.Contains(err.Error(), tt.says) {
				t.Errorf("error is %v, want one of kind %s with %q", err, tt.kind, tt.says)
			}
			if len(d.asked) > 0 {
				t.Error("the manager was asked all the same")
			}
		})
	}
}

// TestBadDocumentsTellTheirPlace checks that what the decoders find reaches the
// caller whole.
func TestBadDocumentsTellTheirPlace(t *testing.T) {
	tests := map[string]struct{ old, replacement, path string }{
		"months":     {"PT2H30M", "P1M", "minDuration"},
		"no memory":  {"IndividualPhysicalMemory", "IndividualCPUSpeed", "ResourceAllocation"},
		"zero nodes": {">3</n:Node", ">0</n:Node", "NodeNumber"},
		"negative":   {"1024.0", "-1", "Exact"},
		"nics alike": {"eth1", "eth0", "nic"},
		"a VMM":      {">Xen<", ">Bochs<", "type"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body := strings.ReplaceAll(full, tt.old, tt.replacement)
			_, err := send(t, new(desk), body)
			var content *xmlstrict.ContentError
			if !errors.As(err, &content) || content.Line == 0 ||
				!strings.Contains(content.Path, tt.path) {
				t.Errorf("error is %v, want a line and a path with %s", err, tt.path)
			}
		})
	}
}

func TestErrorsOfTheManagerPass(t *testing.T) {
	d := &desk{err: workspace.Errorf(workspace.Quota, "create", "", "too many")}
	if _, err := send(t, d, full); workspace.KindOf(err) != workspace.Quota {
		t.Errorf("error is %v", err)
	}
}

// A core's complaint about an element gets its path and line in the message.
func TestPlaces(t *testing.T) {
	tests := []struct{ name, path, want string }{
		{"an element", "metadata/name", "/create/metadata/name (line 2)"},
		{"one of several", "metadata/logistics/networking/nic[2]/association", "/nic[2] (line "},
		{"a child that is not there", "resourceRequest/nothing", "/create/resourceRequest (line "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			complaint := &workspace.Error{
				Op: creating, Kind: workspace.Denied, Where: &workspace.Where{Path: tt.path},
			}
			_, err := send(t, &desk{err: complaint}, full)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
}
