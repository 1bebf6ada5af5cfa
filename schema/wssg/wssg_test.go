package wssg

import (
	"reflect"
	"testing"

	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

var state = xmlstrict.Name{Space: "urn:t", Local: "state"}

// content writes what a group tells about a member.
func content(enc *xmlstrict.Encoder) { enc.Element(state, "Running") }

func TestGroupRoundTrip(t *testing.T) {
	member, entry := wsa.EPR{Address: "http://m"}, wsa.EPR{Address: "http://e"}
	want := Group{
		Rules: []Rule{
			{Elements: []xmlstrict.Name{state, {Local: "plain"}}},
			{Interfaces: []xmlstrict.Name{{Space: "urn:i", Local: "port"}}},
		},
		Entries: []Entry{
			{Reference: &entry, Member: &member, Content: content},
			{Content: func(enc *xmlstrict.Encoder) { WriteDocument(enc, content) }},
			{Member: &member},
		},
	}
	doc := soaptest.Written(t, want.Write)
	got, err := ParseGroup(doc, doc.Root)
	if err != nil || !reflect.DeepEqual(got.Rules, want.Rules) || len(got.Entries) != 3 {
		t.Fatalf("read %+v, %v", got, err)
	}
	for i, e := range got.Entries {
		if !reflect.DeepEqual(e.Reference, want.Entries[i].Reference) ||
			!reflect.DeepEqual(e.Member, want.Entries[i].Member) {
			t.Errorf("entry %d is %+v", i, e)
		}
	}
	if first := got.Entries[0].Elements; len(first) != 1 || !xmlstrict.Is(first[0], state) ||
		got.Entries[0].Document() != nil {
		t.Errorf("the content of the first is %v", first)
	}
	if d := got.Entries[1].Document(); !xmlstrict.Is(d, state) {
		t.Errorf("the document of the second is %v", d)
	}
}

func TestEntryDocument(t *testing.T) {
	member := wsa.EPR{Address: "http://m"}
	want := EntryDocument{Group: wsa.EPR{Address: "http://g"}, Member: &member, Content: content}
	doc := soaptest.Written(t, want.Write)
	got, err := ParseEntryDocument(doc, doc.Root)
	if err != nil || got.Group.Address != "http://g" || got.Member.Address != "http://m" ||
		len(got.Elements) != 1 {
		t.Errorf("read %+v, %v", got, err)
	}
	enc := xmlstrict.NewEncoder()
	if want.WriteProperty(enc, state) {
		t.Error("an entry has a property that it has not")
	}
}

func TestRefuses(t *testing.T) {
	in := func(local, content string) string {
		return `<g:` + local + ` xmlns:g="` + GroupProperties.Space + `">` + content + `</g:` +
			local + `>`
	}
	for _, text := range []string{
		"<a/>", in("ServiceGroupRP", "<g:Entry/>"),
		in("ServiceGroupRP", "<g:MembershipContentRule/>"),
		in("ServiceGroupRP", `<g:MembershipContentRule ContentElements="x:y"/>`),
		in("ServiceGroupRP", "<g:Entry><g:ServiceGroupEntryEPR/></g:Entry>"),
	} {
		doc := soaptest.Parse(t, text)
		if g, err := ParseGroup(doc, doc.Root); err == nil {
			t.Errorf("%s is %+v", text, g)
		}
	}
	for _, text := range []string{"<a/>", in("ServiceGroupEntryRP", "")} {
		doc := soaptest.Parse(t, text)
		if d, err := ParseEntryDocument(doc, doc.Root); err == nil {
			t.Errorf("%s is %+v", text, d)
		}
	}
}
