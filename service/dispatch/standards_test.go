package dispatch_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// translate puts face two's names in the place of face one's.
var translate = strings.NewReplacer(
	spaceRP, schema.Properties2, spaceRL, schema.Lifetime2)

// standardFaults are the faults that the standards name, by the section that
// does (of WS-ResourceProperties and WS-ResourceLifetime 1.2, draft and final
// alike unless it says otherwise), in the words of face one.
var standardFaults = map[string]struct {
	body, key string
	fail      error // of the core
	faults    [2]string
}{
	"rp 5.1.2 resource unknown": {body: poll, key: "99",
		faults: [2]string{spaceRP + " ResourceUnknownFault",
			schema.Resource2 + " ResourceUnknownFault"}},
	"rp 5.1.2 resource of a strange key": {body: poll, key: "none",
		faults: [2]string{"", schema.Resource2 + " ResourceUnknownFault"}},
	"rp 5.1.2 invalid property name": {body: strings.Replace(poll, "t:currentState", "t:no", 1),
		faults: [2]string{spaceRP + " InvalidResourcePropertyQNameFault",
			schema.Properties2 + " InvalidResourcePropertyQNameFault"}},
	"rp 5.2.2 invalid property name among several": {
		body: `<p:GetMultipleResourceProperties xmlns:p="` + spaceRP + `" xmlns:t="` + spaceT +
			`"><p:ResourceProperty>t:currentState</p:ResourceProperty><p:ResourceProperty>t:no` +
			`</p:ResourceProperty></p:GetMultipleResourceProperties>`,
		faults: [2]string{spaceRP + " InvalidResourcePropertyQNameFault",
			schema.Properties2 + " InvalidResourcePropertyQNameFault"}},
	"rp 5.8.2 unknown query dialect": {body: strings.Replace(query("/"), xpath10, "urn:sql", 1),
		faults: [2]string{spaceRP + " UnknownQueryExpressionDialectFault",
			schema.Properties2 + " UnknownQueryExpressionDialectFault"}},
	"rp 5.8.2 invalid query expression": {body: query("/*["),
		faults: [2]string{spaceRP + " InvalidQueryExpressionFault",
			schema.Properties2 + " InvalidQueryExpressionFault"}},
	"rp 5.8.2 query evaluation error": {body: query(costly),
		faults: [2]string{spaceRP + " QueryEvaluationErrorFault",
			schema.Properties2 + " QueryEvaluationErrorFault"}},
	"rl 4.1 resource unknown": {body: destroy, key: "99",
		faults: [2]string{spaceRL + " ResourceUnknownFault",
			schema.Resource2 + " ResourceUnknownFault"}},
	"rl 4.1 resource not destroyed": {body: destroy,
		fail: workspace.Errorf(workspace.Conflict, "destroy", "1", "it is busy"),
		faults: [2]string{spaceRL + " ResourceNotDestroyedFault",
			schema.Lifetime2 + " ResourceNotDestroyedFault"}},
	"rl 5.1 termination time refused": {body: endless,
		faults: [2]string{spaceRL + " TerminationTimeChangeRejectedFault",
			schema.Lifetime2 + " TerminationTimeChangeRejectedFault"}},
	"rl 5.1 unable to set the termination time": {body: ending,
		fail: workspace.Errorf(workspace.Conflict, "extend", "1", "it is over"),
		faults: [2]string{spaceRL + " UnableToSetTerminationTimeFault",
			schema.Lifetime2 + " UnableToSetTerminationTimeFault"}},
}

const (
	endless = `<l:SetTerminationTime xmlns:l="` + spaceRL + `"><l:RequestedTerminationTime ` +
		`xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/></l:SetTerminationTime>`
	ending = `<l:SetTerminationTime xmlns:l="` + spaceRL + `"><l:RequestedTerminationTime>` +
		`2030-01-01T00:00:00Z</l:RequestedTerminationTime></l:SetTerminationTime>`
)

// TestFaultsOfTheStandards has each of them over HTTP, on both faces.
func TestFaultsOfTheStandards(t *testing.T) {
	m, address := twoFaces(t)
	for name, tt := range standardFaults {
		for face, fault := range tt.faults {
			t.Run(wsdl.Face(face).String()+", "+name, func(t *testing.T) {
				m.fail = tt.fail
				a := askOn(t, address, wsdl.Face(face), tt.body, tt.key)
				if fault == "" {
					a.expect(t, http.StatusInternalServerError, "Fault")
					return
				}
				space, local, _ := strings.Cut(fault, " ")
				a.expect(t, http.StatusInternalServerError, ":"+local+" ", `"`+space+`"`)
			})
		}
	}
}

// askOn makes a request in the words of face one on a face.
func askOn(t *testing.T, address string, face wsdl.Face, body, resource string) answer {
	t.Helper()
	block := key
	if resource != "" {
		block = strings.Replace(key, ">1<", ">"+resource+"<", 1)
	}
	if face == wsdl.Two {
		return question{body: translate.Replace(body), header: block, keyless: true}.
			ask(t, address)
	}
	text := strings.Replace(payload(body), key, block, 1)
	status, reply := post(t, address, "/wsrf/services/WorkspaceService", text)
	return answer{status: status, text: reply}
}

// lengthen is a change of a lease's end.
const lengthen = `<l:TerminationTime xmlns:l="` + schema.Lifetime2 + `">2030-01-01T00:00:00Z` +
	`</l:TerminationTime>`

// changed is a message that changes properties.
func changed(message, kind, values string) string {
	return `<p:` + message + ` xmlns:p="` + schema.Properties2 + `"><p:` + kind + `>` + values +
		`</p:` + kind + `></p:` + message + `>`
}

const (
	schedule = `<t:schedule xmlns:t="` + spaceT + `"><t:Duration>PT2H</t:Duration></t:schedule>`
	state    = `<t:currentState xmlns:t="` + spaceT + `"><t:state>Paused</t:state></t:currentState>`
	deleted  = `<p:DeleteResourceProperties xmlns:p="` + schema.Properties2 + `" xmlns:l="` +
		schema.Lifetime2 + `"><p:Delete ResourceProperty="l:TerminationTime"/>` +
		`</p:DeleteResourceProperties>`
)

// modifications are changes of properties by section of WS-ResourceProperties
// 1.2, and the fault they get; empty when they are made.
var modifications = map[string]struct{ body, fault string }{
	"5.6 set the end":      {changed("SetResourceProperties", "Update", lengthen), ""},
	"5.6 set the duration": {changed("SetResourceProperties", "Update", schedule), ""},
	"5.9 update the end":   {changed("UpdateResourceProperties", "Update", lengthen), ""},
	"5.7.2 update the state": {changed("SetResourceProperties", "Update", state),
		"UnableToModifyResourcePropertyFault"},
	"5.7.2 all or nothing": {changed("SetResourceProperties", "Update", lengthen+state),
		"UnableToModifyResourcePropertyFault"},
	"5.8 insert": {changed("InsertResourceProperties", "Insert", lengthen),
		"UnableToModifyResourcePropertyFault"},
	"5.10 delete": {deleted, "UnableToModifyResourcePropertyFault"},
	"5.7.2 endless": {changed("SetResourceProperties", "Update", `<l:TerminationTime xmlns:l="`+
		schema.Lifetime2+`" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="1"/>`),
		"UnableToModifyResourcePropertyFault"},
	"5.6.2 no time": {changed("SetResourceProperties", "Update", strings.Replace(lengthen,
		"2030", "soon", 1)), "InvalidModificationFault"},
	"5.6.2 two ends": {changed("SetResourceProperties", "Update", lengthen+lengthen),
		"InvalidModificationFault"},
	"5.6.2 two durations": {changed("SetResourceProperties", "Update", strings.Replace(schedule,
		"</t:sch", "<t:Duration>PT3H</t:Duration></t:sch", 1)), "InvalidModificationFault"},
	"5.6.2 no such property": {changed("SetResourceProperties", "Update", `<x:y xmlns:x="urn:x"/>`),
		"InvalidResourcePropertyQNameFault"},
	"5.5.2 put another document": {putting(`<x:y xmlns:x="urn:x"/>`),
		"UnableToPutResourcePropertyDocumentFault"},
}

func putting(document string) string {
	return `<p:PutResourcePropertyDocument xmlns:p="` + schema.Properties2 + `" xmlns:wsrp="` +
		schema.Properties2 + `">` + document +
		`</p:PutResourcePropertyDocument>`
}

// TestModifications changes properties, which renegotiates the lease, or is told
// by the fault of the standard why not. Nothing is changed in part.
func TestModifications(t *testing.T) {
	for name, tt := range modifications {
		t.Run(name, func(t *testing.T) {
			m, address := twoFaces(t)
			a := question{body: tt.body}.ask(t, address)
			if tt.fault != "" {
				a.expect(t, 500, schema.Properties2, ":"+tt.fault+" ")
			} else {
				a.expect(t, 200, "ResourcePropertiesResponse")
			}
			if made := m.calls == 1; made != (tt.fault == "") {
				t.Errorf("the core was called %d times", m.calls)
			}
		})
	}
}

// TestPutTheDocumentBack reads the document, changes the end in it and puts it
// back (WS-ResourceProperties 1.2, 5.5); put back unchanged it changes nothing.
func TestPutTheDocumentBack(t *testing.T) {
	m, address := twoFaces(t)
	document := `<p:GetResourcePropertyDocument xmlns:p="` + schema.Properties2 + `"/>`
	a := question{body: document}.ask(t, address)
	a.expect(t, 200, ":WorkspaceProperties ", "GetResourcePropertyDocumentResponse")
	_, rest, _ := strings.Cut(a.text, "GetResourcePropertyDocumentResponse")
	_, rest, _ = strings.Cut(rest, ">")
	text, _, _ := strings.Cut(rest, "</wsrp:GetResourcePropertyDocumentResponse>")
	question{body: putting(text)}.ask(t, address).expect(t, 200, ":WorkspaceProperties ")
	if m.calls != 0 {
		t.Fatalf("the same document changed something: %s", text)
	}
	longer := strings.Replace(text, ">PT1800S<", ">PT2H<", 1)
	question{body: putting(longer)}.ask(t, address).expect(t, 200, ">PT7200S<")
	for _, odd := range []string{
		strings.Replace(text, ":WorkspaceProperties ", `:WorkspaceProperties odd="1" `, 1),
		text[:strings.LastIndex(text, "</")] + "words" + text[strings.LastIndex(text, "</"):],
	} {
		question{body: putting(odd)}.ask(t, address).
			expect(t, 500, "UnableToPutResourcePropertyDocumentFault", "of its own")
	}
	paused := strings.Replace(text, ">Running<", ">Paused<", 1)
	question{body: putting(paused)}.ask(t, address).
		expect(t, 500, "UnableToPutResourcePropertyDocumentFault", "cannot be changed")
	if m.calls != 1 {
		t.Errorf("the core was called %d times", m.calls)
	}
}

// TestLifetimeByDuration sets the termination time by a duration from now
// (WS-ResourceLifetime 1.2, 5.1).
func TestLifetimeByDuration(t *testing.T) {
	_, address := twoFaces(t)
	question{body: `<l:SetTerminationTime xmlns:l="` + schema.Lifetime2 +
		`"><l:RequestedLifetimeDuration>PT1H</l:RequestedLifetimeDuration>` +
		`</l:SetTerminationTime>`}.ask(t, address).
		expect(t, 200, "SetTerminationTimeResponse", ":NewTerminationTime>", ":CurrentTime>")
}

// TestGroupsListTheirMembers reads the service groups, an entry and a host
// (WS-ServiceGroup 1.2, sections 4 and 5).
func TestGroupsListTheirMembers(t *testing.T) {
	_, address := twoFaces(t)
	document := `<p:GetResourcePropertyDocument xmlns:p="` + schema.Properties2 + `"/>`
	hostKey := `<h:HostKey xmlns:h="` + schema.Lease + `">node-1</h:HostKey>`
	tests := map[string]struct {
		question
		parts []string
	}{
		"workspaces": {question{service: "Workspaces", keyless: true},
			[]string{":WorkspacesProperties ", "ContentElements=", "/ws/WorkspaceEntry<",
				"/ws/Workspace<", ">Running<", ":TopicSet"}},
		"entry": {question{service: "WorkspaceEntry"},
			[]string{":ServiceGroupEPR", "/ws/Workspaces<", ":MemberEPR", ":Content", ">Running<"}},
		"hosts": {question{service: "Hosts", keyless: true},
			[]string{":HostsProperties ", "/ws/Host<", ">node-1<", ":MemoryMBUsed>512<"}},
		"host": {question{service: "Host", keyless: true, header: hostKey},
			[]string{":HostProperties ", ":Reachable>true<", ":CPUs>8<"}},
		"host's entry": {question{service: "HostEntry", keyless: true, header: hostKey},
			[]string{"/ws/Hosts<", ":CPUsUsed>2<"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.body = document
			tt.ask(t, address).expect(t, 200, tt.parts...)
		})
	}
	question{service: "Host", keyless: true, body: document,
		header: strings.Replace(hostKey, "node-1", "node-2", 1)}.ask(t, address).
		expect(t, 500, "ResourceUnknownFault", `"`+schema.Resource2+`"`)
}

// TestRepeatedMessageID tells a message ID that was used for another request
// (WS-Addressing 1.0, SOAP Binding, 6.4.1.5).
func TestRepeatedMessageID(t *testing.T) {
	m := newCore()
	h, _ := m.face(t, authn.Fixed(ada))
	address := listen(t, h, dispatch.Limits{})
	m.fail = workspace.Errorf(workspace.Invalid, "create", "", "%w", workspace.ErrMessageIDUsed)
	question{service: "WorkspaceFactory", keyless: true, body: createLease(t),
		header: block2("MessageID", "urn:uuid:1")}.ask(t, address).
		expect(t, 500, ">wsa:DuplicateMessageID</faultcode>", "wsa:MessageID<")
}

// createLease is a create message of face two with the documents of the examples.
func createLease(t *testing.T) string {
	t.Helper()
	text := `<p:Create xmlns:p="` + schema.Lease + `">`
	for _, name := range []string{"metadata", "request"} {
		data, err := os.ReadFile("../../examples/" + name + ".xml")
		if err != nil {
			t.Fatal(err)
		}
		text += prolog.ReplaceAllString(string(data), "")
	}
	return text + `</p:Create>`
}

var prolog = regexp.MustCompile(`(?s)<\?xml.*?\?>|<!--.*?-->`)
