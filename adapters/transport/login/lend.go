package login

import (
	"net"
	"os"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Lend says how a host may log in at the server in our place: with the key, which
// is lent, and the keys that the server is known by, at the address under which it is
// reached from there; empty: the same. Passwords are not lent. The error has kind Denied.
func Lend(s Server, address string) (workspace.Source, error) {
	if address == "" {
		address = s.Address
	}
	if s.KeyFile == "" {
		return workspace.Source{}, Denied("a password is not lent to hosts")
	}
	key, err := os.ReadFile(s.KeyFile)
	if err != nil {
		return workspace.Source{}, Denied("the private key cannot be read: %w", err)
	}
	known, err := knownhosts.New(s.KnownHostsFile)
	if err != nil {
		return workspace.Source{}, Denied("the known hosts cannot be read: %w", err)
	}
	source := workspace.Source{Address: WithPort(address), User: s.User, Key: key}
	if _, _, err := net.SplitHostPort(source.Address); err != nil {
		return workspace.Source{}, Denied("the address %q is of no use: %w", address, err)
	}
	s.Address = WithPort(s.Address)
	for _, want := range knownKeys(s, known) {
		source.HostKeys = append(source.HostKeys, knownhosts.Line(
			[]string{knownhosts.Normalize(source.Address)}, want.Key))
	}
	if len(source.HostKeys) == 0 {
		return workspace.Source{}, Denied("%s knows no host key of %s", s.KnownHostsFile, s.Address)
	}
	return source, nil
}
