package libvirt

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// Where libvirt's own clients have their files.
const (
	standardCA   = "/etc/pki/CA/cacert.pem"
	standardCert = "/etc/pki/libvirt/clientcert.pem"
	standardKey  = "/etc/pki/libvirt/private/clientkey.pem"
)

// welcome is the byte that libvirtd sends to clients that it lets in.
const welcome = 1

// dialTLS connects, and waits until libvirtd has let us in. One that ends at that
// moment hangs up like one that does not: it is asked a second time.
func dialTLS(ctx context.Context, at endpoint, files TLS) (net.Conn, error) {
	files = TLS{cmp.Or(files.CAFile, standardCA), cmp.Or(files.CertFile, standardCert),
		cmp.Or(files.KeyFile, standardKey)}
	conn, err := files.dial(ctx, at)
	if errors.Is(err, errNotWelcome) {
		conn, err = files.dial(ctx, at)
	}
	if err != nil {
		return nil, files.judge(at.address, err)
	}
	return conn, nil
}

// dial connects once.
func (f TLS) dial(ctx context.Context, at endpoint) (net.Conn, error) {
	config, err := f.config()
	if err != nil {
		return nil, denied("%w", err)
	}
	if config.ServerName, _, err = net.SplitHostPort(at.address); err != nil {
		return nil, err
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", at.address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	conn := tls.Client(raw, config)
	err = enter(ctx, conn)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// config reads the files.
func (f TLS) config() (*tls.Config, error) {
	ca, err := os.ReadFile(f.CAFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authority of hosts (ca_file): %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s (ca_file) holds no certificate in PEM", f.CAFile)
	}
	own, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("cannot use our certificate (cert_file, key_file): %w", err)
	}
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own},
		MinVersion: tls.VersionTLS12}, nil
}

// errNotWelcome is how libvirtd ends a connection whose certificate it does not like.
var errNotWelcome = errors.New("libvirtd hung up after the handshake")

// enter shakes hands and waits for the word of welcome.
func enter(ctx context.Context, conn *tls.Conn) error {
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	word := make([]byte, 1)
	_, err := io.ReadFull(conn, word)
	switch {
	case errors.Is(err, io.EOF), err == nil && word[0] != welcome:
		return errNotWelcome
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}

// judge tells who is not who they should be, and what can be done about it.
func (f TLS) judge(address string, err error) error {
	var name x509.HostnameError
	var wrong *tls.CertificateVerificationError
	var alert tls.AlertError
	var op *net.OpError
	switch {
	case errors.As(err, &name):
		return denied("%s is another host by its certificate: %w; name it in the uri as its "+
			"certificate does, or have a certificate made that names %s", address, name, address)
	case errors.As(err, &wrong):
		return denied("the certificate of %s is not to be trusted: %w; someone may be listening "+
			"in, or %s (ca_file) is not the authority that signed it", address, wrong.Err, f.CAFile)
	case errors.Is(err, errNotWelcome), errors.As(err, &alert),
		errors.As(err, &op) && strings.Contains(op.Op, "remote error"):
		return denied("%s does not let us in: %w; see that its ca_file has signed %s and that "+
			"its tls_allowed_dn_list has it", address, err, f.CertFile)
	}
	return err
}
