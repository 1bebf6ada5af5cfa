// Package wsdl publishes what the services of both faces can do: one table
// of operations, from which dispatch works, the WSDL documents in the
// original's layout of three files a service, and one flat document a service
// for the SOAP stacks of today.
//
// It must not know what an operation does. It imports the standard library and
// the embedded schemas alone.
package wsdl

import (
	"bytes"
	"embed"
	"html"
	"io/fs"
	"slices"

	"github.com/philoxenia/philoxenia/schema"
)

// QName is the expanded name of an element.
type QName struct{ Space, Local string }

// Operation is one operation of one service. Requests are told apart by In,
// the name of the body's element.
type Operation struct {
	Face        Face
	Service     string // WorkspaceFactoryService: the last part of its URL, of one face alone
	Port        string // WorkspaceFactoryPortType
	Name        string // create
	Action      string // SOAPAction and wsa:Action of the request
	ReplyAction string // wsa:Action of the reply; empty when OneWay
	In          QName  // the request's element
	Out         QName  // the reply's element; zero when OneWay
	OneWay      bool   // there is no reply but an empty one
	Faults      []QName
}

// service is a row of the table: a service with its one port type.
type service struct {
	face       Face
	name       string
	port       string
	file       string   // stem of its files
	space      string   // target namespace of its port type
	properties QName    // its resource property document; zero: none
	extra      []string // namespaces that clients need beside those of its messages
	headers    []QName  // elements that clients need beside those of its messages
	operations []Operation
}

// services is the table.
var services = table()

// table joins the faces. What is the same in all rows of face two is said here.
func table() []service {
	all := slices.Clone(servicesOne)
	for _, s := range servicesTwo {
		s.face, s.port, s.space = Two, s.name+"Port", schema.Lease
		all = append(all, s)
	}
	return all
}

// Operations returns the whole table, service by service.
func Operations() []Operation {
	var all []Operation
	for i := range services {
		all = append(all, services[i].all()...)
	}
	return all
}

// all returns the operations with the fields that the service determines.
func (s *service) all() []Operation {
	ops := slices.Clone(s.operations)
	for i := range ops {
		ops[i].Face, ops[i].Service, ops[i].Port = s.face, s.name, s.port
		ops[i].Faults = slices.Clone(ops[i].Faults)
	}
	return ops
}

//go:embed *.wsdl
var files embed.FS

// Names returns the names of the published files: port type, bindings and
// service of each service. They import one another and the published schemas
// by bare names: all are to be served from one directory.
func Names() []string {
	names, err := fs.Glob(files, "*.wsdl")
	if err != nil {
		return nil // the pattern is well-formed
	}
	return names
}

// File returns the text of a published file.
func File(name string) ([]byte, bool) {
	data, err := files.ReadFile(name)
	return data, err == nil
}

// exampleRoot is where the services of the published files are said to be.
const exampleRoot = "http://localhost:8080/"

// FileAt returns the text of a published file for a server whose root is at a
// URL, such as http://vms.example.org: its services are there.
func FileAt(name, root string) ([]byte, bool) {
	data, ok := File(name)
	from, to := `location="`+exampleRoot, `location="`+html.EscapeString(root)+"/"
	return bytes.ReplaceAll(data, []byte(from), []byte(to)), ok
}
