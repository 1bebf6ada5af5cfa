package epr

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

// The roots of the files.
const (
	WorkspaceRoot = "WORKSPACE_EPR"
	GroupRoot     = "WORKSPACE_GROUP_EPR"
	EnsembleRoot  = "WORKSPACE_ENSEMBLE_EPR"
)

// MaxSize is the largest file that is read, in bytes.
const MaxSize = 64 << 10

// roots are the roots by the names of the keys that go with them.
var roots = map[xmlstrict.Name]string{
	{Space: schema.Workspace, Local: "WorkspaceKey"}:        WorkspaceRoot,
	{Space: schema.Group, Local: "WorkspaceGroupKey"}:       GroupRoot,
	{Space: schema.Ensemble, Local: "WorkspaceEnsembleKey"}: EnsembleRoot,
}

// File is the content of an EPR file.
type File struct {
	Root string // as found, or to be written
	EPR  wsa.EPR
}

// For returns the file for a reference, with the root that its key calls for.
func For(r wsa.EPR) (File, error) {
	for name, root := range roots {
		if _, ok := r.Key(name); ok {
			return File{Root: root, EPR: r}, nil
		}
	}
	return File{}, errors.New("cannot write an EPR file: " +
		"the reference has no key of a workspace, group or ensemble")
}

// Read reads a file. Its error names the file and, where it is about the
// content, the line.
func Read(name string) (File, error) {
	data, err := readSmall(name)
	if err != nil {
		return File{}, fmt.Errorf("cannot read the EPR file %q: %w", name, err)
	}
	f, err := Parse(data)
	if err != nil {
		return File{}, fmt.Errorf("cannot read the EPR file %q: %w", name, err)
	}
	return f, nil
}

// readSmall reads a regular file of at most MaxSize bytes.
func readSmall(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, unwrapPath(err)
	}
	if info.IsDir() {
		return nil, errors.New("it is a directory")
	}
	if info.Size() > MaxSize {
		return nil, fmt.Errorf("it has %d bytes, an EPR file has at most %d", info.Size(), MaxSize)
	}
	data, err := os.ReadFile(name)
	return data, unwrapPath(err)
}

// unwrapPath drops what the error of a file operation repeats.
func unwrapPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Parse reads the content of a file.
func Parse(data []byte) (File, error) {
	limits := xmlstrict.DefaultLimits()
	limits.Bytes = MaxSize
	doc, err := xmlstrict.Parse(data, limits)
	if err != nil {
		return File{}, err
	}
	r, err := wsa.ParseEPR(doc, doc.Root)
	if err != nil {
		return File{}, err
	}
	f, err := For(r)
	if err != nil {
		return File{}, fmt.Errorf("line %d: it refers to no workspace, group or ensemble: "+
			"no WorkspaceKey, WorkspaceGroupKey or WorkspaceEnsembleKey is in its "+
			"ReferenceProperties", doc.Line(doc.Root))
	}
	f.Root = doc.Root.Tag
	return f, nil
}

// Bytes returns the content of the file: for a reference of face one in the
// shape that the original writes, for one of face two in that of WS-Addressing
// 1.0, which is what its service takes.
func (f File) Bytes() ([]byte, error) {
	root := etree.NewElement(f.Root)
	space, wrapper := wsa.Space200403, "ReferenceProperties"
	if client.FaceOf(f.EPR) == wsdl.Two {
		space, wrapper = wsa.Space200508, "ReferenceParameters"
	}
	child(root, space, "Address").SetText(f.EPR.Address)
	keys := child(root, space, wrapper)
	for _, p := range f.EPR.Properties {
		keys.AddChild(standalone(p))
	}
	if space == wsa.Space200403 {
		child(root, space, "ReferenceParameters")
	}
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	doc.SetRoot(root)
	doc.Indent(1)
	return doc.WriteToBytes()
}

// child adds an element of WS-Addressing, which declares its own namespace.
func child(parent *etree.Element, space, local string) *etree.Element {
	e := parent.CreateElement("ns1:" + local)
	e.CreateAttr("xmlns:ns1", space)
	return e
}

// standalone returns a copy of a reference property, which is text in a named
// element, that needs no declaration from outside.
func standalone(property *etree.Element) *etree.Element {
	name := xmlstrict.NameOf(property)
	e := etree.NewElement("ns2:" + name.Local)
	e.CreateAttr("xmlns:ns2", name.Space)
	e.SetText(xmlstrict.Text(property))
	return e
}

// Write writes the file, whole or not at all, readable for its owner alone: who
// has the reference of a workspace may know of it.
func (f File) Write(name string) error {
	data, err := f.Bytes()
	if err == nil {
		err = writeWhole(name, data)
	}
	if err != nil {
		return fmt.Errorf("cannot write the EPR file %q: %w", name, unwrapPath(err))
	}
	return nil
}

// writeWhole writes a file under another name and renames it.
func writeWhole(name string, data []byte) error {
	t, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name()) // nothing is left to remove after the rename
	_, err = t.Write(data)
	if err := errors.Join(err, t.Sync(), t.Close()); err != nil {
		return err
	}
	return os.Rename(t.Name(), name)
}

// Writable reports whether a file of that name could be written, by writing
// another one beside it and removing it.
func Writable(name string) error {
	t, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("cannot write the EPR file %q: %w", name, unwrapPath(err))
	}
	return errors.Join(t.Close(), os.Remove(t.Name()))
}
