package interop

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/philoxenia/philoxenia/tests/daemon"
)

// A reading is how the judge reads property documents on a face.
type reading struct {
	path   string // of a service
	space  string // of WS-ResourceProperties
	names  map[string]string
	denied string // type of the fault for a lease that is too long
	gone   string // type of the fault for a resource that is no more
}

var readings = map[string]reading{
	"one": {
		"/wsrf/services/", propertyNS, map[string]string{
			"factory": "WorkspaceFactoryService", "workspace": "WorkspaceService",
			"subscription": "SubscriptionManagerService",
		},
		"{" + typesNS + "}WorkspaceResourceRequestDeniedFault",
		"{" + propertyNS + "}ResourceUnknownFault",
	},
	"two": {
		"/ws/", "http://docs.oasis-open.org/wsrf/rp-2", map[string]string{
			"factory": "WorkspaceFactory", "workspace": "Workspace",
			"subscription": "SubscriptionManager", "pull point": "PullPoint",
		},
		"{urn:philoxenia:2026:workspace}RequestDeniedFault",
		"{http://docs.oasis-open.org/wsrf/r-2}ResourceUnknownFault",
	},
}

const (
	workspaceNS = "http://www.globus.org/2008/06/workspace"
	typesNS     = workspaceNS + "/types"
	propertyNS  = "http://docs.oasis-open.org/wsrf/2004/06/" +
		"wsrf-WS-ResourceProperties-1.2-draft-01.xsd"
	coreNS = "http://www.globus.org/namespaces/2004/06/core"
	xpath1 = "http://www.w3.org/TR/1999/REC-xpath-19991116"
)

// A judge watches one run of the common script. What a client tells of a step
// is held against what the judge itself reads of the service, and it reads on
// the face that the client does not use: what is made through one face is seen
// through the other.
type judge struct {
	caller *daemon.Caller
	client reading
	own    reading
	key    string // of the workspace, once it is created
	ip     string // of its first interface
	point  string // key of the pull point, where there is one
	word   string // what the client has to know of the last step
}

func newJudge(addr string, f face) *judge {
	other := map[string]string{"one": "two", "two": "one"}[f.name]
	return &judge{
		caller: daemon.NewCaller(addr), client: readings[f.name], own: readings[other],
	}
}

// A step is what a client tells of one.
type step struct {
	name   string
	values map[string]string
}

// parseStep reads "step", a name and key=value, with tabs between.
func parseStep(line string) (step, error) {
	fields := strings.Split(line, "\t")
	if len(fields) < 2 || fields[0] != "step" {
		return step{}, fmt.Errorf("not a step: %q", line)
	}
	s := step{name: fields[1], values: map[string]string{}}
	for _, field := range fields[2:] {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			return step{}, fmt.Errorf("not key=value: %q", field)
		}
		s.values[key] = value
	}
	return s, nil
}

// check returns what a step gave, as the table shows it, or why it is not true.
func (j *judge) check(s step) (string, error) {
	switch s.name {
	case "factory":
		return "read", j.factory(s.values)
	case "create":
		return "made", j.create(s.values)
	case "document":
		return "read", j.document(s.values)
	case "subscribe":
		return "made", j.subscribed(s.values)
	case "state", "start":
		return "Running", j.inState(s.values, "Running")
	case "pause":
		return "Paused", j.inState(s.values, "Paused")
	case "notification":
		return "Paused", same(s.values, map[string]string{"state": "Paused", "key": j.key})
	case "denied":
		return fault(j.client.denied), told(s.values, j.client.denied, "exceeds the maximum")
	case "destroy":
		return "done", j.ended()
	case "gone":
		return fault(j.client.gone), told(s.values, j.client.gone, `"`+j.key+`"`)
	}
	return j.checkEvents(s)
}

// fault returns how the table shows a fault: its local name.
func fault(name string) string { return "`" + name[strings.Index(name, "}")+1:] + "`" }

// same holds what a client told against what is true.
func same(got, want map[string]string) error {
	for key, value := range want {
		if got[key] != value {
			return fmt.Errorf("%s is %q to the client, and is %q", key, got[key], value)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("the client tells %v, want %v", got, want)
	}
	return nil
}

// typeSuffix is what schema and code generators put behind the name of a type,
// where a stack knows a fault by its type and not by its element.
var typeSuffix = regexp.MustCompile(`_?Type$`)

// told holds a fault that a client caught against the one it had to be.
func told(got map[string]string, name, words string) error {
	if typeSuffix.ReplaceAllString(got["type"], "") != name {
		return fmt.Errorf("the fault has the type %q, want %q", got["type"], name)
	}
	if !strings.Contains(got["description"], words) {
		return fmt.Errorf("the fault says %q, want %q in it", got["description"], words)
	}
	return nil
}

func (j *judge) factory(got map[string]string) error {
	reply, err := j.query("factory", "")
	if err != nil {
		return err
	}
	var networks []string
	for _, e := range reply.FindElements(".//association") {
		networks = append(networks, e.Text())
	}
	slices.Sort(networks)
	return same(got, map[string]string{
		"default":  seconds(text(reply, "DefaultRunningTime")),
		"maximum":  seconds(text(reply, "MaximumRunningTime")),
		"networks": strings.Join(networks, ","),
	})
}

func (j *judge) create(got map[string]string) error {
	j.key = got["key"]
	if _, err := strconv.Atoi(j.key); err != nil {
		return fmt.Errorf("%q is not the key of a workspace", j.key)
	}
	reply, err := j.workspace()
	if err != nil {
		return err
	}
	j.ip = text(reply, "ipAddress")
	if j.ip == "" {
		return fmt.Errorf("the workspace %s has no address", j.key)
	}
	return same(got, map[string]string{"key": j.key, "ip": j.ip})
}

func (j *judge) document(got map[string]string) error {
	reply, err := j.workspace()
	if err != nil {
		return err
	}
	memory, err := strconv.ParseFloat(text(reply, "IndividualPhysicalMemory/Exact"), 64)
	if err != nil {
		return err
	}
	return same(got, map[string]string{
		"state": text(reply, "state"), "ip": j.ip,
		"memory":   strconv.Itoa(int(memory)),
		"duration": seconds(text(reply, "schedule/Duration")),
	})
}

func (j *judge) inState(got map[string]string, state string) error {
	reply, err := j.workspace()
	if err != nil {
		return err
	}
	if now := text(reply, "state"); now != state {
		return fmt.Errorf("the workspace is %s, want %s", now, state)
	}
	return same(got, map[string]string{"state": state})
}

func (j *judge) subscribed(got map[string]string) error {
	header := fmt.Sprintf(`<c:SubscriptionKey xmlns:c="%s">%s</c:SubscriptionKey>`,
		coreNS, got["key"])
	reply, err := j.query("subscription", header)
	if err != nil {
		return err
	}
	consumer := text(reply, "ConsumerReference/Address")
	if !strings.HasPrefix(consumer, "http://127.0.0.1:") {
		return fmt.Errorf("the subscription's consumer is %q, which is not the client", consumer)
	}
	return nil
}

func (j *judge) ended() error {
	_, err := j.workspace()
	if err == nil || !strings.Contains(err.Error(), "ResourceUnknownFault") {
		return fmt.Errorf("the workspace is not gone: %v", err)
	}
	return nil
}

// workspace reads the workspace's property document.
func (j *judge) workspace() (*etree.Element, error) {
	return j.query("workspace",
		fmt.Sprintf(`<w:WorkspaceKey xmlns:w="%s">%s</w:WorkspaceKey>`, workspaceNS, j.key))
}

// query reads a property document.
func (j *judge) query(what, header string) (*etree.Element, error) {
	body := fmt.Sprintf(`<p:QueryResourceProperties xmlns:p="%s"><p:QueryExpression Dialect="%s">/`+
		`</p:QueryExpression></p:QueryResourceProperties>`, j.own.space, xpath1)
	envelope := `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>` +
		header + `</s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
	status, reply, err := j.caller.Call(j.own.path+j.own.names[what], "", []byte(envelope))
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("the judge cannot read the %s: status %d, %s", what, status, reply)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(reply); err != nil {
		return nil, err
	}
	found := doc.FindElement("//Body/QueryResourcePropertiesResponse/*")
	if found == nil {
		return nil, fmt.Errorf("the judge cannot read the %s: %s", what, reply)
	}
	return found, nil
}

// text returns the text of the first element at a path below another, with
// names of any namespace.
func text(e *etree.Element, path string) string {
	if found := e.FindElement(".//" + path); found != nil {
		return strings.TrimSpace(found.Text())
	}
	return ""
}

// seconds returns the length of a duration of hours, minutes and seconds.
func seconds(duration string) string {
	d, err := time.ParseDuration(strings.ToLower(strings.TrimPrefix(duration, "PT")))
	if err != nil {
		return "not a duration: " + duration
	}
	return strconv.Itoa(int(d / time.Second))
}
