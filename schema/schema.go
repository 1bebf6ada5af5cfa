// Package schema publishes the XML Schemas of the protocol, names their
// namespaces and the standards' actions. The files were written from the recorded
// contract of the Globus GT4 Virtual Workspace Service; they import one
// another by relative names and nothing from the network.
//
// It must not know any document: reading and writing them is the business of
// the packages below it. It imports the standard library alone.
package schema

import "embed"

// The namespaces of the workspace service (revision 2008/06, the only one).
const (
	Workspace  = "http://www.globus.org/2008/06/workspace"
	Types      = Workspace + "/types"
	Metadata   = Workspace + "/metadata"
	Logistics  = Metadata + "/logistics"
	Definition = Metadata + "/definition"
	Negotiable = Workspace + "/negotiable"
	Group      = Workspace + "/group"
	Ensemble   = Workspace + "/ensemble"
	Status     = Workspace + "/status"
)

// The namespaces of the standards and of the container beneath the service.
const (
	JSDL             = "http://schemas.ggf.org/jsdl/2005/11/jsdl"
	Addressing       = "http://schemas.xmlsoap.org/ws/2004/03/addressing"
	wsrf             = "http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-"
	Properties       = wsrf + "ResourceProperties-1.2-draft-01.xsd"
	Lifetime         = wsrf + "ResourceLifetime-1.2-draft-01.xsd"
	BaseFaults       = wsrf + "BaseFaults-1.2-draft-01.xsd"
	wsn              = "http://docs.oasis-open.org/wsn/2004/06/wsn-WS-"
	BaseNotification = wsn + "BaseNotification-1.2-draft-01.xsd"
	Core             = "http://www.globus.org/namespaces/2004/06/core"
	CoreNotification = "http://wsrf.globus.org/core/notification"
)

// The namespaces of face two: the service's own, and the standards as published.
const (
	Lease             = "urn:philoxenia:2026:workspace"
	Addressing2005    = "http://www.w3.org/2005/08/addressing"
	Properties2       = "http://docs.oasis-open.org/wsrf/rp-2"
	Lifetime2         = "http://docs.oasis-open.org/wsrf/rl-2"
	BaseFaults2       = "http://docs.oasis-open.org/wsrf/bf-2"
	Resource2         = "http://docs.oasis-open.org/wsrf/r-2"
	ServiceGroup2     = "http://docs.oasis-open.org/wsrf/sg-2"
	BaseNotification2 = "http://docs.oasis-open.org/wsn/b-2"
	Topics1           = "http://docs.oasis-open.org/wsn/t-1"
	ONVIFEvents       = "http://www.onvif.org/ver10/events/wsdl"
)

// The stems of the standards' actions: an operation's action is the stem and
// its name, its reply's ends in Response.
const (
	PropertiesAction   = wsrf + "ResourceProperties/"
	LifetimeAction     = wsrf + "ResourceLifetime/"
	NotificationAction = wsn + "BaseNotification/"
)

//go:embed *.xsd
var files embed.FS

// A published file and the namespace that it defines.
type published struct{ name, space string }

// order lists the files so that each comes after those that it imports.
var order = []published{
	{"addressing.xsd", Addressing},
	{"basefaults.xsd", BaseFaults},
	{"properties.xsd", Properties},
	{"lifetime.xsd", Lifetime},
	{"basenotification.xsd", BaseNotification},
	{"core.xsd", Core},
	{"core_notification.xsd", CoreNotification},
	{"jsdl.xsd", JSDL},
	{"logistics.xsd", Logistics},
	{"definition.xsd", Definition},
	{"metadata.xsd", Metadata},
	{"negotiable.xsd", Negotiable},
	{"workspace_types.xsd", Types},
	{"workspace.xsd", Workspace},
	{"group.xsd", Group},
	{"ensemble.xsd", Ensemble},
	{"status.xsd", Status},
}

// Names returns the names of the published files, each after those it imports.
func Names() []string {
	names := make([]string, len(order))
	for i, p := range order {
		names[i] = p.name
	}
	return names
}

// File returns the text of a published file.
func File(name string) ([]byte, bool) {
	data, err := files.ReadFile(name)
	return data, err == nil
}

// Space returns the target namespace of a published file, empty for a name
// that is not published.
func Space(name string) string {
	for _, p := range order {
		if p.name == name {
			return p.space
		}
	}
	return ""
}
