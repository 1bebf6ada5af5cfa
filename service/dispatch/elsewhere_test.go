package dispatch_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/wsdl"
)

// A sent message is one that went to an address.
type sent struct {
	address string
	header  http.Header
	text    string
}

// office is a Replier that keeps what it is given.
type office struct {
	out    chan sent
	refuse error         // what it says of every address
	hold   chan struct{} // waited for before a message goes; may be nil
}

func (o *office) Check(string) error { return o.refuse }

func (o *office) Post(
	ctx context.Context, address string, header http.Header, message []byte,
) error {
	if o.hold != nil {
		select {
		case <-o.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	o.out <- sent{address, header.Clone(), string(bytes.Clone(message))}
	return nil
}

// withOffice serves a core with one workspace and the office.
func withOffice(t *testing.T, o *office, caller authn.Authenticator, l dispatch.Limits) string {
	t.Helper()
	m := newCore()
	m.put(ada)
	o.out = make(chan sent, 4)
	h, _ := m.handler(t, dispatch.Options{Authenticator: caller, Replier: o, Limits: l})
	return listen(t, h, dispatch.Limits{})
}

// asking is the addressing of a request whose answers go to other places.
func asking(references string) string {
	return block2("Action", rp2Action) + block2("MessageID", "urn:uuid:7") + references
}

const (
	there = "http://there.example/in"
	fails = "http://fails.example/in"
	badRP = `<p:GetResourceProperty xmlns:p="http://docs.oasis-open.org/wsrf/rp-2">nothing` +
		`</p:GetResourceProperty>`
)

// nobody is a reference to where nothing goes.
func nobody(header string) string { return reference2(header, wsa2005+"/none", "") }

var parameters = `<a:ReferenceParameters><x:id xmlns:x="urn:x">9</x:id></a:ReferenceParameters>`

// TestRepliesElsewhere sends replies and faults to where the request wants them
// (WS-Addressing 1.0, core, 3.4; SOAP Binding, 5): the connection gets an empty
// 202.
func TestRepliesElsewhere(t *testing.T) {
	tests := map[string]struct {
		header, body  string
		to, says, act string // of the message sent; nothing is sent when to is empty
	}{
		"reply": {reference2("ReplyTo", there, parameters), "", there, ">Running<",
			"GetResourcePropertyResponse"},
		"fault to where replies go": {reference2("ReplyTo", there, ""), badRP, there,
			"InvalidResourcePropertyQNameFault", "wsrf/fault"},
		"fault to its own place": {
			reference2("ReplyTo", there, "") + reference2("FaultTo", fails, ""), badRP, fails,
			"InvalidResourcePropertyQNameFault", "wsrf/fault"},
		"nobody wants the reply":   {nobody("ReplyTo"), "", "", "", ""},
		"nobody wants the fault":   {nobody("FaultTo"), badRP, "", "", ""},
		"nobody wants any of them": {nobody("ReplyTo"), badRP, "", "", ""},
		"the fault of another's EPR": {reference2("FaultTo", fails, parameters), badRP, fails,
			">9</", "wsrf/fault"},
	}
	o := new(office)
	// Whether a message has gone is known a moment before its place is free.
	address := withOffice(t, o, authn.Fixed(ada), dispatch.Limits{Replies: 2 * len(tests)})
	for name, tt := range tests {
		for _, soap12 := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				a := question{soap12: soap12, header: asking(tt.header), body: tt.body}.
					ask(t, address)
				if a.status != http.StatusAccepted || a.text != "" {
					t.Fatalf("the connection got %d %s", a.status, a.text)
				}
				if tt.to == "" {
					return
				}
				got := <-o.out
				for _, part := range []string{tt.says, tt.act, ">" + tt.to + "</wsa:To>",
					">urn:uuid:7</wsa:RelatesTo>"} {
					if !strings.Contains(got.text, part) {
						t.Errorf("lacks %q: %s", part, got.text)
					}
				}
				if got.address != tt.to || soap12 != (got.header.Get("SOAPAction") == "") {
					t.Errorf("went to %s with %v", got.address, got.header)
				}
			})
		}
	}
	if len(o.out) != 0 {
		t.Errorf("%v was sent besides", <-o.out)
	}
}

// TestRepliesThatCannotGoElsewhere says at once, on the connection, why not.
func TestRepliesThatCannotGoElsewhere(t *testing.T) {
	elsewhere := reference2("ReplyTo", there, "")
	tests := map[string]struct {
		office *office
		caller authn.Authenticator
		header string
		fault  string
	}{
		"a closed address": {&office{refuse: errors.New("closed")}, authn.Fixed(ada),
			asking(elsewhere), "wsa:InvalidAddress<"},
		"6.4.2 no message ID": {new(office), authn.Fixed(ada),
			block2("Action", rp2Action) + elsewhere, "wsa:MessageAddressingHeaderRequired<"},
		"a parameter that passes for a header": {new(office), authn.Fixed(ada),
			asking(reference2("ReplyTo", there, `<a:ReferenceParameters><a:To>`+fails+
				`</a:To></a:ReferenceParameters>`)), "wsa:InvalidEPR<"},
		"an unknown caller": {new(office), authn.Fixed(""), asking(elsewhere),
			"no caller identity"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			address := withOffice(t, tt.office, tt.caller, dispatch.Limits{})
			question{header: tt.header}.ask(t, address).expect(t, 500, tt.fault)
			if len(tt.office.out) != 0 {
				t.Errorf("%v was sent", <-tt.office.out)
			}
		})
	}
}

// TestLargeRepliesDoNotGoElsewhere: a small request makes no large message to
// somebody who did not ask.
func TestLargeRepliesDoNotGoElsewhere(t *testing.T) {
	s := echo()
	s.Face, s.Name = wsdl.Two, "Group"
	s.Operations["Start"] = dispatch.Operation{
		Do: func(context.Context, *dispatch.Call) (dispatch.Reply, error) {
			return func(enc *xmlstrict.Encoder) {
				enc.Element(xmlstrict.Name{Local: "large"}, strings.Repeat("x", 300_000))
			}, nil
		},
	}
	o := &office{out: make(chan sent, 1)}
	h, err := dispatch.New(dispatch.Options{
		Services: []dispatch.Service{groupTwo(s)}, Authenticator: authn.Fixed(ada), Replier: o,
	})
	if err != nil {
		t.Fatal(err)
	}
	question{
		service: "Group", keyless: true, body: `<p:Start xmlns:p="` + schema.Lease + `"/>`,
		header: block2("Action", schema.Lease+":Group:StartRequest") +
			block2("MessageID", "urn:uuid:7") + reference2("ReplyTo", there, ""),
	}.ask(t, listen(t, h, dispatch.Limits{}))
	if got := <-o.out; len(got.text) > 4<<10 || !strings.Contains(got.text, "too large to go") {
		t.Errorf("sent %.1000s", got.text)
	}
}

// groupTwo returns the service with the operations that face two has for groups.
func groupTwo(s dispatch.Service) dispatch.Service {
	s.Operations = map[string]dispatch.Operation{
		"Start": s.Operations["Start"], "Shutdown": {}, "Destroy": {},
	}
	return s
}

// TestAnonymousCallersGetNoPosts has a caller whom nobody knows ask what anybody
// may know, and want the answer elsewhere.
func TestAnonymousCallersGetNoPosts(t *testing.T) {
	o := new(office)
	address := withOffice(t, o, authn.Fixed(""), dispatch.Limits{})
	question{service: "Status", header: asking(reference2("ReplyTo", there, "")), keyless: true,
		body: strings.Replace(poll2, "t:currentState", "t:x", 1)}.ask(t, address).
		expect(t, 500, "OnlyAnonymousAddressSupported")
}

// TestRepliesOnTheirWayAreBounded has one message on its way, and a second that
// finds no place (WS-Addressing 1.0, SOAP Binding, 6.4.5).
func TestRepliesOnTheirWayAreBounded(t *testing.T) {
	o := &office{hold: make(chan struct{})}
	address := withOffice(t, o, authn.Fixed(ada), dispatch.Limits{
		Replies: 1, ReplyTimeout: patience, // or the place is free again on a busy machine
	})
	q := question{header: asking(reference2("ReplyTo", there, ""))}
	if a := q.ask(t, address); a.status != http.StatusAccepted {
		t.Fatalf("status is %d: %s", a.status, a.text)
	}
	q.ask(t, address).expect(t, 500, "wsa:EndpointUnavailable<", there)
	close(o.hold)
	if got := <-o.out; !strings.Contains(got.text, ">Running<") {
		t.Errorf("sent %s", got.text)
	}
}
