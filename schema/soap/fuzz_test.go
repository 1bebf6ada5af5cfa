package soap_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// envelope wraps content in an envelope of a version.
func envelope(v soap.Version, content string) []byte {
	return []byte(`<S:Envelope xmlns:S="` + v.Space() + `" xmlns:x="urn:x">` + content +
		`</S:Envelope>`)
}

// FuzzEnvelope checks that no envelope makes the reader panic, that one that is
// accepted can be asked everything, and that a fault stays what it is when it
// is written again.
func FuzzEnvelope(f *testing.F) {
	for _, data := range soaptest.All(f) {
		f.Add(data)
		f.Add([]byte(strings.ReplaceAll(string(data), soap.Space11, soap.Space12)))
	}
	for _, v := range []soap.Version{soap.V11, soap.V12} {
		for _, content := range []string{"", "<S:Body/>", "<S:Header/><S:Body>x</S:Body>",
			`<S:Header><x:y S:mustUnderstand="1"/></S:Header><S:Body><S:Fault/></S:Body>`,
			`<S:Body><S:Fault><S:Code><S:Value>S:Sender</S:Value><S:Subcode><S:Value>x:a</S:Value>` +
				`<S:Subcode><S:Value>x:b</S:Value></S:Subcode></S:Subcode></S:Code><S:Reason>` +
				`<S:Text xml:lang="en">t</S:Text></S:Reason></S:Fault></S:Body>`,
			`<S:Body><S:Fault><faultcode>x:c</faultcode><faultstring>t</faultstring>` +
				`<detail><x:d/></detail></S:Fault></S:Body>`} {
			f.Add(envelope(v, content))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := soap.Parse(data, xmlstrict.Limits{})
		if err != nil {
			checkError(t, err)
			return
		}
		_, _ = m.Payload()
		err = m.CheckUnderstood(func(xmlstrict.Name) bool { return false })
		checkError(t, err)
		if fault, ok := soap.ParseFault(m); ok {
			checkFault(t, m, fault)
		}
	})
}

// checkError checks that an error is one of ours, and that the blocks which go
// with its fault can be written.
func checkError(t *testing.T, err error) {
	t.Helper()
	var problem *soap.Error
	var syntax *xmlstrict.SyntaxError
	if err == nil || errors.As(err, &syntax) {
		return
	}
	if !errors.As(err, &problem) {
		t.Fatalf("error of another type: %v", err)
	}
	for _, v := range []soap.Version{soap.V11, soap.V12} {
		written(t, v, &soap.Fault{Code: problem.Code(), Blocks: problem.Blocks(v)})
	}
}

// checkFault copies a fault that was read, and writes its codes anew.
func checkFault(t *testing.T, m *soap.Message, fault *soap.Fault) {
	t.Helper()
	copied := soaptest.Message(t, encoded(t, func(enc *xmlstrict.Encoder) {
		soap.Write(enc, m.Version, nil, func(enc *xmlstrict.Encoder) { enc.Tree(m.Body) })
	}))
	if f, ok := soap.ParseFault(copied); !ok || f.Code != fault.Code || f.String != fault.String {
		t.Fatalf("fault %v came back as %v", fault, f)
	}
	again := written(t, soap.V12, &soap.Fault{
		Code: soap.CodeServer, Subcodes: fault.Subcodes, String: fault.String,
	})
	if len(again.Subcodes) != len(fault.Subcodes) {
		t.Fatalf("codes %v came back as %v", fault.Subcodes, again.Subcodes)
	}
}

// written writes a fault and reads it.
func written(t *testing.T, v soap.Version, fault *soap.Fault) *soap.Fault {
	t.Helper()
	m := soaptest.Message(t, encoded(t, func(enc *xmlstrict.Encoder) {
		soap.WriteFault(enc, v, nil, fault)
	}))
	again, ok := soap.ParseFault(m)
	if !ok {
		t.Fatalf("%v is written as no fault", fault)
	}
	return again
}

// encoded returns what write writes.
func encoded(t *testing.T, write func(*xmlstrict.Encoder)) []byte {
	t.Helper()
	enc := xmlstrict.NewEncoder()
	write(enc)
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	return enc.Bytes()
}
