package contract

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/wsdl"
)

// A caller asks the services of one face and has every reply judged by the
// published schemas of it.
type caller struct {
	t      *testing.T
	face   wsdl.Face
	root   string
	driver string          // a schema that imports all others
	asked  map[string]bool // operations by name
}

// newCaller lays out the schemas of a face.
func newCaller(t *testing.T, face wsdl.Face, root string) *caller {
	t.Helper()
	dir, files := t.TempDir(), schema.FaceOne()
	if face == wsdl.Two {
		files = schema.FaceTwo()
	}
	all := `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">` +
		`<xs:import namespace="http://schemas.xmlsoap.org/soap/envelope/"` +
		` schemaLocation="envelope.xsd"/>`
	envelope, err := os.ReadFile(filepath.Join("testdata", "envelope.xsd"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "envelope.xsd"), envelope)
	for _, name := range files {
		text, _ := schema.File(name)
		write(t, filepath.Join(dir, name), text)
		all += `<xs:import namespace="` + schema.Space(name) + `" schemaLocation="` + name + `"/>`
	}
	driver := filepath.Join(dir, "all.xsd")
	write(t, driver, []byte(all+`</xs:schema>`))
	return &caller{t, face, root, driver, make(map[string]bool)}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A request is for an operation of a service, with the content of its element
// and a header block that holds the resource's key.
type request struct{ service, operation, content, key string }

// names are the prefixes that the requests use.
const names = ` xmlns:p="urn:philoxenia:2026:workspace"` +
	` xmlns:wsa="http://www.w3.org/2005/08/addressing"` +
	` xmlns:w="http://www.globus.org/2008/06/workspace"` +
	` xmlns:core="http://www.globus.org/namespaces/2004/06/core"` +
	` xmlns:t="http://www.globus.org/2008/06/workspace/types"` +
	` xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"` +
	` xmlns:wsrf-rp="http://docs.oasis-open.org/wsrf/rp-2"` +
	` xmlns:wsrf-rl="http://docs.oasis-open.org/wsrf/rl-2"`

// ask sends a request and returns the reply, which must be valid and hold the
// answer of the operation; faulty ones must hold one of its faults.
func (c *caller) ask(r request) string {
	c.t.Helper()
	return c.send(r, func(op wsdl.Operation, reply string) bool {
		return strings.Contains(reply, op.Out.Local) && !strings.Contains(reply, "faultcode")
	})
}

// refuse is ask for a request that must get a fault of the operation.
func (c *caller) refuse(r request) string {
	c.t.Helper()
	return c.send(r, func(op wsdl.Operation, reply string) bool {
		for _, f := range op.Faults {
			if strings.Contains(reply, ":"+f.Local+">") || strings.Contains(reply, "<"+f.Local) {
				return strings.Contains(reply, "faultcode")
			}
		}
		return false
	})
}

func (c *caller) send(r request, good func(wsdl.Operation, string) bool) string {
	c.t.Helper()
	for _, op := range wsdl.Operations() {
		if op.Face != c.face || op.Service != r.service || op.Name != r.operation {
			continue
		}
		c.asked[op.Name] = true
		h := http.Header{"Content-Type": {"text/xml"}, "SOAPAction": {`"` + op.Action + `"`}}
		_, reply := do(c.t, http.MethodPost, c.root+op.Face.Path()+r.service, h,
			`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"`+names+`><s:Header>`+
				`<wsa:Action>`+op.Action+`</wsa:Action>`+r.key+`</s:Header><s:Body><`+op.In.Local+
				` xmlns="`+op.In.Space+`">`+r.content+`</`+op.In.Local+`></s:Body></s:Envelope>`)
		if !good(op, reply) {
			c.t.Errorf("%s of %s: unexpected reply\n%s", r.operation, r.service, reply)
		}
		c.judge(r, reply)
		return reply
	}
	c.t.Fatalf("there is no %s of %s", r.operation, r.service)
	return ""
}

// judge has xmllint hold a reply against the schemas.
func (c *caller) judge(r request, reply string) {
	c.t.Helper()
	lint := exec.CommandContext(c.t.Context(), "xmllint", "--nonet", "--noout",
		"--schema", c.driver, "-")
	lint.Stdin = strings.NewReader(reply)
	if said, err := lint.CombinedOutput(); err != nil {
		c.t.Errorf("%s of %s: %v\n%s\n%s", r.operation, r.service, err, said, reply)
	}
}

// inside returns the text of the first element of a name.
func inside(t *testing.T, text, name string) string {
	t.Helper()
	m := regexp.MustCompile(`<(?:[\w-]+:)?` + name + `(?:\s[^>]*)?>([^<]*)<`).
		FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("there is no %s in\n%s", name, text)
	}
	return m[1]
}

// example returns an example document without its declaration and comments.
func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?s)<\?.*?\?>|<!--.*?-->`).ReplaceAllString(string(text), "")
}

// payload returns what the element in the body of a reply holds.
func payload(t *testing.T, reply string) string {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(reply); err != nil {
		t.Fatal(err)
	}
	e := doc.FindElement("/Envelope/Body/*/*")
	for at := e.Parent(); at != nil; at = at.Parent() {
		for _, a := range at.Attr {
			if a.Space == "xmlns" && e.SelectAttr("xmlns:"+a.Key) == nil {
				e.CreateAttr("xmlns:"+a.Key, a.Value)
			}
		}
	}
	text, err := etree.NewDocumentWithRoot(e.Copy()).WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestRepliesAreValid goes once through all services of face two.
func TestRepliesAreValid(t *testing.T) {
	c := newCaller(t, wsdl.Two, start(t))
	created := c.ask(request{"WorkspaceFactory", "Create",
		example(t, "metadata.xml") + example(t, "request.xml"), ""})
	key := `<w:WorkspaceKey>` + inside(t, created, "Key") + `</w:WorkspaceKey>`
	c.refuse(request{"WorkspaceFactory", "Create", strings.Replace(
		example(t, "metadata.xml"), "eth0", "", 1) + example(t, "request.xml"), ""})
	c.groups(key)
	subscription, point := c.subscribe(key)
	c.untilRunning(key)
	c.ask(request{"Workspace", "OpenConsole", `<Console>serial</Console>`, key})
	c.refuse(request{"Workspace", "OpenConsole", `<Console>smoke</Console>`, key})
	c.refuse(request{"Workspace", "OpenConsole", `<Console>port</Console><Port>23</Port>`, key})
	c.ask(request{"Workspace", "ReadConsole", `<Offset>-10</Offset>`, key})
	c.ask(request{"Workspace", "Shutdown", `<Type>Pause</Type>`, key})
	c.pull(subscription, point)
	c.ask(request{"Workspace", "Start", ``, key})
	c.moves(key)
	c.refuse(request{"Workspace", "Start", ``, `<w:WorkspaceKey>4711</w:WorkspaceKey>`})
	c.ask(request{"Status", "QueryUsage", ``, ""})
	c.ask(request{"WorkspaceFactory", "QuerySchedule", ``, ""})
	c.addresses()
	c.ask(request{"WorkspaceFactory", "Plan",
		example(t, "metadata.xml") + example(t, "request.xml"), ""})
	c.properties(key)
	c.fleet()
	c.ask(request{"Workspace", "Destroy", ``, key})
	c.refuse(request{"Workspace", "GetResourcePropertyDocument", ``, key})
	for _, op := range wsdl.Operations() {
		if op.Service == "Images" { // TestLibraryRepliesAreValid asks for all of those
			continue
		}
		if op.Face == wsdl.Two && !op.OneWay && !c.asked[op.Name] {
			t.Errorf("nobody asked for %s", op.Name)
		}
	}
}

// TestSeenThroughTheOtherFace leases a workspace on face two, reads and ends it
// on face one, and is told on face two that it is gone.
func TestSeenThroughTheOtherFace(t *testing.T) {
	root := start(t)
	one, two := newCaller(t, wsdl.One, root), newCaller(t, wsdl.Two, root)
	id := inside(t, two.ask(request{"WorkspaceFactory", "Create",
		example(t, "metadata.xml") + example(t, "request.xml"), ""}), "Key")
	key := `<w:WorkspaceKey>` + id + `</w:WorkspaceKey>`
	const everything = `<QueryExpression Dialect=` +
		`"http://www.w3.org/TR/1999/REC-xpath-19991116">/</QueryExpression>`
	for service, root := range map[string]string{
		"WorkspaceFactoryService": "FactoryRPSet", "WorkspaceService": "ServiceRPSet",
		"WorkspaceStatusService": "StatusRPSet",
	} {
		said := one.ask(request{service, "QueryResourceProperties", everything, key})
		if !strings.Contains(said, root) {
			t.Errorf("%s has no %s:\n%s", service, root, said)
		}
	}
	list := one.ask(request{"WorkspaceStatusService", "queryCurrentWorkspaces", "", ""})
	if inside(t, list, "WorkspaceKey") != id {
		t.Errorf("workspace %s is not in the list:\n%s", id, list)
	}
	one.ask(request{"WorkspaceService", "Destroy", "", key})
	gone := request{"Workspace", "GetResourceProperty", "t:currentState", key}
	if said := two.refuse(gone); !strings.Contains(said, "ResourceUnknownFault") {
		t.Errorf("after the end face two says %s", said)
	}
}

// addresses asks for everything about networks.
func (c *caller) addresses() {
	c.ask(request{"WorkspaceFactory", "HoldAddresses", `<Hold><First>10.9.1.40</First>` +
		`<Last>10.9.1.41</Last><Comment>contract</Comment></Hold>`, ""})
	c.ask(request{"WorkspaceFactory", "QueryNetworks", ``, ""})
	c.ask(request{"WorkspaceFactory", "ReleaseAddress", `<Address>10.9.1.40</Address>`, ""})
}

// fleet adds a host, tests it, and lets it go again.
func (c *caller) fleet() {
	c.t.Helper()
	const spec = `<URI>sim:</URI><Capacity><CPUs>2</CPUs><MemoryMB>512</MemoryMB></Capacity>`
	c.ask(request{"Hosts", "ProbeHost", spec, ""})
	c.ask(request{"Hosts", "AddHost", `<Name>more</Name>` + spec, ""})
	c.refuse(request{"Hosts", "AddHost", `<Name>more</Name>` + spec, ""})
	host := `<p:HostKey>more</p:HostKey>`
	c.ask(request{"Host", "Probe", "", host})
	c.ask(request{"Host", "GetResourcePropertyDocument", "", host})
	c.refuse(request{"Host", "Forget", "", host})
	c.refuse(request{"Host", "Evacuate", "", host})
	c.ask(request{"Host", "Destroy", "", host})
	c.refuse(request{"Host", "Probe", "", host})
}

// untilRunning waits for the workspace to run: only then can it be paused.
func (c *caller) untilRunning(key string) {
	c.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if strings.Contains(c.ask(request{"Workspace", "GetResourceProperty", "t:currentState",
			key}), ">Running<") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.t.Fatal("the workspace does not run after a minute")
}

// groups reads the property documents of all groups, members and entries.
func (c *caller) groups(key string) {
	c.t.Helper()
	hosts := c.ask(request{"Hosts", "GetResourcePropertyDocument", "", ""})
	host := `<p:HostKey>` + inside(c.t, hosts, "HostKey") + `</p:HostKey>`
	for _, r := range []request{
		{"WorkspaceFactory", "", "", ""}, {"Workspace", "", "", key}, {"Status", "", "", ""},
		{"Workspaces", "", "", ""}, {"WorkspaceEntry", "", "", key}, {"Host", "", "", host},
		{"HostEntry", "", "", host},
	} {
		r.operation = "GetResourcePropertyDocument"
		c.ask(r)
	}
}

// subscribe makes a pull point and a subscription to it, and minds both.
func (c *caller) subscribe(key string) (subscription, point string) {
	c.t.Helper()
	made := c.ask(request{"PullPoints", "CreatePullPoint", "", ""})
	id := inside(c.t, made, "PullPointKey")
	point = `<p:PullPointKey>` + id + `</p:PullPointKey>`
	subscribed := c.ask(request{"Workspace", "Subscribe", `<ConsumerReference><wsa:Address>` +
		inside(c.t, made, "Address") + `</wsa:Address><wsa:ReferenceParameters>` + point +
		`</wsa:ReferenceParameters></ConsumerReference><Filter><wsnt:TopicExpression Dialect=` +
		`"http://docs.oasis-open.org/wsn/t-1/TopicExpression/Simple">t:currentState` +
		`</wsnt:TopicExpression></Filter><InitialTerminationTime>PT10M</InitialTerminationTime>`,
		key})
	subscription = `<core:SubscriptionKey>` + inside(c.t, subscribed, "SubscriptionKey") +
		`</core:SubscriptionKey>`
	c.refuse(request{"Workspace", "Subscribe", `<ConsumerReference><wsa:Address>` +
		`http://127.0.0.1:1/</wsa:Address></ConsumerReference><Filter><wsnt:TopicExpression ` +
		`Dialect="urn:x">t:currentState</wsnt:TopicExpression></Filter>`, key})
	c.ask(request{"SubscriptionManager", "GetResourcePropertyDocument", "", subscription})
	c.ask(request{"SubscriptionManager", "PauseSubscription", "", subscription})
	c.ask(request{"SubscriptionManager", "GetResourcePropertyDocument", "", subscription})
	c.ask(request{"SubscriptionManager", "ResumeSubscription", "", subscription})
	c.ask(request{"SubscriptionManager", "Renew", `<TerminationTime>PT20M</TerminationTime>`,
		subscription})
	c.refuse(request{"SubscriptionManager", "Renew",
		`<TerminationTime>2001-01-01T00:00:00Z</TerminationTime>`, subscription})
	return subscription, point
}

// pull fetches messages from pull points of both kinds.
func (c *caller) pull(subscription, point string) {
	c.t.Helper()
	c.ask(request{"PullPoint", "GetResourcePropertyDocument", "", point})
	messages := c.ask(request{"PullPoint", "GetMessages",
		`<MaximumNumber>1</MaximumNumber><p:Wait>PT30S</p:Wait>`, point})
	if inside(c.t, messages, "SequenceNumber") != "1" {
		c.t.Errorf("the first message is not number 1:\n%s", messages)
	}
	made := c.ask(request{"PullPoints", "CreatePullPointSubscription", "", ""})
	other := `<p:PullPointKey>` + inside(c.t, made, "PullPointKey") + `</p:PullPointKey>`
	c.ask(request{"PullPoint", "PullMessages",
		`<Timeout>PT0S</Timeout><MessageLimit>5</MessageLimit>`, other})
	c.ask(request{"PullPoint", "Renew", `<TerminationTime>PT20M</TerminationTime>`, other})
	c.ask(request{"PullPoint", "Unsubscribe", "", other})
	c.ask(request{"SubscriptionManager", "Unsubscribe", "", subscription})
	c.refuse(request{"SubscriptionManager", "Unsubscribe", "", subscription})
	c.ask(request{"PullPoint", "DestroyPullPoint", "", point})
	c.refuse(request{"PullPoint", "GetMessages", "", point})
}

// puts gives a document back as it was read a while ago: what is measured is another
// one since.
func (c *caller) puts(key string) {
	c.t.Helper()
	c.untilRunning(key)
	read := c.ask(request{"Workspace", "GetResourcePropertyDocument", "", key})
	use := regexp.MustCompile(`(?s)<p:Use>.*</p:Use>`)
	old := payload(c.t, use.ReplaceAllString(read,
		`<p:Use><p:CPUTime>PT0S</p:CPUTime><p:Memory>1</p:Memory><p:Unused>2</p:Unused>`+
			`<p:Resident>3</p:Resident></p:Use>`))
	none := payload(c.t, use.ReplaceAllString(read, ""))
	if old == none {
		c.t.Errorf("nothing is measured: %s", read)
	}
	for _, document := range []string{old, none} {
		c.ask(request{"Workspace", "PutResourcePropertyDocument", document, key})
	}
}

// properties reads and writes properties in all ways.
func (c *caller) properties(key string) {
	c.t.Helper()
	ask := func(operation, content string) string {
		return c.ask(request{"Workspace", operation, content, key})
	}
	ask("GetResourceProperty", "t:currentState")
	ask("GetMultipleResourceProperties", `<ResourceProperty>t:schedule</ResourceProperty>`+
		`<ResourceProperty>wsrf-rl:TerminationTime</ResourceProperty>`)
	ask("QueryResourceProperties", `<QueryExpression Dialect=`+
		`"http://www.w3.org/TR/1999/REC-xpath-19991116">//*[local-name()='state']`+
		`</QueryExpression>`)
	ask("GetCurrentMessage", `<Topic Dialect="http://docs.oasis-open.org/wsn/t-1/`+
		`TopicExpression/Simple">t:currentState</Topic>`)
	ask("SetTerminationTime", `<RequestedLifetimeDuration>PT50M</RequestedLifetimeDuration>`)
	ask("SetResourceProperties", `<Update><t:schedule><t:Duration>PT20M</t:Duration></t:schedule>`+
		`</Update>`)
	ask("UpdateResourceProperties", `<Update><t:schedule><t:Duration>PT25M</t:Duration>`+
		`</t:schedule></Update>`)
	c.puts(key)
	for operation, content := range map[string]string{
		"GetResourceProperty":      "t:nothing",
		"DeleteResourceProperties": `<Delete ResourceProperty="t:currentState"/>`,
		"InsertResourceProperties": `<Insert><t:currentState><t:state>Running</t:state>` +
			`</t:currentState></Insert>`,
		"QueryResourceProperties": `<QueryExpression Dialect="urn:x">/</QueryExpression>`,
	} {
		c.refuse(request{"Workspace", operation, content, key})
	}
}
