package wsa

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

var workspaceKey = xmlstrict.Name{
	Space: "http://www.globus.org/2008/06/workspace", Local: "WorkspaceKey",
}

// write returns an envelope with what header writes as its header blocks.
func write(t testing.TB, v soap.Version, header func(*xmlstrict.Encoder)) []byte {
	t.Helper()
	enc := xmlstrict.NewEncoder()
	soap.Write(enc, v, header, nil)
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	return enc.Bytes()
}

// shape describes the header blocks of a message: names, attributes and text,
// and what is below, with expanded names and without declarations.
func shape(m *soap.Message) string {
	var b strings.Builder
	for _, h := range m.Headers {
		describe(&b, h, "")
	}
	return b.String()
}

func describe(b *strings.Builder, e *etree.Element, indent string) {
	b.WriteString(indent + xmlstrict.NameOf(e).String())
	for i := range e.Attr {
		name := xmlstrict.AttrName(e, &e.Attr[i])
		if name.Space != xmlstrict.XMLNSSpace {
			b.WriteString(" @" + name.String() + "=" + e.Attr[i].Value)
		}
	}
	b.WriteString(" " + xmlstrict.Text(e) + "\n")
	for c := range xmlstrict.Children(e) {
		describe(b, c, indent+"  ")
	}
}

func TestParseHeaderRecorded(t *testing.T) {
	id := "uuid:3795e3e0-e5fe-11f1-8508-8812fad5ad4c"
	service := "http://127.0.0.1:8080/wsrf/services/WorkspaceService"
	action := "http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceProperties/GetResourceProperty"
	tests := map[string]struct {
		want Header
		from string // address
		key  string // of From
	}{
		"34-getrp-currentstate-request": {
			Header{MessageID: id, To: service, Action: action}, Anonymous200403, ""},
		"34-getrp-currentstate-response": {
			Header{MessageID: "uuid:37a26700-e5fe-11f1-96d4-c2b0270bde91", To: Anonymous200403,
				Action: action + "Response", RelatesTo: id}, service, "16"},
		"66-no-soapaction-no-wsa-http10-request": {Header{}, "", ""},
		"67-soap12-response": {
			Header{MessageID: "uuid:7481e600-e5fe-11f1-96d4-c2b0270bde91", To: Anonymous200403,
				Action: action + "Response"}, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseHeader(soaptest.Recorded(t, name))
			if err != nil {
				t.Fatal(err)
			}
			from := got.From
			if got.From = nil; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if (from != nil) != (tt.from != "") {
				t.Fatalf("From is %v", from)
			}
			if from == nil {
				return
			}
			if key, _ := from.Key(workspaceKey); from.Address != tt.from || key != tt.key {
				t.Errorf("From is %s with key %q", from.Address, key)
			}
		})
	}
}

// exchange is a recorded message and the one it answers.
type exchange struct {
	version soap.Version
	request Header         // of the message that is answered
	said    Header         // of the recorded message
	key     *etree.Element // the last header block of the request
}

// TestWriteAsRecorded makes each recorded header anew from what it says and
// compares the two, block by block and attribute by attribute.
func TestWriteAsRecorded(t *testing.T) {
	tests := map[string]struct {
		request string // the message it answers
		write   func(enc *xmlstrict.Encoder, x exchange)
	}{
		"34-getrp-currentstate-response": {"34-getrp-currentstate-request", reply},
		"66-no-soapaction-no-wsa-http10-response": {
			"66-no-soapaction-no-wsa-http10-request", bareReply},
		"67-soap12-response":            {"67-soap12-request", bareReply},
		"36-getrp-badname-response":     {"36-getrp-badname-request", faultReply},
		"34-getrp-currentstate-request": {"34-getrp-currentstate-request", request},
		"25-subscribe-notify-request":   {"25-subscribe-notify-request", request},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			asked, answer := soaptest.Recorded(t, tt.request), soaptest.Recorded(t, name)
			x := exchange{version: answer.Version, key: asked.Headers[len(asked.Headers)-1]}
			var err error
			if x.request, err = ParseHeader(asked); err != nil {
				t.Fatal(err)
			}
			if x.said, err = ParseHeader(answer); err != nil {
				t.Fatal(err)
			}
			data := write(t, x.version, func(enc *xmlstrict.Encoder) { tt.write(enc, x) })
			if got, want := shape(soaptest.Message(t, data)), shape(answer); got != want {
				t.Errorf("wrote\n%swant\n%s", got, want)
			}
		})
	}
}

// reply answers a request with the key echoed in From.
func reply(enc *xmlstrict.Encoder, x exchange) {
	from := EPR{Address: x.said.From.Address, Properties: []*etree.Element{x.key}}
	x.request.Reply(x.said.MessageID, x.said.Action, &from).Write(enc, x.version)
}

// bareReply answers a request that had no addressing.
func bareReply(enc *xmlstrict.Encoder, x exchange) {
	x.request.Reply(x.said.MessageID, x.said.Action, nil).Write(enc, x.version)
}

// faultReply answers a request with a fault.
func faultReply(enc *xmlstrict.Encoder, x exchange) {
	from := EPR{Address: x.said.From.Address, Properties: []*etree.Element{x.key}}
	x.request.FaultReply(x.said.MessageID, &from).Write(enc, x.version)
}

// request writes the header of a request to the resource with that key.
func request(enc *xmlstrict.Encoder, x exchange) {
	target := NewEPR(x.said.To, xmlstrict.NameOf(x.key), xmlstrict.Text(x.key))
	x.said.To = ""
	x.said.WriteRequest(enc, x.version, target)
}

func TestParseHeaderRefuses(t *testing.T) {
	block := func(space, content string) string {
		return `<S:Envelope xmlns:S="` + soap.Space11 + `" xmlns:a="` + space + `"><S:Header>` +
			content + `</S:Header><S:Body/></S:Envelope>`
	}
	mixed := `<a:To>x</a:To><b:Action xmlns:b="` + Space200508 + `">y</b:Action>`
	tests := map[string]struct{ document, path string }{
		"To twice": {block(Space200403, "<a:To>x</a:To><a:To>y</a:To>"), "/Envelope/Header/To[2]"},
		"MessageID twice": {block(Space200508,
			"<a:MessageID>x</a:MessageID><a:MessageID>x</a:MessageID>"),
			"/Envelope/Header/MessageID[2]"},
		"long MessageID": {block(Space200403,
			"<a:MessageID>"+strings.Repeat("x", 2049)+"</a:MessageID>"),
			"/Envelope/Header/MessageID"},
		"Action twice": {block(Space200403, "<a:Action>x</a:Action><a:Action>y</a:Action>"),
			"/Envelope/Header/Action[2]"},
		"From twice": {block(Space200403,
			strings.Repeat("<a:From><a:Address>x</a:Address></a:From>", 2)),
			"/Envelope/Header/From[2]"},
		"no address": {block(Space200403, "<a:ReplyTo/>"), "/Envelope/Header/ReplyTo"},
		"empty address": {block(Space200403, "<a:FaultTo><a:Address> </a:Address></a:FaultTo>"),
			"/Envelope/Header/FaultTo"},
		"mixed versions": {block(Space200403, mixed), "/Envelope/Header/Action"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseHeader(soaptest.Message(t, []byte(tt.document)))
			var content *xmlstrict.ContentError
			if !errors.As(err, &content) || content.Path != tt.path || content.Line != 1 {
				t.Errorf("got %v, want an error at %s", err, tt.path)
			}
		})
	}
}

// TestHeaderRoundTrip writes a full header in each version and reads it back.
func TestHeaderRoundTrip(t *testing.T) {
	for _, v := range []Version{V200403, V200508} {
		for _, sv := range []soap.Version{soap.V11, soap.V12} {
			from, to := NewEPR("http://from", workspaceKey, "7"), EPR{Address: v.Anonymous()}
			want := Header{Version: v, MessageID: "uuid:1", To: "http://to", Action: "urn:a",
				RelatesTo: "uuid:0", From: &from, ReplyTo: &to, FaultTo: &to}
			data := write(t, sv, func(enc *xmlstrict.Encoder) { want.Write(enc, sv) })
			got, err := ParseHeader(soaptest.Message(t, data))
			if err != nil {
				t.Fatal(err)
			}
			key, _ := got.From.Key(workspaceKey)
			if key != "7" || got.ReplyTo.Address != v.Anonymous() || got.FaultTo == nil {
				t.Errorf("endpoints came back as %+v", got)
			}
			got.From, got.ReplyTo, got.FaultTo = want.From, want.ReplyTo, want.FaultTo
			if !reflect.DeepEqual(got, want) {
				t.Errorf("wrote %+v\nread  %+v", want, got)
			}
		}
	}
}

func TestRequestOf200508(t *testing.T) {
	data := write(t, soap.V12, func(enc *xmlstrict.Encoder) {
		h := Header{Version: V200508, Action: "urn:a"}
		h.WriteRequest(enc, soap.V12, NewEPR("http://to", workspaceKey, "7"))
	})
	want := `{` + workspaceKey.Space + `}WorkspaceKey @{` + Space200508 +
		`}IsReferenceParameter=true`
	if got := shape(soaptest.Message(t, data)); !strings.Contains(got, want) {
		t.Errorf("wrote\n%swant something with %s", got, want)
	}
}

// TestNestedProperty checks that a property with elements of its own travels
// whole.
func TestNestedProperty(t *testing.T) {
	doc, err := xmlstrict.Parse([]byte(`<k xmlns="urn:k"><a>1</a><b/></k>`), xmlstrict.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	data := write(t, soap.V11, func(enc *xmlstrict.Encoder) {
		to := EPR{Address: "http://to", Properties: []*etree.Element{doc.Root}}
		Header{}.WriteRequest(enc, soap.V11, to)
	})
	if got := shape(soaptest.Message(t, data)); !strings.Contains(got,
		"{urn:k}k \n  {urn:k}a 1\n  {urn:k}b") {
		t.Errorf("wrote\n%s", got)
	}
}

func TestVersions(t *testing.T) {
	for _, v := range []Version{V200403, V200508} {
		if !strings.HasPrefix(v.Anonymous(), v.Space()) ||
			!strings.HasPrefix(v.FaultAction(), v.Space()) {
			t.Errorf("%d: anonymous %s, fault action %s", v, v.Anonymous(), v.FaultAction())
		}
	}
}

// FuzzHeader checks that no header makes the reader panic, and that what is
// read can be written and read again.
func FuzzHeader(f *testing.F) {
	for _, data := range soaptest.All(f) {
		f.Add(data)
		f.Add([]byte(strings.ReplaceAll(string(data), Space200403, Space200508)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := soap.Parse(data, xmlstrict.Limits{})
		if err != nil {
			return
		}
		h, err := ParseHeader(m)
		if err != nil {
			var content *xmlstrict.ContentError
			if !errors.As(err, &content) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		written := write(t, m.Version, func(enc *xmlstrict.Encoder) { h.Write(enc, m.Version) })
		again, err := ParseHeader(soaptest.Message(t, written))
		if err != nil {
			t.Fatal(err)
		}
		if again.MessageID != h.MessageID || again.To != h.To || again.Action != h.Action ||
			again.RelatesTo != h.RelatesTo || (again.From == nil) != (h.From == nil) {
			t.Fatalf("wrote %+v\nread  %+v", h, again)
		}
	})
}
