package dispatch_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// documents are elements that the service wrote, to be held against its
// published schemas.
type documents struct {
	dir   string
	files []string
}

// add keeps what is in the body of an envelope: of a fault the detail's, else
// the body's element.
func (d *documents) add(t *testing.T, envelope string) {
	t.Helper()
	m, err := soap.Parse([]byte(envelope), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatalf("%v: %s", err, envelope)
	}
	root := m.Body
	if fault, ok := soap.ParseFault(m); ok {
		if len(fault.Entries) != 1 {
			t.Fatalf("a fault has %d entries: %s", len(fault.Entries), envelope)
		}
		root = fault.Entries[0]
	}
	if d.dir == "" {
		if d.dir, err = os.MkdirTemp("", "replies"); err != nil {
			t.Fatal(err)
		}
	}
	enc := xmlstrict.NewEncoder()
	enc.Tree(root)
	name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()) + ".xml"
	if err := os.WriteFile(filepath.Join(d.dir, name), enc.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	d.files = append(d.files, filepath.Join(d.dir, name))
}

// validate has an independent validator judge them all.
func (d *documents) validate(t *testing.T) {
	t.Helper()
	defer os.RemoveAll(d.dir)
	driver := "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n"
	for _, name := range schema.FaceTwo() {
		data, _ := schema.File(name)
		if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		driver += `<xs:import namespace="` + schema.Space(name) + `" schemaLocation="` +
			name + "\"/>\n"
	}
	all := filepath.Join(d.dir, "all.xsd")
	if err := os.WriteFile(all, []byte(driver+"</xs:schema>"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--nonet", "--noout", "--schema", all}, d.files...)
	//nolint:gosec // the validator, found by its name, over files of this test
	out, err := exec.CommandContext(t.Context(), "xmllint", args...).CombinedOutput()
	if err != nil {
		for line := range strings.Lines(string(out)) {
			if !strings.HasSuffix(line, " validates\n") {
				t.Errorf("xmllint: %s", line)
			}
		}
	}
}

// withPullPoint gives the core a pull point with three messages of which one
// was withheld.
func withPullPoint(m *core) {
	p, err := m.CreatePullPoint(context.Background(), ada, time.Time{})
	if err != nil {
		panic(err)
	}
	for i, state := range []workspace.State{workspace.Propagated, workspace.Running} {
		m.pulls.waiting[p.ID] = append(m.pulls.waiting[p.ID], workspace.Message{
			Seq: int64(i), Number: int64(1 + 2*i), Subscription: "subscription-1",
			Event: workspace.Event{
				Workspace: 1, Topic: workspace.TopicState, State: state, At: time.Now(),
			},
		})
	}
	m.calls = 0
}

// overflown is the same, and full.
func overflown(m *core) {
	withPullPoint(m)
	m.pulls.points["pull-point-1"].Dropped = 12
}

// pulling is an ONVIF message.
func pulling(name, inside string) string {
	return `<e:` + name + ` xmlns:e="` + schema.ONVIFEvents + `" xmlns:n="` + spaceB2 +
		`" xmlns:t="` + spaceT + `">` + inside + `</e:` + name + `>`
}

const (
	point       = "PullPoint"
	pullOne     = `<e:Timeout>PT1S</e:Timeout><e:MessageLimit>1</e:MessageLimit>`
	destroyPull = `<l:Destroy xmlns:l="` + schema.Lifetime2 + `"/>`
	documentOf  = `<p:GetResourcePropertyDocument xmlns:p="` + schema.Properties2 + `"/>`
)

// pullFaults are the faults of WS-BaseNotification 1.3, section 5, and what
// ONVIF's clients ask instead.
var pullFaults = map[string]told{
	"2.1 create": {service: "PullPoints", header: " ", body: message2("CreatePullPoint", ""),
		says: []string{"CreatePullPointResponse", "/ws/PullPoint?key=pull-point-1<",
			">pull-point-1</"}},
	"2.1 UnableToCreatePullPoint": {service: "PullPoints", header: " ", fail: conflict,
		body: message2("CreatePullPoint", ""), fault: "UnableToCreatePullPointFault"},
	"1.1 get": {service: point, header: pullKey, prepare: withPullPoint,
		body: message2("GetMessages", "<n:MaximumNumber>1</n:MaximumNumber>"),
		says: []string{">Propagated<", "SubscriptionReference", "SequenceNumber", ">1</p:Seq"}},
	"1.1 get all": {service: point, header: pullKey, prepare: withPullPoint,
		body: message2("GetMessages", ""), says: []string{">Running<", ">3</p:Seq"}},
	"1.1 get none": {service: point, header: pullKey, prepare: withPullPoint,
		body: message2("GetMessages", "<n:MaximumNumber>0</n:MaximumNumber>"),
		says: []string{"GetMessagesResponse"}},
	"1.1 get by the address alone": {service: point + "?key=pull-point-1", header: " ",
		prepare: withPullPoint, body: message2("GetMessages", ""), says: []string{">Running<"}},
	"1.1 UnableToGetMessages: overflow": {service: point, header: pullKey, prepare: overflown,
		body: message2("GetMessages", ""), fault: "UnableToGetMessagesFault",
		says: []string{"12 messages were dropped"}},
	"1.1 ResourceUnknown": {service: point, header: pullKey, body: message2("GetMessages", ""),
		fault: "ResourceUnknownFault"},
	"1.2 destroy": {service: point, header: pullKey, prepare: withPullPoint,
		body: message2("DestroyPullPoint", ""), says: []string{"DestroyPullPointResponse"}},
	"1.2 UnableToDestroyPullPoint": {service: point, header: pullKey, prepare: withPullPoint,
		fail: conflict, body: message2("DestroyPullPoint", ""),
		fault: "UnableToDestroyPullPointFault"},
	"renew": {service: point, header: pullKey, prepare: withPullPoint,
		body: message2("Renew", newTime), says: []string{"RenewResponse", "TerminationTime>20"}},
	"renew into the past": {service: point, header: pullKey, prepare: withPullPoint,
		body: message2("Renew", pastTime), fault: "UnacceptableTerminationTimeFault"},
	"unsubscribe": {service: point, header: pullKey, prepare: withPullPoint,
		body: message2("Unsubscribe", ""), says: []string{"UnsubscribeResponse"}},
	"end": {service: point, header: pullKey, prepare: withPullPoint, body: destroyPull,
		says: []string{"DestroyResponse"}},
	"properties": {service: point, header: pullKey, prepare: withPullPoint, body: documentOf,
		says: []string{"PullPointProperties", "CreationTime>", "Dropped>0<"}},
	"properties of a subscription": {service: manager2, header: subKey, body: documentOf,
		says: []string{"SubscriptionProperties", "Paused>false<", "LastSequenceNumber>"}},

	"onvif create": {service: "PullPoints", header: " ",
		body: pulling("CreatePullPointSubscription",
			"<e:Filter>"+topic2(topics2+"Concrete", theState)+"</e:Filter>"+
				"<e:InitialTerminationTime>PT2M</e:InitialTerminationTime>"),
		says: []string{"/ws/PullPoint?key=pull-point-1<", "CurrentTime ", "TerminationTime "}},
	"onvif create, a bad topic": {service: "PullPoints", header: " ",
		body: pulling("CreatePullPointSubscription",
			"<e:Filter>"+topic2(topics2+"Concrete", "t:no")+"</e:Filter>"),
		fault: "TopicNotSupportedFault"},
	"onvif pull": {service: point, header: pullKey, prepare: withPullPoint,
		body: pulling("PullMessages", pullOne),
		says: []string{"PullMessagesResponse", "CurrentTime>20", ">Propagated<"}},
	"onvif pull, overflow": {service: point, header: pullKey, prepare: overflown,
		body: pulling("PullMessages", pullOne), fault: "UnableToGetMessagesFault"},
	"onvif pull without a limit": {service: point, header: pullKey, prepare: withPullPoint,
		body:  pulling("PullMessages", "<e:Timeout>PT1S</e:Timeout>"),
		fault: "UnableToGetMessagesFault", says: []string{"MessageLimit"}},
}

// TestOverflowIsToldOnce: after the fault the messages that were kept come.
func TestOverflowIsToldOnce(t *testing.T) {
	m, address := twoFaces(t)
	overflown(m)
	q := question{service: point, header: pullKey, keyless: true, body: message2("GetMessages", "")}
	q.ask(t, address).expect(t, http.StatusInternalServerError, "UnableToGetMessagesFault")
	q.ask(t, address).expect(t, http.StatusOK, ">Running<")
}

// TestPullsThatWaitHoldUpNobody: with one place for requests, and a pull that
// waits for a message, others are served, and the pull gets what comes, however late.
func TestPullsThatWaitHoldUpNobody(t *testing.T) {
	m := newCore()
	m.put(ada)
	withPullPoint(m)
	m.pulls.waiting["pull-point-1"] = nil
	m.pulls.began = make(chan struct{})
	h, _ := m.handler(t, dispatch.Options{
		Authenticator: authn.Fixed(ada), Limits: dispatch.Limits{Parallel: 1},
	})
	const short = 50 * time.Millisecond
	impatient := listen(t, h, dispatch.Limits{WriteTimeout: short})
	pulled := make(chan answer)
	go func() {
		pulled <- question{
			service: point, header: pullKey, keyless: true,
			body: message2("GetMessages", "<p:Wait>PT1H</p:Wait>"),
		}.ask(t, impatient)
	}()
	<-m.pulls.began
	address := listen(t, h, dispatch.Limits{})
	for range 3 {
		question{}.ask(t, address).expect(t, http.StatusOK, ">Running<")
	}
	<-time.After(2 * short) // longer than replies may take that wait for nothing
	close(m.pulls.more)
	a := <-pulled
	a.expect(t, http.StatusOK, "GetMessagesResponse")
	if len(m.pulls.asked) != 1 || m.pulls.asked[0].Wait != time.Minute {
		t.Errorf("the core was asked %+v, want to wait a minute", m.pulls.asked)
	}
}

// TestAStopEndsTheWaiting: who waits gets what there is, which is nothing.
func TestAStopEndsTheWaiting(t *testing.T) {
	m := newCore()
	withPullPoint(m)
	m.pulls.waiting["pull-point-1"] = nil
	h, _ := m.face(t, authn.Fixed(ada))
	address := listen(t, h, dispatch.Limits{})
	go h.StopWaiting()
	question{
		service: point, header: pullKey, keyless: true,
		body: message2("GetMessages", "<p:Wait>PT1M</p:Wait>"),
	}.ask(t, address).expect(t, http.StatusOK, "GetMessagesResponse")
}

// TestAPullPointThatCannotBeSubscribedIsRemoved: nobody knows of it.
func TestAPullPointThatCannotBeSubscribedIsRemoved(t *testing.T) {
	m, address := twoFaces(t)
	m.failNext = conflict
	question{
		service: "PullPoints", keyless: true, body: pulling("CreatePullPointSubscription", ""),
	}.ask(t, address).expect(t, http.StatusInternalServerError, "SubscribeCreationFailedFault")
	if len(m.pulls.points) != 0 {
		t.Errorf("left are %v", m.pulls.points)
	}
}
