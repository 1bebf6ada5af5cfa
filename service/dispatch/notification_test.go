package dispatch_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A told is a request about notification, and what becomes of it.
type told struct {
	service string // Workspace of face two when empty
	header  string // the key's block; that of workspace 1 when empty
	body    string
	fail    error // of the core
	prepare func(*core)
	fault   string   // expected local name in the detail; empty: it is done
	says    []string // in the reply
}

const (
	topics2 = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/"
	spaceB2 = schema.BaseNotification2
)

// asking2 is a Subscribe of face two.
func asking2(consumer, filter, more string) string {
	if filter != "" {
		filter = "<n:Filter>" + filter + "</n:Filter>"
	}
	return `<n:Subscribe xmlns:n="` + spaceB2 + `" xmlns:t="` + spaceT + `" xmlns:c="urn:c" ` +
		`xmlns:b="` + wsa2005 + `" xmlns:p="` + schema.Lease + `"><n:ConsumerReference>` +
		`<b:Address>` + consumer + `</b:Address></n:ConsumerReference>` + filter + more +
		`</n:Subscribe>`
}

// topic2 and condition2 are parts of a Filter.
func topic2(dialect, text string) string {
	return `<n:TopicExpression Dialect="` + dialect + `">` + text + `</n:TopicExpression>`
}

func condition2(name, dialect, text string) string {
	return `<n:` + name + ` Dialect="` + dialect + `">` + text + `</n:` + name + `>`
}

// current2 is a GetCurrentMessage of face two.
func current2(dialect, text string) string {
	return `<n:GetCurrentMessage xmlns:n="` + spaceB2 + `" xmlns:t="` + spaceT + `" xmlns:l="` +
		schema.Lifetime2 + `"><n:Topic Dialect="` + topics2 + dialect + `">` + text +
		`</n:Topic></n:GetCurrentMessage>`
}

// message2 is a message of face two with what is inside.
func message2(name, inside string) string {
	return `<n:` + name + ` xmlns:n="` + spaceB2 + `" xmlns:p="` + schema.Lease + `">` + inside +
		`</n:` + name + `>`
}

const (
	deaf     = "http://127.0.0.1:9/"
	theState = `t:currentState`
	subKey   = `<c:SubscriptionKey xmlns:c="` + schema.Core + `">subscription-1` +
		`</c:SubscriptionKey>`
	pullKey   = `<p:PullPointKey xmlns:p="` + schema.Lease + `">pull-point-1</p:PullPointKey>`
	manager2  = "SubscriptionManager"
	pastTime  = `<n:TerminationTime>2001-01-01T00:00:00Z</n:TerminationTime>`
	newTime   = `<n:TerminationTime>PT1H</n:TerminationTime>`
	pastFirst = `<n:InitialTerminationTime>2001-01-01T00:00:00Z</n:InitialTerminationTime>`
)

var conflict = workspace.Errorf(workspace.Conflict, "do it", "1", "it is over")

// subscribeFaults are the faults of WS-BaseNotification 1.3, 4.2.
var subscribeFaults = map[string]told{
	"ResourceUnknown": {header: strings.Replace(key, ">1<", ">99<", 1),
		body:  asking2(deaf, topic2(topics2+"Simple", theState), ""),
		fault: "ResourceUnknownFault"},
	"InvalidFilter": {body: asking2(deaf, "<c:Mine/>", ""), fault: "InvalidFilterFault",
		says: []string{"UnknownFilter", ":Mine</"}},
	"TopicExpressionDialectUnknown": {body: asking2(deaf, topic2("urn:x", theState), ""),
		fault: "TopicExpressionDialectUnknownFault"},
	"InvalidTopicExpression": {body: asking2(deaf, topic2(topics2+"Full", "t:a["), ""),
		fault: "InvalidTopicExpressionFault"},
	"TopicNotSupported": {body: asking2(deaf, topic2(topics2+"Simple", "t:none"), ""),
		fault: "TopicNotSupportedFault", says: []string{"/Subscribe/Filter/TopicExpression"}},
	"InvalidProducerPropertiesExpression": {
		body:  asking2(deaf, condition2("ProducerProperties", xpath10, "x:y"), ""),
		fault: "InvalidProducerPropertiesExpressionFault"},
	"InvalidMessageContentExpression": {
		body:  asking2(deaf, condition2("MessageContent", "urn:sql", "a"), ""),
		fault: "InvalidMessageContentExpressionFault"},
	"UnacceptableInitialTerminationTime": {body: asking2(deaf, "", pastFirst),
		fault: "UnacceptableInitialTerminationTimeFault", says: []string{"MinimumTime>20"}},
	"UnrecognizedPolicyRequest": {
		body:  asking2(deaf, "", "<n:SubscriptionPolicy><c:Mine/></n:SubscriptionPolicy>"),
		fault: "UnrecognizedPolicyRequestFault",
		says:  []string{"UnrecognizedPolicy", ":Mine</"}},
	"UnsupportedPolicyRequest": {prepare: withPullPoint,
		body: asking2("http://127.0.0.1:8080/ws/PullPoint?key=pull-point-1", "",
			"<n:SubscriptionPolicy><n:UseRaw/></n:SubscriptionPolicy>"),
		fault: "UnsupportedPolicyRequestFault", says: []string{"UnsupportedPolicy", "UseRaw</"}},
	"SubscribeCreationFailed": {body: asking2("http://127.0.0.1:8080/ws/Status", "", ""),
		fault: "SubscribeCreationFailedFault", says: []string{"/Subscribe/ConsumerReference"}},
	"SubscribeCreationFailed by the guard": {body: asking2("http://169.254.169.254/", "", ""),
		fault: "SubscribeCreationFailedFault", says: []string{"/Subscribe/ConsumerReference"}},
	"SubscribeCreationFailed in the core": {body: asking2(deaf, "", ""), fail: conflict,
		fault: "SubscribeCreationFailedFault"},
	"done": {body: asking2(deaf, topic2(topics2+"Full", "t:*")+
		condition2("MessageContent", xpath10, "//t:state='Running'"),
		"<n:InitialTerminationTime>PT2M</n:InitialTerminationTime>"),
		says: []string{"SubscriptionManager?key=subscription-", "CurrentTime>20",
			"TerminationTime>20"}},
	"done for all workspaces": {service: "Workspaces", header: " ",
		body: asking2(deaf, "", ""), says: []string{"SubscribeResponse"}},
}

// currentFaults are the faults of WS-BaseNotification 1.3, 4.3.
var currentFaults = map[string]told{
	"ResourceUnknown": {header: strings.Replace(key, ">1<", ">99<", 1),
		body: current2("Simple", theState), fault: "ResourceUnknownFault"},
	"TopicExpressionDialectUnknown": {body: current2("Other", theState),
		fault: "TopicExpressionDialectUnknownFault"},
	"InvalidTopicExpression": {body: current2("Simple", "t:"),
		fault: "InvalidTopicExpressionFault"},
	"TopicNotSupported": {body: current2("Simple", "t:no"), fault: "TopicNotSupportedFault"},
	"MultipleTopicsSpecified": {body: current2("Full", "*"),
		fault: "MultipleTopicsSpecifiedFault"},
	"NoCurrentMessageOnTopic": {body: current2("Simple", "l:ResourceTermination"),
		fault: "NoCurrentMessageOnTopicFault"},
	"done": {body: current2("Concrete", theState), says: []string{"NewValues>", "t:currentState"}},
	"done for all workspaces": {service: "Workspaces", header: " ",
		body: current2("Simple", theState), says: []string{"t:currentState"}},
}

// managerFaults are the faults of WS-BaseNotification 1.3, section 6.
var managerFaults = map[string]told{
	"6.1.1 UnacceptableTerminationTime": {service: manager2, header: subKey,
		body: message2("Renew", pastTime), fault: "UnacceptableTerminationTimeFault",
		says: []string{"MinimumTime>20"}},
	"6.1.1 a time that is none": {service: manager2, header: subKey,
		body:  message2("Renew", "<n:TerminationTime>later</n:TerminationTime>"),
		fault: "UnacceptableTerminationTimeFault", says: []string{"MinimumTime>20"}},
	"6.1.1 ResourceUnknown": {service: manager2,
		header: strings.Replace(subKey, "-1<", "-9<", 1), body: message2("Renew", newTime),
		fault: "ResourceUnknownFault"},
	"6.1.1 done": {service: manager2, header: subKey, body: message2("Renew", newTime),
		says: []string{"RenewResponse", "TerminationTime>20", "CurrentTime>20"}},
	"6.1.2 UnableToDestroySubscription": {service: manager2, header: subKey, fail: conflict,
		body: message2("Unsubscribe", ""), fault: "UnableToDestroySubscriptionFault"},
	"6.1.2 done": {service: manager2, header: subKey, body: message2("Unsubscribe", ""),
		says: []string{"UnsubscribeResponse"}},
	"6.1.2 done by the address alone": {service: manager2 + "?key=subscription-1", header: " ",
		body: message2("Unsubscribe", ""), says: []string{"UnsubscribeResponse"}},
	"6.2.2 PauseFailed": {service: manager2, header: subKey, fail: conflict,
		body: message2("PauseSubscription", ""), fault: "PauseFailedFault"},
	"6.2.2 done": {service: manager2, header: subKey, body: message2("PauseSubscription", ""),
		says: []string{"PauseSubscriptionResponse"}},
	"6.2.3 ResumeFailed": {service: manager2, header: subKey, fail: conflict,
		body: message2("ResumeSubscription", ""), fault: "ResumeFailedFault"},
	"6.2.3 done": {service: manager2, header: subKey, body: message2("ResumeSubscription", ""),
		says: []string{"ResumeSubscriptionResponse"}},
}

// TestFaultsOfNotification has each of them over HTTP on face two, as the
// sections of WS-BaseNotification 1.3 name them, and what is done.
func TestFaultsOfNotification(t *testing.T) {
	var replies documents
	for section, table := range map[string]map[string]told{
		"4.2 ": subscribeFaults, "4.3 ": currentFaults, "": managerFaults, "5.": pullFaults,
	} {
		for name, tt := range table {
			t.Run(section+name, func(t *testing.T) { tt.test(t, &replies) })
		}
	}
	replies.validate(t)
}

func (tt told) test(t *testing.T, replies *documents) {
	m, address := twoFaces(t)
	subscribed := workspace.Subscription{
		Owner: ada, Workspace: 1, UseNotify: true, Format: "wsn13-soap11",
		Topics:   []workspace.Topic{workspace.TopicState},
		Consumer: []byte(`<C xmlns:a="` + wsa2005 + `"><a:Address>http://x/</a:Address></C>`),
	}
	if _, err := m.Subscribe(t.Context(), subscribed); err != nil {
		t.Fatal(err)
	}
	if tt.prepare != nil {
		tt.prepare(m)
	}
	m.fail = tt.fail
	q := question{service: tt.service, header: tt.header, keyless: tt.header != "", body: tt.body}
	a := q.ask(t, address)
	if tt.fault == "" {
		a.expect(t, http.StatusOK, tt.says...)
	} else {
		a.expect(t, http.StatusInternalServerError, append(tt.says, ":"+tt.fault+" ")...)
	}
	replies.add(t, a.text)
}

// TestNotificationFaultsOfTheDrafts has those of WS-BaseNotification 1.2 draft
// 1, sections 4.1, 4.2 and 5, over HTTP on face one.
func TestNotificationFaultsOfTheDrafts(t *testing.T) {
	simple := "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple"
	asked := subscribe(deaf)
	tests := map[string]struct {
		body, fault string
		fail        error
	}{
		"4.1 InvalidTopicExpression": {strings.Replace(asked, "t:currentState<", "t:<", 1),
			"InvalidTopicExpressionFault", nil},
		"4.1 TopicNotSupported": {strings.Replace(asked, "t:currentState<", "t:no<", 1),
			"TopicNotSupportedFault", nil},
		"4.1 TopicPathDialectUnknown": {strings.Replace(asked, simple, "urn:x", 1),
			"TopicPathDialectUnknownFault", nil},
		"4.1 SubscribeCreationFailed": {subscribe("http://127.0.0.1:8080/x"),
			"SubscribeCreationFailedFault", nil},
		"4.1 SubscribeCreationFailed in the core": {asked,
			"SubscribeCreationFailedFault", conflict},
		"4.1 done": {asked, "", nil},
		"5.3 an end that has passed": {"SetTerminationTime 2001",
			"TerminationTimeChangeRejectedFault", nil},
		"5.3 unable": {"SetTerminationTime 2036", "UnableToSetTerminationTimeFault", conflict},
		"5.3 done":   {"SetTerminationTime 2036", "", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := prepared(t)
			h, _ := m.face(t, authn.Fixed(ada))
			address := listen(t, h, dispatch.Limits{})
			m.fail = tt.fail
			path, body := workspacePath, payload(tt.body)
			if year, ok := strings.CutPrefix(tt.body, "SetTerminationTime "); ok {
				path, body = subscriptionPath, subscribed(strings.Replace(ending, "2030", year, 1))
			}
			status, reply := post(t, address, path, body)
			if (status == http.StatusOK) != (tt.fault == "") ||
				!strings.Contains(reply, tt.fault) {
				t.Errorf("status %d: %s", status, reply)
			}
		})
	}
}
