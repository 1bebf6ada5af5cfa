package wsn

import (
	"errors"
	"testing"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// seed gives a fuzz target the recorded messages about notification.
func seed(f *testing.F) {
	for _, data := range soaptest.All(f) {
		f.Add(data)
	}
}

// wantPlaced checks that an error is one of ours.
func wantPlaced(t *testing.T, err error) {
	t.Helper()
	var content *xmlstrict.ContentError
	if err != nil && !errors.As(err, &content) {
		t.Fatalf("error of another type: %v", err)
	}
}

// FuzzNotify feeds any message to all readers, and writes and reads again the
// notifications that are accepted.
func FuzzNotify(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := soap.Parse(data, xmlstrict.Limits{})
		if err != nil || m.Body == nil {
			return
		}
		_, err = ParseSubscribe(m.Doc, m.Body)
		wantPlaced(t, err)
		_, err = ParseSubscribeResponse(m.Doc, m.Body)
		wantPlaced(t, err)
		_, err = ParseGetCurrentMessage(m.Doc, m.Body)
		wantPlaced(t, err)
		all, err := ParseNotify(m.Doc, m.Body)
		wantPlaced(t, err)
		for _, n := range all {
			n.NewValue()
			if at, ok := n.Terminated(); ok {
				n.Content = Termination(at)
				doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) { WriteNotify(enc, n) })
				again, err := ParseNotify(doc, doc.Root)
				if err != nil || len(again) != 1 || again[0].Topic != n.Topic {
					t.Fatalf("wrote %v, read %v, %v", n.Topic, again, err)
				}
			}
		}
	})
}

// FuzzTopicExpression checks that any text is a topic or a typed fault.
func FuzzTopicExpression(f *testing.F) {
	for _, text := range []string{"t:currentState", "currentState", "t:a/b", "//.", "p:x", "",
		" t:x "} {
		f.Add(SimpleDialect, text)
		f.Add("", text)
		f.Add("http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Full", text)
	}
	f.Fuzz(func(t *testing.T, dialect, text string) {
		enc := xmlstrict.NewEncoder()
		enc.Start(names[Draft].TopicExpression)
		enc.Declare(currentState.Space)
		enc.Attr(dialectAttr, dialect)
		enc.Text(text)
		enc.End()
		doc, err := xmlstrict.Parse(enc.Bytes(), xmlstrict.Limits{})
		if err != nil {
			return
		}
		topic, err := ParseTopicExpression(doc, doc.Root)
		var typed *wsrf.FaultError
		if err != nil {
			if !errors.As(err, &typed) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		again := soaptest.Written(t, func(enc *xmlstrict.Encoder) { topic.Write(enc, Topic) })
		back, err := ParseTopicExpression(again, again.Root)
		if err != nil || back.String() != topic.String() {
			t.Fatalf("wrote %v, read %v, %v", topic, back, err)
		}
	})
}
