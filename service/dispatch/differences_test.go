package dispatch_test

import "regexp"

// A difference is one that we mean to have from the recorded original.
type difference struct {
	in     *regexp.Regexp // names of the exchanges
	is     *regexp.Regexp // what the comparison says
	reason string
}

func differs(in, is, reason string) difference {
	return difference{regexp.MustCompile(in), regexp.MustCompile(is), reason}
}

// differences is the one table of intended differences from the original.
var differences = []difference{
	differs(`factory`, `RunningTime: text is "PT(60|20160)M"`,
		"the original wrote its seconds as minutes; ours are right"),
	differs(``, `/detail: lacks (exceptionName|hostname|stackTrace)$`,
		"Java's exception names, host names and stack traces are nobody's business"),
	differs(``, `/detail/\w+Fault: lacks FaultCause$`,
		"the original's causes hold stack traces and class names; ours stay in the log"),
	differs(``, `/detail/\w+Fault(/Description: text is|: has Description besides)`,
		"descriptions are in our words, and always there: clients show them to people"),
	differs(``, `/detail/\w+Fault: has ErrorCode besides$`,
		"the kind of the error for programs; the schema has it and the original's causes use it"),
	differs(``, `/Originator: lacks ReferenceProperties$`,
		"the reference of a singleton has no properties, so there is no empty list of them"),

	differs(`39-`, `status|lacks To|Action: text|lacks SetTerminationTimeResponse|`+
		`has Fault besides`,
		"a lease without end is refused; the original said yes and did nothing"),
	differs(`40-`, `status|has To besides|Action: text|lacks Fault|`+
		`has GetCurrentMessageResponse besides`,
		"we send state changes, so there is a current message"),
	differs(`03-|06-`, `ServiceRPSet: has TopicExpressionDialects besides`,
		"concrete and full topic expressions are understood as well as simple ones"),
	differs(`45-`, `(lacks|has) oneCurrentWorkspace|(WorkspaceKey|state): text is`,
		"the recorded server held workspaces of other sessions"),
	differs(`46-`, `usedAndReservedTime/(used|reserved)Time: text is "PT\d+M"`,
		"the account is that of other workspaces"),

	differs(`60-`, `^/definitions: (attribute targetNamespace|lacks import|has \w+ besides)`,
		"one flat document instead of three: the SOAP stacks of today want no imports"),
	differs(`60-`, `service/port(: attribute binding|/address: attribute location) is`,
		"prefixes and the server's address are ours"),
	differs(`61-|63-`, `content type: "text/plain; charset=utf-8" instead of`,
		"what is not there is told in plain text"),
	differs(`62-`, `Fault/faultcode: text is "\S+Client" instead of "\S+Server.userException"`,
		"a malformed message is the sender's mistake (SOAP 1.1, 4.4.1)"),
	differs(`6[2459]-`, `Fault(/faultstring: text is|: lacks detail$)`,
		"texts say what was expected; the detail held a stack trace and nothing else"),
	differs(`63-`, `status: 404 instead of 500|body: is "nothing is served here`,
		"an unknown service is not found; the original asked the one that wsa:To names"),
	differs(`65-`, `Fault/faultcode: text is "\S+Client" instead of "\S+Client"`,
		"the code is SOAP's own and not its namesake of a toolkit's namespace"),
}
