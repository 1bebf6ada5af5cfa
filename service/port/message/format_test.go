package message

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/notify"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// batch is messages 4 and 6 of a subscription with the format; 5 was withheld.
func batch(format string, useNotify bool) []notify.Delivery {
	s := subscribed()
	s.Format, s.UseNotify = format, useNotify
	s.Consumer = []byte(`<c:ConsumerReference xmlns:c="` + schema.BaseNotification2 +
		`" xmlns:wsa="` + wsa.Space200508 + `"><wsa:Address>http://127.0.0.1:9/?a&amp;b` +
		`</wsa:Address><wsa:ReferenceParameters><k:key xmlns:k="u:k">&lt;1</k:key>` +
		`</wsa:ReferenceParameters></c:ConsumerReference>`)
	all := []notify.Delivery{
		{Subscription: s, Message: workspace.Message{
			Seq: 7, Number: 4, Subscription: s.ID, Event: workspace.Event{
				Workspace: 13, Topic: workspace.TopicState, State: workspace.Running, At: someday,
			}}},
		{Subscription: s, Message: workspace.Message{
			Seq: 9, Number: 6, Subscription: s.ID, Event: workspace.Event{
				Workspace: 13, Topic: workspace.TopicTermination, At: someday,
			}}},
	}
	if !useNotify {
		all = all[:1]
	}
	return all
}

func TestFormatsOfFaceTwo(t *testing.T) {
	tests := map[string]struct {
		format      string
		useNotify   bool
		contentType string
		action      string // header SOAPAction
	}{
		"wrapped-11": {WSN11, true, "text/xml; charset=utf-8",
			"http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify"},
		"wrapped-12": {WSN12, true, "application/soap+xml; charset=utf-8; " +
			`action="http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify"`, ""},
		"raw-11": {WSN11, false, "text/xml; charset=utf-8",
			"http://docs.oasis-open.org/wsrf/rp-2/ResourcePropertyValueChangeNotification"},
		"raw-12": {WSN12, false, "application/soap+xml; charset=utf-8; action=" +
			`"http://docs.oasis-open.org/wsrf/rp-2/ResourcePropertyValueChangeNotification"`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			formats := Formats("http://h:8080")
			out, err := formats[tt.format].Encode(batch(tt.format, tt.useNotify))
			if err != nil {
				t.Fatal(err)
			}
			if out.ContentType != tt.contentType || out.Action != tt.action {
				t.Errorf("content type %q, action %q", out.ContentType, out.Action)
			}
			again, err := formats[tt.format].Encode(batch(tt.format, tt.useNotify))
			if err != nil || !bytes.Equal(out.Body, again.Body) {
				t.Errorf("again it is\n%s, %v", again.Body, err)
			}
			golden(t, name, out.Body)
		})
	}
}

// TestNumbers reads the sequence numbers where the documentation has them: in a
// header block for each message, and in its subscription's reference.
func TestNumbers(t *testing.T) {
	for _, format := range []string{GT4, WSN11, WSN12} {
		out, err := Formats("http://h")[format].Encode(batch(format, true))
		if err != nil {
			t.Fatal(err)
		}
		m, err := soap.Parse(out.Body, xmlstrict.DefaultLimits())
		if err != nil {
			t.Fatalf("%s: %v\n%s", format, err, out.Body)
		}
		var numbers []string
		for _, block := range m.Headers {
			if xmlstrict.Is(block, SequenceNumber) {
				numbers = append(numbers, xmlstrict.Text(block))
			}
		}
		for holder := range xmlstrict.Children(m.Body) {
			reference := xmlstrict.Child(holder, wsn.Final.Names().SubscriptionReference)
			if reference != nil {
				number := xmlstrict.Child(reference, SequenceNumber)
				numbers = append(numbers, xmlstrict.Text(number))
			}
		}
		want := "4 6 4 6"
		if format == GT4 {
			want = "4 6"
		}
		if got := strings.Join(numbers, " "); got != want {
			t.Errorf("%s: numbers %s, want %s", format, got, want)
		}
		h, err := wsa.ParseHeader(m)
		if err != nil || h.To != "http://127.0.0.1:9/?a&b" {
			t.Errorf("%s: to %q, %v", format, h.To, err)
		}
	}
}

// TestLeaseTopics writes what is told of leases, which face two alone hears.
func TestLeaseTopics(t *testing.T) {
	tests := map[string]workspace.Event{
		"lease-warning": {Workspace: 13, Topic: workspace.TopicWarning, At: someday,
			End: someday.Add(time.Minute)},
		"lease-status": {Workspace: 13, Topic: workspace.TopicLease, At: someday,
			Lease: workspace.LeaseAccepted, End: someday.Add(time.Hour)},
		"lease-queued": {Workspace: 13, Topic: workspace.TopicLease, At: someday,
			Lease: workspace.LeaseQueued},
		"transfer": {Workspace: 13, Topic: workspace.TopicTransfer, At: someday,
			Transfer: workspace.TransferProgress{Task: "propagate", Done: 1 << 20, Total: 1 << 30}},
	}
	for name, event := range tests {
		t.Run(name, func(t *testing.T) {
			one := batch(WSN12, true)[:1]
			one[0].Message.Event = event
			out, err := Formats("http://h:8080")[WSN12].Encode(one)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, out.Body)
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, format := range []string{GT4, WSN12} {
		b.Run(format, func(b *testing.B) {
			f, one := Formats("http://h")[format], batch(format, true)[:1]
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Encode(one); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
