package wsdl

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// references are the attributes by which components refer to others.
var references = map[string]bool{
	"ref": true, "type": true, "base": true, "itemType": true, "memberTypes": true,
}

// typesRules are those of section 4.3.
func typesRules() map[string]rule {
	return map[string]rule{
		"R2101": defined,
		"R2102": func(d *description) []string {
			var broken []string
			for _, s := range d.schemas {
				broken = append(broken, foreign(s, reachableSpaces(s))...)
			}
			return broken
		},
		"R2105": func(d *description) []string {
			var broken []string
			for _, s := range d.inline {
				if value(s, "targetNamespace") == "" && len(s.SelectElements("import")) !=
					len(s.ChildElements()) {
					broken = append(broken, s.GetPath())
				}
			}
			return broken
		},
		"R2110": without("schemas.xmlsoap.org/soap/encoding"),
		"R2111": without("arrayType"),
		"R2112": without(`name="ArrayOf`),
	}
}

// without makes the rule that no document holds some words.
func without(words string) rule {
	return func(d *description) []string {
		var broken []string
		for _, text := range d.texts {
			if strings.Contains(text, words) {
				broken = append(broken, words)
			}
		}
		return broken
	}
}

// defined is the rule that what WSDL refers to is defined or imported.
func defined(d *description) []string {
	var broken []string
	for _, root := range d.documents {
		known := []string{value(root, "targetNamespace")}
		for _, i := range root.SelectElements("import") {
			known = append(known, value(i, "namespace"))
		}
		for _, s := range all(root, xsSpace, "schema") {
			known = append(known, reachableSpaces(s)...)
		}
		for _, e := range all(root, wsdlSpace, "") {
			for _, name := range []string{"message", "binding", "type", "element"} {
				if text := value(e, name); text != "" {
					q, err := xmlstrict.ResolveQName(e, text)
					if err != nil || !slices.Contains(known, q.Space) {
						broken = append(broken, e.GetPath()+" "+text)
					}
				}
			}
		}
	}
	return broken
}

// reachableSpaces are the namespaces that a schema may refer to.
func reachableSpaces(s *etree.Element) []string {
	spaces := []string{xsSpace, value(s, "targetNamespace")}
	for _, i := range s.SelectElements("import") {
		spaces = append(spaces, value(i, "namespace"))
	}
	return spaces
}

// foreign returns the references of a schema to other namespaces than those.
func foreign(s *etree.Element, spaces []string) []string {
	var broken []string
	for _, e := range all(s, xsSpace, "") {
		for _, a := range e.Attr {
			if a.Space != "" || !references[a.Key] {
				continue
			}
			for _, name := range strings.Fields(a.Value) {
				q, err := xmlstrict.ResolveQName(e, name)
				if err != nil || !slices.Contains(spaces, q.Space) {
					broken = append(broken, e.GetPath()+" "+name)
				}
			}
		}
	}
	return broken
}

// messageRules are those of section 4.4.
func messageRules() map[string]rule {
	part := func(meets func(*description, *etree.Element) bool) rule {
		return elements(wsdlSpace, "part", meets)
	}
	byElement := part(func(_ *description, e *etree.Element) bool {
		return value(e, "element") != "" && value(e, "type") == ""
	})
	return map[string]rule{
		"R2201": elements(soapSpace, "body", func(_ *description, e *etree.Element) bool {
			return len(strings.Fields(value(e, "parts"))) <= 1
		}),
		"R2203": noRPC, "R2204": byElement, "R2205": byElement, "R2306": byElement,
		"R2206": part(func(d *description, e *etree.Element) bool {
			return d.global(e, value(e, "element"))
		}),
		"R2209": elements(wsdlSpace, "message", func(_ *description, e *etree.Element) bool {
			return len(e.SelectElements("part")) <= 1 // a body or a fault binds one
		}),
		"R2210": elements(wsdlSpace, "message", func(_ *description, e *etree.Element) bool {
			return len(e.SelectElements("part")) <= 1
		}),
	}
}

// noRPC is the rule that nothing is of the style rpc, which settles the rules
// about what is.
func noRPC(d *description) []string {
	var broken []string
	for _, local := range []string{"binding", "operation"} {
		for _, e := range d.each(soapSpace, local) {
			if value(e, "style") != "document" {
				broken = append(broken, e.GetPath())
			}
		}
	}
	return broken
}

// portRules are those of section 4.5.
func portRules() map[string]rule {
	operation := func(meets func(*etree.Element) bool) rule {
		return elements(wsdlSpace, "portType", func(_ *description, e *etree.Element) bool {
			return !slices.ContainsFunc(e.SelectElements("operation"),
				func(o *etree.Element) bool { return !meets(o) })
		})
	}
	return map[string]rule{
		"R2303": operation(func(o *etree.Element) bool {
			return o.ChildElements()[0].Tag == "input"
		}),
		"R2305": operation(func(o *etree.Element) bool {
			return o.SelectAttr("parameterOrder") == nil
		}),
		"R2304": elements(wsdlSpace, "portType", func(_ *description, e *etree.Element) bool {
			return distinct(e.SelectElements("operation"), func(o *etree.Element) string {
				return value(o, "name")
			})
		}),
	}
}

// distinct reports whether no two elements have the same of something.
func distinct(all []*etree.Element, of func(*etree.Element) string) bool {
	seen := make(map[string]bool)
	for _, e := range all {
		if seen[of(e)] {
			return false
		}
		seen[of(e)] = true
	}
	return true
}

// bindingRules are those of section 4.6 and of what binds to what.
func bindingRules() map[string]rule {
	binding := func(meets func(*description, *etree.Element) bool) rule {
		return elements(wsdlSpace, "binding", meets)
	}
	return map[string]rule{
		"R2401": binding(func(_ *description, b *etree.Element) bool {
			return len(all(b, soapSpace, "binding")) == 1
		}),
		"R2710": binding(func(d *description, b *etree.Element) bool {
			port := d.named("portType", b, value(b, "type"))
			return port != nil && distinct(port.SelectElements("operation"), d.signature)
		}),
		"R2718": binding(func(d *description, b *etree.Element) bool {
			port := d.named("portType", b, value(b, "type"))
			return port != nil && slices.Equal(operationNames(port), operationNames(b))
		}),
		"R2740": binding(func(d *description, b *etree.Element) bool {
			port := d.named("portType", b, value(b, "type"))
			return port != nil && slices.Equal(faultNames(port), faultNames(b))
		}),
		"R2711": func(d *description) []string {
			if distinct(d.each(soapSpace, "address"), func(e *etree.Element) string {
				return value(e, "location")
			}) {
				return nil
			}
			return []string{"soap:address"}
		},
	}
}

// signature is what tells the requests for an operation from others: the
// element in the body.
func (d *description) signature(o *etree.Element) string {
	input := o.SelectElement("input")
	message := d.named("message", input, value(input, "message"))
	if message == nil {
		return ""
	}
	return value(message.SelectElement("part"), "element")
}

func operationNames(e *etree.Element) []string {
	var names []string
	for _, o := range e.SelectElements("operation") {
		if o.NamespaceURI() == wsdlSpace {
			names = append(names, value(o, "name"))
		}
	}
	return names
}

func faultNames(e *etree.Element) []string {
	var names []string
	for _, f := range all(e, wsdlSpace, "fault") {
		names = append(names, value(f.Parent(), "name")+"/"+value(f, "name"))
	}
	return names
}

// soapRules are those of section 4.7.
func soapRules() map[string]rule {
	literal := func(d *description) []string {
		var broken []string
		for _, local := range []string{"body", "fault", "header", "headerfault"} {
			for _, e := range d.each(soapSpace, local) {
				if value(e, "use") != "literal" || value(e, "namespace") != "" {
					broken = append(broken, e.GetPath())
				}
			}
		}
		return broken
	}
	transport := elements(soapSpace, "binding", func(_ *description, e *etree.Element) bool {
		return value(e, "transport") == soapHTTP
	})
	fault := elements(soapSpace, "fault", func(_ *description, e *etree.Element) bool {
		return value(e, "name") != "" && value(e, "name") == value(e.Parent(), "name")
	})
	noHeaders := func(d *description) []string {
		if len(d.each(soapSpace, "header")) == 0 {
			return nil
		}
		return []string{"soap:header"}
	}
	return map[string]rule{
		"R2701": transport, "R2702": transport, "R2705": noRPC, "R2717": noRPC, "R2726": noRPC,
		"R2706": literal, "R2716": literal, "R2721": fault, "R2754": fault,
		"R2720": noHeaders, "R2749": noHeaders,
	}
}

// The files that the spoilt documents are made of.
const (
	portFile    = "workspace_port_type.wsdl"
	bindingFile = "workspace_bindings.wsdl"
	serviceFile = "workspace_service.wsdl"
)

// spoilt says for each rule how a document is changed to break it.
var spoilt = []struct{ rules, file, from, to string }{
	{"R2001 R2002", bindingFile, `location="workspace_port_type.wsdl"`, `location="group.xsd"`},
	{"R2003", portFile, `</wsdl:types>`, `<xs:import xmlns:xs="` + xsSpace + `"/></wsdl:types>`},
	{"R2004", portFile, `schemaLocation="lifetime.xsd"`, `schemaLocation="` + serviceFile + `"`},
	{"R2005", serviceFile, `namespace="` + schema.Workspace + `/bindings"`, `namespace="urn:x"`},
	{"R2007", serviceFile, `location="workspace_bindings.wsdl"`, `location=""`},
	{"R2803", serviceFile, `namespace="` + schema.Workspace + `/bindings"`, `namespace="bindings"`},
	{"R2022 R2023", bindingFile, `<wsdl:import`, `<wsdl:message name="x"/><wsdl:import`},
	{"R2010 R4003", portFile, `encoding="UTF-8"`, `encoding="US-ASCII"`},
	{"R2011 R4004", portFile, `<?xml version="1.0" encoding="UTF-8"?>`, ""},
	{"R2026", portFile, `<wsdl:portType`, `<wsdl:portType wsdl:required="true"`},
	{"R2101", portFile, `element="w:startWorkspace"`, `element="nowhere:startWorkspace"`},
	{"R2102", "group.xsd", `type="t:voidType"`, `type="s:voidType" xmlns:s="urn:x"`},
	{"R2105", portFile, `<xs:schema xmlns:xs="` + xsSpace + `">`,
		`<xs:schema xmlns:xs="` + xsSpace + `"><xs:element name="x"/>`},
	{"R2110", portFile, `<wsdl:types>`, `<!-- schemas.xmlsoap.org/soap/encoding --><wsdl:types>`},
	{"R2111", portFile, `<wsdl:types>`, `<!-- arrayType --><wsdl:types>`},
	{"R2112", "group.xsd", `name="startWorkspaces"`, `name="ArrayOfStarts"`},
	{"R2201", bindingFile, `<soap:body`, `<soap:body parts="a b"`},
	{"R2203 R2705 R2717 R2726", bindingFile, `style="document"`, `style="rpc"`},
	{"R2204 R2205 R2306", portFile, `element="w:startWorkspace"`,
		`element="w:startWorkspace" type="w:x"`},
	{"R2206", portFile, `element="w:startWorkspace"`, `element="w:stopWorkspace"`},
	{"R2209 R2210", portFile, `<wsdl:part`, `<wsdl:part name="x"/><wsdl:part`},
	{"R2303", portFile, `<wsdl:input`, `<wsdl:output/><wsdl:input`},
	{"R2304 R2718", portFile, `operation name="shutdown"`, `operation name="start"`},
	{"R2305", portFile, `operation name="start"`, `operation name="start" parameterOrder="a"`},
	{"R2401", bindingFile, `<soap:binding`, `<soap:operation`},
	{"R2710", portFile, `element="w:shutdownWorkspace"`, `element="w:startWorkspace"`},
	{"R2740", bindingFile, `<wsdl:fault name="WorkspaceStartFault">`, `<wsdl:fault name="x">`},
	{"R2711", serviceFile, `</wsdl:port>`, `</wsdl:port><wsdl:port><soap:address ` +
		`location="http://localhost:8080/wsrf/services/WorkspaceService"/></wsdl:port>`},
	{"R2701 R2702", bindingFile, soapHTTP, "urn:smtp"},
	{"R2706", bindingFile, `use="literal"`, `use="encoded"`},
	{"R2716", bindingFile, `<soap:body`, `<soap:body namespace="urn:x"`},
	{"R2721 R2754", bindingFile, `<soap:fault name="WorkspaceStartFault"`, `<soap:fault name=""`},
	{"R2720 R2749", bindingFile, `<soap:body`, `<soap:header use="literal"/><soap:body`},
}

// TestBasicProfileCanBeBroken spoils a document in one way for each rule.
func TestBasicProfileCanBeBroken(t *testing.T) {
	good := map[string]string{}
	for name, text := range services[1].render() {
		good[name] = string(text)
	}
	good = publishedSchemas(good)
	tested := make(map[string]bool)
	for _, tt := range spoilt {
		bad := maps.Clone(good)
		bad[tt.file] = strings.Replace(bad[tt.file], tt.from, tt.to, 1)
		if bad[tt.file] == good[tt.file] {
			t.Errorf("%s: %q is not in %s", tt.rules, tt.from, tt.file)
			continue
		}
		d := describe(t, bad)
		for _, number := range strings.Fields(tt.rules) {
			tested[number] = true
			if len(profile()[number](d)) == 0 {
				t.Errorf("%s is not broken by %q", number, tt.to)
			}
		}
	}
	for number := range profile() {
		if !tested[number] {
			t.Errorf("nothing shows that %s can be broken", number)
		}
	}
}
