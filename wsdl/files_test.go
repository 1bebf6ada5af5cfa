package wsdl

import (
	"strings"

	"github.com/philoxenia/philoxenia/schema"
)

// render makes the three files of a service, by name.
func (s *service) render() map[string][]byte {
	return map[string][]byte{
		s.file + "_port_type.wsdl": s.portTypeFile(),
		s.file + "_bindings.wsdl":  s.bindingsFile(),
		s.file + "_service.wsdl":   s.serviceFile(),
	}
}

// portTypeFile makes the file that the other two build on.
func (s *service) portTypeFile() []byte {
	d := new(document)
	d.open(s.port, s.space, append(s.elementSpaces(),
		[2]string{"wsaw", wsawSpace}, [2]string{"tns", s.space})...)
	d.line(`  <wsdl:types>`)
	d.line(`    <xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">`)
	for _, file := range s.schemaFiles() {
		d.line(`      <xs:import namespace=%q`, schema.Space(file))
		d.line(`          schemaLocation=%q/>`, file)
	}
	d.line(`    </xs:schema>`)
	d.line(`  </wsdl:types>`)
	s.writeMessages(d)
	s.writePortType(d)
	return d.close()
}

// bindingsFile makes the file of the binding.
func (s *service) bindingsFile() []byte {
	d := new(document)
	d.open(s.port, s.space+"/bindings",
		append(s.soapSpaces(), [2]string{"porttype", s.space})...)
	d.line(`  <wsdl:import namespace=%q location="%s_port_type.wsdl"/>`, s.space, s.file)
	s.writeBindings(d, "porttype")
	return d.close()
}

// serviceFile makes the file of the service. Its address is an example: only
// the flat document knows where the service really is.
func (s *service) serviceFile() []byte {
	d := new(document)
	d.open(s.name, s.space+"/service",
		append(s.soapSpaces(), [2]string{"binding", s.space + "/bindings"})...)
	d.line(`  <wsdl:import namespace="%s/bindings" location="%s_bindings.wsdl"/>`,
		s.space, s.file)
	s.writeService(d, "binding", strings.TrimSuffix(exampleRoot, "/")+s.face.Path()+s.name)
	return d.close()
}
