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
}

func TestTopicSetRefuses(t *testing.T) {
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
}
