package dispatch_test

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

const (
	factoryPath      = "/wsrf/services/WorkspaceFactoryService"
	workspacePath    = "/wsrf/services/WorkspaceService"
	groupPath        = "/wsrf/services/WorkspaceGroupService"
	statusPath       = "/wsrf/services/WorkspaceStatusService"
	subscriptionPath = "/wsrf/services/SubscriptionManagerService"
)

const spaceW = "http://www.globus.org/2008/06/workspace"

// An ask is a request for one operation, as small as it can be.
type ask struct{ path, body string }

// asks has one request for each operation that changes something.
func asks(t *testing.T) map[string]ask {
	return map[string]ask{
		"create": {factoryPath, readMessage(t, "testdata/traces/02-deploy-nosub-request.txt").body},
		"start":  {workspacePath, payload(`<startWorkspace xmlns="` + spaceW + `"/>`)},
		"shutdown": {workspacePath, payload(`<shutdownWorkspace xmlns="` + spaceW +
			`"><t:shutdownType xmlns:t="` + spaceT + `">Pause</t:shutdownType>` +
			`</shutdownWorkspace>`)},
		"Destroy": {workspacePath, payload(destroy)},
		"SetTerminationTime": {workspacePath, payload(`<l:SetTerminationTime xmlns:l="` + spaceRL +
			`"><l:RequestedTerminationTime>2036-01-01T00:00:00Z</l:RequestedTerminationTime>` +
			`</l:SetTerminationTime>`)},
		"Subscribe": {workspacePath, payload(subscribe("http://127.0.0.1:1/"))},
		"start of a group": {groupPath, grouped(
			`<startWorkspaces xmlns="` + spaceW + `/group"/>`)},
		"shutdown of a group": {groupPath, grouped(`<shutdownWorkspaces xmlns="` + spaceW +
			`/group"><t:shutdownType xmlns:t="` + spaceT +
			`">Normal</t:shutdownType></shutdownWorkspaces>`)},
		"Destroy of a group": {groupPath, grouped(destroy)},
		"PauseSubscription": {subscriptionPath, subscribed(
			`<n:PauseSubscription xmlns:n="` + spaceNT + `"/>`)},
		"ResumeSubscription": {subscriptionPath, subscribed(
			`<n:ResumeSubscription xmlns:n="` + spaceNT + `"/>`)},
		"Destroy of a subscription": {subscriptionPath, subscribed(destroy)},
	}
}

func grouped(element string) string {
	return strings.Replace(payload(element), key, `<g:WorkspaceGroupKey xmlns:g="`+spaceW+
		`/group">a-group</g:WorkspaceGroupKey>`, 1)
}

func subscribed(element string) string {
	return strings.Replace(payload(element), key, `<c:SubscriptionKey xmlns:c="`+
		`http://www.globus.org/namespaces/2004/06/core">subscription-1</c:SubscriptionKey>`, 1)
}

// post sends a body to a path.
func post(t *testing.T, address, path, body string) (int, string) {
	t.Helper()
	return send(t, address, hostile{path: path, body: body}.text())
}

// prepared returns a core with workspace 1 and subscription-1, of Ada's.
func prepared(t *testing.T) *core {
	t.Helper()
	m := newCore()
	m.put(ada)
	if _, err := m.Subscribe(t.Context(), workspace.Subscription{
		Owner: ada, Workspace: 1, Topics: []workspace.Topic{workspace.TopicState}, UseNotify: true,
		Expression: []byte(`<E xmlns:t="` + spaceT + `" Dialect="http://docs.oasis-open.org/` +
			`wsn/2004/06/TopicExpression/Simple">t:currentState</E>`),
		Consumer: []byte(`<C xmlns:a="` + wsa2004 + `"><a:Address>http://x/</a:Address></C>`),
	}); err != nil {
		t.Fatal(err)
	}
	m.calls = 0
	return m
}

// TestKindsBecomeTypedFaults is the whole table from kinds to faults.
func TestKindsBecomeTypedFaults(t *testing.T) {
	const (
		denied   = "WorkspaceResourceRequestDeniedFault"
		unknown  = "WorkspaceUnknownFault"
		disabled = "OperationDisabledFault"
	)
	table := map[string][10]string{ // in the order of the kinds
		"create": {"WorkspaceCreationFault", "WorkspaceMetadataFault", "WorkspaceMetadataFault",
			"WorkspaceCreationFault", denied, denied, denied, "WorkspaceSchedulingFault",
			"WorkspaceSchedulingFault", "WorkspaceSchedulingFault"},
		"start":               row("WorkspaceStartFault", unknown, disabled),
		"shutdown":            row("WorkspaceShutdownFault", unknown, disabled),
		"start of a group":    row("WorkspaceStartFault", unknown, disabled),
		"shutdown of a group": row("WorkspaceShutdownFault", unknown, disabled),
		"Destroy":             row("ResourceNotDestroyedFault", "ResourceUnknownFault", ""),
		"Destroy of a group":  row("ResourceNotDestroyedFault", "ResourceUnknownFault", ""),
		"SetTerminationTime": {"UnableToSetTerminationTimeFault",
			"TerminationTimeChangeRejectedFault", "ResourceUnknownFault",
			"UnableToSetTerminationTimeFault", "TerminationTimeChangeRejectedFault",
			"TerminationTimeChangeRejectedFault", "TerminationTimeChangeRejectedFault",
			"UnableToSetTerminationTimeFault", "UnableToSetTerminationTimeFault",
			"UnableToSetTerminationTimeFault"},
		"Subscribe":          row("SubscribeCreationFailedFault", "ResourceUnknownFault", ""),
		"PauseSubscription":  row("PauseFailedFault", "ResourceUnknownFault", ""),
		"ResumeSubscription": row("ResumeFailedFault", "ResourceUnknownFault", ""),
	}
	for name, faults := range table {
		for kind, want := range faults {
			t.Run(name+"/"+workspace.Kind(kind).String(), func(t *testing.T) {
				m := prepared(t)
				h, _ := m.face(t, authn.Fixed(ada))
				m.fail = workspace.Errorf(workspace.Kind(kind), "do it", "", "of a reason")
				a := asks(t)[name]
				status, reply := post(t, listen(t, h, dispatch.Limits{}), a.path, a.body)
				if status != http.StatusInternalServerError || typeOf(t, reply) != want {
					t.Errorf("reply is %d %s, want the fault %s", status, reply, want)
				}
				told := strings.Contains(reply, "cannot do it: of a reason")
				if told == (workspace.Kind(kind) == workspace.Internal) {
					t.Errorf("the reason is told: %t, in %s", told, reply)
				}
			})
		}
	}
}

// row spreads three faults over the kinds.
func row(other, unknown, conflict string) [10]string {
	var all [10]string
	for kind := range all {
		all[kind] = other
	}
	all[workspace.NotFound] = unknown
	if conflict != "" {
		all[workspace.Conflict] = conflict
	}
	return all
}

// typeOf returns the local name of the typed fault in a reply.
func typeOf(t *testing.T, reply string) string {
	t.Helper()
	detail := parse(t, "the reply", reply).FindElement("./Body/Fault/detail/*")
	if detail == nil {
		return ""
	}
	return detail.Tag
}

func TestInternalErrorsStayInTheLog(t *testing.T) {
	m := prepared(t)
	h, log := m.face(t, authn.Fixed(ada))
	m.fail = errors.New("disk /dev/sdb is on fire")
	a := asks(t)["start"]
	_, reply := post(t, listen(t, h, dispatch.Limits{}), a.path, a.body)
	id := regexp.MustCompile(`internal error, request (\w+)<`).FindStringSubmatch(reply)
	if id == nil || strings.Contains(reply, "sdb") {
		t.Fatalf("the reply tells too much, or no request id: %s", reply)
	}
	if !strings.Contains(log.String(), id[1]) || !strings.Contains(log.String(), "sdb") {
		t.Errorf("the log does not have request %s with its cause: %s", id[1], log)
	}
}

func TestPanicBecomesAFault(t *testing.T) {
	m := prepared(t)
	h, log := m.face(t, authn.Fixed(ada))
	address := listen(t, h, dispatch.Limits{})
	m.panics = true
	status, reply := post(t, address, workspacePath, goodBody)
	if status != 500 || typeOf(t, reply) != "BaseFault" || strings.Contains(reply, "defect") {
		t.Errorf("reply is %d %s, want an internal fault", status, reply)
	}
	if h.Panics() != 1 || !strings.Contains(log.String(), "a defect") {
		t.Errorf("%d panics counted, log is %s", h.Panics(), log)
	}
	m.panics = false
	if status, reply := post(t, address, workspacePath, goodBody); status != 200 {
		t.Errorf("after a panic the reply is %d %s", status, reply)
	}
}

func TestWithoutIdentityNothingChanges(t *testing.T) {
	m := prepared(t)
	h, _ := m.face(t, authn.Fixed(""))
	address := listen(t, h, dispatch.Limits{})
	for name, a := range asks(t) {
		status, reply := post(t, address, a.path, a.body)
		if status != 500 || !strings.Contains(reply, "no caller identity") {
			t.Errorf("%s: reply is %d %s", name, status, reply)
		}
	}
	status, reply := post(t, address, workspacePath, goodBody)
	if status != 500 || !strings.Contains(reply, "no caller identity") {
		t.Errorf("anybody may read a workspace: %d %s", status, reply)
	}
	for _, path := range []string{factoryPath, statusPath} {
		if status, reply := post(t, address, path, payload(query("/"))); status != 200 {
			t.Errorf("%s does not tell its properties to all: %d %s", path, status, reply)
		}
	}
	if m.calls != 0 {
		t.Errorf("%d calls changed something", m.calls)
	}
}

func TestAuthenticationThatFailsIsDenied(t *testing.T) {
	m := prepared(t)
	h, _ := m.face(t, liar{})
	status, reply := post(t, listen(t, h, dispatch.Limits{}), factoryPath, asks(t)["create"].body)
	if status != 500 || typeOf(t, reply) != "WorkspaceResourceRequestDeniedFault" {
		t.Errorf("reply is %d %s", status, reply)
	}
}

// liar is an Authenticator that believes nobody.
type liar struct{}

func (liar) Caller(*http.Request) (workspace.Owner, error) {
	return "", workspace.Errorf(workspace.Denied, "believe the caller", "", "bad signature")
}

func TestConsumersAreDescribedAndNotServed(t *testing.T) {
	h, _ := newCore().face(t, authn.Fixed(ada))
	address := listen(t, h, dispatch.Limits{})
	for path, want := range map[string]int{
		"/wsrf/services/NotificationConsumerService": 404,
		"/ws/NotificationConsumer":                   500, // a fault: face two says it in SOAP
	} {
		if status, _ := post(t, address, path, ""); status != want {
			t.Errorf("POST to %s is %d, want %d", path, status, want)
		}
	}
}

func TestDescriptionsArePublished(t *testing.T) {
	h, _ := newCore().face(t, authn.Fixed(ada))
	address := listen(t, h, dispatch.Limits{})
	for _, path := range []string{
		factoryPath, workspacePath, groupPath, statusPath, subscriptionPath,
		"/wsrf/services/NotificationConsumerService", "/ws/NotificationConsumer",
	} {
		for _, question := range []string{"?wsdl", "?WSDL", "?wsdl="} {
			status, text := send(t, address, hostile{method: "GET", path: path + question}.text())
			if status != 200 || !strings.Contains(text, "http://127.0.0.1:8080"+path) {
				t.Errorf("%s%s is %d %.200s", path, question, status, text)
			}
		}
	}
	for _, name := range append(schema.Names(), wsdl.Names()...) {
		path := "/wsrf/schema/" + name
		status, text := send(t, address, hostile{method: "GET", path: path}.text())
		if status != 200 {
			t.Errorf("%s is %d", path, status)
		}
		if _, err := xmlstrict.Parse([]byte(text), xmlstrict.DefaultLimits()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if status, _ := post(t, address, path, ""); status != 404 {
			t.Errorf("POST to %s is %d, want 404", path, status)
		}
	}
}

func TestServicesMustMatchTheTable(t *testing.T) {
	lacking, extra := echo(), echo()
	delete(lacking.Operations, "start")
	extra.Operations["stop"] = dispatch.Operation{}
	for name, tt := range map[string]struct {
		service dispatch.Service
		ok      bool
	}{
		"whole": {echo(), true}, "lacking": {lacking, false}, "extra": {extra, false},
	} {
		_, err := dispatch.New(dispatch.Options{Services: []dispatch.Service{tt.service}})
		if (err == nil) != tt.ok {
			t.Errorf("%s: New() = %v", name, err)
		}
	}
}

// TestUnconfiguredURL takes the server's address from the connection and never
// from the Host header, which is the caller's.
func TestUnconfiguredURL(t *testing.T) {
	h, err := dispatch.New(dispatch.Options{Services: []dispatch.Service{echo()}})
	if err != nil {
		t.Fatal(err)
	}
	address := listen(t, h, dispatch.Limits{})
	raw := "GET " + groupPath + "?wsdl HTTP/1.1\r\nHost: evil.example\r\n\r\n"
	_, text := send(t, address, raw)
	if !strings.Contains(text, "http://"+address+groupPath) || strings.Contains(text, "evil") {
		t.Errorf("the service is said to be elsewhere than at %s: %.2000s", address, text)
	}
}

// echo is a service whose operations nobody calls.
func echo() dispatch.Service {
	return dispatch.Service{
		Name: "WorkspaceGroupService", Operations: map[string]dispatch.Operation{
			"start": {}, "shutdown": {}, "Destroy": {},
		},
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	m := prepared(t)
	h, _ := m.face(t, authn.Fixed(ada))
	address := listen(t, h, dispatch.Limits{})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				if status, reply := post(t, address, workspacePath, goodBody); status != 200 {
					t.Errorf("reply is %d %s", status, reply)
				}
			}
		})
	}
	group.Wait()
}
