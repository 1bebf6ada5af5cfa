package wsdl

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
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
			return services[i].flat(strings.TrimRight(baseURL, "/") + "/" + service), nil
		}
	}
	return nil, fmt.Errorf("cannot describe the service %q: %w", service, errUnknown)
}

// errUnknown says that a service is not in the table.
var errUnknown = errors.New("there is no such service")

// flat makes the flat document with the service at an address.
func (s *service) flat(address string) []byte {
	d := new(document)
	d.open(s.name, s.space, append(s.elementSpaces(), [2]string{"soap", soapSpace},
		[2]string{"wsaw", wsawSpace}, [2]string{"tns", s.space})...)
	d.line(`  <wsdl:types>`)
	for _, file := range s.schemaFiles() {
		d.WriteString(inline()[file])
	}
	d.line(`  </wsdl:types>`)
	s.writeMessages(d)
	s.writePortType(d)
	s.writeBinding(d, "tns")
	s.writeService(d, "tns", address)
	return d.close()
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
	for _, file := range schema.Names() {
		text, _ := schema.File(file)
		texts[file] = location.ReplaceAllString(declaration.ReplaceAllString(string(text), ""), "")
	}
	return texts
})

// imports returns the namespaces that each namespace's schema imports.
var imports = sync.OnceValue(func() map[string][]string {
	spaces := make(map[string][]string)
	for _, file := range schema.Names() {
		text, _ := schema.File(file)
		for _, m := range imported.FindAllSubmatch(text, -1) {
			space := schema.Space(file)
			spaces[space] = append(spaces[space], string(m[1]))
		}
	}
	return spaces
})
