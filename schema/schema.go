// Package schema publishes the XML Schemas of the protocol, names their
// namespaces and the standards' actions. The files of face one were written from
// the recorded contract of the Globus GT4 Virtual Workspace Service, those of
// face two from the facts of the published standards; they import one another by
// relative names and nothing from the network.
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
	Terms             = "urn:philoxenia:2026:terms"
	Library           = "urn:philoxenia:2026:library"
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

// The stems of the actions of the standards as published: the interface and the
// message follow, such as GetResourceProperty/GetResourcePropertyRequest.
const (
	Properties2Action   = "http://docs.oasis-open.org/wsrf/rpw-2/"
	Lifetime2Action     = "http://docs.oasis-open.org/wsrf/rlw-2/"
	Notification2Action = "http://docs.oasis-open.org/wsn/bw-2/"
)

//go:embed *.xsd *.topics.xml
var files embed.FS

// A published file, the namespace that it defines, and the faces that use it.
type published struct {
	name, space string
	in          faces
}

// faces is the set of faces that a file is for. Some namespaces have two files:
// what face one says in the words of the drafts, face two cannot repeat.
type faces uint8

const (
	one faces = 1 << iota
	two
	both = one | two
)

// order lists the files so that each comes after those that it imports.
var order = []published{
	{"addressing.xsd", Addressing, one},
	{"basefaults.xsd", BaseFaults, one},
	{"properties.xsd", Properties, one},
	{"lifetime.xsd", Lifetime, one},
	{"basenotification.xsd", BaseNotification, one},
	{"core.xsd", Core, both},
	{"core_notification.xsd", CoreNotification, one},
	{"jsdl.xsd", JSDL, both},
	{"logistics.xsd", Logistics, both},
	{"definition.xsd", Definition, both},
	{"metadata.xsd", Metadata, both},
	{"negotiable.xsd", Negotiable, one},
	{"workspace_types.xsd", Types, one},
	{"workspace.xsd", Workspace, one},
	{"group.xsd", Group, one},
	{"ensemble.xsd", Ensemble, one},
	{"status.xsd", Status, one},
	{"ws-addr.xsd", Addressing2005, two},
	{"bf-2.xsd", BaseFaults2, two},
	{"r-2.xsd", Resource2, two},
	{"rp-2.xsd", Properties2, two},
	{"rl-2.xsd", Lifetime2, two},
	{"sg-2.xsd", ServiceGroup2, two},
	{"t-1.xsd", Topics1, two},
	{"b-2.xsd", BaseNotification2, two},
	{"events.xsd", ONVIFEvents, two},
	{"terms.xsd", Terms, two},
	{"negotiable-2.xsd", Negotiable, two},
	{"types-2.xsd", Types, two},
	{"workspace-2.xsd", Workspace, two},
	{"group-2.xsd", Group, two},
	{"status-2.xsd", Status, two},
	{"library.xsd", Library, two},
	{"lease.xsd", Lease, two},
}

// Names returns the names of the published files, each after those it imports.
func Names() []string { return namesOf(both) }

// FaceOne returns the names of the files of face one, each after those it
// imports. Each namespace is in it once.
func FaceOne() []string { return namesOf(one) }

// FaceTwo returns the names of the files of face two, each after those it
// imports. Each namespace is in it once.
func FaceTwo() []string { return namesOf(two) }

func namesOf(f faces) []string {
	var names []string
	for _, p := range order {
		if p.in&f != 0 {
			names = append(names, p.name)
		}
	}
	return names
}

// Topics returns the names of the published topic namespace documents, those of
// face two (WS-Topics 1.3, section 5).
func Topics() []string {
	return []string{"types-2.topics.xml", "rl-2.topics.xml", "lease.topics.xml"}
}

// File returns the text of a published file: a schema or a topic namespace.
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
