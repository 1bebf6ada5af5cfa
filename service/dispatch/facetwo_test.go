package dispatch_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
)

// rp2Action is the action of reading a property on face two.
const rp2Action = "http://docs.oasis-open.org/wsrf/rpw-2/GetResourceProperty/" +
	"GetResourcePropertyRequest"

// poll2 reads the state on face two.
const poll2 = `<p:GetResourceProperty xmlns:p="` + schema.Properties2 + `" xmlns:t="` + spaceT +
	`">t:currentState</p:GetResourceProperty>`

// A question is a request on face two, in SOAP 1.1 unless it says otherwise.
type question struct {
	soap12     bool
	service    string // Workspace when empty
	header     string // blocks; the key comes besides
	keyless    bool
	body       string // poll2 when empty
	soapAction string
	action     string // of the content type
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
}

// ask sends the question.
func (q question) ask(t testing.TB, address string) answer {
	t.Helper()
	space, media := soap11, "text/xml; charset=utf-8"
	if q.soap12 {
		space, media = soap12, "application/soap+xml; charset=utf-8"
	}
	if q.action != "" {
		media += `; action="` + q.action + `"`
	}
	if q.service == "" {
		q.service = "Workspace"
	}
	if q.body == "" {
		q.body = poll2
	}
	if !q.keyless {
		q.header += key
	}
	text := `<s:Envelope xmlns:s="` + space + `" xmlns:a="` + wsa2005 + `"><s:Header>` + q.header +
		`</s:Header><s:Body>` + q.body + `</s:Body></s:Envelope>`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://"+address+"/ws/"+q.service, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", media)
	if q.soapAction != "" {
		request.Header.Set("SOAPAction", `"`+q.soapAction+`"`)
	}
	return do(t, request)
}

func do(t testing.TB, request *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := io.Copy(&text, response.Body); err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, text.String()}
}

// expect says what an answer lacks.
func (a answer) expect(t testing.TB, status int, parts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status is %d, want %d: %.1500s", a.status, status, a.text)
	}
	for _, part := range parts {
		if !strings.Contains(a.text, part) {
			t.Errorf("reply lacks %q: %.2500s", part, a.text)
		}
	}
}

// twoFaces serves a core with one workspace of Ada's.
func twoFaces(t testing.TB) (*core, string) {
	t.Helper()
	m := newCore()
	m.put(ada)
	h, _ := m.face(t, authn.Fixed(ada))
	return m, listen(t, h, dispatch.Limits{})
}

func block2(local, text string) string {
	return "<a:" + local + ">" + text + "</a:" + local + ">"
}

func reference2(local, address, more string) string {
	return block2(local, block2("Address", address)+more)
}

// TestRepliesFollowTheRequest has the envelope and the content type of a reply
// be of the request's version of SOAP, and addressing headers where the request
// has some (WS-Addressing 1.0, core, 3.4).
func TestRepliesFollowTheRequest(t *testing.T) {
	_, address := twoFaces(t)
	bare := question{}.ask(t, address)
	bare.expect(t, 200, `<soapenv:Envelope xmlns:soapenv="`+soap11+`"><soapenv:Body>`,
		"GetResourcePropertyResponse", ">Running<")
	if got := bare.header.Get("Content-Type"); got != "text/xml; charset=utf-8" {
		t.Errorf("content type is %s", got)
	}
	full := question{soap12: true, action: rp2Action, header: block2("Action", rp2Action) +
		block2("MessageID", "urn:uuid:1") + block2("To", "http://"+address+"/ws/Workspace") +
		reference2("ReplyTo", wsa2005+"/anonymous",
			`<a:ReferenceParameters><x:mark xmlns:x="urn:x" n="1">me</x:mark>`+
				`</a:ReferenceParameters>`),
	}.ask(t, address)
	full.expect(t, 200, soap12, ">urn:uuid:1</wsa:RelatesTo>", ">urn:uuid:", ">"+
		strings.TrimSuffix(rp2Action, "Request")+"Response<", "/anonymous</wsa:To>",
		`IsReferenceParameter="true"`, "me</", ">Running<")
	if got := full.header.Get("Content-Type"); !strings.HasPrefix(got, "application/soap+xml") {
		t.Errorf("content type is %s", got)
	}
}

// addressingFaults are requests by the section of WS-Addressing 1.0, SOAP
// Binding, whose fault they deserve, and what its detail shows.
var addressingFaults = map[string]struct {
	question
	fault, detail string
}{
	"6.4.1.1 InvalidAddress": {question{header: block2("To", "nowhere")},
		"InvalidAddress", "wsa:To<"},
	"6.4.1.3 InvalidCardinality": {
		question{header: block2("MessageID", "urn:1") + block2("MessageID", "urn:1")},
		"InvalidCardinality", "wsa:MessageID<"},
	"6.4.1.4 MissingAddressInEPR": {
		question{header: block2("ReplyTo", "")}, "MissingAddressInEPR", "wsa:ReplyTo<"},
	"6.4.1.6 ActionMismatch": {
		question{header: block2("Action", rp2Action), soapAction: "urn:other"},
		"ActionMismatch", ">urn:other</wsa:SoapAction>"},
	"6.4.1.7 OnlyAnonymousAddressSupported": {
		question{header: block2("Action", rp2Action) + block2("MessageID", "urn:1") +
			reference2("ReplyTo", "http://192.0.2.1/", "")},
		"OnlyAnonymousAddressSupported", "wsa:ReplyTo<"},
	"6.4.3 DestinationUnreachable": {
		question{service: "Nothing", header: block2("Action", rp2Action)},
		"DestinationUnreachable", "/ws/Nothing</wsa:ProblemIRI>"},
	"6.4.4 ActionNotSupported": {
		question{header: block2("Action", "urn:other")},
		"ActionNotSupported", ">urn:other</wsa:Action>"},
	"6.4.4 ActionNotSupported, unknown body": {
		question{header: block2("Action", "urn:other"), body: `<x:y xmlns:x="urn:x"/>`},
		"ActionNotSupported", ">urn:other</wsa:Action>"},
}

// TestAddressingFaults has each of them answered in both versions of SOAP: in
// 1.2 with all subcodes and the detail in the fault (SOAP Binding, 6.1), in 1.1
// with the last code and the detail in a header block (6.2).
func TestAddressingFaults(t *testing.T) {
	m, address := twoFaces(t)
	for name, tt := range addressingFaults {
		t.Run(name, func(t *testing.T) {
			a := tt.ask(t, address)
			a.expect(t, 500, ">wsa:"+tt.fault+"</faultcode>", "<wsa:FaultDetail>", tt.detail,
				">"+wsa2005+"/fault</wsa:Action>")
			tt.soap12, tt.action, tt.soapAction = true, tt.soapAction, ""
			a = tt.ask(t, address)
			a.expect(t, 400, "Sender<", "wsa:"+tt.fault+"</soapenv:Value>",
				"<soapenv:Detail>", tt.detail)
			if strings.HasPrefix(name, "6.4.1.") {
				a.expect(t, 400, "wsa:InvalidAddressingHeader</soapenv:Value>")
			}
		})
	}
	if m.calls != 0 {
		t.Errorf("%d calls changed something", m.calls)
	}
}

// understanding are headers by what SOAP says of them, and the fault they get;
// empty when they are passed over.
var understanding = map[string]struct {
	header string
	soap12 bool
	fault  string
}{
	"1.1, 4.2.3 mustUnderstand": {
		`<x:y xmlns:x="urn:x" s:mustUnderstand="1"/>`, false, "MustUnderstand"},
	"1.1, 4.2.2 another actor": {
		`<x:y xmlns:x="urn:x" s:mustUnderstand="1" s:actor="urn:other"/>`, false, ""},
	"1.2, 5.4.8 NotUnderstood": {
		`<x:y xmlns:x="urn:x" s:mustUnderstand="true"/>`, true, `NotUnderstood xmlns:`},
	"1.2, 2.2 role next": {
		`<x:y xmlns:x="urn:x" s:mustUnderstand="true" s:role="` + soap12 + `/role/next"/>`,
		true, "MustUnderstand"},
	"1.2, 2.2 role none": {
		`<x:y xmlns:x="urn:x" s:mustUnderstand="true" s:role="` + soap12 + `/role/none"/>`,
		true, ""},
	"1.2, 5.2.4 relay changes nothing at the end of the way": {
		`<x:y xmlns:x="urn:x" s:mustUnderstand="true" s:relay="true" s:role="` + soap12 +
			`/role/next"/>`, true, "MustUnderstand"},
	"1.2, 5.2.4 relay of what need not be understood": {
		`<x:y xmlns:x="urn:x" s:relay="true"/>`, true, ""},
}

func TestHeadersThatMustBeUnderstood(t *testing.T) {
	_, address := twoFaces(t)
	for name, tt := range understanding {
		t.Run(name, func(t *testing.T) {
			a := question{soap12: tt.soap12, header: tt.header}.ask(t, address)
			if tt.fault == "" {
				a.expect(t, 200, ">Running<")
				return
			}
			a.expect(t, 500, tt.fault)
		})
	}
}

// TestUnknownEnvelopesAreOfferedTheKnown sends an envelope of a version that
// there is not (SOAP 1.2 part 1, 5.4.7).
func TestUnknownEnvelopesAreOfferedTheKnown(t *testing.T) {
	_, address := twoFaces(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://"+address+"/ws/Workspace",
		strings.NewReader(`<s:Envelope xmlns:s="urn:soap:9"><s:Body/></s:Envelope>`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/soap+xml")
	do(t, request).expect(t, 500, "VersionMismatch", "Upgrade>", "SupportedEnvelope")
}
