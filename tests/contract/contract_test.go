package contract

import (
	"encoding/xml"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/tests/daemon"
	"github.com/philoxenia/philoxenia/wsdl"
)

// document is what the test reads of a WSDL document.
type document struct {
	Attrs    []xml.Attr `xml:",any,attr"`
	Messages []struct {
		Name string `xml:"name,attr"`
		Part struct {
			Element string `xml:"element,attr"`
		} `xml:"part"`
	} `xml:"message"`
	Operations []struct {
		Name  string `xml:"name,attr"`
		Input struct {
			Message string `xml:"message,attr"`
		} `xml:"input"`
	} `xml:"portType>operation"`
	Ports []struct {
		Address struct {
			XMLName  xml.Name
			Location string `xml:"location,attr"`
		} `xml:"address"`
	} `xml:"service>port"`
}

// element resolves the element of a message.
func (d *document) element(message string) wsdl.QName {
	_, local, _ := strings.Cut(message, ":")
	for _, m := range d.Messages {
		if m.Name != local {
			continue
		}
		prefix, name, _ := strings.Cut(m.Part.Element, ":")
		for _, a := range d.Attrs {
			if a.Name.Space == "xmlns" && a.Name.Local == prefix {
				return wsdl.QName{Space: a.Value, Local: name}
			}
		}
	}
	return wsdl.QName{}
}

// services are the rows of the table by service, but for the consumers', which
// clients offer and not this server.
func services() map[string][]wsdl.Operation {
	all := make(map[string][]wsdl.Operation)
	for _, op := range wsdl.Operations() {
		if !strings.HasPrefix(op.Service, "NotificationConsumer") {
			all[op.Service] = append(all[op.Service], op)
		}
	}
	return all
}

// bin is the directory of the program under test.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "philoxenia-contract-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := daemon.Build(dir); err != nil {
		panic(err)
	}
	bin = dir
	return m.Run()
}

// start runs workspaced and returns its URL.
func start(t *testing.T) string {
	t.Helper()
	p, err := daemon.Start(t.Context(), daemon.Options{Bin: bin, Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p.URL
}

// TestPromisesAreKept asks every service of both faces for every operation of
// the table, in each version of SOAP that it has a port for. What its WSDL
// declares is understood, whatever comes of it; what it does not is not.
func TestPromisesAreKept(t *testing.T) {
	root := start(t)
	for name, rows := range services() {
		t.Run(name, func(t *testing.T) {
			address := root + rows[0].Face.Path() + name
			d := describe(t, address)
			if len(d.Operations) != len(rows) {
				t.Errorf("%d operations are declared of %d", len(d.Operations), len(rows))
			}
			for _, p := range d.Ports {
				if p.Address.Location != address {
					t.Errorf("a port is at %s instead of %s", p.Address.Location, address)
				}
				checkPort(t, d, p.Address.Location, versions[p.Address.XMLName.Space])
			}
		})
	}
}

// A version of SOAP on the wire.
type version struct{ envelope, contentType string }

// versions are those of SOAP by the namespace that WSDL has for it.
var versions = map[string]version{
	"http://schemas.xmlsoap.org/wsdl/soap/": {
		"http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8"},
	"http://schemas.xmlsoap.org/wsdl/soap12/": {
		"http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8"},
}

// checkPort asks for everything at one port of a service.
func checkPort(t *testing.T, d *document, address string, v version) {
	t.Helper()
	var declared []wsdl.QName
	for _, o := range d.Operations {
		in := d.element(o.Input.Message)
		declared = append(declared, in)
		if said := ask(t, address, v, in); refused(said) {
			t.Errorf("%s is declared, and refused: %s", o.Name, said)
		}
	}
	for _, op := range wsdl.Operations() {
		if slices.Contains(declared, op.In) {
			continue
		}
		if said := ask(t, address, v, op.In); !refused(said) {
			t.Errorf("%s is not declared, and taken: %s", op.In, said)
		}
	}
}

// describe reads the flat WSDL of a service.
func describe(t *testing.T, address string) *document {
	t.Helper()
	status, text := do(t, http.MethodGet, address+"?wsdl", nil, "")
	d := new(document)
	if status != http.StatusOK {
		t.Fatalf("%s?wsdl: status %d", address, status)
	}
	if err := xml.Unmarshal([]byte(text), d); err != nil {
		t.Fatal(err)
	}
	return d
}

// ask sends an element without content and returns the reply, which is of the
// same version.
func ask(t *testing.T, address string, v version, in wsdl.QName) string {
	t.Helper()
	_, said := do(t, http.MethodPost, address, http.Header{"Content-Type": {v.contentType}},
		`<s:Envelope xmlns:s="`+v.envelope+`"><s:Body><`+in.Local+` xmlns="`+in.Space+
			`"/></s:Body></s:Envelope>`)
	if !strings.Contains(said, "Envelope") || !strings.Contains(said, v.envelope) {
		t.Fatalf("%s: %s", address, said)
	}
	return said
}

// refused reports whether a reply says that there is no such operation.
func refused(said string) bool { return strings.Contains(said, "No such operation") }

func do(t *testing.T, method, url string, h http.Header, body string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = h
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(all)
}

// TestFilesAreServed fetches what the documents of three files import, each from
// beside the other, and finds the service where the server is.
func TestFilesAreServed(t *testing.T) {
	root := start(t)
	for _, name := range wsdl.Names() {
		status, text := do(t, http.MethodGet, root+"/wsrf/schema/"+name, nil, "")
		if status != http.StatusOK {
			t.Errorf("%s: status %d", name, status)
		}
		if strings.HasSuffix(name, "_service.wsdl") && !strings.Contains(text,
			`location="`+root+`/`) {
			t.Errorf("%s does not lead to %s", name, root)
		}
		if strings.Contains(text, "localhost:8080") {
			t.Errorf("%s leads to the example's address", name)
		}
	}
}
