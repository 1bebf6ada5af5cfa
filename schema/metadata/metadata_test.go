package metadata

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// example returns the text of one of the project's example documents.
func example(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// decode reads a document from its text.
func decode(t testing.TB, text string) (*VirtualWorkspace, error) {
	t.Helper()
	doc, err := xmlstrict.Parse([]byte(text), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return Decode(doc, doc.Root)
}

func TestDecode(t *testing.T) {
	got, err := decode(t, example(t, "metadata-two-nics.xml"))
	if err != nil {
		t.Fatal(err)
	}
	want := &VirtualWorkspace{
		Name: "urn:example:gateway",
		NICs: []NIC{
			{Name: "eth0", Method: AllocateAndConfigure, Association: "public"},
			{Name: "eth1", Method: AllocateAndConfigure, Association: "private"},
		},
		Definition: Definition{
			Architecture: "x86",
			VMM:          &VMM{Type: "Xen", Versions: []string{"3"}},
			Root:         Disk{Location: "file://ttylinux-xen", MountAs: "sda1"},
			Blanks:       []BlankDisk{{Name: "scratch", MountAs: "sda2"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// base is the document that the tables of errors break, by replacing from.
const base = `<VirtualWorkspace xmlns="http://www.globus.org/2008/06/workspace/metadata"
  xmlns:d="http://www.globus.org/2008/06/workspace/metadata/definition"
  xmlns:l="http://www.globus.org/2008/06/workspace/metadata/logistics"
  xmlns:j="http://schemas.ggf.org/jsdl/2005/11/jsdl">
<name>urn:x</name>
<l:logistics><l:networking>
<l:nic><l:name>eth0</l:name><l:ipConfig>
<l:acquisitionMethod>AllocateAndConfigure</l:acquisitionMethod>
</l:ipConfig><l:association>public</l:association></l:nic>
</l:networking></l:logistics>
<d:definition><d:requirements>
<j:CPUArchitecture><j:CPUArchitectureName>x86</j:CPUArchitectureName></j:CPUArchitecture>
<d:VMM><d:type>Xen</d:type><d:version>3</d:version></d:VMM>
</d:requirements><d:diskCollection>
<d:rootVBD><d:location>file://root</d:location><d:mountAs>sda1</d:mountAs></d:rootVBD>
</d:diskCollection></d:definition>
</VirtualWorkspace>`

// A break replaces a part of base and tells what must be said of it.
type broken struct {
	name, from, to string
	path           string // where
	line           int
	want           string // what is wrong
	expected       string // what belongs there, in part
}

const (
	nics  = "/VirtualWorkspace/logistics/networking"
	reqs  = "/VirtualWorkspace/definition/requirements"
	disks = "/VirtualWorkspace/definition/diskCollection"
)

var structure = []broken{
	{"other document", "VirtualWorkspace", "Workspace", "/Workspace", 1,
		"the element is {http://www.globus.org/2008/06/workspace/metadata}Workspace",
		"VirtualWorkspace"},
	{"unknown element", "<name>", "<nickname>x</nickname><name>", "/VirtualWorkspace/nickname", 5,
		"element nickname is unknown here", "one of name, logistics, definition"},
	{"unknown attribute", "<name>", `<name lang="en">`, "/VirtualWorkspace/name", 5,
		"attribute lang is unknown here", "no attributes"},
	{"wrong namespace", "<d:VMM>", "<VMM xmlns='urn:x'/><d:VMM>", reqs + "/VMM[1]", 13,
		`VMM is in the wrong namespace "urn:x"`, "metadata/definition"},
	{"out of order", "<name>urn:x</name>", "<l:logistics/><name>urn:x</name>",
		"/VirtualWorkspace/logistics[1]", 5, "logistics is out of order", "name before it"},
	{"missing", "<name>urn:x</name>", "", "/VirtualWorkspace", 1, "name is missing", "name"},
	{"repeated", "<name>urn:x</name>", "<name>urn:x</name><name>urn:y</name>",
		"/VirtualWorkspace/name[2]", 5, "name is repeated", "at most 1"},
	{"text between", "<d:diskCollection>", "disks: <d:diskCollection>",
		"/VirtualWorkspace/definition", 11, "there is text between the elements", "elements only"},
	{"element in text", "urn:x", "<b/>", "/VirtualWorkspace/name/b", 5,
		"element b is unknown here", "text only"},
	{"nil", "<name>urn:x</name>",
		`<name xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>`,
		"/VirtualWorkspace/name", 5, "the element is nil", ""},
	{"empty", "urn:x", " ", "/VirtualWorkspace/name", 5, "name is empty", "text"},
	{"control character", "eth0", "eth\t0", nics + "/nic/name", 7, "is not a word",
		"without control characters"},
}

// nicsOf returns so many interfaces, none of them of the name in base.
func nicsOf(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<l:nic><l:name>n%d</l:name><l:ipConfig><l:acquisitionMethod>"+
			"AllocateAndConfigure</l:acquisitionMethod></l:ipConfig></l:nic>", i)
	}
	return b.String()
}

var values = []broken{
	{"no definition", base[strings.Index(base, "<d:def"):strings.Index(base, "</Virt")], "",
		"/VirtualWorkspace", 1, "definition is missing", "definition"},
	{"VMM type", ">Xen<", ">Bochs<", reqs + "/VMM/type", 13, `unknown VMM type "Bochs"`,
		"one of Xen, VMware, KVM"},
	{"VMM type in lower case", ">Xen<", ">xen<", reqs + "/VMM/type", 13,
		`unknown VMM type "xen"`, "one of Xen"},
	{"architecture", ">x86<", ">z80<", reqs + "/CPUArchitecture/CPUArchitectureName", 12,
		`unknown CPU architecture "z80"`, "x86_64"},
	{"no architecture",
		"<j:CPUArchitecture><j:CPUArchitectureName>x86</j:CPUArchitectureName></j:CPUArchitecture>",
		"", reqs, 11, "CPUArchitecture is missing", "CPUArchitecture"},
	{"no root disk", base[strings.Index(base, "<d:root"):strings.Index(base, "</d:disk")], "",
		disks, 14, "rootVBD is missing", "rootVBD"},
	{"two root disks", "<d:rootVBD>", "<d:rootVBD><d:location>file://a</d:location>" +
		"<d:mountAs>sdb</d:mountAs></d:rootVBD><d:rootVBD>", disks + "/rootVBD[2]", 15,
		"rootVBD is repeated", "at most 1"},
	{"no mountAs", "<d:mountAs>sda1</d:mountAs>", "", disks + "/rootVBD", 15,
		"mountAs is missing", "mountAs"},
	{"mountAs with a path", ">sda1<", ">/dev/sda1<", disks + "/rootVBD/mountAs", 15,
		`"/dev/sda1" is not the name of a disk`, "sda1"},
	{"mountAs twice", "</d:rootVBD>", "</d:rootVBD><d:partition><d:location>file://b</d:location>" +
		"<d:mountAs>sda1</d:mountAs></d:partition>", disks + "/partition/mountAs", 15,
		`more than one disk is to appear as "sda1"`, "another name"},
	{"partition name twice", "</d:rootVBD>", "</d:rootVBD>" +
		"<d:blankspacePartition><d:partitionName>a</d:partitionName><d:mountAs>sda2</d:mountAs>" +
		"</d:blankspacePartition>" +
		"<d:blankspacePartition><d:partitionName>a</d:partitionName><d:mountAs>sda3</d:mountAs>" +
		"</d:blankspacePartition>", disks + "/blankspacePartition[2]", 15,
		`there is more than one partition named "a"`, "another"},
	{"location without scheme", "file://root", "root.img", disks + "/rootVBD/location", 15,
		`"root.img" is not an absolute URI`, "scheme"},
	{"permissions", "<d:mountAs>sda1</d:mountAs>",
		"<d:mountAs>sda1</d:mountAs><d:permissions>Append</d:permissions>",
		disks + "/rootVBD/permissions", 15, `unknown permission "Append"`, "ReadOnly"},
	{"RAM", "</d:rootVBD>", "</d:rootVBD><d:RAM/>", disks + "/RAM", 15, "RAM is not supported",
		"no RAM"},
	{"swap", "</d:rootVBD>", "</d:rootVBD><d:swap/>", disks + "/swap", 15,
		"swap is not supported", "no swap"},
	{"kernel parameters of two lines", "</d:VMM>", "</d:VMM><d:kernel><d:parameters>a\nb" +
		"</d:parameters></d:kernel>", reqs + "/kernel/parameters", 13, "a control character",
		"one line"},
	{"long kernel parameters", "</d:VMM>", "</d:VMM><d:kernel><d:parameters>" +
		strings.Repeat("a", 2049) + "</d:parameters></d:kernel>", reqs + "/kernel/parameters", 13,
		"2049 bytes", "at most 2048"},
	{"kernel with image and version", "</d:VMM>", "</d:VMM><d:kernel><d:image>file://k</d:image>" +
		"<d:version/></d:kernel>", reqs + "/kernel/version", 13, "the kernel has both",
		"an image or a version"},
	{"MAC", "</l:name>", "</l:name><l:MAC>A2:AA:BB</l:MAC>", nics + "/nic/MAC", 7,
		`"A2:AA:BB" is not a MAC address`, "17 characters"},
	{"NIC names", "<l:nic>", "<l:nic><l:name>eth0</l:name><l:ipConfig><l:acquisitionMethod>" +
		"AllocateAndConfigure</l:acquisitionMethod></l:ipConfig></l:nic><l:nic>",
		nics + "/nic[2]", 7, `there is more than one NIC named "eth0"`, "another name"},
	{"NICs", "<l:nic>", nicsOf(64) + "<l:nic>", nics + "/nic[65]", 7, "nic is repeated",
		"at most 64"},
	{"no NIC", base[strings.Index(base, "<l:nic>"):strings.Index(base, "</l:networking")], "",
		nics, 6, "nic is missing", "nic"},
	{"method", "AllocateAndConfigure", "Guess", nics + "/nic/ipConfig/acquisitionMethod", 8,
		`unknown acquisition method "Guess"`, "one of AllocateAndConfigure"},
	{"address with allocation", "</l:ipConfig>",
		"<l:ipAddress>10.0.0.1</l:ipAddress></l:ipConfig>", nics + "/nic", 7,
		`NIC "eth0" both asks for an address and gives one`, "no address"},
	{"no address", "AllocateAndConfigure", "AcceptAndConfigure", nics + "/nic", 7,
		`NIC "eth0" does not give its address`, "ipAddress, netmask and broadcast"},
}

func TestDecodeErrors(t *testing.T) {
	for _, tt := range append(structure, values...) {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.ReplaceAll(base, tt.from, tt.to)
			if text == base {
				t.Fatalf("%q is not in the document", tt.from)
			}
			v, err := decode(t, text)
			var bad *xmlstrict.ContentError
			if !errors.As(err, &bad) || v != nil {
				t.Fatalf("got %v, %v", v, err)
			}
			if bad.Document != "workspace metadata" || bad.Path != tt.path || bad.Line != tt.line {
				t.Errorf("at %s %s:%d, want %s:%d", bad.Document, bad.Path, bad.Line, tt.path,
					tt.line)
			}
			if !strings.Contains(bad.Err.Error(), tt.want) {
				t.Errorf("got %q, want %q", bad.Err, tt.want)
			}
			if !strings.Contains(bad.Expected, tt.expected) {
				t.Errorf("expected %q, want %q", bad.Expected, tt.expected)
			}
		})
	}
}

// TestLeniencies holds the table in the package comment.
func TestLeniencies(t *testing.T) {
	tests := []struct{ name, from, to string }{
		{"kernel with parameters alone", "</d:VMM>",
			"</d:VMM><d:kernel><d:parameters>a=b</d:parameters></d:kernel>"},
		{"empty kernel", "</d:VMM>", "</d:VMM><d:kernel/>"},
		{"white space around words", ">Xen<", ">\n  Xen\n<"},
		{"white space around addresses", "file://root", " file://root "},
		{"schema location", "<name>", `<name xmlns:i="http://www.w3.org/2001/XMLSchema-instance"
			i:schemaLocation="a b" i:type="x">`},
		{"language", "<name>", `<name xml:lang="en">`},
		{"KVM", ">Xen<", ">KVM<"},
		{"no VMM", "<d:VMM><d:type>Xen</d:type><d:version>3</d:version></d:VMM>", ""},
		{"no association", "<l:association>public</l:association>", ""},
		{"no logistics", base[strings.Index(base, "<l:log"):strings.Index(base, "<d:def")], ""},
		{"static address", "AllocateAndConfigure</l:acquisitionMethod>",
			"AcceptAndConfigure</l:acquisitionMethod><l:ipAddress>10.0.0.1</l:ipAddress>" +
				"<l:netmask>255.0.0.0</l:netmask><l:broadcast>10.255.255.255</l:broadcast>"},
		{"MAC", "</l:name>", "</l:name><l:MAC>a2:AA:BB:9E:78:6D</l:MAC>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.ReplaceAll(base, tt.from, tt.to)
			if text == base {
				t.Fatalf("%q is not in the document", tt.from)
			}
			if _, err := decode(t, text); err != nil {
				t.Error(err)
			}
		})
	}
}

// full has everything that the example documents have not.
func full() *VirtualWorkspace {
	empty, address, key := "", "10.0.0.1", "ssh-rsa AAAA"
	return &VirtualWorkspace{
		Name: "urn:full",
		NICs: []NIC{{Name: "eth0", MAC: "A2:AA:BB:00:00:01", Method: Advisory, Hostname: "h",
			IPAddress: address, Netmask: "255.0.0.0", Gateway: "10.0.0.254",
			Broadcast: "10.255.255.255", Network: "10.0.0.0", Association: "private"}},
		Contextualization: &Contextualization{
			Provides: &Provides{
				Identities: []Identity{{Interface: &empty, IP: &address, Hostname: &empty,
					Pubkey: &key}},
				Roles: []ProvidedRole{{Role: "worker"}, {Interface: "eth0", Role: "nfs"}},
			},
			Requires: &Requires{
				Identities: []Identity{{}, {IP: &empty}},
				Roles:      []RequiredRole{{Name: "head", Hostname: true, Text: "x"}},
				Data:       []RequiredData{{Name: "seed", Text: " 42 "}},
			},
		},
		Definition: Definition{
			Architecture: "x86_64",
			VMM:          &VMM{Type: "KVM"},
			Kernel: &Kernel{Version: &KernelVersion{Min: "2.6", Max: "6.1"},
				Parameters: "console=ttyS0 quiet"},
			Root:       Disk{Location: "http://h/a.img", MountAs: "sda1", ReadOnly: true},
			Partitions: []Disk{{Location: "file://b.img", MountAs: "sdb"}},
			Blanks:     []BlankDisk{{Name: "c", MountAs: "sdc1"}},
		},
	}
}

func TestWriteAndRead(t *testing.T) {
	for _, name := range []xmlstrict.Name{File, Wire} {
		enc := xmlstrict.NewEncoder()
		full().Write(enc, name)
		got, err := decode(t, string(enc.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(full(), got); diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
	}
}

func TestContextErrors(t *testing.T) {
	const before = `<l:contextualization><l:requires>`
	const after = `</l:requires></l:contextualization>`
	tests := []struct{ name, part, want string }{
		{"role without name", "<l:role>x</l:role>", "role has no name"},
		{"flag", `<l:role name="a" hostname="maybe">x</l:role>`, `attribute hostname is "maybe"`},
		{"data without name", "<l:data>x</l:data>", "data has no name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decode(t, strings.Replace(base, "</l:networking>",
				"</l:networking>"+before+tt.part+after, 1))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestDecodeOfNothing(t *testing.T) {
	if v, err := Decode(nil, nil); err == nil || v != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

func BenchmarkDecode(b *testing.B) {
	data := []byte(example(b, "metadata.xml"))
	doc, err := xmlstrict.Parse(data, xmlstrict.DefaultLimits())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(doc, doc.Root); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzDecode expects that what is accepted can be written and read again, and
// is then the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(base))
	enc := xmlstrict.NewEncoder()
	full().Write(enc, Wire)
	f.Add(bytes.Clone(enc.Bytes()))
	for _, data := range soaptest.Documents(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := xmlstrict.Parse(data, xmlstrict.DefaultLimits())
		if err != nil {
			return
		}
		v, err := Decode(doc, doc.Root)
		if err != nil {
			var bad *xmlstrict.ContentError
			if !errors.As(err, &bad) || bad.Path == "" {
				t.Errorf("an error without place: %v", err)
			}
			return
		}
		enc := xmlstrict.NewEncoder()
		v.Write(enc, File)
		again, err := decode(t, string(enc.Bytes()))
		if err != nil {
			t.Fatalf("cannot read again what was read: %v\n%s", err, enc.Bytes())
		}
		if diff := cmp.Diff(v, again); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}
