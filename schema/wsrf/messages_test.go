package wsrf

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

var currentState = xmlstrict.Name{Space: schema.Types, Local: "currentState"}

// wantFault checks that err carries the typed fault, or none for the zero
// name, and always a place.
func wantFault(t *testing.T, err error, fault xmlstrict.Name) {
	t.Helper()
	var typed *FaultError
	if errors.As(err, &typed) != (fault != xmlstrict.Name{}) || typed != nil &&
		typed.Fault != fault {
		t.Errorf("error is %#v, want the fault %v", err, fault)
	}
	var content *xmlstrict.ContentError
	if !errors.As(err, &content) || content.Path == "" {
		t.Errorf("error %v has no place", err)
	}
}

func TestGetResourceProperty(t *testing.T) {
	m := soaptest.Recorded(t, "34-getrp-currentstate-request")
	name, err := Draft.ParseGetResourceProperty(m.Doc, m.Body)
	if name != currentState || err != nil {
		t.Errorf("it asks for %v, %v", name, err)
	}
	again := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Draft.WriteGetResourceProperty(enc, name)
	})
	if name, err := Draft.ParseGetResourceProperty(again, again.Root); name != currentState ||
		err != nil {
		t.Errorf("what we write asks for %v, %v", name, err)
	}
	for _, text := range []string{"", "p:x", "a b"} {
		doc := soaptest.Parse(t, "<a>"+text+"</a>")
		_, err := Draft.ParseGetResourceProperty(doc, doc.Root)
		wantFault(t, err, names[Draft].InvalidResourcePropertyQName)
	}
}

func TestGetMultipleResourceProperties(t *testing.T) {
	want := []xmlstrict.Name{
		currentState, {Space: schema.Types, Local: "schedule"},
		names[Draft].TerminationTime, names[Draft].CurrentTime,
	}
	m := soaptest.Recorded(t, "35-getmrp-request")
	names, err := Draft.ParseGetMultipleResourceProperties(m.Doc, m.Body)
	if !slices.Equal(names, want) || err != nil {
		t.Errorf("it asks for %v, %v", names, err)
	}
	again := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Draft.WriteGetMultipleResourceProperties(enc, names...)
	})
	names, err = Draft.ParseGetMultipleResourceProperties(again, again.Root)
	if !slices.Equal(names, want) || err != nil {
		t.Errorf("what we write asks for %v, %v", names, err)
	}
}

func TestGetMultipleRefuses(t *testing.T) {
	tests := map[string]struct {
		content string
		fault   xmlstrict.Name
	}{
		"nothing":         {"", xmlstrict.Name{}},
		"another element": {"<x/>", xmlstrict.Name{}},
		"too many": {strings.Repeat("<r:ResourceProperty>x</r:ResourceProperty>",
			MaxProperties+1), xmlstrict.Name{}},
		"no name": {"<r:ResourceProperty>p:x</r:ResourceProperty>",
			names[Draft].InvalidResourcePropertyQName},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := soaptest.Parse(t, `<a xmlns:r="`+schema.Properties+`">`+tt.content+`</a>`)
			_, err := Draft.ParseGetMultipleResourceProperties(doc, doc.Root)
			wantFault(t, err, tt.fault)
		})
	}
}

func TestParseProperties(t *testing.T) {
	names := names[Draft]
	tests := map[string]struct {
		response xmlstrict.Name
		want     []string
	}{
		"34-getrp-currentstate-response": {names.GetResourcePropertyResponse,
			[]string{"currentState"}},
		"41-getrp-topics-response": {names.GetResourcePropertyResponse,
			[]string{"Topic", "Topic"}},
		"35-getmrp-response": {names.GetMultipleResourcePropertiesResponse,
			[]string{"currentState", "schedule", "TerminationTime", "CurrentTime"}},
		"37-query-xpath-response": {names.QueryResourcePropertiesResponse, []string{"state"}},
		"03-rpquery-response": {names.QueryResourcePropertiesResponse,
			[]string{"ServiceRPSet"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := soaptest.Recorded(t, name)
			properties, err := ParseProperties(m.Doc, m.Body, tt.response)
			var got []string
			for _, p := range properties {
				got = append(got, p.Tag)
			}
			if !slices.Equal(got, tt.want) || err != nil {
				t.Errorf("it holds %v, %v", got, err)
			}
			_, err = ParseProperties(m.Doc, m.Body, names.DestroyResponse)
			wantFault(t, err, xmlstrict.Name{})
			again := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
				WriteProperties(enc, tt.response,
					func(enc *xmlstrict.Encoder) { enc.Tree(properties[0]) })
			})
			back, err := ParseProperties(again, again.Root, tt.response)
			if err != nil || len(back) != 1 ||
				xmlstrict.NameOf(back[0]) != xmlstrict.NameOf(properties[0]) {
				t.Errorf("what we write holds %v, %v", back, err)
			}
		})
	}
	if _, err := ParseProperties(nil, nil, names.DestroyResponse); err == nil {
		t.Error("nothing was taken for a response")
	}
}

func TestQuery(t *testing.T) {
	tests := map[string]string{
		"03-rpquery-request":     "/",
		"37-query-xpath-request": "//*[local-name()='state']",
	}
	for name, want := range tests {
		m := soaptest.Recorded(t, name)
		q, err := Draft.ParseQuery(m.Doc, m.Body)
		if q.Expression != want || err != nil {
			t.Errorf("%s asks for %q, %v", name, q.Expression, err)
		}
	}
	doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
		Draft.WriteQuery(enc, "/x:a[. < 1]", map[string]string{"x": "urn:x", "wsrp": "urn:y"})
	})
	q, err := Draft.ParseQuery(doc, doc.Root)
	if err != nil || q.Expression != "/x:a[. < 1]" {
		t.Fatalf("what we write asks for %q, %v", q.Expression, err)
	}
	for prefix, want := range map[string]string{"x": "urn:x", "wsrp": "urn:y", "z": ""} {
		if got, ok := q.Prefix(prefix); got != want || ok != (want != "") {
			t.Errorf("prefix %s stands for %q, %v", prefix, got, ok)
		}
	}
}

func TestQueryRefuses(t *testing.T) {
	tests := map[string]struct {
		content string
		fault   xmlstrict.Name
	}{
		"nothing":         {"", xmlstrict.Name{}},
		"two expressions": {"<r:QueryExpression/><r:QueryExpression/>", xmlstrict.Name{}},
		"no dialect": {"<r:QueryExpression>/</r:QueryExpression>",
			names[Draft].UnknownQueryExpressionDialect},
		"another dialect": {"<r:QueryExpression Dialect='urn:xquery'>/</r:QueryExpression>",
			names[Draft].UnknownQueryExpressionDialect},
		"no expression": {"<r:QueryExpression Dialect='" + XPathDialect + "'> </r:QueryExpression>",
			names[Draft].InvalidQueryExpression},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := soaptest.Parse(t, `<a xmlns:r="`+schema.Properties+`">`+tt.content+`</a>`)
			_, err := Draft.ParseQuery(doc, doc.Root)
			wantFault(t, err, tt.fault)
		})
	}
}

func TestSetTerminationTime(t *testing.T) {
	tests := map[string]time.Time{
		"38-settermtime-relative-request": time.Date(2026, 11, 22, 0, 52, 31, 31e6, time.UTC),
		"39-settermtime-infinite-request": {},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			m := soaptest.Recorded(t, name)
			at, err := Draft.ParseSetTerminationTime(m.Doc, m.Body)
			if !at.At.Equal(want) || err != nil {
				t.Errorf("it asks for %v, %v", at, err)
			}
			doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
				Draft.WriteSetTerminationTime(enc, at)
			})
			at, err = Draft.ParseSetTerminationTime(doc, doc.Root)
			if !at.At.Equal(want) || err != nil {
				t.Errorf("what we write asks for %v, %v", at, err)
			}
		})
	}
	for _, content := range []string{"",
		"<l:RequestedTerminationTime/><l:RequestedTerminationTime/>",
		"<l:RequestedTerminationTime>soon</l:RequestedTerminationTime>"} {
		doc := soaptest.Parse(t, `<a xmlns:l="`+schema.Lifetime+`">`+content+`</a>`)
		_, err := Draft.ParseSetTerminationTime(doc, doc.Root)
		wantFault(t, err, xmlstrict.Name{})
	}
}

func TestSetTerminationTimeResponse(t *testing.T) {
	tests := map[string]NewTermination{
		"38-settermtime-relative-response": {
			time.Date(2026, 11, 22, 0, 52, 31, 31e6, time.UTC),
			time.Date(2026, 11, 21, 22, 52, 31, 144e6, time.UTC)},
		"39-settermtime-infinite-response": {
			time.Time{}, time.Date(2026, 11, 21, 22, 52, 32, 910e6, time.UTC)},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			m := soaptest.Recorded(t, name)
			got, err := Draft.ParseSetTerminationTimeResponse(m.Doc, m.Body)
			if got != want || err != nil {
				t.Errorf("it says %v, %v", got, err)
			}
			doc := soaptest.Written(t, got.Write)
			if got, err := Draft.ParseSetTerminationTimeResponse(doc, doc.Root); got != want ||
				err != nil {
				t.Errorf("what we write says %v, %v", got, err)
			}
		})
	}
	doc := soaptest.Parse(t, `<SetTerminationTimeResponse xmlns="`+schema.Lifetime+`"/>`)
	_, err := Draft.ParseSetTerminationTimeResponse(doc, doc.Root)
	wantFault(t, err, xmlstrict.Name{})
	_, err = Draft.ParseSetTerminationTimeResponse(nil, nil)
	wantFault(t, err, xmlstrict.Name{})
}

func TestDestroy(t *testing.T) {
	request := soaptest.Written(t, Draft.WriteDestroy)
	response := soaptest.Written(t, Draft.WriteDestroyResponse)
	asked := soaptest.Recorded(t, "11-destroy-request").Body
	answered := soaptest.Recorded(t, "11-destroy-response").Body
	if !xmlstrict.Is(request.Root, xmlstrict.NameOf(asked)) ||
		!xmlstrict.Is(response.Root, xmlstrict.NameOf(answered)) {
		t.Errorf("we write %v and %v", request.Root.Tag, response.Root.Tag)
	}
}

func TestTypedRecorded(t *testing.T) {
	workspaceKey := xmlstrict.Name{Space: "http://www.globus.org/2008/06/workspace",
		Local: "WorkspaceKey"}
	tests := map[string]struct {
		name        xmlstrict.Name
		key         string
		description []string
		causes      int
		nested      string // first description of the second cause
	}{
		"36-getrp-badname-response": {names[Draft].InvalidResourcePropertyQName, "16",
			[]string{"{" + schema.Types + "}noSuchThing"}, 1, ""},
		"12-rpquery-after-destroy-response": {names[Draft].UnknownToProperties, "6", nil, 2,
			"unknown workspace: '6'"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			fault, ok := soap.ParseFault(soaptest.Recorded(t, name))
			if !ok {
				t.Fatal("it is no fault")
			}
			f, ok := Typed(fault)
			if !ok || f.Name != tt.name || f.Timestamp.IsZero() ||
				!slices.Equal(f.Description, tt.description) || len(f.Cause) != tt.causes {
				t.Fatalf("it is %+v", f)
			}
			if key, _ := f.Originator.Key(workspaceKey); key != tt.key {
				t.Errorf("it comes from %q", key)
			}
			if tt.nested != "" && f.Cause[1].Description[0] != tt.nested {
				t.Errorf("its second cause is %+v", f.Cause[1])
			}
			roundTripFault(t, f)
		})
	}
}

// roundTripFault writes a fault as a SOAP fault of both versions and reads it.
func roundTripFault(t *testing.T, written BaseFault) {
	t.Helper()
	for _, v := range []soap.Version{soap.V11, soap.V12} {
		enc := xmlstrict.NewEncoder()
		soap.WriteFault(enc, v, nil, written.SOAP())
		m, err := soap.Parse(enc.Bytes(), xmlstrict.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		fault, _ := soap.ParseFault(m)
		got, ok := Typed(fault)
		if !ok || fault.Code != soap.CodeTyped {
			t.Fatalf("%s has no typed fault", enc.Bytes())
		}
		want := written
		if (got.Originator == nil) != (want.Originator == nil) {
			t.Errorf("the originator is %v", got.Originator)
		}
		want.Originator, got.Originator = nil, nil
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("it came back different: %s", diff)
		}
	}
}

func TestUntypedFault(t *testing.T) {
	fault, _ := soap.ParseFault(soaptest.Recorded(t, "65-unknown-operation-response"))
	if f, ok := Typed(fault); ok {
		t.Errorf("a plain fault is the typed fault %+v", f)
	}
}

func TestParseBaseFaultRefuses(t *testing.T) {
	for _, content := range []string{
		"<Timestamp>late</Timestamp>", "<Originator/>",
		"<FaultCause><Timestamp>late</Timestamp></FaultCause>",
	} {
		doc := soaptest.Parse(t, `<a><b xmlns="`+schema.BaseFaults+`">`+content+`</b></a>`)
		_, err := ParseBaseFault(doc, doc.Root.ChildElements()[0])
		wantFault(t, err, xmlstrict.Name{})
	}
}

func TestCauseWithoutName(t *testing.T) {
	doc := soaptest.Written(t, BaseFault{
		Name:  names[Draft].UnknownToProperties,
		Cause: []BaseFault{{Description: []string{"why"}}},
	}.Write)
	f, err := ParseBaseFault(doc, doc.Root)
	if err != nil || len(f.Cause) != 1 || f.Cause[0].Name != names[Draft].FaultCause {
		t.Errorf("it came back as %+v, %v", f, err)
	}
}
