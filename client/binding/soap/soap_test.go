package soap

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/wsdl"
)

const (
	destroyAction = schema.Lifetime2Action + "ImmediateResourceTermination/DestroyRequest"
	getAction     = schema.Properties2Action + "GetResourceProperty/GetResourcePropertyRequest"
)

// empty is a message without content, under whatever name the call gives it.
type empty struct{}

// envelope wraps a body for a reply.
func envelope(body string) string {
	return `<e:Envelope xmlns:e="` + envelopeSpace + `"><e:Body>` + body + `</e:Body></e:Envelope>`
}

// serve answers every request with a text, and keeps the last request.
func serve(t *testing.T, status int, text string) (client *Client, last func() *http.Request) {
	t.Helper()
	var request *http.Request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		request = r
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return NewClient(s.URL), func() *http.Request { return request }
}

// TestRequestsKeepTheProfile holds what is sent against R2712, R2744 and R2745
// of the Basic Profile: the SOAPAction is that of the WSDL, quoted and never
// empty, and the body holds the one element of the message.
func TestRequestsKeepTheProfile(t *testing.T) {
	for _, op := range wsdl.Operations() {
		if op.Face != wsdl.Two || op.OneWay {
			continue
		}
		c, last := serve(t, http.StatusOK,
			envelope(`<`+op.Out.Local+` xmlns="`+op.Out.Space+`"/>`))
		if err := c.CallContext(t.Context(), op.Action, &empty{}, &empty{}); err != nil {
			t.Fatalf("%s: %v", op.Action, err)
		}
		if got := last().Header.Get("SOAPAction"); got != `"`+op.Action+`"` || len(got) < 3 {
			t.Errorf("SOAPAction of %s is %s", op.Action, got)
		}
		var e received
		if err := xml.NewDecoder(last().Body).Decode(&e); err != nil {
			t.Fatal(err)
		}
		want := xml.Name{Space: op.In.Space, Local: op.In.Local}
		if len(e.Body.Content) != 1 || e.Body.Content[0].Name() != want {
			t.Errorf("the body for %s holds %v", op.Name, e.Body.Content)
		}
	}
}

func TestReplies(t *testing.T) {
	tests := []struct {
		name, reply, want string
		status            int
	}{
		{"fault", envelope(`<e:Fault><faultcode>e:Server</faultcode><faultstring>no</faultstring>` +
			`</e:Fault>`), "Destroy at URL: no", 500},
		{"typed fault", envelope(`<e:Fault><faultcode>e:Server</faultcode><faultstring/><detail>` +
			`<r:ResourceUnknownFault xmlns:r="` + schema.Resource2 + `" xmlns="` +
			schema.BaseFaults2 + `"><Description>gone</Description></r:ResourceUnknownFault>` +
			`</detail></e:Fault>`), "Destroy at URL: ResourceUnknownFault: gone", 500},
		{"code alone", envelope(`<e:Fault><faultcode>e:Client</faultcode></e:Fault>`),
			"Destroy at URL: e:Client", 500},
		{"another element", envelope(`<x xmlns="urn:x"/>`),
			"Destroy at URL: the reply is x instead of DestroyResponse", 200},
		{"no element", envelope(``),
			"Destroy at URL: the reply holds 0 elements instead of one", 200},
		{"no envelope", `<x/>`,
			`Destroy at URL: expected element type <Envelope> but have <x>`, 200},
		{"no XML", `gateway timeout`, "cannot ask for Destroy: the server answered 504 Gateway " +
			"Timeout: line 1, column 1, in /: text outside the root element", 504},
		{"document type", `<!DOCTYPE x []>` + envelope(``), "cannot ask for Destroy: the server " +
			"answered 200 OK: line 1, column 1, in /: a document type declaration is not " +
			"accepted", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := serve(t, tt.status, tt.reply)
			err := c.CallContext(t.Context(), destroyAction, &empty{}, &empty{})
			if err == nil || strings.ReplaceAll(err.Error(), c.URL, "URL") != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestFaultsAreTyped(t *testing.T) {
	c, _ := serve(t, 500, envelope(`<e:Fault><faultcode>e:Server</faultcode><detail>`+
		`<ResourceUnknownFault xmlns="`+schema.Resource2+`"/></detail></e:Fault>`))
	err := c.CallContext(t.Context(), getAction, "t:schedule", &empty{})
	var f *Fault
	if !errors.As(err, &f) || !f.Has(schema.Resource2, "ResourceUnknownFault") ||
		f.Has(schema.Lease, "ResourceUnknownFault") {
		t.Errorf("got %#v", err)
	}
}

func TestUnknownAction(t *testing.T) {
	err := NewClient("http://localhost:1").CallContext(t.Context(), "urn:x", nil, nil)
	if err == nil || err.Error() != `there is no operation with the action "urn:x"` {
		t.Error(err)
	}
}

func TestDeadline(t *testing.T) {
	hold := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer s.Close()
	defer close(hold)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := NewClient(s.URL).CallContext(ctx, destroyAction, &empty{}, &empty{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestHeaders(t *testing.T) {
	var key Any
	const text = `<k:Key xmlns:k="urn:k" a="1">7</k:Key>`
	if err := xml.Unmarshal([]byte(text), &key); err != nil {
		t.Fatal(err)
	}
	c, last := serve(t, 200, envelope(`<DestroyResponse xmlns="`+schema.Lifetime2+`"/>`))
	c.Headers = []Any{key.Parameter()}
	if err := c.CallContext(t.Context(), destroyAction, &empty{}, &empty{}); err != nil {
		t.Fatal(err)
	}
	var e struct {
		Key struct {
			Text      string `xml:",chardata"`
			Parameter string `xml:"http://www.w3.org/2005/08/addressing IsReferenceParameter,attr"`
			A         string `xml:"a,attr"`
		} `xml:"Header>Key"`
		To     string `xml:"Header>To"`
		Action string `xml:"Header>Action"`
	}
	if err := xml.NewDecoder(last().Body).Decode(&e); err != nil {
		t.Fatal(err)
	}
	if e.Key.Text != "7" || e.Key.Parameter != "true" || e.Key.A != "1" || e.To != c.URL ||
		e.Action != destroyAction {
		t.Errorf("the headers are %+v", e)
	}
}

func TestAnyKeepsElements(t *testing.T) {
	const text = `<a:x xmlns:a="urn:a" n="&lt;"><y xmlns="urn:b">1 &amp; 2<!-- no --></y></a:x>`
	var a Any
	if err := xml.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	written, err := xml.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	const want = `<x xmlns="urn:a" n="&lt;"><y xmlns="urn:b">1 &amp; 2</y></x>`
	if string(written) != want {
		t.Errorf("got  %s\nwant %s", written, want)
	}
	var v struct {
		XMLName xml.Name `xml:"urn:a x"`
		Y       string   `xml:"urn:b y"`
	}
	if err := a.Decode(&v); err != nil || v.Y != "1 & 2" {
		t.Errorf("decoded %+v: %v", v, err)
	}
	again, err := Element(&v)
	if err != nil || again.Name() != a.Name() {
		t.Errorf("made %v: %v", again, err)
	}
	if text, err := xml.Marshal(Any{}); err != nil || len(text) != 0 {
		t.Errorf("the zero value is %s, %v", text, err)
	}
}

func TestTimes(t *testing.T) {
	type timed struct {
		At   XSDDateTime  `xml:"at,omitempty"`
		Then *XSDDateTime `xml:"then"`
	}
	var v timed
	const text = `<timed><at>2026-11-22T03:00:00.5+01:00</at><then>2026-01-02T03:04:05</then></timed>`
	if err := xml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	written, err := xml.Marshal(v)
	const want = `<timed><at>2026-11-22T02:00:00.5Z</at><then>2026-01-02T03:04:05Z</then></timed>`
	if err != nil || string(written) != want {
		t.Errorf("got %s, %v", written, err)
	}
	if err := xml.Unmarshal([]byte(`<timed><at>soon</at></timed>`), &v); err == nil {
		t.Error("soon is a time")
	}
	if err := xml.Unmarshal([]byte(`<timed><then/></timed>`), &v); err != nil || !v.Then.IsZero() {
		t.Errorf("nothing is %v: %v", v.Then, err)
	}
	if text, err := xml.Marshal(timed{}); err != nil || string(text) != "<timed></timed>" {
		t.Errorf("no times are %s, %v", text, err)
	}
}
