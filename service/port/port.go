// Package port is what the port types share: the names of their services and
// resource keys, how keys are read, and how a workspace looks in the documents
// of the protocol. Its sub-packages hold one port type each; they translate
// documents to domain calls and back.
//
// Neither it nor they may know of HTTP or of envelopes, nor of other port types
// unless they list their resources, and nothing is decided here: what a caller
// may do is the domain's business.
package port

import (
	"strings"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Names are what a service is called on each face: the last segment of its path.
type Names struct{ One, Two string }

// On returns the name on a face.
func (n Names) On(face wsdl.Face) string {
	if face == wsdl.Two {
		return n.Two
	}
	return n.One
}

// The services that both faces have.
var (
	Factory      = Names{"WorkspaceFactoryService", "WorkspaceFactory"}
	Workspace    = Names{"WorkspaceService", "Workspace"}
	Group        = Names{"WorkspaceGroupService", "Group"}
	Status       = Names{"WorkspaceStatusService", "Status"}
	Subscription = Names{"SubscriptionManagerService", "SubscriptionManager"}
)

// The services that face two alone has.
const (
	Workspaces     = "Workspaces"
	WorkspaceEntry = "WorkspaceEntry"
	Hosts          = "Hosts"
	HostEntry      = "HostEntry"
	Host           = "Host"
	Images         = "Images"
)

// The operations that the port types of both faces have under other names.
var (
	Start    = Names{"start", "Start"}
	Shutdown = Names{"shutdown", "Shutdown"}
)

// Addressing returns the version of WS-Addressing in which a face writes the
// references of resources.
func Addressing(face wsdl.Face) wsa.Version {
	if face == wsdl.Two {
		return wsa.V200508
	}
	return wsa.V200403
}

// Edition returns the edition of WSRF that a face speaks.
func Edition(face wsdl.Face) wsrf.Edition {
	if face == wsdl.Two {
		return wsrf.Final
	}
	return wsrf.Draft
}

// url returns the address of a service on the face that the call came to.
func (n Names) url(c *dispatch.Call) string { return c.URL(c.Face, n.On(c.Face)) }

// The names of resource keys (contract, section 0.2).
var (
	WorkspaceKey    = xmlstrict.Name{Space: schema.Workspace, Local: "WorkspaceKey"}
	GroupKey        = xmlstrict.Name{Space: schema.Group, Local: "WorkspaceGroupKey"}
	SubscriptionKey = wsn.SubscriptionKey
)

// WorkspaceEPR returns the reference of a workspace, for the reply to c.
func WorkspaceEPR(c *dispatch.Call, id workspace.ID) wsa.EPR {
	return wsa.NewEPR(Workspace.url(c), WorkspaceKey, id.String())
}

// GroupEPR returns the reference of a group, for the reply to c.
func GroupEPR(c *dispatch.Call, id workspace.GroupID) wsa.EPR {
	return wsa.NewEPR(Group.url(c), GroupKey, string(id))
}

// WorkspaceID reads the call's key as that of a workspace. A key that is no
// number is a *dispatch.InvalidKey, in the words of the original.
func WorkspaceID(c *dispatch.Call) (workspace.ID, error) {
	id, err := workspace.ParseID(c.Key)
	if err != nil || id.String() != c.Key {
		return 0, &dispatch.InvalidKey{Reason: "key value is not integer based, " +
			"expected the WorkspaceKey from the workspace's reference"}
	}
	return id, nil
}

// GroupID returns the call's key as that of a group.
func GroupID(c *dispatch.Call) workspace.GroupID {
	return workspace.GroupID(strings.Clone(c.Key))
}

// SubscriptionID returns the call's key as that of a subscription.
func SubscriptionID(c *dispatch.Call) workspace.SubscriptionID {
	return workspace.SubscriptionID(strings.Clone(c.Key))
}
