package strictness

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// sample is a valid document to mutate.
type sample struct {
	file string
	face int // whose schemas it is judged by: 0 or 1
	name xmlstrict.Name
	root *node
}

// places are where the samples of each face are: examples, what the original's
// client and server sent, what this project writes, and what it is to read.
var places = [2][]string{
	{"examples/*.xml", "schema/testdata/*/*.xml", "schema/report/testdata/*.xml",
		"schema/soap/testdata/gt4/*.xml", "tests/strictness/testdata/one/*.xml"},
	{"schema/report/testdata/lease/*.xml", "tests/strictness/testdata/two/*.xml"},
}

// corpus reads the samples. Of an envelope it takes what the Body holds, of a
// create message on face one it also makes what it is on face two.
func corpus(t *testing.T) []sample {
	t.Helper()
	var all []sample
	for face, patterns := range places {
		for _, pattern := range patterns {
			files, err := filepath.Glob(filepath.Join("..", "..", pattern))
			if err != nil || len(files) == 0 {
				t.Fatalf("no samples match %s: %v", pattern, err)
			}
			for _, file := range files {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				of := face
				if bytes.Contains(data, []byte(schema.Terms)) {
					of = 1 // lease terms are face two's, wherever the file is
				}
				all = append(all, take(t, file, of, data)...)
			}
		}
	}
	return all
}

// take makes samples of a file.
func take(t *testing.T, file string, face int, data []byte) []sample {
	t.Helper()
	doc, err := xmlstrict.Parse(data, xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	file = filepath.Base(file)
	all := samplesIn(file, face, doc.Root)
	if xmlstrict.Is(doc.Root, deployment.Create) {
		create, err := deployment.DecodeCreate(doc, doc.Root)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		enc := xmlstrict.NewEncoder()
		create.WriteLease(enc)
		all = append(all, take(t, file, 1, enc.Bytes())...)
	}
	return all
}

// samplesIn makes samples of those parts of a document that are read here.
func samplesIn(file string, face int, root *etree.Element) []sample {
	name := xmlstrict.NameOf(root)
	if name.Local == "Envelope" || name.Local == "Body" {
		var all []sample
		for kid := range xmlstrict.Children(root) {
			all = append(all, samplesIn(file, face, kid)...)
		}
		return all
	}
	if decoders[name] == nil {
		return nil
	}
	tree := plant(root)
	for above := root.Parent(); above != nil; above = above.Parent() {
		tree.attrs = append(tree.attrs, undeclared(plant(above), tree)...)
	}
	tree.declare()
	return []sample{{file, face, name, tree}}
}

// paths returns where each element of a tree stands, by local names.
func paths(root *node) []string {
	at := map[*node]string{}
	var all []string
	for _, s := range sites(root) {
		at[s.node] = s.node.local
		if s.parent != nil {
			at[s.node] = at[s.parent] + "/" + s.node.local
		}
		all = append(all, at[s.node])
	}
	return all
}
