package factory

import (
	"errors"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// place completes an error of the core that names a place in the request: the
// core knows elements by name alone, here is the document with its lines.
func place(c *dispatch.Call, err error) error {
	var e *workspace.Error
	if !errors.As(err, &e) || e.Where == nil || e.Where.Line != 0 {
		return err
	}
	if at := find(c.Body, e.Where.Path); at != nil {
		e.Where.Path, e.Where.Line = c.Document.Path(at), c.Document.Line(at)
	}
	return err
}

// asFiles are the names of documents on face two, by those that they have in
// create messages on face one and in paths.
var asFiles = map[string]string{
	metadata.Wire.Local:          metadata.File.Local,
	deployment.RequestWire.Local: deployment.RequestFile.Local,
}

// find returns the element at a path of local names, each with an optional
// [n], below root; or the last one on the way that is there.
func find(root *etree.Element, path string) *etree.Element {
	at := root
	for step := range strings.SplitSeq(path, "/") {
		name, index := step, 1
		if bare, n, ok := strings.Cut(strings.TrimSuffix(step, "]"), "["); ok {
			name = bare
			index, _ = strconv.Atoi(n) // our own paths
		}
		next := child(at, name, index)
		if next == nil && at == root {
			next = child(at, asFiles[name], index)
		}
		if next == nil {
			return at
		}
		at = next
	}
	return at
}

// child returns the n-th child of the local name, counted from 1.
func child(e *etree.Element, name string, n int) *etree.Element {
	for _, c := range e.ChildElements() {
		if c.Tag == name {
			if n--; n == 0 {
				return c
			}
		}
	}
	return nil
}
