package daemon

import "strings"

// Requests on face two that operators and owners make about hosts and what is on
// them.
var (
	// Migrate moves a workspace to Values.Host, or where the scheduler likes; Cold has its
	// guest stand still.
	Migrate = two("Workspace", "", aboutWorkspace,
		`<p:Migrate><p:Host>{host}</p:Host><p:Cold>{cold}</p:Cold></p:Migrate>`)
	// Snapshot does Values.Action about a snapshot of Values.Name.
	Snapshot = two("Workspace", "", aboutWorkspace,
		`<p:Snapshot><p:Action>{action}</p:Action><p:Name>{name}</p:Name></p:Snapshot>`)
	// Drain and Open say whether Values.Host takes new leases.
	Drain = two("Host", setTwo, aboutHost, mode("true"))
	Open  = two("Host", setTwo, aboutHost, mode("false"))
	// Evacuate has what is on Values.Host move away.
	Evacuate = two("Host", "", aboutHost, `<p:Evacuate/>`)
	// AddHost takes Values.Host into the pool, as Values.Spec has it; RemoveHost out of it.
	AddHost    = two("Hosts", "", "", `<p:AddHost><p:Name>{host}</p:Name>{spec}</p:AddHost>`)
	RemoveHost = two("Host",
		"http://docs.oasis-open.org/wsrf/rlw-2/ImmediateResourceTermination/DestroyRequest",
		aboutHost, `<d:Destroy xmlns:d="http://docs.oasis-open.org/wsrf/rl-2"/>`)
	// Hold keeps the addresses from Values.First to Values.Last from being leased, Release ends
	// the hold on Values.First, and Networks asks what is leased and held.
	Hold = two("WorkspaceFactory", "", "", `<p:HoldAddresses><p:Hold><p:First>{first}</p:First>`+
		`<p:Last>{last}</p:Last><p:Comment>held</p:Comment></p:Hold></p:HoldAddresses>`)
	Release = two("WorkspaceFactory", "", "",
		`<p:ReleaseAddress><p:Address>{first}</p:Address></p:ReleaseAddress>`)
	Networks = two("WorkspaceFactory", "", "", `<p:QueryNetworks/>`)
	// ReadConsole asks what the serial line of a workspace has said.
	ReadConsole = two("Workspace", "", aboutWorkspace, `<p:ReadConsole/>`)
)

// Requests about the library of images.
var (
	// AddImage adds Values.Image to the site's shelf; Images asks for all of that name.
	AddImage = images("AddImage", `<i:Image><i:Name>{name}</i:Name>`+
		`<i:Version>{version}</i:Version><i:Shelf>site</i:Shelf><i:Location>{image}</i:Location>`+
		`<i:Architecture>x86_32</i:Architecture><i:VMM>Xen</i:VMM><i:VMM>KVM</i:VMM></i:Image>`)
	Images = images("QueryImages", `<i:Query>name={name}</i:Query>`)
	// VerifyImage has an image read, TagImage makes it the stable one of its name, RemoveImage
	// takes it off the shelf.
	VerifyImage = images("VerifyImage", reference)
	TagImage    = images("ChangeImage", reference+`<i:Tag>stable</i:Tag>`)
	RemoveImage = images("RemoveImage", reference)
)

const reference = `<i:Reference>{name}</i:Reference>`

// images returns a request to the library.
func images(name, body string) Message {
	return two("Images", ownNS+":Images:"+name+"Request", "", `<i:`+name+
		` xmlns:i="urn:philoxenia:2026:library">`+body+`</i:`+name+`>`)
}

const (
	ownNS  = "urn:philoxenia:2026:workspace"
	setTwo = propertyTwo + "SetResourceProperties/SetResourcePropertiesRequest"

	aboutWorkspace = `<w:WorkspaceKey xmlns:w="` + workspaceNS + `">{key}</w:WorkspaceKey>`
	aboutHost      = `<p:HostKey>{host}</p:HostKey>`
)

// mode is the request that drains a host or opens it.
func mode(drained string) string {
	return `<r:SetResourceProperties xmlns:r="http://docs.oasis-open.org/wsrf/rp-2"><r:Update>` +
		`<p:Mode><p:Drained>` + drained + `</p:Drained></p:Mode>` +
		`</r:Update></r:SetResourceProperties>`
}

// two returns a request to a service of face two. Without an action it is that of the
// project's own operation that the body is named after.
func two(service, action, about, body string) Message {
	if action == "" {
		name, _, _ := strings.Cut(strings.TrimPrefix(body, "<p:"), ">")
		action = ownNS + ":" + service + ":" + strings.TrimSuffix(name, "/") + "Request"
	}
	return Message{path: "/ws/" + service, action: action, text: `<s:Envelope ` +
		`xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ` +
		`xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:p="` + ownNS + `"><s:Header>` +
		`<wsa:MessageID>urn:uuid:{message}</wsa:MessageID><wsa:Action>` + action +
		`</wsa:Action>` + about + `</s:Header><s:Body>` + body + `</s:Body></s:Envelope>`}
}
