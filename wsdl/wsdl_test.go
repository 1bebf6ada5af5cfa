package wsdl

import (
	"bytes"
	"encoding/xml"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema"
)

var update = flag.Bool("update", false, "write the published files anew")

// TestPublishedFiles holds the embedded files against what the table makes.
func TestPublishedFiles(t *testing.T) {
	made := make(map[string]bool)
	for i := range services {
		for name, want := range services[i].render() {
			made[name] = true
			if *update {
				if err := os.WriteFile(name, want, 0o600); err != nil {
					t.Fatal(err)
				}
				continue
			}
			got, _ := File(name)
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (go test -update makes it):\n%s", name, diff)
			}
		}
	}
	for _, name := range Names() {
		if !made[name] {
			t.Errorf("%s is published but belongs to no service", name)
		}
	}
}

// The parts of WSDL 1.1 that the tests read, on their own and not by the code
// that wrote them.
type definitions struct {
	Target   string       `xml:"targetNamespace,attr"`
	Attrs    []xml.Attr   `xml:",any,attr"`
	Imports  []importTag  `xml:"import"`
	Schemas  []schemaTag  `xml:"types>schema"`
	Messages []messageTag `xml:"message"`
	Ports    []portTag    `xml:"portType"`
	Bindings []bindingTag `xml:"binding"`
	Services []serviceTag `xml:"service"`
}

type importTag struct {
	Namespace string `xml:"namespace,attr"`
	Location  string `xml:"location,attr"`
	Schema    string `xml:"schemaLocation,attr"`
}

type schemaTag struct {
	Target  string      `xml:"targetNamespace,attr"`
	Imports []importTag `xml:"import"`
}

type messageTag struct {
	Name  string `xml:"name,attr"`
	Parts []struct {
		Name    string `xml:"name,attr"`
		Element string `xml:"element,attr"`
	} `xml:"part"`
}

type portTag struct {
	Name       string         `xml:"name,attr"`
	Operations []operationTag `xml:"operation"`
}

type operationTag struct {
	Name   string `xml:"name,attr"`
	Input  end    `xml:"input"`
	Output *end   `xml:"output"`
	Faults []end  `xml:"fault"`
	SOAP   struct {
		Action string `xml:"soapAction,attr"`
		Style  string `xml:"style,attr"`
	} `xml:"http://schemas.xmlsoap.org/wsdl/soap/ operation"`
}

type end struct {
	Name    string `xml:"name,attr"`
	Message string `xml:"message,attr"`
	Action  string `xml:"http://www.w3.org/2006/05/addressing/wsdl Action,attr"`
}

type bindingTag struct {
	Name       string         `xml:"name,attr"`
	Type       string         `xml:"type,attr"`
	Operations []operationTag `xml:"http://schemas.xmlsoap.org/wsdl/ operation"`
}

type serviceTag struct {
	Name string `xml:"name,attr"`
	Port struct {
		Name    string `xml:"name,attr"`
		Binding string `xml:"binding,attr"`
		Address struct {
			Location string `xml:"location,attr"`
		} `xml:"http://schemas.xmlsoap.org/wsdl/soap/ address"`
	} `xml:"port"`
}

// parse reads a WSDL document.
func parse(t *testing.T, data []byte) *definitions {
	t.Helper()
	d := new(definitions)
	if err := xml.Unmarshal(data, d); err != nil {
		t.Fatalf("cannot read the document: %v\n%s", err, data)
	}
	return d
}

// name resolves a prefixed name by the declarations of the root.
func (d *definitions) name(text string) QName {
	prefix, local, _ := strings.Cut(text, ":")
	for _, a := range d.Attrs {
		if a.Name.Space == "xmlns" && a.Name.Local == prefix {
			return QName{a.Value, local}
		}
	}
	return QName{"undeclared prefix " + prefix, local}
}

// element returns the element of a message's one part.
func (d *definitions) element(t *testing.T, name string) QName {
	t.Helper()
	q := d.name(name)
	for _, m := range d.Messages {
		if m.Name == q.Local && q.Space == d.Target {
			if len(m.Parts) != 1 {
				t.Fatalf("message %s has %d parts", name, len(m.Parts))
			}
			return d.name(m.Parts[0].Element)
		}
	}
	t.Fatalf("there is no message %s", name)
	return QName{}
}

// operations reads the operations of a document that has port type, binding
// and service, from the three places where they are told.
func (d *definitions) operations(t *testing.T, service string) []Operation {
	t.Helper()
	var ops []Operation
	for i, o := range d.Ports[0].Operations {
		bound := d.Bindings[0].Operations[i]
		if bound.Name != o.Name || bound.SOAP.Action != o.Input.Action {
			t.Errorf("operation %d is %s (%s) in the port type, %s (%s) in the binding", i,
				o.Name, o.Input.Action, bound.Name, bound.SOAP.Action)
		}
		op := Operation{
			Face: faceOf(service), Service: service, Port: d.Ports[0].Name, Name: o.Name,
			Action: bound.SOAP.Action, In: d.element(t, o.Input.Message), OneWay: o.Output == nil,
		}
		if o.Output != nil {
			op.Out, op.ReplyAction = d.element(t, o.Output.Message), o.Output.Action
		}
		for j, f := range o.Faults {
			q := d.element(t, f.Message)
			if f.Name != q.Local || bound.Faults[j].Name != q.Local {
				t.Errorf("%s: fault %s is named %s and %s", o.Name, q.Local, f.Name,
					bound.Faults[j].Name)
			}
			op.Faults = append(op.Faults, q)
		}
		ops = append(ops, op)
	}
	return ops
}

// faceOf returns the face of a service, zero for none.
func faceOf(name string) Face {
	for i := range services {
		if services[i].name == name {
			return services[i].face
		}
	}
	return 0
}

// trio reads the three files of a service as one document.
func trio(t *testing.T, stem string) *definitions {
	t.Helper()
	var d *definitions
	for _, part := range []string{"port_type", "bindings", "service"} {
		data, ok := File(stem + "_" + part + ".wsdl")
		if !ok {
			t.Fatalf("%s_%s.wsdl is not published", stem, part)
		}
		p := parse(t, data)
		if d == nil {
			d = p
			continue
		}
		d.Imports = append(d.Imports, p.Imports...)
		d.Bindings = append(d.Bindings, p.Bindings...)
		d.Services = append(d.Services, p.Services...)
	}
	return d
}

// TestTableAgainstFiles reads the files anew and expects the table, no more
// and no less.
func TestTableAgainstFiles(t *testing.T) {
	var fromFiles, fromFlat []Operation
	for i := range services {
		s := &services[i]
		fromFiles = append(fromFiles, trio(t, s.file).operations(t, s.name)...)
		flat, err := Flat(s.name, "http://host.example:8080/wsrf/services/")
		if err != nil {
			t.Fatal(err)
		}
		fromFlat = append(fromFlat, parse(t, flat).operations(t, s.name)...)
	}
	if diff := cmp.Diff(Operations(), fromFiles); diff != "" {
		t.Errorf("files (-table +files):\n%s", diff)
	}
	if diff := cmp.Diff(Operations(), fromFlat); diff != "" {
		t.Errorf("flat documents (-table +flat):\n%s", diff)
	}
}

// TestPublishedActions holds the table against the actions that the standards'
// own WSDL gives by default (WS-Addressing 1.0 metadata, 4.4.4).
func TestPublishedActions(t *testing.T) {
	const rp, rl, wsn = "http://docs.oasis-open.org/wsrf/rpw-2/",
		"http://docs.oasis-open.org/wsrf/rlw-2/", "http://docs.oasis-open.org/wsn/bw-2/"
	published := map[string]string{
		"GetResourceProperty":   rp + "GetResourceProperty/GetResourceProperty",
		"SetResourceProperties": rp + "SetResourceProperties/SetResourceProperties",
		"Destroy":               rl + "ImmediateResourceTermination/Destroy",
		"SetTerminationTime":    rl + "ScheduledResourceTermination/SetTerminationTime",
		"Subscribe":             wsn + "NotificationProducer/Subscribe",
		"GetCurrentMessage":     wsn + "NotificationProducer/GetCurrentMessage",
		"Renew":                 wsn + "SubscriptionManager/Renew",
		"Unsubscribe":           wsn + "SubscriptionManager/Unsubscribe",
		"PauseSubscription":     wsn + "PausableSubscriptionManager/PauseSubscription",
		"CreatePullPoint":       wsn + "CreatePullPoint/CreatePullPoint",
		"GetMessages":           wsn + "PullPoint/GetMessages",
		"DestroyPullPoint":      wsn + "PullPoint/DestroyPullPoint",
		"Notify":                wsn + "NotificationConsumer/Notify",
	}
	seen := map[string]bool{}
	for _, op := range Operations() {
		stem, ok := published[op.Name]
		if op.Face != Two || !ok {
			continue
		}
		seen[op.Name] = true
		request, reply := stem+"Request", stem+"Response"
		if op.OneWay {
			request, reply = stem, ""
		}
		if op.Action != request || op.ReplyAction != reply {
			t.Errorf("%s %s: actions %s, %s", op.Service, op.Name, op.Action, op.ReplyAction)
		}
	}
	if len(seen) != len(published) {
		t.Errorf("only %v are in the table", seen)
	}
}

// TestRecordedOperations holds the table against what was recorded from the
// original service.
func TestRecordedOperations(t *testing.T) {
	tests := []struct{ service, name, action, reply, in, out string }{
		{"WorkspaceFactoryService", "create",
			"http://www.globus.org/2008/06/workspace/WorkspaceFactoryPortType/createRequest",
			"http://www.globus.org/2008/06/workspace/WorkspaceFactoryPortType/createResponse",
			"create", "createResponse"},
		{"WorkspaceService", "shutdown",
			"http://www.globus.org/2008/06/workspace/WorkspacePortType/shutdownRequest",
			"http://www.globus.org/2008/06/workspace/WorkspacePortType/shutdownResponse",
			"shutdownWorkspace", "shutdownWorkspaceResponse"},
		{"WorkspaceGroupService", "start",
			"http://www.globus.org/2008/06/workspace/group/WorkspaceGroupPortType/startRequest",
			"http://www.globus.org/2008/06/workspace/group/WorkspaceGroupPortType/startResponse",
			"startWorkspaces", "startWorkspacesResponse"},
		{"WorkspaceStatusService", "queryUsedAndReservedTime",
			"http://www.globus.org/2008/06/workspace/status/WorkspaceStatusPortType/" +
				"queryUsedAndReservedTimeRequest",
			"http://www.globus.org/2008/06/workspace/status/WorkspaceStatusPortType/" +
				"queryUsedAndReservedTimeResponse",
			"queryUsedAndReserved", "usedAndReservedTime"},
		{"WorkspaceService", "Destroy",
			"http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceLifetime/Destroy",
			"http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceLifetime/DestroyResponse",
			"Destroy", "DestroyResponse"},
		{"WorkspaceService", "Subscribe",
			"http://docs.oasis-open.org/wsn/2004/06/wsn-WS-BaseNotification/Subscribe",
			"http://docs.oasis-open.org/wsn/2004/06/wsn-WS-BaseNotification/SubscribeResponse",
			"Subscribe", "SubscribeResponse"},
		{"NotificationConsumerService", "Notify",
			"http://docs.oasis-open.org/wsn/2004/06/wsn-WS-BaseNotification/Notify", "",
			"Notify", ""},
	}
	for _, tt := range tests {
		t.Run(tt.service+"/"+tt.name, func(t *testing.T) {
			for _, op := range Operations() {
				if op.Service != tt.service || op.Name != tt.name {
					continue
				}
				got := []string{op.Action, op.ReplyAction, op.In.Local, op.Out.Local}
				want := []string{tt.action, tt.reply, tt.in, tt.out}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-recorded +table):\n%s", diff)
				}
				return
			}
			t.Error("the table has no such operation")
		})
	}
}

// TestFlat checks what independent SOAP stacks need of a document.
func TestFlat(t *testing.T) {
	for i := range services {
		service := services[i].name
		t.Run(service, func(t *testing.T) {
			const base = "https://host.example:8443/wsrf/services"
			data, err := Flat(service, base)
			if err != nil {
				t.Fatal(err)
			}
			d := parse(t, data)
			if got, want := d.Services[0].Port.Address.Location, base+"/"+service; got != want {
				t.Errorf("address %s, want %s", got, want)
			}
			if len(d.Imports) != 0 || bytes.Contains(data, []byte("ocation=\"http://docs")) ||
				bytes.Contains(data, []byte("schemaLocation")) {
				t.Error("the document imports something")
			}
			d.checkSchemas(t)
			d.checkNames(t)
		})
	}
}

// checkSchemas expects each namespace once, and every import answered.
func (d *definitions) checkSchemas(t *testing.T) {
	t.Helper()
	spaces := make(map[string]bool)
	for _, s := range d.Schemas {
		if spaces[s.Target] {
			t.Errorf("two schemas of %s", s.Target)
		}
		spaces[s.Target] = true
	}
	for _, s := range d.Schemas {
		for _, i := range s.Imports {
			if !spaces[i.Namespace] {
				t.Errorf("%s imports %s, which is not there", s.Target, i.Namespace)
			}
		}
	}
	for _, op := range d.operations(t, "") {
		for _, q := range append([]QName{op.In}, op.Faults...) {
			if !spaces[q.Space] {
				t.Errorf("%s is of a namespace that has no schema", q)
			}
		}
	}
}

// checkNames expects unique messages, actions and elements.
func (d *definitions) checkNames(t *testing.T) {
	t.Helper()
	seen := make(map[string]bool)
	once := func(what, name string) {
		if name == "" || seen[what+name] {
			t.Errorf("%s %q is empty or there twice", what, name)
		}
		seen[what+name] = true
	}
	for _, m := range d.Messages {
		once("message", m.Name)
	}
	for _, op := range d.operations(t, "") {
		once("action", op.Action)
		once("element", op.In.Space+op.In.Local)
		if !op.OneWay {
			once("action", op.ReplyAction)
			once("element", op.Out.Space+op.Out.Local)
		}
	}
}

// TestImports expects the files to import nothing but published files, of the
// namespaces that those define.
func TestImports(t *testing.T) {
	targets := make(map[string]string)
	for _, name := range schema.Names() {
		targets[name] = schema.Space(name)
	}
	for _, name := range Names() {
		data, _ := File(name)
		targets[name] = parse(t, data).Target
	}
	for _, name := range Names() {
		data, _ := File(name)
		d := parse(t, data)
		all := d.Imports
		for _, s := range d.Schemas {
			all = append(all, s.Imports...)
		}
		if len(all) == 0 {
			t.Errorf("%s imports nothing", name)
		}
		for _, i := range all {
			if target, ok := targets[i.Location+i.Schema]; !ok || target != i.Namespace {
				t.Errorf("%s imports %s from %q", name, i.Namespace, i.Location+i.Schema)
			}
		}
	}
}

// TestMessageNamesAreUnique covers all services, because some stacks confuse
// equal names.
func TestMessageNamesAreUnique(t *testing.T) {
	seen := make(map[string]string)
	for i := range services {
		for _, m := range services[i].messages() {
			if other := seen[m.name]; other != "" {
				t.Errorf("message %s is in %s and %s", m.name, other, services[i].name)
			}
			seen[m.name] = services[i].name
		}
	}
}

func TestFlatErrors(t *testing.T) {
	tests := []struct{ name, service, base, want string }{
		{"unknown service", "NoService", "http://h/",
			`cannot describe the service "NoService": there is no such service`},
		{"not http", "WorkspaceService", "ftp://h/",
			`cannot describe the service "WorkspaceService": "ftp://h/" is not an http URL`},
		{"relative", "WorkspaceService", "wsrf/services",
			`cannot describe the service "WorkspaceService": "wsrf/services" is not an http URL`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Flat(tt.service, tt.base)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestFlatEscapesTheAddress(t *testing.T) {
	const base = `http://host.example/a&b"c`
	data, err := Flat("WorkspaceService", base)
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, data).Services[0].Port.Address.Location
	if want := base + "/WorkspaceService"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestOperationsAreCopies makes sure that nobody changes the table by accident.
func TestOperationsAreCopies(t *testing.T) {
	Operations()[0].Faults[0] = QName{"x", "y"}
	if Operations()[0].Faults[0].Local == "y" {
		t.Error("a caller changed the table")
	}
	named := func(s service) bool { return s.name == "WorkspaceService" }
	if !slices.ContainsFunc(services, named) {
		t.Error("there is no WorkspaceService")
	}
	if _, ok := schema.File("workspace.xsd"); !ok {
		t.Error("the schemas that the files import are not published")
	}
}

func BenchmarkFlat(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Flat("WorkspaceService", "http://localhost:8080/wsrf/services"); err != nil {
			b.Fatal(err)
		}
	}
}
