package wsrf

import (
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// seed gives a fuzz target the recorded messages, those of the drafts in the
// names of the final edition too, and messages that only that has.
func seed(f *testing.F) {
	final := strings.NewReplacer(schema.Properties, schema.Properties2,
		schema.Lifetime, schema.Lifetime2, schema.BaseFaults, schema.BaseFaults2,
		schema.Addressing, schema.Addressing2005)
	for _, data := range soaptest.All(f) {
		f.Add(data)
		if text := string(data); strings.Contains(text, schema.Properties) ||
			strings.Contains(text, schema.Lifetime) {
			f.Add([]byte(final.Replace(text)))
		}
	}
	for _, body := range []string{
		in2("r:SetResourceProperties", `<r:Update><t:a>1</t:a></r:Update>`+
			`<r:Insert><t:c/></r:Insert>`+
			`<r:Delete ResourceProperty="t:d"/>`),
		in2("r:DeleteResourceProperties", `<r:Delete ResourceProperty="t:d"/>`),
		in2("r:PutResourcePropertyDocument", "<t:a/>"),
		in2("l:SetTerminationTime", "<l:RequestedLifetimeDuration>P1MT1S"+
			"</l:RequestedLifetimeDuration>"),
	} {
		f.Add([]byte(`<e:Envelope xmlns:e="` + soap.Space12 + `"><e:Body>` + body +
			`</e:Body></e:Envelope>`))
	}
}

// message is one way to read messages; it returns what writes the message again.
type message func(e Edition, doc *xmlstrict.Document, at *element) (
	func(*xmlstrict.Encoder), error)

// of returns the way that an edition's messages are read.
func (read message) of(e Edition) soaptest.Reader {
	return func(doc *xmlstrict.Document) (func(*xmlstrict.Encoder), error) {
		return read(e, doc, doc.Root)
	}
}

// messages are the readers of all messages.
var messages = []message{
	func(e Edition, doc *xmlstrict.Document, at *element) (func(*xmlstrict.Encoder), error) {
		name, err := e.ParseGetResourceProperty(doc, at)
		return func(enc *xmlstrict.Encoder) { e.WriteGetResourceProperty(enc, name) }, err
	},
	func(e Edition, doc *xmlstrict.Document, at *element) (func(*xmlstrict.Encoder), error) {
		all, err := e.ParseGetMultipleResourceProperties(doc, at)
		return func(enc *xmlstrict.Encoder) {
			e.WriteGetMultipleResourceProperties(enc, all...)
		}, err
	},
	func(e Edition, doc *xmlstrict.Document, at *element) (func(*xmlstrict.Encoder), error) {
		end, err := e.ParseSetTerminationTime(doc, at)
		return func(enc *xmlstrict.Encoder) { e.WriteSetTerminationTime(enc, end) }, err
	},
	func(e Edition, doc *xmlstrict.Document, at *element) (func(*xmlstrict.Encoder), error) {
		n, err := e.ParseSetTerminationTimeResponse(doc, at)
		if err == nil && n.Now.IsZero() {
			n.Now = time.Unix(1e9, 0)
		}
		return func(enc *xmlstrict.Encoder) { n.WriteIn(enc, e) }, err
	},
	func(e Edition, doc *xmlstrict.Document, at *element) (func(*xmlstrict.Encoder), error) {
		changes, err := e.ParseModification(doc, at)
		name := xmlstrict.NameOf(at)
		return func(enc *xmlstrict.Encoder) { e.WriteModification(enc, name, changes...) }, err
	},
	func(e Edition, doc *xmlstrict.Document, at *element) (func(*xmlstrict.Encoder), error) {
		put, err := e.ParsePutResourcePropertyDocument(doc, at)
		return func(enc *xmlstrict.Encoder) {
			e.WritePutResourcePropertyDocument(enc, func(enc *xmlstrict.Encoder) { enc.Tree(put) })
		}, err
	},
	func(e Edition, doc *xmlstrict.Document, at *element) (func(*xmlstrict.Encoder), error) {
		f, err := e.ParseBaseFault(doc, at)
		f.Name.Space = strings.TrimSpace(f.Name.Space)
		return f.Write, err
	},
}

// FuzzMessages feeds any message to all readers of both editions. What is
// accepted is written, read again, and must be written the same.
func FuzzMessages(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := soap.Parse(data, xmlstrict.Limits{})
		if err != nil || m.Body == nil {
			return
		}
		for _, e := range []Edition{Draft, Final} {
			for _, read := range messages {
				write, err := read(e, m.Doc, m.Body)
				if soaptest.Placed(t, err); err == nil {
					soaptest.Stable(t, write, read.of(e))
				}
			}
			_, err := e.ParseQuery(m.Doc, m.Body)
			soaptest.Placed(t, err)
		}
		if fault, ok := soap.ParseFault(m); ok {
			Typed(fault)
		}
	})
}

// FuzzEnd checks that any text is a time, a duration or an error, and stays
// what it is when it is written.
func FuzzEnd(f *testing.F) {
	for _, text := range []string{"2026-01-31T12:00:00Z", "PT60S", "P1Y2M3DT4H5M6.7S", "-P1D", "",
		"P", "P1M", "2026-01-31", "P292Y", "9999-12-31T24:00:00Z", " PT1S "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at := &element{Tag: "e"}
		at.CreateText(text)
		end, err := ParseEnd(nil, at)
		if soaptest.Placed(t, err); err != nil {
			return
		}
		now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
		if end.Kind == Lasting && end.From(now).Before(now) {
			t.Fatalf("%q ends before it began: %v", text, end.From(now))
		}
		doc := soaptest.Written(t, func(enc *xmlstrict.Encoder) {
			end.Write(enc, names[Draft].CurrentTime)
		})
		again, err := ParseEnd(doc, doc.Root)
		end.For = end.For.Truncate(time.Millisecond)
		if err != nil || again.Kind != end.Kind || !again.From(now).Equal(end.From(now)) {
			t.Fatalf("%q is %v, written and read %v, %v", text, end, again, err)
		}
	})
}
