package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	calls "github.com/philoxenia/philoxenia/tests/daemon"
)

// demonstration runs a daemon over simulated hosts and returns its address.
func demonstration(t *testing.T) string {
	t.Helper()
	out, end := begin(t, &flags{
		Demo: true, Listen: "127.0.0.1:0", Data: filepath.Join(t.TempDir(), "data"),
	})
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return out.waitFor(t, "listening on http://")
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(longEnough); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not come to this: %s", what)
		}
	}
}

// A soapClient is one that writes envelopes by hand.
type soapClient struct {
	t       *testing.T
	address string
}

// call posts a message and returns the reply; it must have the status.
func (c soapClient) call(status int, path, header, body string) string {
	c.t.Helper()
	text := `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="` +
		schema.Types + `" xmlns:p="` + schema.Lease + `" xmlns:n="` + schema.BaseNotification +
		`" xmlns:l="` + schema.Lifetime + `" xmlns:b="` + schema.BaseNotification2 + `" xmlns:m="` +
		schema.Lifetime2 + `"><s:Header>` + header + `</s:Header><s:Body>` + body +
		`</s:Body></s:Envelope>`
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost,
		"http://"+c.address+path, strings.NewReader(text))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "text/xml; charset=utf-8")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		c.t.Fatalf("%s: status %d, %v: %s", path, response.StatusCode, err, reply)
	}
	return string(reply)
}

// send sends a recorded message of face one.
func (c soapClient) send(m calls.Message, key string) []byte {
	c.t.Helper()
	caller := calls.NewCaller(c.address)
	defer caller.Close()
	status, reply, err := caller.Send(m, calls.Values{Key: key})
	if err != nil || status != http.StatusOK {
		c.t.Fatalf("status %d, %v: %s", status, err, reply)
	}
	return slices.Clone(reply)
}

// reach waits until the workspace has the state.
func (c soapClient) reach(key, state string) {
	c.t.Helper()
	await(c.t, "the workspace is "+state, func() bool {
		return calls.StateOf(c.send(calls.State, key)) == state
	})
}

var (
	numberOf       = regexp.MustCompile(`SequenceNumber[^>]*>(\d+)<`)
	stateIn        = regexp.MustCompile(`t:state>(\w+)<`)
	keyOfReference = regexp.MustCompile(`(?:SubscriptionKey|PullPointKey)[^>]*>([^<]+)<`)
)

// first returns the first group of the first match.
func first(t *testing.T, re *regexp.Regexp, text string) string {
	t.Helper()
	found := re.FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no %s in %s", re, text)
	}
	return found[1]
}

// TestFaceOneTellsWhatIsMeant goes the whole way on face one: a subscription to
// both topics with a selector tells of what passes it, counts what a pause
// withholds, and shows the gap.
func TestFaceOneTellsWhatIsMeant(t *testing.T) {
	told := make(chan string, 8)
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told <- string(body)
	}))
	defer listener.Close()
	c := soapClient{t, demonstration(t)}
	key := calls.Keys(c.send(calls.Create, ""))[0]
	c.reach(key, "Running")

	const services = "/wsrf/services/"
	about := `<w:WorkspaceKey xmlns:w="` + schema.Workspace + `">` + key + `</w:WorkspaceKey>`
	subscription := first(t, keyOfReference, c.call(200, services+"WorkspaceService", about,
		`<n:Subscribe><n:ConsumerReference><a:Address xmlns:a="`+schema.Addressing+`">`+
			listener.URL+`</a:Address></n:ConsumerReference><n:TopicExpression Dialect="`+
			`http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Full">t:currentState|l:*`+
			`</n:TopicExpression><n:Selector Dialect="`+wsrf.XPathDialect+
			`">not(//t:state='Paused')</n:Selector></n:Subscribe>`))
	manage := func(body string) string {
		return c.call(200, services+"SubscriptionManagerService", `<c:SubscriptionKey xmlns:c="`+
			schema.Core+`">`+subscription+`</c:SubscriptionKey>`, body)
	}
	pauseAndStart := func() {
		c.send(calls.Pause, key)
		c.reach(key, "Paused")
		c.send(calls.Begin, key)
		c.reach(key, "Running")
	}
	pauseAndStart()
	one := <-told
	if first(t, numberOf, one) != "1" || first(t, stateIn, one) != "Running" {
		t.Errorf("first message is %s", one)
	}
	manage("<n:PauseSubscription/>")
	pauseAndStart()
	reply := manage(`<r:GetResourceProperty xmlns:r="` + schema.Properties +
		`">p:LastSequenceNumber</r:GetResourceProperty>`)
	if !strings.Contains(reply, ">2</p:LastSequenceNumber>") {
		t.Errorf("last number: %s", reply)
	}
	manage("<n:ResumeSubscription/>")
	c.send(calls.Destroy, key)
	if last := <-told; first(t, numberOf, last) != "3" ||
		!strings.Contains(last, "ResourceTermination") {
		t.Errorf("last message is %s", last)
	}
}

// TestFaceTwoHoldsMessagesForWhoFetches goes the whole way on face two: a pull
// point that hears of all of the caller's workspaces, of one made later and on
// the other face too.
func TestFaceTwoHoldsMessagesForWhoFetches(t *testing.T) {
	c := soapClient{t, demonstration(t)}
	created := c.call(200, "/ws/PullPoints", "", "<b:CreatePullPoint/>")
	point := `<p:PullPointKey>` + first(t, keyOfReference, created) + `</p:PullPointKey>`
	c.call(200, "/ws/Workspaces", "", `<b:Subscribe><b:ConsumerReference><a:Address xmlns:a="`+
		schema.Addressing2005+`">http://`+c.address+`/ws/PullPoint</a:Address>`+
		`<a:ReferenceParameters xmlns:a="`+schema.Addressing2005+`">`+point+
		`</a:ReferenceParameters></b:ConsumerReference><b:Filter><b:MessageContent Dialect="`+
		wsrf.XPathDialect+`">//t:state='Running' or //m:TerminationTime</b:MessageContent>`+
		`</b:Filter><b:InitialTerminationTime>PT1H</b:InitialTerminationTime></b:Subscribe>`)

	asked := 0
	fetch := func(status int) string {
		asked++
		id := fmt.Sprintf(`<a:MessageID xmlns:a="%s">urn:x:%d</a:MessageID>`,
			schema.Addressing2005, asked)
		ask := "<b:GetMessages><p:Wait>PT30S</p:Wait></b:GetMessages>"
		reply := c.call(status, "/ws/PullPoint", id+point, ask)
		again := c.call(status, "/ws/PullPoint", id+point, ask)
		if numberOf.FindString(again) != numberOf.FindString(reply) {
			t.Errorf("a request that is repeated gets %s, first it was %s", again, reply)
		}
		return reply
	}
	key := calls.Keys(c.send(calls.Create, ""))[0]
	running := fetch(200)
	if first(t, numberOf, running) != "1" || first(t, stateIn, running) != "Running" ||
		!strings.Contains(running, ">"+key+"</k:WorkspaceKey>") {
		t.Errorf("first messages are %s", running)
	}
	c.send(calls.Destroy, key)
	if ended := fetch(200); first(t, numberOf, ended) != "2" ||
		!strings.Contains(ended, "TerminationNotification") {
		t.Errorf("last messages are %s", ended)
	}
	subscription := "/ws/SubscriptionManager?key=" + first(t, keyOfReference, running)
	c.call(200, subscription, "", "<b:Unsubscribe/>")
	if gone := c.call(500, subscription, "", "<b:Unsubscribe/>"); !strings.Contains(gone,
		"ResourceUnknownFault") {
		t.Errorf("after the end: %s", gone)
	}
	c.call(200, "/ws/PullPoint", point, "<b:DestroyPullPoint/>")
	if gone := fetch(500); !strings.Contains(gone, "ResourceUnknownFault") {
		t.Errorf("after the end: %s", gone)
	}
}
