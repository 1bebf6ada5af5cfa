package wsn

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// faultName returns the name of the typed fault in an error.
func faultName(err error) xmlstrict.Name {
	var typed *wsrf.FaultError
	if !errors.As(err, &typed) {
		return xmlstrict.Name{}
	}
	return typed.Fault
}

// in13 wraps content in an element of WS-BaseNotification 1.3; n is its prefix.
func in13(local, content string) string {
	return `<n:` + local + ` xmlns:n="` + names[Final].Subscribe.Space + `" xmlns:a="` +
		wsa.Space200508 + `" xmlns:t="urn:t" xmlns:i="` + xmlstrict.XSISpace + `" xmlns:p="` +
		wait.Space + `">` + content + `</n:` + local + `>`
}

// The parts of a good Subscribe of 1.3.
const (
	consumer13 = "<n:ConsumerReference><a:Address>http://x</a:Address></n:ConsumerReference>"
	topic13    = "<n:TopicExpression Dialect='" + FullDialect2 + "'>t:a//*|t:b</n:TopicExpression>"
	content13  = "<n:MessageContent Dialect='" + wsrf.XPathDialect + "'>//t:s='R'" +
		"</n:MessageContent>"
	producer13 = "<n:ProducerProperties Dialect='" + wsrf.XPathDialect + "'>t:*" +
		"</n:ProducerProperties>"
)

func TestSubscribe13(t *testing.T) {
	doc := soaptest.Parse(t, in13("Subscribe", consumer13+"<n:Filter>"+topic13+producer13+content13+
		"</n:Filter><n:InitialTerminationTime>P1MT2H</n:InitialTerminationTime>"+
		"<n:SubscriptionPolicy><n:UseRaw/></n:SubscriptionPolicy><t:more/>"))
	for range 2 {
		s, err := Final.ParseSubscribe(doc, doc.Root)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
		if end := s.Termination.From(now); s.UseNotify || s.Consumer.Address != "http://x" ||
			!end.Equal(now.AddDate(0, 1, 0).Add(2*time.Hour)) {
			t.Errorf("it asks for %+v, until %v", s, end)
		}
		if s.Topic.String() != "{urn:t}a//*|{urn:t}b" ||
			s.Filter.MessageContent.String() != "//t:s='R'" ||
			s.Filter.ProducerProperties.String() != "t:*" {
			t.Errorf("it asks for %s, %+v", s.Topic, s.Filter)
		}
		checkFilter(t, s.Filter)
		doc = soaptest.Written(t, s.Write)
	}
}

// checkFilter keeps a filter, reads it back and asks it.
func checkFilter(t *testing.T, f Filter) {
	t.Helper()
	again, err := ParseFilter(f.Bytes())
	if err != nil || string(again.Bytes()) != string(f.Bytes()) {
		t.Fatalf("kept as %s, then as %s, %v", f.Bytes(), again.Bytes(), err)
	}
	doc := soaptest.Parse(t, `<r xmlns="urn:t"><s>R</s></r>`)
	for _, c := range []*wsrf.Condition{again.MessageContent, again.ProducerProperties} {
		if holds, err := c.Holds(doc.Root); !holds || err != nil {
			t.Errorf("%s holds: %t, %v", c, holds, err)
		}
	}
}

func TestSubscribe13Plain(t *testing.T) {
	for content, kind := range map[string]wsrf.EndKind{
		consumer13: wsrf.Unsaid,
		consumer13 + `<n:InitialTerminationTime i:nil="true"/>`: wsrf.Never,
		consumer13 + `<n:InitialTerminationTime>2026-01-31T12:00:00Z` +
			`</n:InitialTerminationTime>`: wsrf.AtTime,
	} {
		doc := soaptest.Parse(t, in13("Subscribe", content))
		s, err := Final.ParseSubscribe(doc, doc.Root)
		if err != nil || s.Termination.Kind != kind || !s.Topic.IsZero() || !s.UseNotify ||
			s.Filter.Bytes() != nil {
			t.Errorf("%s is %+v, %v", content, s, err)
		}
		again := soaptest.Written(t, s.Write)
		if back, err := Final.ParseSubscribe(again, again.Root); err != nil ||
			!reflect.DeepEqual(back.Termination, s.Termination) {
			t.Errorf("wrote %+v, read %+v, %v", s, back, err)
		}
	}
}

// TestSubscribe13Refuses names the fault of each refusal (1.3, 4.2).
func TestSubscribe13Refuses(t *testing.T) {
	n := names[Final]
	filter := func(content string) string {
		return consumer13 + "<n:Filter>" + content + "</n:Filter>"
	}
	tests := map[string]struct {
		content string
		fault   xmlstrict.Name
		says    string // in what the fault adds
	}{
		"unknown filter":      {filter("<t:f/><t:g/>"), n.InvalidFilter, "t:f"},
		"unknown wsnt filter": {filter("<n:Topics/>"), n.InvalidFilter, "n:Topics"},
		"bad topic": {filter(strings.Replace(topic13, "|", "|/", 1)), n.InvalidTopicExpression,
			""},
		"unknown dialect": {filter(strings.Replace(topic13, "Full", "Other", 1)),
			n.TopicDialectUnknown, ""},
		"bad content": {filter(strings.Replace(content13, "//", "///", 1)),
			n.InvalidMessageContentExpression, ""},
		"dialect of content": {filter(strings.Replace(content13, "xpath", "xquery", 1)),
			n.InvalidMessageContentExpression, ""},
		"bad producer": {filter(strings.Replace(producer13, "t:*", "x:*", 1)),
			n.InvalidProducerPropertiesExpression, ""},
		"unknown policy": {consumer13 + "<n:SubscriptionPolicy><t:q/></n:SubscriptionPolicy>",
			n.UnrecognizedPolicyRequest, "t:q"},
		"bad time": {consumer13 + "<n:InitialTerminationTime>soon</n:InitialTerminationTime>",
			n.UnacceptableInitialTerminationTime, "MinimumTime"},
		"negative time": {consumer13 + "<n:InitialTerminationTime>-PT1S" +
			"</n:InitialTerminationTime>", n.UnacceptableInitialTerminationTime, "MinimumTime"},
		"no consumer": {"<n:Filter/>", xmlstrict.Name{}, ""},
		"two topics":  {filter(topic13 + topic13), xmlstrict.Name{}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := soaptest.Parse(t, in13("Subscribe", tt.content))
			_, err := Final.ParseSubscribe(doc, doc.Root)
			if err == nil || faultName(err) != tt.fault {
				t.Fatalf("the fault is %s, %v", faultName(err), err)
			}
			var typed *wsrf.FaultError
			if tt.says != "" && errors.As(err, &typed) {
				wantMore(t, typed, tt.says)
			}
		})
	}
}

// wantMore checks what a fault's type adds.
func wantMore(t *testing.T, typed *wsrf.FaultError, says string) {
	t.Helper()
	doc := soaptest.Written(t, wsrf.BaseFault{
		Edition: wsrf.Final, Name: typed.Fault, Timestamp: time.Now(), More: typed.More,
	}.Write)
	f, err := wsrf.ParseBaseFault(doc, doc.Root)
	if err != nil || len(f.Details) == 0 {
		t.Fatalf("the fault adds %v, %v", f.Details, err)
	}
	added := f.Details[0]
	name, err := xmlstrict.ResolveQName(added, xmlstrict.RawText(added))
	_, local, _ := strings.Cut(says, ":")
	if added.Tag != says && (err != nil || name.Local != local) {
		t.Errorf("the fault adds %s with %v, %v", added.Tag, name, err)
	}
}

func TestNotify13(t *testing.T) {
	producer, subscription := wsa.EPR{Address: "http://p"}, wsa.EPR{Address: "http://s"}
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	value := func(enc *xmlstrict.Encoder) { enc.Element(currentState, "Paused") }
	all := []Notification{
		{Topic: Final.SimpleTopic(currentState), Producer: &producer, Subscription: &subscription,
			Content: Final.ValueChange(value)},
		{Content: Final.Termination(at)},
	}
	write := func(enc *xmlstrict.Encoder) { Final.WriteNotify(enc, all...) }
	doc := soaptest.Written(t, write)
	got, err := Final.ParseNotify(doc, doc.Root)
	if err != nil || len(got) != 2 {
		t.Fatalf("read %v, %v", got, err)
	}
	changed, ok := got[0].NewValue()
	if !ok || xmlstrict.Text(changed) != "Paused" || got[0].Subscription.Address != "http://s" ||
		got[0].Producer.Address != "http://p" || got[0].Topic != all[0].Topic {
		t.Errorf("read %+v", got[0])
	}
	if ended, ok := got[1].Terminated(); !ok || !ended.Equal(at) || !got[1].Topic.IsZero() {
		t.Errorf("read %+v", got[1])
	}
	doc = soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Final.WriteGetMessagesResponse(enc, all...)
	})
	if got, err := Final.ParseGetMessagesResponse(doc, doc.Root); len(got) != 2 || err != nil {
		t.Errorf("a pull point handed out %v, %v", got, err)
	}
	doc = soaptest.Written(t, func(enc *xmlstrict.Encoder) { Final.WriteGetMessagesResponse(enc) })
	if got, err := Final.ParseGetMessagesResponse(doc, doc.Root); len(got) != 0 || err != nil {
		t.Errorf("an empty pull point handed out %v, %v", got, err)
	}
}

func TestManage13(t *testing.T) {
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for _, want := range []wsrf.End{
		{Kind: wsrf.Never}, wsrf.EndAt(at), wsrf.EndAfter(time.Hour),
		{Kind: wsrf.Lasting, Months: 14, For: 1500 * time.Millisecond},
	} {
		doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) { Final.WriteRenew(enc, want) })
		if got, err := Final.ParseRenew(doc, doc.Root); got != want || err != nil {
			t.Errorf("wrote %v, read %v, %v", want, got, err)
		}
	}
	doc := soaptest.Parse(t, in13("Renew", "<n:TerminationTime>later</n:TerminationTime>"))
	_, err := Final.ParseRenew(doc, doc.Root)
	wantFault(t, err, names[Final].UnacceptableTerminationTime)

	for _, end := range []time.Time{{}, at.Add(time.Hour)} {
		doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
			Final.WriteRenewResponse(enc, end, at)
		})
		gotEnd, now, err := Final.ParseRenewResponse(doc, doc.Root)
		if !gotEnd.Equal(end) || !now.Equal(at) || err != nil {
			t.Errorf("wrote %v, read %v at %v, %v", end, gotEnd, now, err)
		}
		want := Subscribed{wsa.EPR{Address: "http://s"}, at, end}
		doc = soaptest.Written(t, func(enc *xmlstrict.Encoder) {
			Final.WriteSubscribeResponse(enc, want)
		})
		got, err := Final.ParseSubscribeResponse(doc, doc.Root)
		if !reflect.DeepEqual(got, want) || err != nil {
			t.Errorf("wrote %v, read %v, %v", want, got, err)
		}
	}
}

func TestGetMessages(t *testing.T) {
	for _, want := range []GetMessages{
		{}, {Most: 5}, {None: true}, {Most: 1, Wait: 90 * time.Second}, {Wait: time.Second},
	} {
		doc := soaptest.Written(t, want.Write)
		if got, err := Final.ParseGetMessages(doc, doc.Root); got != want || err != nil {
			t.Errorf("wrote %v, read %v, %v", want, got, err)
		}
	}
	tests := map[string]int{
		"0": 0, "+7": 7, "99999999999999999999": maxMessages, "-1": -1, "many": -1, "": -1,
		"1.5": -1,
		"-0":  0,
	}
	for text, want := range tests {
		doc := soaptest.Parse(t, in13("GetMessages", "<n:MaximumNumber>"+text+
			"</n:MaximumNumber><t:other/>"))
		got, err := Final.ParseGetMessages(doc, doc.Root)
		if want < 0 != (err != nil) || err == nil && got.Most != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	doc := soaptest.Parse(t, in13("GetMessages", "<p:Wait>soon</p:Wait>"))
	if _, err := Final.ParseGetMessages(doc, doc.Root); err == nil {
		t.Error("a wait that is no duration was taken")
	}
	epr := wsa.EPR{Address: "http://p"}
	doc = soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Final.WriteCreatePullPointResponse(enc, epr)
	})
	got, err := Final.ParseCreatePullPointResponse(doc, doc.Root)
	if !reflect.DeepEqual(got, epr) || err != nil {
		t.Errorf("read %v, %v", got, err)
	}
}
