// Package sftp is the transport whose repositories are SFTP servers. It checks
// their host keys always, takes credentials from configured files alone, and goes
// on where a broken transfer stopped. It must not know what an image is
// for, nor any other transport.
package sftp

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Scheme is the scheme of the locations: sftp://[USER@]HOST[:PORT]/PATH.
const Scheme = "sftp"

// Server is a repository that the site allows.
type Server = login.Server

// Options configure a Transport. Zero values are usable.
type Options struct {
	Servers      []Server
	DialTimeout  time.Duration // to connect and log in; 0: 20 s
	StallTimeout time.Duration // without any traffic during a transfer; 0: 30 s
	IdleTimeout  time.Duration // how long an unused connection stays; 0: 60 s
	Connections  int           // at once to one server; 0: 4
}

// Transport brings images from and to SFTP servers. It may be used by many at once.
type Transport struct{ servers *login.Pools[*connection] }

var (
	_ workspace.Transport = (*Transport)(nil)
	_ workspace.Directed  = (*Transport)(nil)
)

// New makes a Transport. It connects when first asked for an image.
func New(o Options) *Transport {
	return &Transport{login.NewPools(Scheme, o.Servers, login.Limits{DialTimeout: o.DialTimeout,
		StallTimeout: o.StallTimeout, IdleTimeout: o.IdleTimeout, Connections: o.Connections},
		begin)}
}

// Close closes the unused connections at once and the others when their
// transfers end. No transfer may begin after it.
func (t *Transport) Close() error {
	return t.servers.Close()
}

// CheckLocation says whether the location names a configured server and a place
// below its root.
func (t *Transport) CheckLocation(loc string) error {
	_, err := t.place(loc)
	_, err = transfer.Result("use the location", loc, workspace.ImageInfo{}, err)
	return err
}

// place is where an image lies.
type place struct{ login.Spot[*connection] }

func (t *Transport) place(loc string) (place, error) {
	spot, err := t.servers.Find(loc)
	return place{spot}, err
}

// sourceTimeout is how long Source may ask the server for the way to a file.
const sourceTimeout = 20 * time.Second

// Source says how a host fetches the image itself: with our key, which is lent.
// Symbolic links are resolved before, so that they lead nowhere else.
func (t *Transport) Source(loc string) (workspace.Source, bool) {
	p, err := t.place(loc)
	if err != nil {
		return workspace.Source{}, false
	}
	source, err := login.Lend(p.Pool.Server, "")
	if err != nil {
		return source, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), sourceTimeout)
	defer cancel()
	err = p.Pool.Use(ctx, func(c *connection) error {
		source.Path, err = c.contain(p.Full())
		return err
	})
	source.Scheme = Scheme
	return source, err == nil
}
