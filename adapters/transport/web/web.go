// Package web is the transport whose repositories are web servers: it reads
// with ranges, several at a time, and writes with PUT, as WebDAV servers take
// it (RFC 9110, RFC 4918). It must not know what an image is for, nor any other
// transport. What a path on a server leads to is for the server to watch.
package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/location"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// The schemes of the locations: https://HOST[:PORT]/PATH, below the server's root.
const (
	Scheme       = "https"
	PlainScheme  = "http"
	securePort   = "443"
	plainPort    = "80"
	maxRedirects = 5
)

// Server is a web server that images may come from and go to. Others are not
// asked, whatever a location says: a service that fetches what strangers name
// would reach places that are not theirs.
type Server struct {
	Address      string // HOST:PORT
	Plain        bool   // http, without TLS
	Root         string // path below which images are; empty: all of the server
	User         string // for Basic authentication, with PasswordFile
	PasswordFile string // its first line
	TokenFile    string // of a bearer token, its first line; instead of User
	CAFile       string // certificates in PEM to trust instead of the system's
	Parallel     int    // ranges of one image at a time; 0: 4
}

// Options are the settings of a Transport.
type Options struct {
	Servers      []Server
	StallTimeout time.Duration // ends a transfer in which nothing moves; 0: 30 s
}

// Transport brings images from and to web servers. It may be used by many at once.
type Transport struct {
	servers map[string]*server
	stall   time.Duration
}

var (
	_ workspace.Transport = (*Transport)(nil)
	_ workspace.Directed  = (*Transport)(nil)
)

// server is a Server with the means to ask it.
type server struct {
	Server
	client *http.Client
}

// New returns a transport for the servers. Files of secrets are read when they
// are needed; the error is one of CA files that cannot be used, of kind Invalid.
func New(o Options) (*Transport, error) {
	t := &Transport{servers: map[string]*server{}, stall: o.StallTimeout}
	if t.stall <= 0 {
		t.stall = 30 * time.Second
	}
	for _, s := range o.Servers {
		if s.Parallel <= 0 {
			s.Parallel = 4
		}
		client, err := t.client(s)
		if err != nil {
			return nil, transfer.Error("use the web server", s.Address, err)
		}
		t.servers[s.scheme()+"://"+s.Address] = &server{s, client}
	}
	return t, nil
}

// Close lets idle connections go. Transfers under way go on.
func (t *Transport) Close() error {
	for _, s := range t.servers {
		s.client.CloseIdleConnections()
	}
	return nil
}

func (s Server) scheme() string {
	if s.Plain {
		return PlainScheme
	}
	return Scheme
}

// client makes the client of one server. It follows redirections on that
// server alone, and asks for images as they are: a client that unpacks what a
// server packed could not count ranges.
func (t *Transport) client(s Server) (*http.Client, error) {
	trust, err := trusted(s.CAFile)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig:       &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12},
			DialContext:           (&net.Dialer{Timeout: t.stall}).DialContext,
			TLSHandshakeTimeout:   t.stall,
			ResponseHeaderTimeout: t.stall,
			DisableCompression:    true,
			MaxIdleConnsPerHost:   2 * s.Parallel,
			IdleConnTimeout:       time.Minute,
			ReadBufferSize:        64 << 10,
			WriteBufferSize:       64 << 10,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("the server redirects for ever")
			}
			if first := via[0].URL; r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
				return fmt.Errorf("the server redirects to %s://%s, which is not configured",
					r.URL.Scheme, r.URL.Host)
			}
			return nil
		},
	}, nil
}

// trusted reads the certificates to trust; nil means the system's.
func trusted(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, transfer.Invalid("%s holds no certificate in PEM", file)
	}
	return pool, nil
}

// place is where an image is, or is to be.
type place struct {
	*server
	name string // below the root
	url  string
}

// place reads a location.
func (t *Transport) place(loc string) (place, error) {
	scheme, rest, err := location.Split(loc)
	if err != nil {
		return place{}, transfer.Invalid("%w", err)
	}
	port := map[string]string{Scheme: securePort, PlainScheme: plainPort}[scheme]
	if port == "" {
		return place{}, transfer.Invalid("the scheme is %q, expected %q", scheme, Scheme)
	}
	host, path, _ := strings.Cut(rest, "/")
	if strings.Contains(host, "@") {
		return place{}, transfer.Invalid("it holds a user; who logs in is configured")
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	s := t.servers[scheme+"://"+host]
	if s == nil {
		return place{}, workspace.Refuse(workspace.Denied,
			"the web server %s://%s is not configured here", scheme, host)
	}
	name, err := location.Clean(path)
	if err != nil {
		return place{}, transfer.Invalid("%w", err)
	}
	root := strings.Trim(s.Root, "/")
	if root != "" {
		inside, ok := strings.CutPrefix(name, root+"/")
		if !ok {
			return place{}, transfer.Invalid("the path is outside the repository, /%s/", root)
		}
		name = inside
	}
	if err := transfer.Unreserved(name); err != nil {
		return place{}, err
	}
	return place{s, name, s.address(name)}, nil
}

// address returns the URL of a name below the root.
func (s *server) address(name string) string {
	u := url.URL{Scheme: s.scheme(), Host: s.Address,
		Path: "/" + strings.TrimPrefix(strings.Trim(s.Root, "/")+"/"+name, "/")}
	return u.String()
}

// CheckLocation says whether the location is on one of the servers.
func (t *Transport) CheckLocation(loc string) error {
	_, err := t.place(loc)
	_, err = transfer.Result("use the location", loc, workspace.ImageInfo{}, err)
	return err
}

// request makes a request with what the server wants to know of us.
func (p place) request(ctx context.Context, method, url string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "philoxenia")
	return r, p.authorise(r)
}

// authorise adds who we are. Secrets are read anew, so that they may be changed.
func (s *server) authorise(r *http.Request) error {
	switch {
	case s.TokenFile != "":
		token, err := firstLine(s.TokenFile)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	case s.User != "":
		password, err := firstLine(s.PasswordFile)
		if err != nil {
			return err
		}
		r.SetBasicAuth(s.User, password)
	}
	return nil
}

func firstLine(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", workspace.Refuse(workspace.Denied, "the secret cannot be read: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// Source says how a host fetches the image itself, with what the server wants to
// know of us.
func (t *Transport) Source(loc string) (workspace.Source, bool) {
	p, err := t.place(loc)
	if err != nil {
		return workspace.Source{}, false
	}
	r, err := p.request(context.Background(), http.MethodGet, p.url)
	if err != nil {
		return workspace.Source{}, false
	}
	source := workspace.Source{Scheme: p.scheme(), Address: p.Address, Path: r.URL.EscapedPath(),
		Headers: map[string]string{}}
	if secret := r.Header.Get("Authorization"); secret != "" {
		source.Headers["Authorization"] = secret
	}
	if p.CAFile != "" {
		source.Trust, err = os.ReadFile(p.CAFile)
	}
	return source, err == nil
}
