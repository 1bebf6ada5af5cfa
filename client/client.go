package client

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// servicesPath is where the services of face one lie on a host.
const servicesPath = "/wsrf/services"

// The services of face one, by the last part of their URLs.
const (
	factoryService   = "WorkspaceFactoryService"
	workspaceService = "WorkspaceService"
	groupService     = "WorkspaceGroupService"
	statusService    = "WorkspaceStatusService"
)

// The names of resource keys.
var (
	workspaceKey    = inWorkspace("WorkspaceKey")
	groupKey        = inGroup("WorkspaceGroupKey")
	subscriptionKey = wsn.SubscriptionKey
)

// Options adjust a Client; zero values mean the defaults named.
type Options struct {
	HTTP       *http.Client   // to send with; its own, with connections kept alive
	Attempts   int            // how often a request is sent at most where that is safe, 4
	Patience   time.Duration  // how long one attempt may take, 30 s
	Pause      time.Duration  // before the second attempt, doubled for each further, 100 ms
	ReplyLimit int            // bytes of an answer, 64 MiB
	UserAgent  string         // "philoxenia-client"
	Trace      func(Exchange) // told of each attempt; may be nil
}

// Client talks to one workspace service. It may be used by many goroutines.
type Client struct {
	base    string // ends in a slash
	options Options
	limits  xmlstrict.Limits
}

// New returns a client of the service at the URL, which is a host alone
// (http://host:port), the services' base (http://host:port/wsrf/services/) or
// the URL of the factory under it. It sends nothing.
func New(service string, o Options) (*Client, error) {
	base, err := baseURL(service)
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	limits := xmlstrict.DefaultLimits()
	limits.Bytes, limits.Text = o.ReplyLimit, o.ReplyLimit
	limits.Tokens = max(limits.Tokens, o.ReplyLimit/4) // no token is shorter than four bytes
	return &Client{base: base, options: o, limits: limits}, nil
}

// withDefaults fills in what was left zero.
func (o Options) withDefaults() Options {
	if o.HTTP == nil {
		o.HTTP = newHTTP()
	}
	if o.Attempts <= 0 {
		o.Attempts = 4
	}
	if o.Patience <= 0 {
		o.Patience = 30 * time.Second
	}
	if o.Pause <= 0 {
		o.Pause = 100 * time.Millisecond
	}
	if o.ReplyLimit <= 0 {
		o.ReplyLimit = 64 << 20
	}
	if o.UserAgent == "" {
		o.UserAgent = "philoxenia-client"
	}
	return o
}

// newHTTP returns a client that keeps connections alive and follows no
// redirection: a resource's address is given, not found.
func newHTTP() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConnsPerHost: 32,
			IdleConnTimeout:     90 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

// baseURL returns the base of the services, with a slash at its end.
func baseURL(service string) (string, error) {
	u, err := url.Parse(service)
	if err != nil {
		return "", fmt.Errorf("cannot use the service URL: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", fmt.Errorf("cannot use the service URL %q: it is not http or https", service)
	}
	u.RawQuery, u.Fragment = "", ""
	path := strings.TrimSuffix(u.Path, "/")
	if path == "" {
		path = servicesPath
	}
	u.Path = strings.TrimSuffix(path, "/"+factoryService) + "/"
	return u.String(), nil
}

// Close closes connections that are kept for later.
func (c *Client) Close() { c.options.HTTP.CloseIdleConnections() }

// Factory returns the reference to the factory.
func (c *Client) Factory() wsa.EPR { return wsa.EPR{Address: c.base + factoryService} }

// Status returns the reference to the status service.
func (c *Client) Status() wsa.EPR { return wsa.EPR{Address: c.base + statusService} }

// Workspace returns the reference to the workspace with that key.
func (c *Client) Workspace(key string) wsa.EPR {
	return wsa.NewEPR(c.base+workspaceService, workspaceKey, key)
}

// Group returns the reference to the group with that key.
func (c *Client) Group(key string) wsa.EPR {
	return wsa.NewEPR(c.base+groupService, groupKey, key)
}

// Key returns the key in a reference to a workspace, group or subscription,
// empty when there is none.
func Key(epr wsa.EPR) string {
	for _, name := range []xmlstrict.Name{workspaceKey, groupKey, subscriptionKey} {
		if key, ok := epr.Key(name); ok {
			return key
		}
	}
	return ""
}

// IsWorkspace reports whether the reference is to a workspace.
func IsWorkspace(epr wsa.EPR) bool { return has(epr, workspaceKey) }

// IsGroup reports whether the reference is to a group.
func IsGroup(epr wsa.EPR) bool { return has(epr, groupKey) }

// has reports whether the reference has a key of that name. What a reference
// is to shows by its key alone, as for the original client.
func has(epr wsa.EPR, name xmlstrict.Name) bool {
	_, ok := epr.Key(name)
	return ok
}

// Describe names what a reference is to: "workspace 7", "group 12d9dc5e-...".
func Describe(epr wsa.EPR) string {
	switch {
	case IsWorkspace(epr):
		return "workspace " + Key(epr)
	case IsGroup(epr):
		return "group " + Key(epr)
	case has(epr, subscriptionKey):
		return "subscription " + Key(epr)
	}
	return epr.Address
}
