// Package scp is the transport for servers that have nothing newer than the
// old protocol of scp, which is that of rcp over SSH: one file at a time, from its
// beginning to its end. It checks host keys as the sftp transport does, and needs a
// shell on the server that knows scp, mv and rm. It must not know what an image is
// for, nor any other transport. Where symbolic links of the server lead is the
// server's to watch: the protocol cannot ask.
package scp

import (
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Scheme is the scheme of the locations: scp://[USER@]HOST[:PORT]/PATH.
const Scheme = "scp"

// Options configure a Transport. Zero values are usable.
type Options struct {
	Servers      []login.Server
	DialTimeout  time.Duration // to connect and log in; 0: 20 s
	StallTimeout time.Duration // without any traffic during a transfer; 0: 30 s
	IdleTimeout  time.Duration // how long an unused connection stays; 0: 60 s
	Connections  int           // at once to one server; 0: 4
}

// Transport brings images from and to SSH servers. It may be used by many at once.
type Transport struct{ servers *login.Pools[line] }

var (
	_ workspace.Transport = (*Transport)(nil)
	_ workspace.Directed  = (*Transport)(nil)
)

// line is a connection: the protocol has no session beyond one run of scp.
type line struct{ *login.Conn }

var _ login.Session = line{}

// Line returns the connection.
func (l line) Line() *login.Conn { return l.Conn }

// End ends it.
func (l line) End() { l.Close() }

func begin(c *login.Conn) (line, error) { return line{c}, nil }

// New makes a Transport. It connects when it is asked for an image.
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
type place struct{ login.Spot[line] }

func (t *Transport) place(loc string) (place, error) {
	spot, err := t.servers.Find(loc)
	return place{spot}, err
}

// quote makes one word of s for the server's shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Source says how a host fetches the image itself: with our key, which is lent.
func (t *Transport) Source(loc string) (workspace.Source, bool) {
	p, err := t.place(loc)
	if err != nil {
		return workspace.Source{}, false
	}
	source, err := login.Lend(p.Pool.Server, "")
	source.Scheme, source.Path = Scheme, p.Full()
	return source, err == nil
}
