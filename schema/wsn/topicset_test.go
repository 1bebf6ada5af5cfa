package wsn

import (
	"reflect"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// topics are two trees of topics.
var topics = []TopicNode{
	{Name: xmlstrict.Name{Space: "urn:t", Local: "a"}, Topic: true, Children: []TopicNode{
		{Name: xmlstrict.Name{Local: "b"}, Children: []TopicNode{
			{Name: xmlstrict.Name{Space: "urn:u", Local: "c"}, Topic: true},
		}},
	}},
	{Name: xmlstrict.Name{Space: "urn:u", Local: "d"}, Topic: true},
}

func TestTopicSet(t *testing.T) {
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) { WriteTopicSet(enc, topics...) })
	got, err := ParseTopicSet(doc, doc.Root)
	if !reflect.DeepEqual(got, topics) || err != nil {
		t.Errorf("wrote %v, read %v, %v", topics, got, err)
	}
	var paths []string
	Walk(got, func(path []xmlstrict.Name) {
		var words []string
		for _, name := range path {
			words = append(words, name.String())
		}
		paths = append(paths, strings.Join(words, "/"))
	})
	if want := "{urn:t}a {urn:t}a/b/{urn:u}c {urn:u}d"; strings.Join(paths, " ") != want {
		t.Errorf("its topics are %v", paths)
	}
}

func TestTopicNamespace(t *testing.T) {
	want := TopicNamespace{Name: "Leases", Target: "urn:t", Final: true, Topics: []TopicNode{
		{
			Name: xmlstrict.Name{Space: "urn:t", Local: "a"}, Topic: true,
			Messages: []xmlstrict.Name{{Space: "urn:m", Local: "m"}, {Local: "n"}},
			Children: []TopicNode{{Name: xmlstrict.Name{Local: "b"}, Topic: true, Final: true}},
		},
	}}
	doc := soaptest.Written(t, want.Write)
	got, err := ParseTopicNamespace(doc, doc.Root)
	if !reflect.DeepEqual(got, want) || err != nil {
		t.Errorf("wrote %v, read %v, %v", want, got, err)
	}
}

func TestTopicDocumentsRefuse(t *testing.T) {
	head := `<s:TopicSet xmlns:s="` + topicSet.Space + `">`
	deep := head + strings.Repeat("<a>", 20) + strings.Repeat("</a>", 20) + "</s:TopicSet>"
	for name, text := range map[string]string{
		"another element": "<a/>", "deep": deep,
		"no truth": head + `<a s:topic="maybe"/></s:TopicSet>`,
	} {
		doc := soaptest.Parse(t, text)
		if got, err := ParseTopicSet(doc, doc.Root); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	space := `<s:TopicNamespace xmlns:s="` + topicSet.Space + `" targetNamespace="urn:t">`
	for name, text := range map[string]string{
		"another element": "<a/>",
		"no target":       `<s:TopicNamespace xmlns:s="` + topicSet.Space + `"/>`,
		"no name":         space + "<s:Topic/></s:TopicNamespace>",
		"no topic":        space + "<s:Other/></s:TopicNamespace>",
		"bad message":     space + `<s:Topic name="a" messageTypes="x:y"/></s:TopicNamespace>`,
	} {
		doc := soaptest.Parse(t, text)
		if got, err := ParseTopicNamespace(doc, doc.Root); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
