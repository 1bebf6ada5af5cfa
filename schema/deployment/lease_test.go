package deployment

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// leased returns a recorded create message as face two writes it.
func leased(t testing.TB, name string) (*CreateRequest, string) {
	t.Helper()
	doc := soaptest.Parse(t, recorded(t, name))
	v, err := DecodeCreate(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	enc := xmlstrict.NewEncoder()
	if v.WriteLease(enc); enc.Err() != nil {
		t.Fatal(enc.Err())
	}
	return v, string(bytes.Clone(enc.Bytes()))
}

// TestCreateLease reads on face two what was asked for on face one.
func TestCreateLease(t *testing.T) {
	for _, name := range []string{"create", "create-ssh-key", "create-group", "create-staging"} {
		first, text := leased(t, name)
		doc := soaptest.Parse(t, text)
		second, err := DecodeCreate(doc, doc.Root)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%s (-face one +face two):\n%s", name, diff)
		}
	}
}

// TestCreateLeaseErrors expects each part to be named as the document that is
// wrong, and the two faces not to be mixed.
func TestCreateLeaseErrors(t *testing.T) {
	tests := []struct{ name, from, to, document, path string }{
		{"metadata", ">Xen<", ">Bochs<", "workspace metadata",
			"/Create/VirtualWorkspace/definition/requirements/VMM/type"},
		{"request", "NodeNumber>1<", "NodeNumber>0<", "deployment request",
			"/Create/WorkspaceDeployment/NodeNumber"},
		{"optional", ">/root/", ">root/", "optional parameters",
			"/Create/OptionalParameters/filewrite/pathOnVM"},
		{"message", "</p:Create>", "<x/></p:Create>", "create message", "/Create/x"},
		{"ensemble", "</p:Create>", `<t:partOfEnsemble xmlns:t="http://www.globus.org/2008/06/` +
			`workspace/types">true</t:partOfEnsemble></p:Create>`,
			"create message", "/Create/partOfEnsemble"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, text := leased(t, "create-ssh-key")
			doc := soaptest.Parse(t, strings.Replace(text, tt.from, tt.to, 1))
			_, err := DecodeCreate(doc, doc.Root)
			var bad *xmlstrict.ContentError
			if !errors.As(err, &bad) || bad.Document != tt.document || bad.Path != tt.path {
				t.Errorf("got %v", err)
			}
		})
	}
}

const shutdownLease = `<p:Shutdown xmlns:p="urn:philoxenia:2026:workspace">`

func TestShutdownLease(t *testing.T) {
	save := &ShutdownRequest{Type: ShutdownReadyForTransport,
		PostShutdown: &PostShutdown{Target: "http://repository.example.org/a.img"}}
	for _, v := range []*ShutdownRequest{{Type: ShutdownPause}, save} {
		enc := xmlstrict.NewEncoder()
		v.WriteLease(enc)
		doc := soaptest.Parse(t, enc.Bytes())
		got, err := DecodeShutdown(doc, doc.Root)
		if diff := cmp.Diff(v, got); err != nil || diff != "" {
			t.Errorf("%v (-written +read):\n%s", err, diff)
		}
	}
	tests := []struct{ name, content, want string }{
		{"empty", ``, "Type is missing"},
		{"unknown", `<p:Type>Sleep</p:Type>`, `unknown shutdown type "Sleep"`},
		{"save and pause", `<p:Type>Pause</p:Type><p:SaveTo>file://x</p:SaveTo>`,
			"SaveTo is only compatible with a ReadyForTransport request"},
		{"no address", `<p:Type>ReadyForTransport</p:Type><p:SaveTo>x</p:SaveTo>`,
			`"x" is not an absolute URI`},
	}
	for _, tt := range tests {
		doc := soaptest.Parse(t, shutdownLease+tt.content+`</p:Shutdown>`)
		if _, err := DecodeShutdown(doc, doc.Root); err == nil ||
			!strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

// TestEmpty expects of a message without content that it has none.
func TestEmpty(t *testing.T) {
	start := `<p:Start xmlns:p="urn:philoxenia:2026:workspace"`
	for text, ok := range map[string]bool{
		start + `/>`: true, start + `> </p:Start>`: true, start + `>now</p:Start>`: false,
		start + `><p:Now/></p:Start>`: false, start + ` at="12:00"/>`: false,
	} {
		doc := soaptest.Parse(t, text)
		if err := document.Empty(doc, doc.Root, "start message"); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}
