package wsa

import (
	"errors"
	"testing"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// TestParseHeaderFaults holds the faults of WS-Addressing 1.0, SOAP Binding,
// section 6.4.1, against the headers that deserve them.
func TestParseHeaderFaults(t *testing.T) {
	tests := map[string]struct{ header, want string }{
		"6.4.1.3 two actions": {`<a:Action>urn:x</a:Action><a:Action>urn:x</a:Action>`,
			InvalidCardinality},
		"6.4.1.3 two ReplyTo": {rr("urn:x") + rr("urn:x"), InvalidCardinality},
		"6.4.1.4 no address":  {`<a:ReplyTo><a:Metadata/></a:ReplyTo>`, MissingAddressInEPR},
		"6.4.1.2 two addresses": {`<a:FaultTo><a:Address>urn:x</a:Address>` +
			`<a:Address>urn:y</a:Address></a:FaultTo>`, InvalidEPR},
		"6.4.1.1 no URI":          {rr("http://[::1"), InvalidAddress},
		"6.4.1.1 relative":        {rr("there"), InvalidAddress},
		"6.4.1.1 blank inside":    {`<a:To>http://a b/</a:To>`, InvalidAddress},
		"6.4.1.1 no scheme":       {`<a:To>:x</a:To>`, InvalidAddress},
		"6.4.1.1 odd scheme":      {`<a:To>1a:x</a:To>`, InvalidAddress},
		"fine":                    {rr(None200508) + `<a:To>urn:uuid:1</a:To>`, ""},
		"extension of the header": {`<a:Extra/><a:Extra/>`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := soaptest.Message(t, []byte(`<s:Envelope xmlns:s="`+soap.Space12+`" xmlns:a="`+
				Space200508+`"><s:Header>`+tt.header+`</s:Header><s:Body/></s:Envelope>`))
			_, err := ParseHeader(m)
			var fault *Fault
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (!errors.As(err, &fault) || fault.Code().Local != tt.want):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func rr(address string) string {
	return `<a:ReplyTo><a:Address>` + address + `</a:Address></a:ReplyTo>`
}

// TestFaultDetails shows what each fault tells of its cause (SOAP Binding, 6.3).
func TestFaultDetails(t *testing.T) {
	why := errors.New("why")
	tests := map[string]struct {
		fault *Fault
		want  string
	}{
		"6.4.2": {HeaderRequired("MessageID", why),
			`<wsa:ProblemHeaderQName xmlns:wsa="` + Space200508 +
				`">wsa:MessageID</wsa:ProblemHeaderQName>`},
		"6.4.1.6": {MismatchedAction("urn:a", "urn:b", why),
			`<wsa:ProblemAction xmlns:wsa="` + Space200508 + `"><wsa:Action>urn:a</wsa:Action>` +
				`<wsa:SoapAction>urn:b</wsa:SoapAction></wsa:ProblemAction>`},
		"6.4.4": {ActionNotSupported("urn:a", why),
			`<wsa:ProblemAction xmlns:wsa="` + Space200508 + `"><wsa:Action>urn:a</wsa:Action>` +
				`</wsa:ProblemAction>`},
		"6.4.3": {DestinationUnreachable("urn:a", why),
			`<wsa:ProblemIRI xmlns:wsa="` + Space200508 + `">urn:a</wsa:ProblemIRI>`},
		"6.4.5": {EndpointUnavailable("urn:a", why),
			`<wsa:ProblemIRI xmlns:wsa="` + Space200508 + `">urn:a</wsa:ProblemIRI>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			enc := xmlstrict.NewEncoder()
			tt.fault.Detail(enc)
			if got := string(enc.Bytes()); got != tt.want || enc.Err() != nil {
				t.Errorf("wrote %s (%v)\nwant  %s", got, enc.Err(), tt.want)
			}
			if !errors.Is(tt.fault, why) || tt.fault.Error() != "why" {
				t.Errorf("the cause is lost: %v", tt.fault)
			}
		})
	}
}

// TestReferenceParameters writes parameters as blocks of their own, with all
// they hold, and marked (SOAP Binding, 3.2).
func TestReferenceParameters(t *testing.T) {
	doc, err := xmlstrict.Parse([]byte(`<r xmlns:x="urn:x" xmlns:a="`+Space200508+
		`"><a:Address>urn:me</a:Address><a:ReferenceParameters>`+
		`<x:deep kind="k"><x:inner n="1">v</x:inner></x:deep></a:ReferenceParameters></r>`),
		xmlstrict.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseEPR(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	m := soaptest.Message(t, write(t, soap.V12, func(enc *xmlstrict.Encoder) {
		Header{Version: V200508}.WriteRequest(enc, soap.V12, r)
	}))
	want := "{" + Space200508 + "}To @{" + soap.Space12 + "}mustUnderstand=false urn:me\n" +
		"{urn:x}deep @{" + Space200508 + "}IsReferenceParameter=true @kind=k " +
		"\n  {urn:x}inner @n=1 v\n"
	if got := shape(m); got != want {
		t.Errorf("wrote\n%swant\n%s", got, want)
	}
}
