package login

import (
	"strings"

	"github.com/philoxenia/philoxenia/adapters/transport/location"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// Place is what a location SCHEME://[USER@]HOST[:PORT]/PATH says.
type Place struct {
	User    string // empty: whoever is configured
	Address string // with the port
	Name    string // below the server's root
}

// Parse reads a location of the scheme. The error has kind Invalid.
func Parse(scheme, loc string) (Place, error) {
	found, rest, err := location.Split(loc)
	if err != nil {
		return Place{}, transfer.Invalid("%w", err)
	}
	if found != scheme {
		return Place{}, transfer.Invalid("the scheme is %q, expected %q", found, scheme)
	}
	authority, name, _ := strings.Cut(rest, "/")
	user, host, ok := cutLast(authority, "@")
	if !ok {
		user, host = "", authority
	}
	if strings.Contains(user, ":") {
		return Place{}, transfer.Invalid("a location must not hold a password")
	}
	if name, err = location.Clean(name); err != nil {
		return Place{}, transfer.Invalid("%w", err)
	}
	return Place{user, WithPort(host), name}, transfer.Unreserved(name)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
