package schema_test

import (
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
)

// schemaTag is what the tests read of a schema.
type schemaTag struct {
	Target     string `xml:"targetNamespace,attr"`
	Elements   string `xml:"elementFormDefault,attr"`
	Attributes string `xml:"attributeFormDefault,attr"`
	Imports    []struct {
		Namespace string `xml:"namespace,attr"`
		Location  string `xml:"schemaLocation,attr"`
	} `xml:"import"`
	Includes []struct{} `xml:"include"`
}

// TestFiles holds the files against the table: names, namespaces, form
// defaults, and imports of nothing but files published before.
func TestFiles(t *testing.T) {
	found, err := filepath.Glob("*.xsd")
	if err != nil || len(found) != len(schema.Names()) {
		t.Errorf("%d files are published of %d: %v", len(schema.Names()), len(found), err)
	}
	var before []string
	for _, name := range schema.Names() {
		s := read(t, name)
		if s.Target != schema.Space(name) {
			t.Errorf("%s defines %s, the table says %s", name, s.Target, schema.Space(name))
		}
		attributes := "unqualified"
		if s.Target == schema.Types {
			attributes = "qualified" // as the original has it
		}
		if s.Elements != "qualified" || s.Attributes != attributes {
			t.Errorf("%s: form defaults %s and %s", name, s.Elements, s.Attributes)
		}
		for _, i := range s.Imports {
			if !slices.Contains(before, i.Location) || schema.Space(i.Location) != i.Namespace {
				t.Errorf("%s imports %s from %q", name, i.Namespace, i.Location)
			}
		}
		before = append(before, name)
	}
}

// read reads a published schema.
func read(t *testing.T, name string) schemaTag {
	t.Helper()
	data, ok := schema.File(name)
	if !ok {
		t.Fatalf("%s is not published", name)
	}
	var s schemaTag
	if err := xml.Unmarshal(data, &s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

func TestUnknownFile(t *testing.T) {
	if _, ok := schema.File("no.xsd"); ok || schema.Space("no.xsd") != "" {
		t.Error("no.xsd is published")
	}
}

// TestDocumentsAreValid has an independent validator judge the schemas with
// every document there is: the examples, the bodies that were recorded from
// the original, and what this project writes itself.
func TestDocumentsAreValid(t *testing.T) {
	examples := filepath.Join("..", "examples", "*.xml")
	written := filepath.Join("testdata", "written", "*.xml")
	groups := []struct {
		name, pattern string
		files         []string
		terms         bool // those with lease terms alone, otherwise those without
	}{
		{"examples", examples, schema.FaceOne(), false},
		{"examples on face two", examples, schema.FaceTwo(), false},
		{"examples with terms", examples, schema.FaceTwo(), true},
		{"recorded", filepath.Join("testdata", "recorded", "*.xml"), schema.FaceOne(), false},
		{"written", written, schema.FaceOne(), false},
		{"written with terms", written, schema.FaceTwo(), true},
		{"answers", filepath.Join("report", "testdata", "*.xml"), schema.FaceOne(), false},
		{"topics", "*.topics.xml", schema.FaceTwo(), false},
		{"leases", filepath.Join("report", "testdata", "lease", "*.xml"), schema.FaceTwo(), false},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			documents, err := filepath.Glob(g.pattern)
			documents = slices.DeleteFunc(documents, func(path string) bool {
				return strings.Contains(file(t, path), schema.Terms) != g.terms
			})
			if err != nil || len(documents) == 0 {
				t.Fatalf("no documents match %s: %v", g.pattern, err)
			}
			if out, err := validate(t, g.files, documents...); err != nil {
				t.Errorf("xmllint: %v\n%s", err, complaints(out))
			}
		})
	}
}

// TestTermsAreOfFaceTwo has the validator refuse lease terms by face one's
// schemas: clients of old never see them.
func TestTermsAreOfFaceTwo(t *testing.T) {
	path := filepath.Join("..", "examples", "request-reservation.xml")
	out, err := validate(t, schema.FaceOne(), path)
	if err == nil || !strings.Contains(out, "LeaseTerms") {
		t.Errorf("%v: %s", err, out)
	}
}

// complaints leaves out what xmllint says of valid documents.
func complaints(out string) string {
	return regexp.MustCompile(`(?m)^.* validates\n`).ReplaceAllString(out, "")
}

// TestDocumentsAreInvalid makes sure that the schemas refuse something.
func TestDocumentsAreInvalid(t *testing.T) {
	request := file(t, filepath.Join("..", "examples", "request.xml"))
	metadata := file(t, filepath.Join("..", "examples", "metadata.xml"))
	tests := []struct{ name, document, from, to string }{
		{"state", request, ">Running<", ">Sleeping<"},
		{"nodes", request, "<NodeNumber>1<", "<NodeNumber>0<"},
		{"order", request, "<InitialState>Running</InitialState>", ""},
		{"duration", request, "PT30M", "30 minutes"},
		{"amount", request, "256.0", "much"},
		{"VMM", metadata, ">Xen<", ">Bochs<"},
		{"architecture", metadata, ">x86<", ">z80<"},
		{"method", metadata, ">AllocateAndConfigure<", ">Guess<"},
		{"root disk", metadata, "rootVBD", "rootDisk"},
		{"namespace", metadata, "/workspace/metadata\"", "/workspace/metadatum\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broken := strings.ReplaceAll(tt.document, tt.from, tt.to)
			if broken == tt.document {
				t.Fatalf("%q is not in the document", tt.from)
			}
			path := filepath.Join(t.TempDir(), "broken.xml")
			if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := validate(t, schema.FaceOne(), path); err == nil {
				t.Errorf("the schema accepts it: %s", out)
			}
		})
	}
}

// file returns the text of a file.
func file(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// validate runs xmllint, without any network, over documents with all
// the schemas of a face at once.
func validate(t *testing.T, files []string, documents ...string) (string, error) {
	t.Helper()
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Fatalf("this test needs xmllint (Debian: libxml2-utils): %v", err)
	}
	dir := t.TempDir()
	var all strings.Builder
	all.WriteString("<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n")
	for _, name := range files {
		data, _ := schema.File(name)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		all.WriteString("<xs:import namespace=\"" + schema.Space(name) +
			"\" schemaLocation=\"" + name + "\"/>\n")
	}
	all.WriteString("</xs:schema>\n")
	driver := filepath.Join(dir, "all.xsd")
	if err := os.WriteFile(driver, []byte(all.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--nonet", "--noout", "--schema", driver}, documents...)
	//nolint:gosec // the validator, found by its name, over files of this project
	out, err := exec.CommandContext(t.Context(), xmllint, args...).CombinedOutput()
	return string(out), err
}

// TestFilesCompileAlone has xmllint compile each file with nothing but what it
// imports, and expects a complaint about the document alone.
func TestFilesCompileAlone(t *testing.T) {
	for _, name := range schema.Names() {
		path := filepath.Join(t.TempDir(), "empty.xml")
		if err := os.WriteFile(path, []byte("<empty/>"), 0o600); err != nil {
			t.Fatal(err)
		}
		//nolint:gosec // the validator over files of this project
		out, _ := exec.CommandContext(t.Context(), "xmllint", "--nonet", "--noout",
			"--schema", name, path).CombinedOutput()
		if text := string(out); strings.Count(text, "\n") != 2 ||
			!strings.Contains(text, "No matching global declaration") {
			t.Errorf("%s: %s", name, text)
		}
	}
}
