package binding

import (
	"bytes"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/client/binding/soap"
	"github.com/philoxenia/philoxenia/schema"
)

// TestGenerated holds what is committed against what generation gives.
func TestGenerated(t *testing.T) {
	made := filepath.Join(t.TempDir(), "made.go")
	if out, err := exec.CommandContext(t.Context(), "go", "run", "./gen", "-o", made).
		CombinedOutput(); err != nil {
		t.Fatalf("cannot generate: %v\n%s", err, out)
	}
	if !bytes.Equal(file(t, "lease.go"), file(t, made)) {
		t.Error("lease.go is not what gowsdl makes of the WSDL of today; run make generate")
	}
}

func file(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// ports are the generated interfaces.
var ports = []reflect.Type{
	reflect.TypeFor[WorkspaceFactoryPort](), reflect.TypeFor[WorkspacePort](),
	reflect.TypeFor[GroupPort](), reflect.TypeFor[StatusPort](),
}

// TestEveryMessageCanBeWritten fills each message and all below it: package
// encoding/xml only then looks at a type, and finds what contradicts itself.
func TestEveryMessageCanBeWritten(t *testing.T) {
	for _, port := range ports {
		for i := range port.NumMethod() {
			m := port.Method(i)
			if strings.HasSuffix(m.Name, "Context") {
				continue
			}
			for _, message := range []reflect.Type{m.Type.In(0), m.Type.Out(0)} {
				v := reflect.New(message).Elem()
				fill(v, 12)
				if _, err := xml.Marshal(v.Interface()); err != nil {
					t.Errorf("%s.%s: %v: %v", port.Name(), m.Name, message, err)
				}
			}
		}
	}
}

// fill makes what pointers point to, down to a depth.
func fill(v reflect.Value, depth int) {
	if depth == 0 || v.Type() == reflect.TypeFor[soap.Any]() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth-1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth-1)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().Field(i).Name != "XMLName" {
				fill(v.Field(i), depth-1)
			}
		}
	}
}

// example reads one of the example documents into a generated type.
func example[T any](t *testing.T, name string) *T {
	t.Helper()
	v := new(T)
	if err := xml.Unmarshal(file(t, filepath.Join("..", "..", "examples", name)), v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// TestExamplesPassThrough reads users' documents into the generated types, sends
// them off as requests, and has xmllint judge those by the published schemas.
func TestExamplesPassThrough(t *testing.T) {
	tests := []struct{ metadata, request, optional string }{
		{"metadata.xml", "request.xml", "optional.xml"},
		{"metadata-two-nics.xml", "request-storage.xml", "optional-ssh-key.xml"},
		{"metadata-kvm.xml", "request-save.xml", "optional.xml"},
	}
	for _, tt := range tests {
		t.Run(tt.metadata, func(t *testing.T) {
			request := &Create{
				VirtualWorkspace:    example[VirtualWorkspace](t, tt.metadata),
				WorkspaceDeployment: example[WorkspaceDeployment](t, tt.request),
				OptionalParameters:  example[OptionalParameters](t, tt.optional),
			}
			text, err := xml.Marshal(request)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := validate(t, text); err != nil {
				t.Errorf("%v\n%s\n%s", err, out, text)
			}
		})
	}
}

// validate runs xmllint over a message with the schemas of face two.
func validate(t *testing.T, message []byte) ([]byte, error) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "message.xml"), message)
	for _, name := range schema.FaceTwo() {
		text, _ := schema.File(name)
		write(t, filepath.Join(dir, name), text)
	}
	return exec.CommandContext(t.Context(), "xmllint", "--nonet", "--noout",
		"--schema", filepath.Join(dir, "lease.xsd"), filepath.Join(dir, "message.xml")).
		CombinedOutput()
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
