package wsa

import (
	"testing"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

func TestParseEPR(t *testing.T) {
	key := xmlstrict.Name{Space: "urn:k", Local: "Key"}
	const properties = `<a:Address>http://x</a:Address><a:ReferenceParameters>`
	tests := map[string]struct{ content, address, key string }{
		"key": {properties + `<Key xmlns="urn:k">7</Key></a:ReferenceParameters>`,
			"http://x", "7"},
		"another's key":   {properties + `<Key>7</Key></a:ReferenceParameters>`, "http://x", ""},
		"no key":          {`<a:Address> http://x </a:Address>`, "http://x", ""},
		"foreign address": {`<Address>http://x</Address>`, "", ""},
		"no address":      {``, "", ""},
		"second address": {`<a:Address>http://x</a:Address><a:Address>http://y</a:Address>`, "",
			""},
		"extension": {`<a:Address>http://x</a:Address><b:y xmlns:b="urn:b"/>`, "http://x",
			""},
		"extension ahead": {`<b:y xmlns:b="urn:b"/><a:Address>http://x</a:Address>`, "", ""},
		"unknown part":    {`<a:Address>http://x</a:Address><a:Port/>`, "", ""},
		"text":            {properties + `word</a:ReferenceParameters>`, "", ""},
		"twice": {properties + `</a:ReferenceParameters><a:ReferenceParameters/>`, "",
			""},
		"attribute": {`<a:Address b:c="" xmlns:b="urn:b">http://x</a:Address>`, "http://x",
			""},
		"bare attribute": {`<a:Address c="">http://x</a:Address>`, "", ""},
		"no URI":         {`<a:Address>http://[::1</a:Address>`, "", ""},
	}
	for name, tt := range tests {
		for _, v := range []Version{V200403, V200508} {
			t.Run(name+" "+v.Space(), func(t *testing.T) {
				doc, err := xmlstrict.Parse(
					[]byte(`<e xmlns:a="`+v.Space()+`">`+tt.content+`</e>`), xmlstrict.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				r, err := ParseEPR(doc, doc.Root)
				if (err != nil) != (tt.address == "") {
					t.Fatalf("got %+v, %v", r, err)
				}
				if got, _ := r.Key(key); err == nil && (r.Address != tt.address || got != tt.key) {
					t.Errorf("got %s with key %q", r.Address, got)
				}
			})
		}
	}
}

// TestParseRecordedEPR reads what only the drafts have.
func TestParseRecordedEPR(t *testing.T) {
	doc, err := xmlstrict.Parse([]byte(`<e xmlns="`+Space200403+`"><Address>http://x</Address>`+
		`<ReferenceProperties><Key xmlns="urn:k">7</Key></ReferenceProperties>`+
		`<ReferenceParameters/><PortType>e</PortType><ServiceName PortName="p">e</ServiceName>`+
		`</e>`), xmlstrict.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseEPR(doc, doc.Root)
	if got, _ := r.Key(xmlstrict.Name{Space: "urn:k", Local: "Key"}); err != nil || got != "7" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestParseEPRMissing(t *testing.T) {
	if _, err := ParseEPR(nil, nil); err == nil {
		t.Error("nothing was taken for an endpoint reference")
	}
}

// TestWriteEPR checks the recorded shape and that of the recommendation.
func TestWriteEPR(t *testing.T) {
	r := NewEPR("http://x?a=1&b=2", workspaceKey, "7")
	key := `<k:WorkspaceKey xmlns:k="` + workspaceKey.Space + `">7</k:WorkspaceKey>`
	tests := map[string]struct {
		epr     EPR
		version Version
		want    string
	}{
		"2004/03": {r, V200403, `<e xmlns:wsa="` + Space200403 +
			`"><wsa:Address>http://x?a=1&amp;b=2` +
			`</wsa:Address><wsa:ReferenceProperties>` + key + `</wsa:ReferenceProperties>` +
			`<wsa:ReferenceParameters/></e>`},
		"2005/08": {r, V200508, `<e xmlns:wsa="` + Space200508 +
			`"><wsa:Address>http://x?a=1&amp;b=2` +
			`</wsa:Address><wsa:ReferenceParameters>` + key + `</wsa:ReferenceParameters></e>`},
		"without key": {EPR{Address: "urn:x"}, V200508,
			`<e xmlns:wsa="` + Space200508 + `"><wsa:Address>urn:x</wsa:Address></e>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			enc := xmlstrict.NewEncoder()
			tt.epr.Write(enc, xmlstrict.Name{Local: "e"}, tt.version)
			if got := string(enc.Bytes()); got != tt.want || enc.Err() != nil {
				t.Errorf("wrote %s (%v)\nwant  %s", got, enc.Err(), tt.want)
			}
		})
	}
}

func TestKeyWithoutNamespace(t *testing.T) {
	r := NewEPR("http://x", xmlstrict.Name{Local: "id"}, "a & b")
	if got, ok := r.Key(xmlstrict.Name{Local: "id"}); got != "a & b" || !ok {
		t.Errorf("the key is %q, %v", got, ok)
	}
	if _, ok := r.Key(workspaceKey); ok {
		t.Error("it has a key of another name")
	}
}

// TestPropertiesThatPassForHeaders are those that nothing must send on.
func TestPropertiesThatPassForHeaders(t *testing.T) {
	for space, ok := range map[string]bool{
		Space200403: false, Space200508: false, soap.Space11: false, soap.Space12: false,
		"http://schemas.xmlsoap.org/ws/2004/08/addressing":                                  false,
		"http://schemas.xmlsoap.org/ws/2002/12/secext":                                      false,
		"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd": false,
		"http://schemas.xmlsoap.org/ws/2004/08/eventing":                                    true,
		"urn:x": true, workspaceKey.Space: true, "": true,
	} {
		r := NewEPR("http://c/", xmlstrict.Name{Space: "urn:first", Local: "a"}, "1")
		r.Properties = append(r.Properties,
			NewEPR("", xmlstrict.Name{Space: space, Local: "To"}, "2").Properties...)
		if err := r.CheckProperties(nil); (err == nil) != ok {
			t.Errorf("a property of %s gave %v", space, err)
		}
	}
}
