package soap

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

func TestParseFaultRecorded(t *testing.T) {
	tests := map[string]struct{ code, text, detail string }{
		"36-getrp-badname-response": {"Server.generalException", "",
			"InvalidResourcePropertyQNameFault exceptionName hostname"},
		"65-unknown-operation-response": {"Client", "No such operation 'FooBar'",
			"stackTrace hostname"},
		"12-rpquery-after-destroy-response": {"Server.generalException", "",
			"ResourceUnknownFault exceptionName hostname"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, ok := ParseFault(mustParse(t, recorded(t, name)))
			if !ok {
				t.Fatal("it is no fault")
			}
			var detail []string
			for _, e := range f.Entries {
				detail = append(detail, e.Tag)
			}
			if got := strings.Join(detail, " "); f.Code != tt.code || f.String != tt.text ||
				got != tt.detail {
				t.Errorf("got code %s, text %q, detail %s", f.Code, f.String, got)
			}
		})
	}
}

func TestNoFault(t *testing.T) {
	if f, ok := ParseFault(mustParse(t, recorded(t, "34-getrp-currentstate-response"))); ok {
		t.Errorf("a reply is the fault %v", f)
	}
}

// TestFaultRoundTrip writes each fault in both versions and reads it back.
func TestFaultRoundTrip(t *testing.T) {
	detail := func(enc *xmlstrict.Encoder) {
		enc.Element(xmlstrict.Name{Space: "urn:d",
			Local: "d"}, "x")
	}
	tests := map[string]*Fault{
		"typed":            {Code: CodeTyped, Detail: detail},
		"client":           {Code: CodeClient, String: "no <such> operation"},
		"server and actor": {Code: CodeServer, String: "broken", Actor: "urn:me", Detail: detail},
		"version mismatch": {Code: CodeVersionMismatch, String: "SOAP 1.3"},
		"must understand":  {Code: CodeMustUnderstand, String: "what is {urn:x}y"},
	}
	for name, want := range tests {
		for _, v := range []Version{V11, V12} {
			t.Run(name+" "+v.String(), func(t *testing.T) {
				data := write(t, func(enc *xmlstrict.Encoder) { WriteFault(enc, v, nil, want) })
				got, ok := ParseFault(mustParse(t, data))
				if !ok {
					t.Fatalf("%s is no fault", data)
				}
				if got.Code != want.Code || got.String != want.String || got.Actor != want.Actor ||
					(len(got.Entries) == 1) != (want.Detail != nil) {
					t.Errorf("wrote %+v\nread  %+v", want, got)
				}
			})
		}
	}
}

// TestFaultAsRecorded checks that a typed fault has the recorded shape.
func TestFaultAsRecorded(t *testing.T) {
	data := write(t, func(enc *xmlstrict.Encoder) {
		WriteFault(enc, V11, nil, &Fault{Code: CodeTyped, Detail: func(*xmlstrict.Encoder) {}})
	})
	want := envelope("<S:Body><S:Fault><faultcode>S:Server.generalException</faultcode>" +
		"<faultstring/><detail/></S:Fault></S:Body>")
	want = strings.ReplaceAll(strings.ReplaceAll(want, "S:", "soapenv:"), ":S=", ":soapenv=")
	if string(data) != want {
		t.Errorf("wrote %s\nwant  %s", data, want)
	}
}

func TestFaultError(t *testing.T) {
	tests := map[string]*Fault{
		"SOAP fault Client: no":              {Code: CodeClient, String: "no"},
		"SOAP fault Server.generalException": {Code: CodeTyped},
	}
	for want, fault := range tests {
		if got := fault.Error(); got != want {
			t.Errorf("text is %q, want %q", got, want)
		}
	}
}
