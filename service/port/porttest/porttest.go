// Package porttest calls port types the way dispatch does, for their tests.
//
// It must not know any port type, nor look into what they are made of.
package porttest

import (
	"testing"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Owner is the caller in every call.
const Owner workspace.Owner = "/CN=Ada"

// Root is the URL of the server in every call.
const Root = "http://h"

// Call carries out an operation of the service on the resource of the key, and
// returns what the reply writes. The body is the operation's element.
func Call(t *testing.T, s dispatch.Service, operation, key, body string) (string, error) {
	t.Helper()
	doc, err := xmlstrict.Parse([]byte(body), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	do := s.Operations[operation].Do
	if do == nil {
		t.Fatalf("%s has no operation %s", s.Name, operation)
	}
	reply, err := do(t.Context(), &dispatch.Call{
		Owner: Owner, Key: key, MessageID: "uuid:7", Document: doc, Body: doc.Root,
		Face: s.Face, Root: Root,
	})
	if err != nil {
		return "", err
	}
	enc := xmlstrict.NewEncoder()
	reply(enc)
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	return string(enc.Bytes()), nil
}
