package client

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

// The names of resource keys.
var (
	workspaceKey    = inWorkspace("WorkspaceKey")
	groupKey        = inGroup("WorkspaceGroupKey")
	subscriptionKey = wsn.SubscriptionKey
	pullPointKey    = xmlstrict.Name{Space: lease, Local: "PullPointKey"}
	hostKey         = xmlstrict.Name{Space: lease, Local: "HostKey"}

	keys = []xmlstrict.Name{workspaceKey, groupKey, subscriptionKey, pullPointKey, hostKey}
)

// lease is the namespace of face two's own messages.
const lease = schema.Lease

// Options adjust a Client; zero values mean the defaults named.
type Options struct {
	Face       Face           // in which to speak, FaceAuto
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
	bases   [2]string // where the services of each face are, ending in a slash; empty: nowhere
	face    wsdl.Face // of the references that the client makes
	lacking *atomic.Bool
	options Options
	limits  xmlstrict.Limits
}

// New returns a client of the service at the URL, which is a host alone
// (http://host:port), the base of one face's services
// (http://host:port/wsrf/services/, http://host:port/ws/) or the URL of the
// factory under it. It sends nothing.
func New(service string, o Options) (*Client, error) {
	bases, face, err := findBases(service)
	if err != nil {
		return nil, err
	}
	switch {
	case o.Face == FaceOne:
		face = wsdl.One
	case o.Face == FaceTwo && bases[wsdl.Two] == "":
		return nil, fmt.Errorf("cannot use the service URL %q: %w", service, ErrNoFace)
	case o.Face == FaceTwo:
		face = wsdl.Two
	}
	o = o.withDefaults()
	limits := xmlstrict.DefaultLimits()
	limits.Bytes, limits.Text = o.ReplyLimit, o.ReplyLimit
	limits.Tokens = max(limits.Tokens, o.ReplyLimit/4) // no token is shorter than four bytes
	return &Client{
		bases: bases, face: face, lacking: new(atomic.Bool), options: o, limits: limits,
	}, nil
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

// Close closes connections that are kept for later.
func (c *Client) Close() { c.options.HTTP.CloseIdleConnections() }

// Factory returns the reference to the factory.
func (c *Client) Factory() wsa.EPR { return c.service(factoryService, factoryTwo) }

// Status returns the reference to the status service.
func (c *Client) Status() wsa.EPR { return c.service(statusService, statusTwo) }

// Workspace returns the reference to the workspace with that key.
func (c *Client) Workspace(key string) wsa.EPR {
	return wsa.NewEPR(c.service(workspaceService, workspaceTwo).Address, workspaceKey, key)
}

// Group returns the reference to the group with that key.
func (c *Client) Group(key string) wsa.EPR {
	return wsa.NewEPR(c.service(groupService, groupTwo).Address, groupKey, key)
}

// AllWorkspaces returns the reference to all workspaces of the caller, those to
// come included: a service group whose entries can be read and queried, and to
// which one can subscribe. Only face two has it.
func (c *Client) AllWorkspaces() wsa.EPR { return c.service("", workspacesTwo) }

// AllHosts returns the reference to the hosts of the pool: a service group whose
// entries can be read and queried. Only face two has it.
func (c *Client) AllHosts() wsa.EPR { return c.service("", hostsTwo) }

// Key returns the key in a reference to a workspace, group, subscription, pull
// point or host, empty when there is none. The version of the reference does
// not matter.
func Key(epr wsa.EPR) string {
	for _, name := range keys {
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
	case has(epr, pullPointKey):
		return "pull point " + Key(epr)
	case has(epr, hostKey):
		return "host " + Key(epr)
	case epr.Address == "":
		return "the service"
	}
	return epr.Address
}
