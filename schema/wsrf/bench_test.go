package wsrf

import (
	"os"
	"testing"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// BenchmarkGetResourceProperty does all that the wire costs a server for the
// commonest call: read the recorded request with its addressing, write the
// reply with its.
func BenchmarkGetResourceProperty(b *testing.B) {
	data, err := os.ReadFile("../soap/testdata/gt4/34-getrp-currentstate-request.xml")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		enc := xmlstrict.Borrow()
		if err := answer(enc, data); err != nil {
			b.Fatal(err)
		}
		enc.Release()
	}
}

// answer reads a GetResourceProperty and writes a reply to it.
func answer(enc *xmlstrict.Encoder, data []byte) error {
	m, err := soap.Parse(data, xmlstrict.Limits{})
	if err != nil {
		return err
	}
	if err := m.CheckUnderstood(func(xmlstrict.Name) bool { return false }); err != nil {
		return err
	}
	h, err := wsa.ParseHeader(m)
	if err != nil {
		return err
	}
	name, err := Draft.ParseGetResourceProperty(m.Doc, m.Body)
	if err != nil {
		return err
	}
	key := xmlstrict.Name{Space: "http://www.globus.org/2008/06/workspace", Local: "WorkspaceKey"}
	from := wsa.NewEPR(h.To, key, xmlstrict.Text(m.Header(key)))
	reply := h.Reply("uuid:1", h.Action+"Response", &from)
	soap.Write(enc, m.Version, func(enc *xmlstrict.Encoder) { reply.Write(enc, m.Version) },
		func(enc *xmlstrict.Encoder) {
			response := names[Draft].GetResourcePropertyResponse
			WriteProperties(enc, response, func(enc *xmlstrict.Encoder) {
				enc.Start(name)
				enc.Element(xmlstrict.Name{Space: name.Space, Local: "state"}, "Running")
				enc.End()
			})
		})
	return enc.Err()
}
