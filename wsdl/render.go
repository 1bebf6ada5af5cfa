package wsdl

import (
	"fmt"
	"html"
	"strings"

	"github.com/philoxenia/philoxenia/schema"
)

// The namespaces that WSDL 1.1 documents speak in.
const (
	wsdlSpace = "http://schemas.xmlsoap.org/wsdl/"
	soapSpace = "http://schemas.xmlsoap.org/wsdl/soap/"
	soap12    = "http://schemas.xmlsoap.org/wsdl/soap12/"
	xsSpace   = "http://www.w3.org/2001/XMLSchema"
	wsawSpace = "http://www.w3.org/2006/05/addressing/wsdl"
	soapHTTP  = "http://schemas.xmlsoap.org/soap/http"
)

// prefixes are those under which documents refer to elements.
var prefixes = map[string]string{
	schema.Workspace:        "w",
	schema.Types:            "t",
	schema.Group:            "g",
	schema.Status:           "s",
	schema.Properties:       "wsrp",
	schema.Lifetime:         "wsrl",
	schema.BaseNotification: "wsnt",

	schema.Lease:             "p",
	schema.Terms:             "q",
	schema.Library:           "i",
	schema.Properties2:       "wsrf-rp",
	schema.Lifetime2:         "wsrf-rl",
	schema.Resource2:         "wsrf-r",
	schema.BaseNotification2: "wsnt",
	schema.ONVIFEvents:       "tev",
}

// document is a WSDL document in the making.
type document struct{ strings.Builder }

// line appends a formatted line.
func (d *document) line(format string, args ...any) {
	fmt.Fprintf(d, format, args...)
	d.WriteByte('\n')
}

// open appends the start of the document with its namespaces, as pairs of
// prefix and URI.
func (d *document) open(name, target string, spaces ...[2]string) {
	d.line(`<?xml version="1.0" encoding="UTF-8"?>`)
	d.line(`<wsdl:definitions name=%q`, name)
	for _, s := range append([][2]string{{"wsdl", wsdlSpace}}, spaces...) {
		d.line(`    xmlns:%s=%q`, s[0], s[1])
	}
	d.line(`    targetNamespace=%q>`, target)
}

// close appends the end and returns the text.
func (d *document) close() []byte {
	d.line(`</wsdl:definitions>`)
	return []byte(d.String())
}

// qualified returns the prefixed name of an element.
func qualified(n QName) string { return prefixes[n.Space] + ":" + n.Local }

// elementSpaces are the namespaces of all elements that a port type names.
func (s *service) elementSpaces() [][2]string {
	used := map[string]bool{s.properties.Space: true}
	if s.properties.Local != "" {
		used[s.propertySpace()] = true // its attribute tells the property document
	}
	for _, op := range s.operations {
		used[op.In.Space], used[op.Out.Space] = true, true
		for _, f := range op.Faults {
			used[f.Space] = true
		}
	}
	var spaces [][2]string
	for _, file := range s.schemas() {
		if space := schema.Space(file); used[space] {
			spaces = append(spaces, [2]string{prefixes[space], space})
		}
	}
	return spaces
}

// schemas are the schema files of the service's face.
func (s *service) schemas() []string {
	if s.face == Two {
		return schema.FaceTwo()
	}
	return schema.FaceOne()
}

// propertySpace is the namespace of WS-ResourceProperties on the service's face.
func (s *service) propertySpace() string {
	if s.face == Two {
		return schema.Properties2
	}
	return schema.Properties
}

// soapSpaces are the namespaces of the bindings, each with its prefix.
func (s *service) soapSpaces() [][2]string {
	all := [][2]string{{"soap", soapSpace}}
	if s.face == Two {
		all = append(all, [2]string{"soap12", soap12})
	}
	return all
}

// message is one message of a port type: a name and the element of its one part.
type message struct {
	name    string
	part    string
	element QName
}

// messages returns the messages of the port type, each once. Their names hold
// the port type's, because some stacks mix up equal names of two namespaces.
func (s *service) messages() []message {
	var all []message
	seen := make(map[string]bool)
	add := func(m message) {
		if !seen[m.name] {
			seen[m.name] = true
			all = append(all, m)
		}
	}
	for _, op := range s.operations {
		add(message{s.requestName(op), "parameters", op.In})
		if !op.OneWay {
			add(message{s.responseName(op), "parameters", op.Out})
		}
		for _, f := range op.Faults {
			add(message{s.faultName(f), "description", f})
		}
	}
	return all
}

func (s *service) requestName(op Operation) string  { return s.port + "_" + op.Name + "Request" }
func (s *service) responseName(op Operation) string { return s.port + "_" + op.Name + "Response" }
func (s *service) faultName(f QName) string {
	return s.port + "_" + prefixes[f.Space] + "_" + f.Local
}

// writeMessages appends the messages.
func (s *service) writeMessages(d *document) {
	for _, m := range s.messages() {
		d.line(`  <wsdl:message name=%q>`, m.name)
		d.line(`    <wsdl:part name=%q element=%q/>`, m.part, qualified(m.element))
		d.line(`  </wsdl:message>`)
	}
}

// writePortType appends the port type, of which tns is the target namespace.
func (s *service) writePortType(d *document) {
	if s.properties.Local == "" {
		d.line(`  <wsdl:portType name=%q>`, s.port)
	} else {
		d.line(`  <wsdl:portType name=%q %s:ResourceProperties=%q>`,
			s.port, prefixes[s.propertySpace()], qualified(s.properties))
	}
	for _, op := range s.operations {
		d.line(`    <wsdl:operation name=%q>`, op.Name)
		d.line(`      <wsdl:input message="tns:%s" wsaw:Action=%q/>`, s.requestName(op), op.Action)
		if !op.OneWay {
			d.line(`      <wsdl:output message="tns:%s" wsaw:Action=%q/>`,
				s.responseName(op), op.ReplyAction)
		}
		for _, f := range op.Faults {
			d.line(`      <wsdl:fault name=%q message="tns:%s"/>`, f.Local, s.faultName(f))
		}
		d.line(`    </wsdl:operation>`)
	}
	d.line(`  </wsdl:portType>`)
}

// writeBindings appends the bindings to SOAP over HTTP of the port type in the
// namespace with the given prefix: face one has SOAP 1.1, face two 1.2 beside it.
func (s *service) writeBindings(d *document, prefix string) {
	for _, v := range s.versions() {
		s.writeBinding(d, v, prefix)
	}
}

// A version of SOAP as WSDL has it.
type version struct {
	prefix string // of its namespace
	suffix string // of the names of binding and port
}

// faults are those that the binding describes. Axis 1.4 refuses a document with
// soap12:fault in it, and nobody needs to be told twice: the port type has them.
func (v version) faults(op Operation) []QName {
	if v.prefix != "soap" {
		return nil
	}
	return op.Faults
}

// versions are those of SOAP that the service's face speaks.
func (s *service) versions() []version {
	if s.face == Two {
		return []version{{"soap", "SOAP11"}, {"soap12", "SOAP12"}}
	}
	return []version{{"soap", "SOAP"}}
}

// writeBinding appends one binding.
func (s *service) writeBinding(d *document, v version, prefix string) {
	d.line(`  <wsdl:binding name="%s%sBinding" type="%s:%s">`, s.port, v.suffix, prefix, s.port)
	d.line(`    <%s:binding style="document" transport=%q/>`, v.prefix, soapHTTP)
	for _, op := range s.operations {
		d.line(`    <wsdl:operation name=%q>`, op.Name)
		d.line(`      <%s:operation soapAction=%q style="document"/>`, v.prefix, op.Action)
		d.line(`      <wsdl:input><%s:body use="literal"/></wsdl:input>`, v.prefix)
		if !op.OneWay {
			d.line(`      <wsdl:output><%s:body use="literal"/></wsdl:output>`, v.prefix)
		}
		for _, f := range v.faults(op) {
			d.line(`      <wsdl:fault name=%q>`, f.Local)
			d.line(`        <soap:fault name=%q use="literal"/>`, f.Local)
			d.line(`      </wsdl:fault>`)
		}
		d.line(`    </wsdl:operation>`)
	}
	d.line(`  </wsdl:binding>`)
}

// writeService appends the service at an address; its bindings are in the
// namespace with that prefix.
func (s *service) writeService(d *document, prefix, address string) {
	d.line(`  <wsdl:service name=%q>`, s.name)
	for _, v := range s.versions() {
		port := s.port + "Port"
		if s.face == Two {
			port = s.name + v.suffix
		}
		d.line(`    <wsdl:port name=%q binding="%s:%s%sBinding">`, port, prefix, s.port, v.suffix)
		d.line(`      <%s:address location="%s"/>`, v.prefix, html.EscapeString(address))
		d.line(`    </wsdl:port>`)
	}
	d.line(`  </wsdl:service>`)
}

// schemaFiles returns the files that define the namespaces a client of the
// service needs, each after those it imports.
func (s *service) schemaFiles() []string {
	needed := make(map[string]bool)
	files := make(map[string]string)
	for _, file := range s.schemas() {
		files[schema.Space(file)] = file
	}
	var need func(space string)
	need = func(space string) {
		if space == "" || needed[space] {
			return
		}
		needed[space] = true
		for _, imported := range imports()[files[space]] {
			need(imported)
		}
	}
	for _, s := range s.elementSpaces() {
		need(s[1])
	}
	for _, space := range s.extra {
		need(space)
	}
	for _, h := range s.headers {
		need(h.Space)
	}
	var names []string
	for _, file := range s.schemas() {
		if needed[schema.Space(file)] {
			names = append(names, file)
		}
	}
	return names
}
