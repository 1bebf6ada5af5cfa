// Package login is how transports come to SSH servers: it checks the host key
// always, takes credentials from configured files alone, and watches what goes over
// the connection. It must not know what is done there.
package login

import (
	"net"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

const defaultPort = "22"

// Server is a repository that the site allows. Locations name it by its
// address; nobody can make the daemon log in anywhere else, or as anyone else.
type Server struct {
	Address        string // HOST or HOST:PORT
	User           string
	KeyFile        string // private key without passphrase; may be empty
	PasswordFile   string // file whose first line is the password; may be empty
	KnownHostsFile string // in the form of OpenSSH's known_hosts
	// Root is the directory on the server to which the paths of locations are
	// relative and which they cannot leave. Empty: the server's own view, whole.
	Root string
	// HostKeyAlgorithms restricts what host keys are accepted; empty: those that
	// the known hosts file has for the server, then any.
	HostKeyAlgorithms []string
}

// WithPort returns the address with its port, the usual one where it names none.
func WithPort(address string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return strings.ToLower(address)
	}
	return strings.ToLower(net.JoinHostPort(strings.Trim(address, "[]"), defaultPort))
}

// Denied is the refusal of a server, by it or by us.
func Denied(format string, args ...any) error {
	return workspace.Errorf(workspace.Denied, "use the repository", "", format, args...)
}

// Unavailable says that the repository at address cannot be reached now.
func Unavailable(address string, cause error) error {
	return &workspace.Error{Op: "reach the repository", Kind: workspace.Unavailable,
		ID: address, Err: cause}
}
