package message

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/notify"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

var update = flag.Bool("update", false, "write the golden files anew")

var someday = time.Date(2026, 11, 21, 22, 51, 4, 249e6, time.UTC)

// encode returns the envelope for an event of workspace 13.
func encode(t *testing.T, useNotify bool, e workspace.Event) (envelope, action string) {
	t.Helper()
	s := subscribed()
	s.UseNotify = useNotify
	e.Workspace, e.At = 13, someday
	out, err := Formats("http://127.0.0.1:8080")[GT4].Encode([]notify.Delivery{
		{Subscription: s, Message: workspace.Message{
			Seq: 7, Number: 3, Subscription: s.ID, Event: e,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(out.Body), out.Action
}

// subscribed returns a subscription with a consumer that has a key.
func subscribed() *workspace.Subscription {
	const (
		id  = "f84e8ca0-e5fd-11f1-b221-db7754d5b3eb"
		url = "http://127.0.0.1:18500/wsrf/services/NotificationConsumerService"
	)
	return &workspace.Subscription{
		ID: id, Workspace: 7, Topics: []workspace.Topic{workspace.TopicState}, Address: url,
		Consumer: []byte(`<ConsumerReference xmlns="` + schema.BaseNotification + `" xmlns:wsa="` +
			`http://schemas.xmlsoap.org/ws/2004/03/addressing"><wsa:Address>` + url +
			`</wsa:Address><wsa:ReferenceProperties>` +
			`<k:NotificationConsumerKey xmlns:k="http://www.globus.org/namespaces/2004/06/core">` +
			id + `</k:NotificationConsumerKey></wsa:ReferenceProperties></ConsumerReference>`),
	}
}

// TestTerminationLooksAsRecorded compares our message with those that the
// original sent, element by element.
func TestTerminationLooksAsRecorded(t *testing.T) {
	ours, action := encode(t, true, workspace.Event{Topic: workspace.TopicTermination})
	if action != "http://docs.oasis-open.org/wsn/2004/06/wsn-WS-BaseNotification/Notify" {
		t.Errorf("action is %s", action)
	}
	for _, name := range []string{"recorded-25.xml", "recorded-44.xml"} {
		recorded, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		want, got := outline(t, string(recorded)), outline(t, ours)
		got = slices.DeleteFunc(got, func(line string) bool { // ours alone
			return strings.Contains(line, SequenceNumber.String())
		})
		if !slices.Equal(want, got) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"),
				strings.Join(want, "\n"))
		}
	}
}

// outline returns an envelope as one line for each element: expanded name,
// attributes, and text with what differs each time left out.
func outline(t *testing.T, envelope string) []string {
	t.Helper()
	m, err := soap.Parse([]byte(envelope), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	var walk func(depth int, e *etree.Element)
	walk = func(depth int, e *etree.Element) {
		line := strings.Repeat(" ", depth) + xmlstrict.NameOf(e).String()
		for i := range e.Attr {
			name := xmlstrict.AttrName(e, &e.Attr[i])
			if name.Space != xmlstrict.XMLNSSpace {
				line += " " + name.String() + "=" + e.Attr[i].Value
			}
		}
		lines = append(lines, line+" "+steady(e))
		for child := range xmlstrict.Children(e) {
			walk(depth+1, child)
		}
	}
	walk(0, m.Doc.Root)
	return lines
}

var passing = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|` +
	`^\d+$|\d{4}-\d\d-\d\dT[\d:.]+Z`)

// steady returns the element's text without ids, keys and times.
func steady(e *etree.Element) string {
	text := xmlstrict.Text(e)
	if name, err := xmlstrict.ResolveQName(e, text); err == nil && strings.Contains(text, ":") {
		return name.String()
	}
	return passing.ReplaceAllString(text, "...")
}

func TestMessagesAreGolden(t *testing.T) {
	tests := map[string]struct {
		useNotify bool
		event     workspace.Event
	}{
		"state": {true, workspace.Event{
			Topic: workspace.TopicState, State: workspace.Paused}},
		"corrupted": {true, workspace.Event{
			Topic: workspace.TopicState, State: workspace.Corrupted, Fault: "image <x> & more"}},
		"termination": {true, workspace.Event{
			Topic: workspace.TopicTermination, State: workspace.Running}},
		"bare-state": {false, workspace.Event{
			Topic: workspace.TopicState, State: workspace.Running}},
		"bare-termination": {false, workspace.Event{Topic: workspace.TopicTermination}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, _ := encode(t, tt.useNotify, tt.event)
			golden(t, name, []byte(got))
		})
	}
}

// golden compares an envelope with the file of that name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".xml")
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(got) != string(want) {
		t.Errorf("message is\n%s\nwant\n%s%v", got, want, err)
	}
}

// TestStateIsUnderstood reads a state message the way the original client
// does: by the type of Message, and for the new value inside.
func TestStateIsUnderstood(t *testing.T) {
	text, _ := encode(t, true, workspace.Event{
		Topic: workspace.TopicState, State: workspace.Paused})
	m, err := soap.Parse([]byte(text), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	all, err := wsn.Draft.ParseNotify(m.Doc, m.Body)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d messages, %v", len(all), err)
	}
	kind, _ := xmlstrict.Attr(all[0].Message, xmlstrict.XSIType)
	name, err := xmlstrict.ResolveQName(all[0].Message, kind)
	if err != nil || name.Space != "http://wsrf.globus.org/core/notification" ||
		name.Local != "ResourcePropertyValueChangeNotificationElementType" {
		t.Errorf("xsi:type is %s, %v", name, err)
	}
	value, ok := all[0].NewValue()
	if !ok || xmlstrict.Text(value.ChildElements()[0]) != "Paused" {
		t.Errorf("new value is %v, %t", value, ok)
	}
	if key, _ := all[0].Producer.Key(port.WorkspaceKey); key != "13" {
		t.Errorf("producer's key is %q", key)
	}
}

func TestMessageIDIsTheSameEachTime(t *testing.T) {
	one := func(s workspace.SubscriptionID, seq int64) notify.Delivery {
		return notify.Delivery{Message: workspace.Message{Seq: seq, Subscription: s}}
	}
	id := func(batch []notify.Delivery) string {
		return string(appendMessageID(nil, wsdl.One, batch))
	}
	seen := make(map[string]bool)
	for _, batch := range [][]notify.Delivery{
		{one("s", 7)}, {one("s", 8)}, {one("t", 7)}, {one("s", 7), one("s", 8)},
	} {
		name := id(batch)
		if name != id(batch) || seen[name] {
			t.Errorf("the ID of %v is %s, then %s", batch, name, id(batch))
		}
		seen[name] = true
	}
}

func TestConsumerThatCannotBeReadIsAnError(t *testing.T) {
	for name, text := range map[string]string{
		"no XML": "x", "no address": "<C/>", "nothing": "",
	} {
		s := &workspace.Subscription{Consumer: []byte(text)}
		if _, err := Formats("")[GT4].Encode([]notify.Delivery{{Subscription: s}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
