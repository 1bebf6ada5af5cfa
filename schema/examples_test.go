package schema_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

var update = flag.Bool("update", false, "write the golden files anew")

// written is a document that can be written under a name.
type written interface {
	Write(enc *xmlstrict.Encoder, name xmlstrict.Name)
}

// decode reads the document in data under whichever name it has, and returns
// it with that name as a file and its name on the wire.
func decode(t *testing.T, data []byte) (v written, file, wire xmlstrict.Name) {
	t.Helper()
	doc, err := xmlstrict.Parse(data, xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	switch name := xmlstrict.NameOf(doc.Root); name {
	case metadata.File, metadata.Wire:
		v, err = metadata.Decode(doc, doc.Root)
		file, wire = metadata.File, metadata.Wire
	case deployment.RequestFile, deployment.RequestWire:
		var request *deployment.WorkspaceDeployment
		request, err = deployment.Decode(doc, doc.Root)
		v, file, wire = request, deployment.RequestFile, deployment.RequestWire
		if request != nil && request.Terms != nil {
			wire = file // face one has no terms, face two's messages hold the file
		}
	case deployment.OptionalFile, deployment.OptionalWire:
		v, err = deployment.DecodeOptional(doc, doc.Root)
		file, wire = deployment.OptionalFile, deployment.OptionalWire
	default:
		t.Fatalf("there are no documents %s", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v, file, wire
}

// encode writes the document, a line for each element that ends.
func encode(t *testing.T, v written, name xmlstrict.Name) []byte {
	t.Helper()
	enc := xmlstrict.NewEncoder()
	v.Write(enc, name)
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(enc.Bytes())
}

// TestExamples reads each example, holds what is written of it against its
// golden file, and reads that again, as a file and as part of a message.
func TestExamples(t *testing.T) {
	examples, err := filepath.Glob(filepath.Join("..", "examples", "*.xml"))
	if err != nil || len(examples) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	for _, path := range examples {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			text := file(t, path)
			if !strings.Contains(text, "<!--") {
				t.Error("the example has no comment")
			}
			v, root, wire := decode(t, []byte(text))
			out := encode(t, v, root)
			golden(t, filepath.Join("testdata", "written", name), out)
			for _, again := range [][]byte{out, encode(t, v, wire)} {
				w, _, _ := decode(t, again)
				if diff := cmp.Diff(v, w); diff != "" {
					t.Errorf("read again (-first +second):\n%s", diff)
				}
			}
		})
	}
}

// golden compares out with a golden file, in which each element has a line.
func golden(t *testing.T, path string, out []byte) {
	t.Helper()
	lines := bytes.ReplaceAll(out, []byte("><"), []byte(">\n<"))
	lines = append(lines, '\n')
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, lines, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(file(t, path), string(lines)); diff != "" {
		t.Errorf("%s (-want +got; go test -update makes it):\n%s", path, diff)
	}
}

// TestRecordedCreate reads the create messages of the original client, and
// what is written of them again.
func TestRecordedCreate(t *testing.T) {
	messages, err := filepath.Glob(filepath.Join("testdata", "recorded", "create*.xml"))
	if err != nil || len(messages) == 0 {
		t.Fatalf("there are no messages: %v", err)
	}
	for _, path := range messages {
		if strings.HasSuffix(path, "-response.xml") {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			first := create(t, []byte(file(t, path)))
			enc := xmlstrict.NewEncoder()
			first.Write(enc)
			out := bytes.Clone(enc.Bytes())
			golden(t, filepath.Join("testdata", "written", "message-"+filepath.Base(path)), out)
			second := create(t, out)
			first.Ensemble, second.Ensemble = nil, nil // trees: compared as text above
			if diff := cmp.Diff(first, second); diff != "" {
				t.Errorf("read again (-first +second):\n%s", diff)
			}
		})
	}
}

// create reads a create message.
func create(t *testing.T, data []byte) *deployment.CreateRequest {
	t.Helper()
	doc, err := xmlstrict.Parse(data, xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	message, err := deployment.DecodeCreate(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	return message
}
