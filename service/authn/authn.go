// Package authn tells who is calling: it turns what a transport has proved
// about a connection, or a request, into the identity that owns workspaces.
//
// It must not know what a caller may do, nor anything of SOAP bodies. It holds
// one implementation so far, for plain http; GSI and TLS come as further ones.
package authn

import (
	"net/http"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Authenticator finds the caller of a request.
type Authenticator interface {
	// Caller returns the caller's identity, empty when the request carries
	// none. An error means that it carries one that is not to be believed: its
	// kind is Denied, or Unavailable when that could not be found out.
	Caller(r *http.Request) (workspace.Owner, error)
}

// Fixed is the Authenticator of a plain http listener: whoever reaches it is
// taken for this one caller. The zero value leaves everybody without identity.
type Fixed workspace.Owner

// Caller returns the fixed caller.
func (f Fixed) Caller(*http.Request) (workspace.Owner, error) {
	return workspace.Owner(f), nil
}
