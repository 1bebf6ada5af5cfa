package wsdl

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/philoxenia/philoxenia/schema"
)

// Flat returns one document that holds all of a service: schemas, port type,
// binding, and the address baseURL/SERVICE. It imports nothing. BaseURL is an
// absolute http or https URL such as http://host:8080/wsrf/services. The text
// is made anew on each call.
func Flat(service, baseURL string) ([]byte, error) {
	base, err := url.Parse(baseURL)
	if err != nil {
		return nil, fmt.Errorf("cannot describe the service %q: %w", service, err)
	}
	if base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("cannot describe the service %q: %q is not an http URL",
			service, baseURL)
	}
	for i := range services {
		if services[i].name == service {
			return flat(strings.TrimRight(baseURL, "/"), services[i:i+1]), nil
		}
	}
	return nil, fmt.Errorf("cannot describe the service %q: %w", service, errUnknown)
}

// FaceTwoFlat returns one flat document that holds several services of face
// two, in the order of the table. BaseURL is as for Flat.
func FaceTwoFlat(baseURL string, names ...string) []byte {
	var chosen []service
	for i := range services {
		if services[i].face == Two && slices.Contains(names, services[i].name) {
			chosen = append(chosen, services[i])
		}
	}
	return flat(strings.TrimRight(baseURL, "/"), chosen)
}

// errUnknown says that a service is not in the table.
var errUnknown = errors.New("there is no such service")

// flat makes the flat document of services of one face, which share a target
// namespace and hang under base.
func flat(base string, services []service) []byte {
	d := new(document)
	first := &services[0]
	d.open(first.name, first.space, spaces(services)...)
	d.line(`  <wsdl:types>`)
	if first.face == Two {
		d.pruned(roots(services))
	} else {
		for _, file := range first.schemaFiles() {
			d.WriteString(inline()[file])
		}
	}
	d.line(`  </wsdl:types>`)
	for i := range services {
		services[i].writeMessages(d)
	}
	for i := range services {
		services[i].writePortType(d)
	}
	for i := range services {
		services[i].writeBindings(d, "tns")
	}
	for i := range services {
		services[i].writeService(d, "tns", base+"/"+services[i].name)
	}
	return d.close()
}

// spaces are the namespaces of a flat document, each with its prefix.
func spaces(services []service) [][2]string {
	var all [][2]string
	for i := range services {
		for _, s := range services[i].elementSpaces() {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	all = append(all, services[0].soapSpaces()...)
	return append(all, [2]string{"wsaw", wsawSpace}, [2]string{"tns", services[0].space})
}

// roots are what the schemas of a flat document must hold: what its messages are
// made of, the property documents, the header blocks, and names without which
// some tools fail: gowsdl (see lease.xsd) and wsimport, which expects the
// element wsa:EndpointReference wherever it finds that namespace.
func roots(services []service) []symbol {
	all := []symbol{
		{"type", lease("QName")}, {"type", lease("Duration")},
		{"type", lease("NonNegativeInteger")},
		{"attribute", QName{schema.Properties2, "ResourceProperties"}},
		{"element", QName{schema.Addressing2005, "EndpointReference"}},
	}
	for i := range services {
		s := &services[i]
		for _, m := range s.messages() {
			all = append(all, symbol{"element", m.element})
		}
		for _, h := range s.headers {
			all = append(all, symbol{"element", h})
		}
		all = append(all, symbol{"element", s.properties})
	}
	return all
}

// What an inline schema must not have: a declaration of its own, and places to
// fetch what stands beside it. Comments are left out for brevity.
var (
	declaration = regexp.MustCompile(`(?s)<\?xml.*?\?>\s*|<!--.*?-->\s*`)
	location    = regexp.MustCompile(`\s+schemaLocation="[^"]*"`)
	imported    = regexp.MustCompile(`(?s)<xs:import\s+namespace="([^"]*)"`)
)

// inline returns the schemas, by file, as they stand inside a flat document.
// They are made once, when the first flat document is asked for.
var inline = sync.OnceValue(func() map[string]string {
	texts := make(map[string]string)
	for _, file := range schema.FaceOne() {
		text, _ := schema.File(file)
		texts[file] = location.ReplaceAllString(declaration.ReplaceAllString(string(text), ""), "")
	}
	return texts
})

// imports returns the namespaces that each schema file imports.
var imports = sync.OnceValue(func() map[string][]string {
	spaces := make(map[string][]string)
	for _, file := range schema.Names() {
		text, _ := schema.File(file)
		for _, m := range imported.FindAllSubmatch(text, -1) {
			spaces[file] = append(spaces[file], string(m[1]))
		}
	}
	return spaces
})
