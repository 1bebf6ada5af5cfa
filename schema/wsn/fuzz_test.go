package wsn

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// seed gives a fuzz target the recorded messages, those of the drafts in the
// names of the final edition too, and messages that only that has.
func seed(f *testing.F) {
	final := strings.NewReplacer(schema.BaseNotification, schema.BaseNotification2,
		schema.Properties, schema.Properties2, schema.Lifetime, schema.Lifetime2,
		schema.Addressing, schema.Addressing2005, draftDialect, finalDialect)
	for _, data := range soaptest.All(f) {
		f.Add(data)
		if bytes.Contains(data, []byte(schema.BaseNotification)) {
			f.Add([]byte(final.Replace(string(data))))
		}
	}
	for _, body := range []string{
		in13("Subscribe", consumer13+"<n:Filter>"+topic13+producer13+content13+"</n:Filter>"+
			"<n:InitialTerminationTime>P1MT2H</n:InitialTerminationTime><n:SubscriptionPolicy>"+
			"<n:UseRaw/></n:SubscriptionPolicy>"),
		in13("Renew", "<n:TerminationTime i:nil='true'/>"),
		in13("GetMessages", "<n:MaximumNumber>7</n:MaximumNumber><p:Wait>PT9S</p:Wait>"),
		in13("CreatePullPointResponse",
			"<n:PullPoint><a:Address>http://x</a:Address></n:PullPoint>"),
		in13("GetMessagesResponse", "<n:NotificationMessage><n:Message><t:m/></n:Message>"+
			"</n:NotificationMessage>"),
	} {
		f.Add([]byte(`<e:Envelope xmlns:e="` + soap.Space12 + `"><e:Body>` + body +
			`</e:Body></e:Envelope>`))
	}
}

// message is one way to read messages: it returns what writes the message
// again, or nil when there is nothing to write.
type message func(e Edition, doc *xmlstrict.Document, body *etree.Element) (
	func(*xmlstrict.Encoder), error)

// of returns the way that an edition's messages are read.
func (read message) of(e Edition) soaptest.Reader {
	return func(doc *xmlstrict.Document) (func(*xmlstrict.Encoder), error) {
		return read(e, doc, doc.Root)
	}
}

// messages are the readers of all messages.
var messages = map[string]message{
	"Subscribe": func(e Edition, doc *xmlstrict.Document, body *etree.Element) (
		func(*xmlstrict.Encoder), error,
	) {
		s, err := e.ParseSubscribe(doc, body)
		return s.Write, err
	},
	"SubscribeResponse": func(e Edition, doc *xmlstrict.Document, body *etree.Element) (
		func(*xmlstrict.Encoder), error,
	) {
		s, err := e.ParseSubscribeResponse(doc, body)
		return func(enc *xmlstrict.Encoder) { e.WriteSubscribeResponse(enc, s) }, err
	},
	"GetCurrentMessage": func(e Edition, doc *xmlstrict.Document, body *etree.Element) (
		func(*xmlstrict.Encoder), error,
	) {
		topic, err := e.ParseGetCurrentMessage(doc, body)
		return func(enc *xmlstrict.Encoder) { e.WriteGetCurrentMessage(enc, topic) }, err
	},
	"Notify": func(e Edition, doc *xmlstrict.Document, body *etree.Element) (
		func(*xmlstrict.Encoder), error,
	) {
		all, err := e.ParseNotify(doc, body)
		return rewritten(all, func(enc *xmlstrict.Encoder) { e.WriteNotify(enc, all...) }), err
	},
	"GetMessagesResponse": func(e Edition, doc *xmlstrict.Document, body *etree.Element) (
		func(*xmlstrict.Encoder), error,
	) {
		all, err := e.ParseGetMessagesResponse(doc, body)
		return rewritten(all, func(enc *xmlstrict.Encoder) {
			e.WriteGetMessagesResponse(enc, all...)
		}), err
	},
	"Renew": func(e Edition, doc *xmlstrict.Document, body *etree.Element) (
		func(*xmlstrict.Encoder), error,
	) {
		end, err := e.ParseRenew(doc, body)
		return func(enc *xmlstrict.Encoder) { e.WriteRenew(enc, end) }, err
	},
	"RenewResponse": func(e Edition, doc *xmlstrict.Document, body *etree.Element) (
		func(*xmlstrict.Encoder), error,
	) {
		end, now, err := e.ParseRenewResponse(doc, body)
		if now.IsZero() {
			now = time.Unix(1e9, 0)
		}
		return func(enc *xmlstrict.Encoder) { e.WriteRenewResponse(enc, end, now) }, err
	},
	"GetMessages": func(e Edition, doc *xmlstrict.Document, body *etree.Element) (
		func(*xmlstrict.Encoder), error,
	) {
		g, err := e.ParseGetMessages(doc, body)
		if e == Draft {
			return nil, err
		}
		return g.Write, err
	},
	"CreatePullPointResponse": func(e Edition, doc *xmlstrict.Document, body *etree.Element) (
		func(*xmlstrict.Encoder), error,
	) {
		r, err := e.ParseCreatePullPointResponse(doc, body)
		return func(enc *xmlstrict.Encoder) { e.WriteCreatePullPointResponse(enc, r) }, err
	},
}

// rewritten gives notifications that were read their content to be written.
func rewritten(all []Notification, write func(*xmlstrict.Encoder)) func(*xmlstrict.Encoder) {
	for i := range all {
		n := &all[i]
		n.NewValue()
		n.Terminated()
		n.Content.Write = func(enc *xmlstrict.Encoder) {
			for child := range xmlstrict.Children(n.Message) {
				enc.Tree(child)
			}
		}
	}
	return write
}

// FuzzMessages feeds any message to all readers of both editions. What is
// accepted is written, read again, and must be written the same.
func FuzzMessages(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := soap.Parse(data, xmlstrict.Limits{})
		if err != nil || m.Body == nil {
			return
		}
		for _, e := range []Edition{Draft, Final} {
			read, known := messages[m.Body.Tag]
			if !known {
				read = messages["Subscribe"]
			}
			write, err := read(e, m.Doc, m.Body)
			soaptest.Placed(t, err)
			if err == nil && write != nil && known {
				soaptest.Stable(t, write, read.of(e))
			}
		}
		_, err = ParsePullPointSubscription(m.Doc, m.Body)
		soaptest.Placed(t, err)
		_, err = ParsePullMessages(m.Doc, m.Body)
		soaptest.Placed(t, err)
	})
}

// FuzzTopicExpression checks that any text is a topic expression or a typed
// fault, that expressions can be kept, and that asking them ends.
func FuzzTopicExpression(f *testing.F) {
	for _, text := range []string{"t:currentState", "currentState", "t:a/b", "//.", "p:x", "",
		" t:x ", "t:a//*|*/*|t://b", "t:a/u:b//.", "t:a|u:c//.", "*//*//*//*//*", "t:a/./."} {
		for _, dialect := range append(Draft.Dialects(), Final.Dialects()...) {
			f.Add(dialect, text)
		}
		f.Add("", text)
	}
	path := pathOf("t:a/b/b/u:c/b/b/d/b/b/b/e")
	f.Fuzz(func(t *testing.T, dialect, text string) {
		if len(text) > 4*MaxTopicExpression || strings.ContainsAny(text, "\x00") {
			return
		}
		doc := expression(t, dialect, text)
		for _, e := range []Edition{Draft, Final} {
			topic, err := e.ParseTopicExpression(doc, doc.Root)
			if err != nil {
				if faultName(err) == (xmlstrict.Name{}) {
					soaptest.Placed(t, err)
				}
				continue
			}
			topic.MatchPath(path...)
			checkKept(t, topic)
		}
	})
}

// FuzzFilter checks that any expression is a filter that can be kept, or a
// typed fault, and that holding it against a document ends.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{"//t:s='R'", "t:*", "count(//*) > 1", "not(u:x)", "string(.)",
		"1 div 0", "//*[//*[//*]]", "t:s[", "$x", "", "boolean(t:s) and 'x' = \"x\""} {
		f.Add(text)
	}
	document := soaptest.Parse(f, `<r xmlns="urn:t"><s>R</s>`+strings.Repeat("<x/>", 50)+`</r>`)
	f.Fuzz(func(t *testing.T, text string) {
		doc := expression(t, wsrf.XPathDialect, text)
		wrapped := soaptest.Parse(t, in13("Subscribe", consumer13+"<n:Filter>"+content13+
			"</n:Filter>"))
		s, err := Final.ParseSubscribe(wrapped, wrapped.Root)
		if err != nil {
			t.Fatal(err)
		}
		c, err := wsrf.ParseCondition(doc, doc.Root)
		if soaptest.Placed(t, err); err != nil {
			return
		}
		s.Filter.ProducerProperties = c
		again, err := ParseFilter(s.Filter.Bytes())
		if err != nil || again.ProducerProperties.String() != c.String() {
			t.Fatalf("kept as %s, %v", s.Filter.Bytes(), err)
		}
		one, errOne := c.Holds(document.Root)
		two, errTwo := again.ProducerProperties.Holds(document.Root)
		if one != two || (errOne == nil) != (errTwo == nil) {
			t.Fatalf("%q holds: %t, %v; kept: %t, %v", text, one, errOne, two, errTwo)
		}
	})
}

// FuzzTopicSet feeds any document to the reader of topic sets.
func FuzzTopicSet(f *testing.F) {
	enc := xmlstrict.NewEncoder()
	WriteTopicSet(enc, topics...)
	f.Add(enc.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := xmlstrict.Parse(data, xmlstrict.Limits{})
		if err != nil {
			return
		}
		set, err := ParseTopicSet(doc, doc.Root)
		if soaptest.Placed(t, err); err == nil {
			write := func(enc *xmlstrict.Encoder) { WriteTopicSet(enc, set...) }
			again := soaptest.Written(t, write)
			if back, err := ParseTopicSet(again, again.Root); err != nil || len(back) != len(set) {
				t.Fatalf("wrote %v, read %v, %v", set, back, err)
			}
		}
	})
}

// TestReferencesAreRead keeps the reader of references in the fuzz seeds
// honest: what it writes is a reference.
func TestReferencesAreRead(t *testing.T) {
	want := wsa.EPR{Address: "http://x"}
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Final.WriteCreatePullPointResponse(enc, want)
	})
	write, err := messages["CreatePullPointResponse"](Final, doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	soaptest.Stable(t, write, messages["CreatePullPointResponse"].of(Final))
}
