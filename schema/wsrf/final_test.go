package wsrf

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// in2 wraps content in an element of a namespace; r is the prefix of
// WS-ResourceProperties 1.2, l that of WS-ResourceLifetime 1.2.
func in2(name, content string) string {
	return `<` + name + ` xmlns:r="` + schema.Properties2 + `" xmlns:l="` + schema.Lifetime2 +
		`" xmlns:t="urn:t" xmlns:i="` + xmlstrict.XSISpace + `">` + content + `</` + name + `>`
}

func TestModification(t *testing.T) {
	doc := soaptest.Parse(t, in2("r:SetResourceProperties", `<r:Update><t:a>1</t:a><t:a>2</t:a>`+
		`<t:b/></r:Update><r:Insert><t:c/></r:Insert><r:Delete ResourceProperty="t:d"/>`))
	for range 2 {
		changes, err := Final.ParseModification(doc, doc.Root)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, c := range changes {
			for _, name := range c.Names() {
				told = append(told, c.Kind.String()+" "+name.String())
			}
		}
		want := []string{"Update {urn:t}a", "Update {urn:t}b", "Insert {urn:t}c", "Delete {urn:t}d"}
		if !slices.Equal(told, want) {
			t.Errorf("it asks for %v", told)
		}
		doc = soaptest.Written(t, func(enc *xmlstrict.Encoder) {
			Final.WriteModification(enc, names[Final].SetResourceProperties, changes...)
		})
	}
}

func TestModificationRefuses(t *testing.T) {
	tests := map[string]struct {
		document string
		fault    xmlstrict.Name
	}{
		"nothing":         {in2("r:SetResourceProperties", ""), xmlstrict.Name{}},
		"another element": {in2("r:SetResourceProperties", "<t:a/>"), xmlstrict.Name{}},
		"no value":        {in2("r:SetResourceProperties", "<r:Insert/>"), xmlstrict.Name{}},
		"no name":         {in2("r:SetResourceProperties", "<r:Delete/>"), xmlstrict.Name{}},
		"bad name": {in2("r:DeleteResourceProperties", `<r:Delete ResourceProperty="x:y"/>`),
			names[Final].InvalidResourcePropertyQName},
		"another component": {in2("r:InsertResourceProperties", "<r:Update><t:a/></r:Update>"),
			xmlstrict.Name{}},
		"two components": {in2("r:UpdateResourceProperties", "<r:Update><t:a/></r:Update>"+
			"<r:Update><t:a/></r:Update>"), xmlstrict.Name{}},
		"too many": {in2("r:SetResourceProperties", strings.Repeat("<r:Update><t:a/></r:Update>",
			MaxChanges+1)), xmlstrict.Name{}},
		"too many values": {in2("r:SetResourceProperties", "<r:Update>"+
			strings.Repeat("<t:a/>", MaxChanges+1)+"</r:Update>"), xmlstrict.Name{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := soaptest.Parse(t, tt.document)
			_, err := Final.ParseModification(doc, doc.Root)
			wantFault(t, err, tt.fault)
		})
	}
	for _, content := range []string{"", "<t:a/><t:b/>"} {
		doc := soaptest.Parse(t, in2("r:PutResourcePropertyDocument", content))
		_, err := Final.ParsePutResourcePropertyDocument(doc, doc.Root)
		wantFault(t, err, xmlstrict.Name{})
	}
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Final.WritePutResourcePropertyDocument(enc, func(enc *xmlstrict.Encoder) {
			enc.Element(currentState, "x")
		})
	})
	put, err := Final.ParsePutResourcePropertyDocument(doc, doc.Root)
	if err != nil || !xmlstrict.Is(put, currentState) {
		t.Errorf("the document is %v, %v", put, err)
	}
}

func TestSetTerminationTime2(t *testing.T) {
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for _, want := range []End{EndAt(at), {Kind: Never}, EndAfter(90 * time.Minute),
		{Kind: Lasting, Months: 3, For: time.Hour}} {
		doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
			Final.WriteSetTerminationTime(enc, want)
		})
		got, err := Final.ParseSetTerminationTime(doc, doc.Root)
		if got != want || err != nil {
			t.Errorf("wrote %v, read %v, %v", want, got, err)
		}
	}
	for _, content := range []string{"", "<l:RequestedLifetimeDuration>-PT1S" +
		"</l:RequestedLifetimeDuration>", "<l:RequestedTerminationTime i:nil='1'/>" +
		"<l:RequestedLifetimeDuration>PT1S</l:RequestedLifetimeDuration>"} {
		doc := soaptest.Parse(t, in2("l:SetTerminationTime", content))
		_, err := Final.ParseSetTerminationTime(doc, doc.Root)
		wantFault(t, err, xmlstrict.Name{})
	}
	want := NewTermination{At: at, Now: at.Add(-time.Hour)}
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) { want.WriteIn(enc, Final) })
	got, err := Final.ParseSetTerminationTimeResponse(doc, doc.Root)
	if got != want || err != nil {
		t.Errorf("wrote %v, read %v, %v", want, got, err)
	}
}

func TestEndOfCalendar(t *testing.T) {
	doc := soaptest.Parse(t, "<e>P1Y2M3DT4H</e>")
	end, err := ParseEnd(doc, doc.Root)
	now := time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC)
	want := now.AddDate(0, 14, 0).Add(76 * time.Hour)
	if got := end.From(now); !got.Equal(want) || err != nil {
		t.Errorf("it ends at %v, want %v (%v)", got, want, err)
	}
	for _, text := range []string{"P400Y", "P99999999999M", "P1.5M", "P1M1Y"} {
		doc := soaptest.Parse(t, "<e>"+text+"</e>")
		if end, err := ParseEnd(doc, doc.Root); err == nil {
			t.Errorf("%s is %v", text, end)
		}
	}
}

// TestBaseFault2 writes and reads a fault of WS-BaseFaults 1.2 with a cause of
// its own element, and with one that the edition has no element for.
func TestBaseFault2(t *testing.T) {
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	own := xmlstrict.Name{Space: "urn:f", Local: "Own"}
	want := BaseFault{
		Edition: Final, Name: names[Final].UnableToModifyResourceProperty, Timestamp: at,
		Originator: &wsa.EPR{Address: "http://x"}, ErrorCode: "denied", Dialect: KindDialect,
		Description: []string{"it is so"}, Lang: "en",
		Cause: []BaseFault{{Edition: Final, Name: own, Timestamp: at, Lang: "en",
			Description: []string{"because"}}},
	}
	failure := ChangeFailure{Edition: Final, Restored: true,
		Current: func(enc *xmlstrict.Encoder) { enc.Element(currentState, "x") }}
	written := want
	written.More = failure.Write
	doc := soaptest.Written(t, written.Write)
	got, err := ParseBaseFault(doc, doc.Root)
	if err != nil || len(got.Details) != 1 ||
		got.Details[0].Tag != "ResourcePropertyChangeFailure" {
		t.Fatalf("read %+v, %v", got, err)
	}
	got.Details = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("wrote %+v\nread  %+v", want, got)
	}
	nameless := BaseFault{Edition: Final, Name: own, Timestamp: at, Description: []string{"it"},
		Cause: []BaseFault{{Description: []string{"since"}}}}
	doc = soaptest.Written(t, nameless.Write)
	got, err = ParseBaseFault(doc, doc.Root)
	if err != nil || !slices.Equal(got.Description, []string{"it", "since"}) || got.Cause != nil {
		t.Errorf("read %+v, %v", got, err)
	}
	if f := want.SOAP(); f.String != "it is so" {
		t.Errorf("its text is %q", f.String)
	}
}

// TestEditionsDiffer reads the messages of one edition as the other's.
func TestEditionsDiffer(t *testing.T) {
	for _, e := range []Edition{Draft, Final} {
		other := Final - e
		doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
			e.WriteQuery(enc, "x:y", map[string]string{"x": "urn:x"})
		})
		if q, err := e.ParseQuery(doc, doc.Root); err != nil || q.Expression != "x:y" {
			t.Errorf("%s: %v, %v", e, q, err)
		}
		if q, err := other.ParseQuery(doc, doc.Root); err == nil {
			t.Errorf("a query of the %s edition is read as %v", e, q)
		}
	}
	doc := soaptest.Parse(t, in2("r:QueryResourceProperties",
		"<r:QueryExpression Dialect='urn:x'>x</r:QueryExpression>"))
	_, err := Final.ParseQuery(doc, doc.Root)
	wantFault(t, err, names[Final].UnknownQueryExpressionDialect)
}
