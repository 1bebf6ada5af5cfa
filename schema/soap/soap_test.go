package soap

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// recorded returns a message of the original client or server.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/gt4", name+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// mustParse parses an envelope that must be accepted.
func mustParse(t testing.TB, data []byte) *Message {
	t.Helper()
	m, err := Parse(data, xmlstrict.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseRecorded(t *testing.T) {
	tests := map[string]struct {
		version Version
		headers string // local names
		body    string
	}{
		"34-getrp-currentstate-request": {V11,
			"MessageID To Action From WorkspaceKey", "GetResourceProperty"},
		"34-getrp-currentstate-response": {V11,
			"MessageID To Action From RelatesTo", "GetResourcePropertyResponse"},
		"02-deploy-nosub-request":                {V11, "MessageID To Action From", "create"},
		"66-no-soapaction-no-wsa-http10-request": {V11, "WorkspaceKey", "GetResourceProperty"},
		"67-soap12-request":                      {V12, "WorkspaceKey", "GetResourceProperty"},
		"67-soap12-response": {V12, "MessageID To Action",
			"GetResourcePropertyResponse"},
		"36-getrp-badname-response": {V11, "MessageID Action From RelatesTo", "Fault"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := mustParse(t, recorded(t, name))
			var headers []string
			for _, h := range m.Headers {
				headers = append(headers, h.Tag)
			}
			if got := strings.Join(headers, " "); got != tt.headers || m.Version != tt.version {
				t.Errorf("%v with header blocks %s", m.Version, got)
			}
			body, err := m.Payload()
			if err != nil || body.Tag != tt.body {
				t.Errorf("the payload is %v, %v", body, err)
			}
			if err := m.CheckUnderstood(func(xmlstrict.Name) bool { return false }); err != nil {
				t.Errorf("blocks that are not mandatory are refused: %v", err)
			}
		})
	}
}

// envelope returns an envelope with that content; S is its prefix.
func envelope(content string) string {
	return `<S:Envelope xmlns:S="` + Space11 + `">` + content + `</S:Envelope>`
}

func TestParseProblems(t *testing.T) {
	tests := map[string]struct {
		document string
		problem  Problem
		code     string
		place    string
	}{
		"another document": {"<a/>", NotEnvelope, "Client", "/a"},
		"no namespace": {"<Envelope><Body/></Envelope>", WrongVersion, "VersionMismatch",
			"/Envelope"},
		"unknown version": {`<Envelope xmlns="urn:soap13"/>`, WrongVersion, "VersionMismatch",
			"/Envelope"},
		"no body":      {envelope(""), BadStructure, "Client", "/Envelope"},
		"header alone": {envelope("<S:Header/>"), BadStructure, "Client", "/Envelope"},
		"body before header": {envelope("<S:Body/><S:Header/>"), BadStructure, "Client",
			"/Envelope/Header"},
		"two headers": {envelope("<S:Header/><S:Header/><S:Body/>"), BadStructure,
			"Client", "/Envelope/Header[2]"},
		"two Bodies": {envelope("<S:Body/><S:Body/>"), BadStructure, "Client",
			"/Envelope/Body[2]"},
		"foreign part": {envelope("<S:Body/><x/>"), BadStructure, "Client", "/Envelope/x"},
		"body of other version": {`<Envelope xmlns="` + Space11 + `"><Body xmlns="` + Space12 +
			`"/></Envelope>`,
			BadStructure, "Client", "/Envelope/Body"},
		"several bodies": {envelope("<S:Body><a/><b/></S:Body>"), SeveralBodies, "Client",
			"/Envelope/Body/b"},
		"text in Body": {envelope("<S:Body>x<a/></S:Body>"), BadStructure, "Client",
			"/Envelope/Body"},
		"attachment": {envelope("<S:Body><a><i:Include xmlns:i='" + xopInclude.Space + "'" +
			` href="file:///etc/passwd"/></a></S:Body>`), Attachment, "Client",
			"/Envelope/Body/a/Include"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(tt.document), xmlstrict.Limits{})
			var problem *Error
			if !errors.As(err, &problem) {
				t.Fatalf("got %v, want an Error", err)
			}
			if problem.Problem != tt.problem || problem.Code() != tt.code ||
				problem.Path != tt.place {
				t.Errorf("got problem %d, code %s at %s: %v", problem.Problem, problem.Code(),
					problem.Path, err)
			}
			var content *xmlstrict.ContentError
			if !errors.As(err, &content) || content.Line != 1 {
				t.Errorf("the error has no place: %v", err)
			}
		})
	}
}

func TestParseSyntaxError(t *testing.T) {
	_, err := Parse([]byte("<a><b>"), xmlstrict.Limits{})
	var syntax *xmlstrict.SyntaxError
	if !errors.As(err, &syntax) {
		t.Errorf("got %v, want a SyntaxError", err)
	}
}

// TestEmpty checks the two shapes that tempt a server to look at what is not
// there: no Header, and nothing in the Body.
func TestEmpty(t *testing.T) {
	for _, document := range []string{
		envelope("<S:Body/>"), envelope("<S:Body> </S:Body>"), envelope("<S:Header/><S:Body/>"),
	} {
		m := mustParse(t, []byte(document))
		if m.Header(xmlstrict.Name{Local: "x"}) != nil || len(m.Headers) != 0 {
			t.Errorf("%s has header blocks", document)
		}
		_, err := m.Payload()
		var problem *Error
		if !errors.As(err, &problem) || problem.Problem != EmptyBody {
			t.Errorf("%s: the payload is an error %v", document, err)
		}
		if fault, ok := ParseFault(m); ok {
			t.Errorf("%s is a fault %v", document, fault)
		}
	}
}

func TestCheckUnderstood(t *testing.T) {
	known := xmlstrict.Name{Space: "urn:known", Local: "k"}
	understood := func(n xmlstrict.Name) bool { return n == known }
	block := func(attributes string) string {
		return envelope(`<S:Header><k xmlns="urn:known" S:mustUnderstand="1"/>` +
			`<x xmlns="urn:unknown" ` + attributes + `/></S:Header><S:Body/>`)
	}
	tests := map[string]struct {
		document string
		problem  Problem
		refused  bool
	}{
		"mandatory":           {block(`S:mustUnderstand="1"`), NotUnderstood, true},
		"mandatory, in words": {block(`S:mustUnderstand="true"`), NotUnderstood, true},
		"for the next": {block(`S:mustUnderstand="1" S:actor="` + actorNext11 + `"`),
			NotUnderstood, true},
		"for another":    {block(`S:mustUnderstand="1" S:actor="urn:another"`), 0, false},
		"not mandatory":  {block(`S:mustUnderstand="0"`), 0, false},
		"no mark":        {block(""), 0, false},
		"mark elsewhere": {block(`mustUnderstand="1"`), 0, false},
		"perhaps":        {block(`S:mustUnderstand="perhaps"`), BadStructure, true},
	}
	for name, tt := range tests {
		for _, space := range []string{Space11, Space12} {
			document := strings.ReplaceAll(tt.document, Space11, space)
			if space == Space12 {
				document = strings.ReplaceAll(document, "S:actor", "S:role")
			}
			t.Run(name+" "+space, func(t *testing.T) {
				err := mustParse(t, []byte(document)).CheckUnderstood(understood)
				var problem *Error
				if errors.As(err, &problem) != tt.refused {
					t.Fatalf("got %v, refused should be %v", err, tt.refused)
				}
				if tt.refused && problem.Problem != tt.problem {
					t.Errorf("got problem %d: %v", problem.Problem, err)
				}
			})
		}
	}
}

func TestNotUnderstoodCode(t *testing.T) {
	m := mustParse(t, []byte(envelope(
		`<S:Header><x S:mustUnderstand="1"/></S:Header><S:Body/>`)))
	err := m.CheckUnderstood(func(xmlstrict.Name) bool { return false })
	var problem *Error
	if !errors.As(err, &problem) || problem.Code() != CodeMustUnderstand {
		t.Errorf("got %v, want the code %s", err, CodeMustUnderstand)
	}
}

// write returns what Write makes.
func write(t testing.TB, f func(*xmlstrict.Encoder)) []byte {
	t.Helper()
	enc := xmlstrict.NewEncoder()
	f(enc)
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	return enc.Bytes()
}

func TestWrite(t *testing.T) {
	header := func(enc *xmlstrict.Encoder) {
		enc.Start(xmlstrict.Name{Local: "h"})
		NotMandatory(enc, V11)
		enc.End()
	}
	body := func(enc *xmlstrict.Encoder) { enc.Element(xmlstrict.Name{Local: "b"}, "x") }
	open := `<soapenv:Envelope xmlns:soapenv="` + Space11 + `">`
	tests := map[string]struct {
		header, body func(*xmlstrict.Encoder)
		want         string
	}{
		"both": {header, body, open +
			`<soapenv:Header><h soapenv:mustUnderstand="0"/></soapenv:Header>` +
			`<soapenv:Body><b>x</b></soapenv:Body></soapenv:Envelope>`},
		"no header": {nil, body, open + `<soapenv:Body><b>x</b></soapenv:Body></soapenv:Envelope>`},
		"nothing":   {nil, nil, open + `<soapenv:Body/></soapenv:Envelope>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := write(t, func(enc *xmlstrict.Encoder) { Write(enc, V11, tt.header, tt.body) })
			if string(got) != tt.want {
				t.Errorf("wrote %s\nwant  %s", got, tt.want)
			}
			mustParse(t, got)
		})
	}
}

func TestWrite12(t *testing.T) {
	got := write(t, func(enc *xmlstrict.Encoder) {
		Write(enc, V12, func(enc *xmlstrict.Encoder) {
			enc.Start(xmlstrict.Name{Local: "h"})
			NotMandatory(enc, V12)
			enc.End()
		}, nil)
	})
	if !strings.Contains(string(got), `<h soapenv:mustUnderstand="false"/>`) {
		t.Errorf("wrote %s", got)
	}
	if m := mustParse(t, got); m.Version != V12 {
		t.Errorf("it is %v", m.Version)
	}
}

func TestVersion(t *testing.T) {
	if V11.String() != "SOAP 1.1" || V12.String() != "SOAP 1.2" {
		t.Errorf("the versions are %v and %v", V11, V12)
	}
	if V11.ContentType() != "text/xml; charset=utf-8" ||
		V12.ContentType() != "application/soap+xml; charset=utf-8" {
		t.Errorf("the media types are %s and %s", V11.ContentType(), V12.ContentType())
	}
}
