package client

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Face says in which of the service's two faces a Client speaks.
//
// The rule: a request goes to the address of its reference, in the face that
// the address belongs to. References that the client makes itself (Factory,
// Workspace and the like) are of face one, which every server ever built has,
// unless the Client was given the URL of face two or the option FaceTwo. What
// only face two has (pull points, service groups, Renew, Renegotiate, the topic
// dialects but the simple) is asked of the same resource there: both faces use
// the same keys. A server without face two is found out by the first such
// request; that one and all further fail with ErrNoFace.
type Face uint8

// The choices of faces.
const (
	FaceAuto Face = iota // the URL's face, face one for a host alone; face two for the rest
	FaceOne              // never face two
	FaceTwo              // face two wherever the client makes the reference
)

// ErrNoFace says that an operation is offered by face two alone, and that the
// server has none, or the Client may not use it.
var ErrNoFace = errors.New("the service does not have the face that offers it")

// The services, by the last part of their URLs, in face one and face two.
const (
	factoryService      = "WorkspaceFactoryService"
	workspaceService    = "WorkspaceService"
	groupService        = "WorkspaceGroupService"
	statusService       = "WorkspaceStatusService"
	subscriptionService = "SubscriptionManagerService"

	factoryTwo      = "WorkspaceFactory"
	workspaceTwo    = "Workspace"
	groupTwo        = "Group"
	statusTwo       = "Status"
	subscriptionTwo = "SubscriptionManager"
	workspacesTwo   = "Workspaces"
	hostsTwo        = "Hosts"
	pullPointsTwo   = "PullPoints"
)

// twins are the services that both faces have: face one's name, face two's.
var twins = [][2]string{
	{factoryService, factoryTwo}, {workspaceService, workspaceTwo}, {groupService, groupTwo},
	{statusService, statusTwo}, {subscriptionService, subscriptionTwo},
}

// FaceOf returns the face that a reference belongs to, by its address.
func FaceOf(epr wsa.EPR) wsdl.Face {
	if base, _ := split(epr.Address); strings.HasSuffix(base, wsdl.Two.Path()) {
		return wsdl.Two
	}
	return wsdl.One
}

// split cuts an address behind its last slash: the services' base, the service.
// A query, which may repeat the resource's key, belongs to neither.
func split(address string) (base, service string) {
	address, _, _ = strings.Cut(address, "?")
	i := strings.LastIndexByte(address, '/') + 1
	return address[:i], address[i:]
}

// twin returns the reference to the same resource in another face, ErrNoFace
// where there is no telling its address.
func twin(epr wsa.EPR, face wsdl.Face) (wsa.EPR, error) {
	from := FaceOf(epr)
	if from == face {
		return epr, nil
	}
	base, service := split(epr.Address)
	root, ok := strings.CutSuffix(base, from.Path())
	for _, pair := range twins {
		if ok && service == pair[from] {
			epr.Address = root + face.Path() + pair[face]
			return epr, nil
		}
	}
	return wsa.EPR{}, ErrNoFace
}

// InFaceTwo returns the reference of face two to the same resource: to
// subscribe there, for instance, with what only face two has.
func (c *Client) InFaceTwo(epr wsa.EPR) (wsa.EPR, error) {
	if c.options.Face == FaceOne {
		return wsa.EPR{}, ErrNoFace
	}
	return twin(epr, wsdl.Two)
}

// service returns the reference to a service: in the client's own face where
// both have it, in face two where one is empty. It has no address where face
// two cannot be found.
func (c *Client) service(one, two string) wsa.EPR {
	if c.face == wsdl.One && one != "" {
		return wsa.EPR{Address: c.bases[wsdl.One] + one}
	}
	if c.bases[wsdl.Two] == "" {
		return wsa.EPR{} // nothing can be asked of it
	}
	return wsa.EPR{Address: c.bases[wsdl.Two] + two}
}

// findBases finds where the services of both faces are, and which face the URL
// itself names. A path that ends like neither face's can only be face one's,
// behind something that renames it; its other face cannot be found.
func findBases(service string) (bases [2]string, face wsdl.Face, err error) {
	u, err := url.Parse(service)
	if err != nil {
		return bases, face, fmt.Errorf("cannot use the service URL: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return bases, face,
			fmt.Errorf("cannot use the service URL %q: it is not http or https", service)
	}
	u.RawQuery, u.Fragment = "", ""
	last := path.Base(u.Path)
	if last == factoryService || last == factoryTwo {
		u.Path = path.Dir(u.Path)
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	for _, f := range []wsdl.Face{wsdl.Two, wsdl.One} {
		if root, ok := strings.CutSuffix(u.String(), f.Path()); ok {
			return [2]string{root + wsdl.One.Path(), root + wsdl.Two.Path()}, f, nil
		}
	}
	if u.Path == "/" {
		root := strings.TrimSuffix(u.String(), "/")
		return [2]string{root + wsdl.One.Path(), root + wsdl.Two.Path()}, wsdl.One, nil
	}
	return [2]string{wsdl.One: u.String()}, wsdl.One, nil
}
