package wsn

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

var (
	workspaceKey = xmlstrict.Name{Space: schema.Workspace, Local: "WorkspaceKey"}
	currentState = xmlstrict.Name{Space: schema.Types, Local: "currentState"}
)

// The draft's expressions for the topics of a workspace.
var (
	aboutState = Draft.SimpleTopic(currentState)
	aboutEnd   = Draft.SimpleTopic(wsrf.Draft.Names().ResourceTermination)
)

// wantFault checks that err carries the typed fault, or none for the zero
// name, and always a place.
func wantFault(t *testing.T, err error, fault xmlstrict.Name) {
	t.Helper()
	var typed *wsrf.FaultError
	if errors.As(err, &typed) != (fault != xmlstrict.Name{}) || typed != nil &&
		typed.Fault != fault {
		t.Errorf("error is %v, want the fault %v", err, fault)
	}
	var content *xmlstrict.ContentError
	if !errors.As(err, &content) || content.Path == "" {
		t.Errorf("error %v has no place", err)
	}
}

// in wraps content in an element of the namespace; n is its prefix.
func in(local, content string) string {
	return `<n:` + local + ` xmlns:n="` + schema.BaseNotification + `" xmlns:a="` +
		wsa.Space200403 + `">` + content + `</n:` + local + `>`
}

// The parts of a good Subscribe.
const (
	consumer = "<n:ConsumerReference><a:Address>http://x</a:Address></n:ConsumerReference>"
	topic    = "<n:TopicExpression Dialect='" + SimpleDialect + "'>x</n:TopicExpression>"
)

func TestSubscribeRecorded(t *testing.T) {
	m := soaptest.Recorded(t, "25-subscribe-request")
	s, err := Draft.ParseSubscribe(m.Doc, m.Body)
	if err != nil {
		t.Fatal(err)
	}
	check := func(s Subscription) {
		t.Helper()
		key, _ := s.Consumer.Key(ConsumerKey)
		const address = "http://127.0.0.1:18500/wsrf/services/NotificationConsumerService"
		if s.Consumer.Address != address ||
			key != "f84e8ca0-e5fd-11f1-b221-db7754d5b3eb" {
			t.Errorf("the consumer is %s with key %s", s.Consumer.Address, key)
		}
		if s.Topic != aboutEnd || !s.UseNotify ||
			s.Termination.Kind != wsrf.Unsaid || !s.Filter.IsZero() || s.Policy != nil {
			t.Errorf("it asks for %+v", s)
		}
	}
	check(s)
	doc := soaptest.Written(t, s.Write)
	again, err := Draft.ParseSubscribe(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	check(again)
}

func TestSubscribeRoundTrip(t *testing.T) {
	content := consumer + topic + "<n:UseNotify>0</n:UseNotify><n:Precondition Dialect='" +
		wsrf.XPathDialect + "'>p</n:Precondition><n:Selector Dialect='" + wsrf.XPathDialect +
		"'>s</n:Selector><n:SubscriptionPolicy/>" +
		"<n:InitialTerminationTime>2026-01-31T12:00:00Z</n:InitialTerminationTime>"
	doc := soaptest.Parse(t, in("Subscribe", content))
	for range 2 {
		s, err := Draft.ParseSubscribe(doc, doc.Root)
		if err != nil {
			t.Fatal(err)
		}
		if s.UseNotify || s.Filter.ProducerProperties.String() != "p" ||
			s.Filter.MessageContent.String() != "s" ||
			s.Policy == nil || wsrf.FormatTime(s.Termination.At) != "2026-01-31T12:00:00.000Z" {
			t.Errorf("it asks for %+v", s)
		}
		doc = soaptest.Written(t, s.Write)
	}
}

func TestSubscribeRefuses(t *testing.T) {
	tests := map[string]struct {
		content string
		fault   xmlstrict.Name
	}{
		"nothing":       {"", xmlstrict.Name{}},
		"no consumer":   {topic, xmlstrict.Name{}},
		"no address":    {"<n:ConsumerReference/>" + topic, xmlstrict.Name{}},
		"no topic":      {consumer, names[Draft].InvalidTopicExpression},
		"unknown part":  {consumer + topic + "<x/>", xmlstrict.Name{}},
		"two consumers": {consumer + consumer + topic, xmlstrict.Name{}},
		"two topics":    {consumer + topic + topic, xmlstrict.Name{}},
		"no truth value": {consumer + topic + "<n:UseNotify>maybe</n:UseNotify>",
			xmlstrict.Name{}},
		"no time": {consumer + topic +
			"<n:InitialTerminationTime>P1D</n:InitialTerminationTime>", xmlstrict.Name{}},
		"unknown dialect": {consumer + strings.Replace(topic, "Simple", "Fuller", 1),
			names[Draft].TopicDialectUnknown},
		"no dialect": {consumer + "<n:TopicExpression>x</n:TopicExpression>",
			names[Draft].InvalidTopicExpression},
		"undeclared topic": {consumer + strings.Replace(topic, ">x<", ">p:x<", 1),
			names[Draft].InvalidTopicExpression},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := soaptest.Parse(t, in("Subscribe", tt.content))
			_, err := Draft.ParseSubscribe(doc, doc.Root)
			wantFault(t, err, tt.fault)
		})
	}
}

func TestNeverEndingSubscription(t *testing.T) {
	doc := soaptest.Parse(t, in("Subscribe", consumer+topic+
		`<n:InitialTerminationTime xmlns:i="`+xmlstrict.XSISpace+`" i:nil="true"/>`))
	s, err := Draft.ParseSubscribe(doc, doc.Root)
	if err != nil || s.Termination.Kind != wsrf.Never {
		t.Errorf("it ends at %v, %v", s.Termination, err)
	}
}

func TestSubscribeResponse(t *testing.T) {
	m := soaptest.Recorded(t, "25-subscribe-response")
	r, err := Draft.ParseSubscribeResponse(m.Doc, m.Body)
	if err != nil {
		t.Fatal(err)
	}
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Draft.WriteSubscribeResponse(enc, r)
	})
	again, err := Draft.ParseSubscribeResponse(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Subscribed{r, again} {
		r := s.Reference
		key, _ := r.Key(SubscriptionKey)
		if r.Address != "http://127.0.0.1:8080/wsrf/services/SubscriptionManagerService" ||
			key != "f8a00800-e5fd-11f1-96d4-c2b0270bde91" {
			t.Errorf("the subscription is %s with key %s", r.Address, key)
		}
	}
	for _, document := range []string{in("SubscribeResponse", ""), in("Subscribe", "")} {
		doc := soaptest.Parse(t, document)
		_, err := Draft.ParseSubscribeResponse(doc, doc.Root)
		wantFault(t, err, xmlstrict.Name{})
	}
}

func TestTopicExpression(t *testing.T) {
	m := soaptest.Recorded(t, "41-getrp-topics-response")
	want := []TopicExpression{
		aboutState, aboutEnd,
	}
	for i, e := range m.Body.ChildElements() {
		got, err := Draft.ParseTopicExpression(m.Doc, e) // here the Dialect is qualified
		if got != want[i] || err != nil {
			t.Errorf("topic %d is %v, %v", i, got, err)
		}
		doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
			got.Write(enc, names[Draft].Topic)
		})
		if got, err := Draft.ParseTopicExpression(doc, doc.Root); got != want[i] || err != nil {
			t.Errorf("what we write is %v, %v", got, err)
		}
	}
	if got := want[0].String(); got != currentState.String() {
		t.Errorf("it prints as %s", got)
	}
}

func TestGetCurrentMessage(t *testing.T) {
	m := soaptest.Recorded(t, "40-getcurrentmessage-request")
	got, err := Draft.ParseGetCurrentMessage(m.Doc, m.Body)
	if got != aboutState || err != nil {
		t.Errorf("it asks for %v, %v", got, err)
	}
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Draft.WriteGetCurrentMessage(enc, got)
	})
	if got, err := Draft.ParseGetCurrentMessage(doc, doc.Root); got != aboutState ||
		err != nil {
		t.Errorf("what we write asks for %v, %v", got, err)
	}
	doc = soaptest.Parse(t, in("GetCurrentMessage", ""))
	_, err = Draft.ParseGetCurrentMessage(doc, doc.Root)
	wantFault(t, err, names[Draft].InvalidTopicExpression)
	doc = soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Draft.WriteGetCurrentMessageResponse(enc,
			state("Paused"))
	})
	if !xmlstrict.Is(doc.Root, names[Draft].GetCurrentMessageResponse) ||
		!xmlstrict.Is(doc.Root.ChildElements()[0], names[Draft].valueChange) {
		t.Errorf("the answer is %s", doc.Root.Tag)
	}
}

// state is the content of a message about a workspace's new state.
func state(s string) Content {
	return Draft.ValueChange(func(enc *xmlstrict.Encoder) {
		enc.Start(currentState)
		enc.Element(xmlstrict.Name{Space: currentState.Space, Local: "state"}, s)
		enc.End()
	})
}

func TestNotifyRecorded(t *testing.T) {
	m := soaptest.Recorded(t, "25-subscribe-notify-request")
	all, err := Draft.ParseNotify(m.Doc, m.Body)
	if err != nil || len(all) != 1 {
		t.Fatalf("got %d messages, %v", len(all), err)
	}
	n := all[0]
	want := time.Date(2026, 11, 21, 22, 51, 4, 249e6, time.UTC)
	key, _ := n.Producer.Key(workspaceKey)
	at, ok := n.Terminated()
	if key != "13" || !ok || !at.Equal(want) || n.Topic != aboutEnd {
		t.Errorf("workspace %s ended at %v, topic %v", key, at, n.Topic)
	}
	if value, ok := n.NewValue(); ok {
		t.Errorf("it tells of the new value %v", value)
	}
	n.Content = Draft.Termination(at)
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) { Draft.WriteNotify(enc, n) })
	if got, want := outline(doc.Root), outline(m.Body); got != want {
		t.Errorf("wrote %s\nwant  %s", got, want)
	}
}

// outline lists the names in a tree, in order.
func outline(e *etree.Element) string {
	text := e.Tag + "("
	for c := range xmlstrict.Children(e) {
		text += outline(c)
	}
	return text + ")"
}

// TestNotifyRoundTrip sends both kinds of messages in one Notify.
func TestNotifyRoundTrip(t *testing.T) {
	producer := wsa.NewEPR("http://x", workspaceKey, "7")
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Draft.WriteNotify(enc,
			Notification{Topic: aboutState, Producer: &producer,
				Content: state("Paused")},
			Notification{Topic: aboutEnd, Content: Draft.Termination(at)})
	})
	all, err := Draft.ParseNotify(doc, doc.Root)
	if err != nil || len(all) != 2 {
		t.Fatalf("got %d messages, %v", len(all), err)
	}
	value, ok := all[0].NewValue()
	if !ok || !xmlstrict.Is(value, currentState) ||
		xmlstrict.Text(value.ChildElements()[0]) != "Paused" {
		t.Errorf("the new value is %v", value)
	}
	if _, ok := all[0].Terminated(); ok {
		t.Error("a state change ends the workspace")
	}
	ended, ok := all[1].Terminated()
	if !ok || !ended.Equal(at) || all[1].Producer != nil {
		t.Errorf("it ended at %v, producer %v", ended, all[1].Producer)
	}
}

// TestStateMessageType checks the xsi:type without which the original's
// consumer cannot cast the message, and that a termination has none.
func TestStateMessageType(t *testing.T) {
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Draft.WriteNotify(enc, Notification{Topic: aboutState, Content: state("Paused")},
			Notification{Topic: aboutEnd,
				Content: Draft.Termination(time.Now())})
	})
	all, err := Draft.ParseNotify(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := xmlstrict.Attr(all[0].Message, xmlstrict.XSIType)
	if got, err := xmlstrict.ResolveQName(all[0].Message, text); got != valueChangeType ||
		err != nil {
		t.Errorf("the message has the type %v, %v", got, err)
	}
	if text, ok := xmlstrict.Attr(all[1].Message, xmlstrict.XSIType); ok {
		t.Errorf("a termination has the type %s", text)
	}
}

func TestTerminationWrapped(t *testing.T) {
	doc := soaptest.Parse(t, in("Message", `<l:TerminationNotification xmlns:l="`+
		schema.Lifetime+`"><l:TerminationTime>2026-01-31T12:00:00Z</l:TerminationTime>`+
		`</l:TerminationNotification>`))
	if at, ok := (Notification{Message: doc.Root}).Terminated(); !ok || at.Year() != 2026 {
		t.Errorf("it ended at %v, %v", at, ok)
	}
}

func TestNotifyRefuses(t *testing.T) {
	good := "<n:Topic Dialect='" + SimpleDialect + "'>x</n:Topic>"
	tests := map[string]struct {
		document string
		fault    xmlstrict.Name
	}{
		"another message": {in("Subscribe", ""), xmlstrict.Name{}},
		"no message":      {in("Notify", ""), xmlstrict.Name{}},
		"unknown part":    {in("Notify", "<x/>"), xmlstrict.Name{}},
		"no topic": {in("Notify",
			"<n:NotificationMessage><n:Message/></n:NotificationMessage>"), xmlstrict.Name{}},
		"no content": {in("Notify",
			"<n:NotificationMessage>"+good+"</n:NotificationMessage>"), xmlstrict.Name{}},
		"bad topic": {in("Notify",
			"<n:NotificationMessage><n:Topic/><n:Message/></n:NotificationMessage>"),
			names[Draft].InvalidTopicExpression},
		"two topics": {in("Notify", "<n:NotificationMessage>"+good+good+
			"<n:Message/></n:NotificationMessage>"), xmlstrict.Name{}},
		"two producers": {in("Notify", "<n:NotificationMessage>"+good+
			"<n:ProducerReference/><n:ProducerReference/></n:NotificationMessage>"),
			xmlstrict.Name{}},
		"two contents": {in("Notify", "<n:NotificationMessage>"+good+
			"<n:Message/><n:Message/></n:NotificationMessage>"), xmlstrict.Name{}},
		"bad producer": {in("Notify", "<n:NotificationMessage>"+good+
			"<n:ProducerReference/><n:Message/></n:NotificationMessage>"), xmlstrict.Name{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := soaptest.Parse(t, tt.document)
			_, err := Draft.ParseNotify(doc, doc.Root)
			wantFault(t, err, tt.fault)
		})
	}
}
