package wssg

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

var state = xmlstrict.Name{Space: "urn:t", Local: "state"}

// content writes what a group tells about a member.
func content(enc *xmlstrict.Encoder) { enc.Element(state, "Running") }

func TestRule(t *testing.T) {
	rule := Rule{
		Interfaces: []xmlstrict.Name{{Space: "urn:i", Local: "port"}},
		Elements:   []xmlstrict.Name{state, {Local: "plain"}},
	}
	e := soaptest.Written(t, rule.Write).Root
	for name, want := range map[xmlstrict.Name][]xmlstrict.Name{
		memberInterfaces: rule.Interfaces, contentElements: rule.Elements,
	} {
		text, _ := xmlstrict.Attr(e, name)
		var got []xmlstrict.Name
		for word := range strings.FieldsSeq(text) {
			name, err := xmlstrict.ResolveQName(e, word)
			if err != nil {
				t.Error(err)
			}
			got = append(got, name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s are %v, want %v", name, got, want)
		}
	}
}

func TestEntryRoundTrip(t *testing.T) {
	member, entry := wsa.EPR{Address: "http://m"}, wsa.EPR{Address: "http://e"}
	for i, want := range []Entry{
		{Reference: &entry, Member: &member, Content: content},
		{Content: content},
		{Member: &member},
	} {
		doc := soaptest.Written(t, want.Write)
		got, err := ParseEntry(doc, doc.Root)
		if err != nil || !reflect.DeepEqual(got.Reference, want.Reference) ||
			!reflect.DeepEqual(got.Member, want.Member) {
			t.Errorf("entry %d is %+v, %v", i, got, err)
		}
		told := len(got.Elements) == 1 && xmlstrict.Is(got.Elements[0], state)
		if told != (want.Content != nil) {
			t.Errorf("entry %d tells %v", i, got.Elements)
		}
	}
}

func TestEntryDocument(t *testing.T) {
	member := wsa.EPR{Address: "http://m"}
	d := EntryDocument{Group: wsa.EPR{Address: "http://g"}, Member: &member, Content: content}
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		enc.Start(xmlstrict.Name{Local: "all"})
		for _, name := range EntryPropertyNames() {
			if !d.WriteProperty(enc, name) {
				t.Errorf("an entry has no %s", name)
			}
		}
		enc.End()
	})
	for name, want := range map[xmlstrict.Name]string{
		ServiceGroupEPR: "http://g", MemberEPR: "http://m", Content: "Running",
	} {
		text := ""
		for e := xmlstrict.Child(doc.Root, name); e != nil; e = e.FindElement("*") {
			text = xmlstrict.Text(e)
		}
		if text != want {
			t.Errorf("%s is %q, want %q", name, text, want)
		}
	}
	if d.WriteProperty(xmlstrict.NewEncoder(), state) {
		t.Error("an entry has a property that it has not")
	}
}

func TestRefuses(t *testing.T) {
	in := func(content string) string {
		return `<g:Entry xmlns:g="` + schema.ServiceGroup2 + `">` + content + `</g:Entry>`
	}
	for _, text := range []string{"<a/>", in(""), in("<g:ServiceGroupEntryEPR/>")} {
		doc := soaptest.Parse(t, text)
		if e, err := ParseEntry(doc, doc.Root); err == nil {
			t.Errorf("%s is %+v", text, e)
		}
	}
}
