// Package sftp is the transport whose repositories are SFTP servers. It checks
// their host keys always, takes credentials from configured files alone, and goes
// on where a broken transfer stopped. It must not know what an image is
// for, nor any other transport.
package sftp

import (
	"cmp"
	"errors"
	"net"
	"path"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/location"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Scheme is the scheme of the locations: sftp://[USER@]HOST[:PORT]/PATH.
const Scheme = "sftp"

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

// Options configure a Transport. Zero values are usable.
type Options struct {
	Servers      []Server
	DialTimeout  time.Duration // to connect and log in; 0: 20 s
	StallTimeout time.Duration // without any traffic during a transfer; 0: 30 s
	IdleTimeout  time.Duration // how long an unused connection stays; 0: 60 s
	Connections  int           // at once to one server; 0: 4
}

// Transport brings images from and to SFTP servers. It may be used by many at once.
type Transport struct {
	options Options
	pools   map[string]*pool // by HOST:PORT
}

var _ workspace.Transport = (*Transport)(nil)

// New makes a Transport. It connects when first asked for an image.
func New(o Options) *Transport {
	o.DialTimeout = cmp.Or(o.DialTimeout, 20*time.Second)
	o.StallTimeout = cmp.Or(o.StallTimeout, 30*time.Second)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, time.Minute)
	o.Connections = cmp.Or(o.Connections, 4)
	t := &Transport{options: o, pools: make(map[string]*pool)}
	for _, server := range o.Servers {
		server.Address = withPort(server.Address)
		t.pools[server.Address] = newPool(server, o)
	}
	return t
}

// Close closes the unused connections at once and the others when their
// transfers end. No transfer may begin after it.
func (t *Transport) Close() error {
	for _, p := range t.pools {
		p.close()
	}
	return nil
}

// CheckLocation says whether the location names a configured server and a place
// below its root.
func (t *Transport) CheckLocation(loc string) error {
	_, err := t.place(loc)
	_, err = transfer.Result("use the location", loc, workspace.ImageInfo{}, err)
	return err
}

func withPort(address string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return strings.ToLower(address)
	}
	return strings.ToLower(net.JoinHostPort(strings.Trim(address, "[]"), defaultPort))
}

// place is where an image lies: on which server, under which name below its root.
type place struct {
	pool *pool
	name string
}

// full is the path that the server is asked for.
func (p place) full() string { return path.Join("/", p.pool.server.Root, p.name) }

func (t *Transport) place(loc string) (place, error) {
	scheme, rest, err := location.Split(loc)
	if err != nil {
		return place{}, transfer.Invalid("%w", err)
	}
	if scheme != Scheme {
		return place{}, transfer.Invalid("the scheme is %q, expected %q", scheme, Scheme)
	}
	authority, name, _ := strings.Cut(rest, "/")
	user, host, ok := cutLast(authority, "@")
	if !ok {
		user, host = "", authority
	}
	if strings.Contains(user, ":") {
		return place{}, transfer.Invalid("a location must not hold a password")
	}
	name, err = location.Clean(name)
	if err != nil {
		return place{}, transfer.Invalid("%w", err)
	}
	if err := transfer.Unreserved(name); err != nil {
		return place{}, err
	}
	p, ok := t.pools[withPort(host)]
	if !ok {
		return place{}, denied("no repository at %q is configured on this site", host)
	}
	if user != "" && user != p.server.User {
		return place{}, denied("the site does not log in as %q there", user)
	}
	return place{p, name}, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func denied(format string, args ...any) error {
	return workspace.Errorf(workspace.Denied, "use the repository", "", format, args...)
}

// unavailable says that the repository at address cannot be reached now.
func unavailable(address string, cause error) error {
	return &workspace.Error{Op: "reach the repository", Kind: workspace.Unavailable,
		ID: address, Err: cause}
}

var errClosed = errors.New("the transport is closed")
