package dispatch

import (
	"context"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Call is one request for one operation.
type Call struct {
	Owner     workspace.Owner     // who calls; empty only where Operation.Anonymous
	Key       string              // of the resource; empty for a singleton
	MessageID string              // as the caller gave it, may be empty
	Document  *xmlstrict.Document // the whole message, for places in it
	Body      *etree.Element      // the operation's element
	Face      wsdl.Face           // which the request came to
	Root      string              // URL of the server's root, without a final slash
}

// URL returns the address of a service on a face of this server.
func (c *Call) URL(face wsdl.Face, service string) string {
	return c.Root + face.Path() + service
}

// Reply writes the element that answers a call. It cannot fail: what may fail
// is done before.
type Reply func(*xmlstrict.Encoder)

// Empty returns the reply that is one element without content.
func Empty(name xmlstrict.Name) Reply {
	return func(enc *xmlstrict.Encoder) {
		enc.Start(name)
		enc.End()
	}
}

// Operation is one operation of a port type.
type Operation struct {
	// Do carries it out. What its errors become on the wire is told in
	// faults.go: *workspace.Error by its kind, *InvalidKey, and the typed
	// errors of the wire packages. The call's strings share the memory of the
	// message: what is kept must be copied.
	Do func(context.Context, *Call) (Reply, error)
	// Anonymous operations tell only what anybody may know: no identity is asked.
	Anonymous bool
	// Bare operations are asked for by an element that holds nothing. One that
	// holds something means what we do not know, and is refused.
	Bare bool
	// Waits marks operations that may wait for something to happen, up to
	// LongestWait: they hold up no others meanwhile, and their replies may be as
	// late.
	Waits bool
}

// LongestWait is how long an operation that Waits may take.
const LongestWait = time.Minute

// Service is a port type at its address.
type Service struct {
	Face       wsdl.Face            // where it is offered; face one when not given
	Name       string               // last segment of the path
	Key        xmlstrict.Name       // header block with the resource key; zero for a singleton
	Operations map[string]Operation // by name, as the WSDL has it
}

// InvalidKey says that a resource key is missing or not of its form.
type InvalidKey struct{ Reason string }

// Error returns the reason.
func (e *InvalidKey) Error() string { return e.Reason }
