package epr

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing them")

// at is a client whose references the tests use.
func at(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.New("http://127.0.0.1:8080/wsrf/services/", client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// inFaceTwo returns the reference of face two to the same resource.
func inFaceTwo(t *testing.T, epr wsa.EPR) wsa.EPR {
	t.Helper()
	two, err := at(t).InFaceTwo(epr)
	if err != nil {
		t.Fatal(err)
	}
	return two
}

func TestWrittenAsTheOriginalDid(t *testing.T) {
	tests := []struct {
		file string
		epr  wsa.EPR
		root string
	}{
		{"workspace.epr", at(t).Workspace("7"), WorkspaceRoot},
		{"workspace-two.epr", inFaceTwo(t, at(t).Workspace("7")), WorkspaceRoot},
		{"group.epr", at(t).Group("12d9dc5e-d488-4ae6-a3ae-13bca4a76305"), GroupRoot},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			f, err := For(test.epr)
			if err != nil || f.Root != test.root {
				t.Fatalf("root %q, %v", f.Root, err)
			}
			name := filepath.Join(t.TempDir(), test.file)
			if err := f.Write(name); err != nil {
				t.Fatal(err)
			}
			compare(t, filepath.Join("testdata", test.file), name)
			back, err := Read(name)
			if err != nil || back.Root != test.root ||
				client.Key(back.EPR) != client.Key(test.epr) ||
				back.EPR.Address != test.epr.Address {
				t.Errorf("read back %+v, %v", back, err)
			}
		})
	}
}

// compare holds a file against its golden twin.
func compare(t *testing.T, golden, name string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

// original is a file in the shape of the original client's, with the key as the
// service sent it.
const original = `<?xml version="1.0" encoding="UTF-8"?>
<WORKSPACE_EPR>
 <ns1:Address xmlns:ns1="http://schemas.xmlsoap.org/ws/2004/03/addressing">` +
	`https://h:8443/wsrf/services/WorkspaceService</ns1:Address>
 <ns2:ReferenceProperties xmlns:ns2="http://schemas.xmlsoap.org/ws/2004/03/addressing">
  <WorkspaceKey xmlns="http://www.globus.org/2008/06/workspace">42</WorkspaceKey>
 </ns2:ReferenceProperties>
 <ns3:ReferenceParameters xmlns:ns3="http://schemas.xmlsoap.org/ws/2004/03/addressing"/>
</WORKSPACE_EPR>
`

func TestReadsTheOriginals(t *testing.T) {
	tests := []struct{ name, text, described string }{
		{"a workspace", original, "workspace 42"},
		{"whatever the root is called", strings.ReplaceAll(original, "WORKSPACE_EPR", "x"),
			"workspace 42"},
		{"of WS-Addressing 1.0", strings.NewReplacer("ReferenceParameters", "Metadata",
			"ReferenceProperties", "ReferenceParameters", wsa.Space200403, wsa.Space200508).Replace(
			original), "workspace 42"},
		{"a group", strings.NewReplacer("WorkspaceKey", "WorkspaceGroupKey", "06/workspace\">42",
			"06/workspace/group\">42").Replace(original), "group 42"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := Parse([]byte(test.text))
			if err != nil || client.Describe(f.EPR) != test.described {
				t.Errorf("%s, %v", client.Describe(f.EPR), err)
			}
		})
	}
}

func TestRefusesWhatIsNoEPR(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "", "line 1"},
		{"no XML", "7", "line 1"},
		{"no key", `<X><a:Address xmlns:a="` + wsa.Space200403 + `">http://h/</a:Address></X>`,
			"WorkspaceKey"},
		{"no address", "<WORKSPACE_EPR/>", "Address"},
		{"a document type", "<!DOCTYPE x>" + original, "line 1"},
		{"another key", strings.ReplaceAll(original, "WorkspaceKey", "Key"), "WorkspaceKey"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, expected %q in it", err, test.want)
			}
		})
	}
}

func TestFilesThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, make([]byte, MaxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		filepath.Join(dir, "none"): "no such file", dir: "directory", big: "65537 bytes",
	} {
		_, err := Read(name)
		if err == nil || !strings.HasPrefix(err.Error(), "cannot read the EPR file") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %q in it", err, want)
		}
	}
	f, err := For(at(t).Workspace("7"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Write(filepath.Join(dir, "no", "where")); err == nil {
		t.Error("wrote into a directory that does not exist")
	}
	if err := Writable(filepath.Join(dir, "no", "where")); err == nil {
		t.Error("a directory that does not exist is writable")
	}
	if err := Writable(filepath.Join(dir, "x")); err != nil {
		t.Error(err)
	}
	if _, err := For(at(t).Factory()); err == nil {
		t.Error("made a file for a reference without key")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%d files, expected only the big one: %v", len(left), err)
	}
}

func FuzzEPRFile(f *testing.F) {
	f.Add([]byte(original))
	f.Add([]byte(strings.ReplaceAll(original, "42", "&lt;&#xA0;\t")))
	f.Add([]byte("<WORKSPACE_GROUP_EPR/>"))
	for _, name := range []string{"workspace.epr", "workspace-two.epr", "group.epr"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Parse(data)
		if err != nil {
			return
		}
		written, err := first.Bytes()
		if err != nil {
			t.Fatalf("cannot write what was read: %v", err)
		}
		second, err := Parse(written)
		if err != nil {
			t.Fatalf("cannot read what was written: %v\n%s", err, written)
		}
		if diff := cmp.Diff(names(first.EPR), names(second.EPR)); diff != "" ||
			first.EPR.Address != second.EPR.Address {
			t.Errorf("%q became %q\n%s", first.EPR.Address, second.EPR.Address, diff)
		}
	})
}

// names lists the properties of a reference.
func names(r wsa.EPR) []string {
	var all []string
	for _, p := range r.Properties {
		all = append(all, xmlstrict.NameOf(p).String()+"="+xmlstrict.Text(p))
	}
	return all
}
