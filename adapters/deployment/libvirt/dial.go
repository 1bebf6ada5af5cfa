package libvirt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TLS names the PEM files by which the host and we prove to each other who we
// are. Empty names are those of libvirt's own clients below /etc/pki.
type TLS struct{ CAFile, CertFile, KeyFile string }

// dialer connects to a host's libvirtd. Its errors have kind Denied where one of
// both is not who it should be; a new connection reads the files of keys anew.
type dialer func(context.Context) (net.Conn, error)

// dialerOf returns the one for the transport of the URI.
func (o *Options) dialerOf(at endpoint) (dialer, error) {
	switch at.network {
	case "tls":
		return func(ctx context.Context) (net.Conn, error) { return dialTLS(ctx, at, o.TLS) }, nil
	case "ssh":
		server, err := o.server(at)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) (net.Conn, error) { return dialSSH(ctx, at, server) }, nil
	}
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, at.network, at.address)
	}, nil
}

// server says as whom to log in where; what the URI says goes before.
func (o *Options) server(at endpoint) (login.Server, error) {
	s := o.SSH
	s.Address = login.WithPort(cmp.Or(at.address, s.Address))
	s.User = cmp.Or(at.user, s.User, "root")
	if s.KeyFile == "" && s.PasswordFile == "" {
		return s, errors.New("a key_file or a password_file is needed to log in with")
	}
	if s.KnownHostsFile == "" {
		return s, errors.New("known_hosts is needed: a file with the key of the host")
	}
	return s, nil
}

// denied is the refusal of a connection by one side or the other.
func denied(format string, args ...any) error {
	return &workspace.Error{Op: "connect to libvirtd", Kind: workspace.Denied,
		Err: fmt.Errorf(format, args...)}
}
