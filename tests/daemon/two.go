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
)

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
