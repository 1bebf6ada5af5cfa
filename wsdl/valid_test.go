package wsdl

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
)

// TestDocumentsAreValid has xmllint judge every published document by a schema
// of WSDL 1.1 (R2028 and R2029 of the Basic Profile).
func TestDocumentsAreValid(t *testing.T) {
	for name, text := range everything(t) {
		if said, err := validWSDL(t, text); err != nil {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
	}
}

// everything returns all documents by names: the files and the flat ones.
func everything(t *testing.T) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	for _, name := range Names() {
		text, _ := File(name)
		texts[name] = string(text)
	}
	for i := range services {
		text, err := Flat(services[i].name, "http://host.example:8080"+services[i].face.Path())
		if err != nil {
			t.Fatal(err)
		}
		texts[services[i].name] = string(text)
	}
	texts["several"] = string(FaceTwoFlat("http://host.example/ws", "Workspace", "Group"))
	return texts
}

func validWSDL(t *testing.T, text string) (string, error) {
	t.Helper()
	return lint(t, filepath.Join("testdata", "wsdl11.xsd"), text)
}

// lint runs xmllint over a document with a schema, and no network.
func lint(t *testing.T, schema, text string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "xmllint", "--nonet", "--noout", "--schema", schema, "-")
	c.Stdin = strings.NewReader(text)
	said, err := c.CombinedOutput()
	return string(said), err
}

// TestDocumentsAreInvalid makes sure that the schema of WSDL refuses something.
func TestDocumentsAreInvalid(t *testing.T) {
	flat, err := Flat("Workspace", "http://host.example/ws")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, from, to string }{
		{"order", "<wsdl:portType", "<wsdl:service name='x'/><wsdl:portType"},
		{"unknown element", "<wsdl:input", "<wsdl:inputs/><wsdl:input"},
		{"unknown extension", "<soap:address", "<soap:addresses"},
		{"unknown attribute", "<wsdl:message name", "<wsdl:message title"},
		{"message twice", `"WorkspacePort_StartResponse"`, `"WorkspacePort_StartRequest"`},
		{"use", `use="literal"`, `use="figurative"`},
		{"no target", "targetNamespace=\"" + schema.Lease + "\">\n  <wsdl", ">\n  <wsdl"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := strings.Replace(string(flat), tt.from, tt.to, 1)
			if bad == string(flat) {
				t.Fatalf("%q is not in the document", tt.from)
			}
			if said, err := validWSDL(t, bad); err == nil {
				t.Errorf("the schema accepts it: %s", said)
			}
		})
	}
}

// TestInlineSchemasCompile takes the schemas out of each flat document and has
// xmllint compile them together, and judge an empty one of each message by them:
// it must know the element, whatever it thinks of the content.
func TestInlineSchemasCompile(t *testing.T) {
	for i := range services {
		s := &services[i]
		t.Run(s.name, func(t *testing.T) {
			flat, err := Flat(s.name, "http://host.example"+s.face.Path())
			if err != nil {
				t.Fatal(err)
			}
			driver := unpack(t, string(flat))
			for _, m := range s.messages() {
				said, _ := lint(t, driver, "<"+m.element.Local+" xmlns='"+m.element.Space+"'/>")
				if !strings.Contains(said, "- validates") &&
					!strings.Contains(said, "- fails to validate") ||
					strings.Contains(said, "No matching global") {
					t.Fatalf("%s: %s", m.element.Local, said)
				}
			}
		})
	}
}

// unpack writes the schemas of a flat document to files that import one another,
// and returns the name of one that imports all.
func unpack(t *testing.T, flat string) string {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(flat); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	all := "<xs:schema xmlns:xs='" + xsSpace + "'>"
	for _, s := range doc.FindElements("//schema") {
		space := value(s, "targetNamespace")
		for _, i := range s.SelectElements("import") {
			i.CreateAttr("schemaLocation", fileOf(value(i, "namespace")))
		}
		one := etree.NewDocumentWithRoot(s.Copy())
		if err := one.WriteToFile(filepath.Join(dir, fileOf(space))); err != nil {
			t.Fatal(err)
		}
		all += "<xs:import namespace='" + space + "' schemaLocation='" + fileOf(space) + "'/>"
	}
	driver := filepath.Join(dir, "all.xsd")
	if err := os.WriteFile(driver, []byte(all+"</xs:schema>"), 0o600); err != nil {
		t.Fatal(err)
	}
	return driver
}

// fileOf makes a file's name of a namespace.
func fileOf(space string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(":/#", r) {
			return '_'
		}
		return r
	}, space) + ".xsd"
}
