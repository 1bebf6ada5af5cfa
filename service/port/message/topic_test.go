package message

import (
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// TestTopicNamespacesArePublished holds the published documents against the
// table of topics.
func TestTopicNamespacesArePublished(t *testing.T) {
	var published []xmlstrict.Name
	for _, name := range schema.Topics() {
		text, ok := schema.File(name)
		if !ok {
			t.Fatalf("%s is not published", name)
		}
		doc, err := xmlstrict.Parse(text, xmlstrict.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		space, _ := xmlstrict.Attr(doc.Root, xmlstrict.Name{Local: "targetNamespace"})
		for topic := range xmlstrict.Children(doc.Root) {
			local, _ := xmlstrict.Attr(topic, xmlstrict.Name{Local: "name"})
			published = append(published, xmlstrict.Name{Space: space, Local: local})
			kind, _ := xmlstrict.Attr(topic, xmlstrict.Name{Local: "messageTypes"})
			element, err := xmlstrict.ResolveQName(topic, kind)
			about, _ := TopicOf(wsdl.Two, xmlstrict.Name{Space: space, Local: local})
			if root, _ := bare(wsdl.Two, workspace.Event{Topic: about}); err != nil ||
				element != root {
				t.Errorf("%s: its messages are %s, not %s: %v", local, root, element, err)
			}
		}
	}
	if !slices.Equal(published, Topics(wsdl.Two)) {
		t.Errorf("published are %v, topics are %v", published, Topics(wsdl.Two))
	}
}

func TestTopicsHaveTheirNames(t *testing.T) {
	for _, face := range []wsdl.Face{wsdl.One, wsdl.Two} {
		for _, name := range Topics(face) {
			topic, ok := TopicOf(face, name)
			if !ok || TopicName(face, topic) != name {
				t.Errorf("%s: %s is %q, %s", face, name, topic, TopicName(face, topic))
			}
		}
	}
	if _, ok := TopicOf(wsdl.Two, wsrf.Draft.Names().ResourceTermination); ok {
		t.Error("face two knows the draft's topic")
	}
	if name := TopicName(wsdl.One, "other"); name != (xmlstrict.Name{}) {
		t.Errorf("a topic of nobody is %s", name)
	}
}

// TestPropertyDocumentsTellTheTopics holds what workspaces tell of their topics
// against the table.
func TestPropertyDocumentsTellTheTopics(t *testing.T) {
	for _, face := range []wsdl.Face{wsdl.One, wsdl.Two} {
		name := wsn.Draft.Names().Topic
		if face == wsdl.Two {
			name = wsn.Final.Names().TopicExpression
		}
		text, err := encoded(func(enc *xmlstrict.Encoder) {
			enc.Start(xmlstrict.Name{Local: "all"})
			(&report.ServiceProperties{Edition: port.Edition(face)}).WriteProperty(enc, name)
			enc.End()
		})
		if err != nil {
			t.Fatal(err)
		}
		doc, err := xmlstrict.Parse(text, xmlstrict.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		var told []xmlstrict.Name
		for topic := range xmlstrict.Children(doc.Root) {
			name, err := xmlstrict.ResolveQName(topic, xmlstrict.Text(topic))
			if err != nil {
				t.Error(err)
			}
			told = append(told, name)
		}
		if !slices.Equal(told, Topics(face)) {
			t.Errorf("%s: told are %v, topics are %v", face, told, Topics(face))
		}
	}
}
