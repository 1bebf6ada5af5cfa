package dispatch

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// This file is the one place where an error becomes a fault. A fault is typed
// by the operation and the error's kind; its description is the error's text,
// which is what clients show to people. Of internal errors only a request id
// crosses the wire, and the log has the rest.

// faultNames are the faults of one operation by kind of error. A name that is
// not given is that of other.
type faultNames struct {
	invalid  xmlstrict.Name // Invalid
	denied   xmlstrict.Name // Denied, Quota, NoResource
	unknown  xmlstrict.Name // NotFound
	conflict xmlstrict.Name // Conflict
	busy     xmlstrict.Name // Busy, Transient, Unavailable
	other    xmlstrict.Name // the rest, Internal above all
}

var types = xmlstrict.In(schema.Types)

// plainFault types what an operation declares no fault for.
var plainFault = xmlstrict.Name{Space: wsrf.BaseFaultsSpace, Local: "BaseFault"}

// propertyFaults are those of the three ways to ask for resource properties.
var propertyFaults = faultNames{unknown: wsrf.PropertiesResourceUnknown, other: plainFault}

// faultTable has the faults by operation (contract, sections 1.1 to 1.5 and 3).
var faultTable = map[string]faultNames{
	"create": {
		invalid: types("WorkspaceMetadataFault"),
		unknown: types("WorkspaceMetadataFault"),
		denied:  types("WorkspaceResourceRequestDeniedFault"),
		busy:    types("WorkspaceSchedulingFault"),
		other:   types("WorkspaceCreationFault"),
	},
	"start": {
		unknown:  types("WorkspaceUnknownFault"),
		conflict: types("OperationDisabledFault"),
		other:    types("WorkspaceStartFault"),
	},
	"shutdown": {
		unknown:  types("WorkspaceUnknownFault"),
		conflict: types("OperationDisabledFault"),
		other:    types("WorkspaceShutdownFault"),
	},
	"queryUsedAndReservedTime": {other: statusFault},
	"queryCurrentWorkspaces":   {other: statusFault},

	"GetResourceProperty":           propertyFaults,
	"GetMultipleResourceProperties": propertyFaults,
	"QueryResourceProperties":       propertyFaults,
	"Destroy": {
		unknown: wsrf.LifetimeResourceUnknown, other: wsrf.ResourceNotDestroyed,
	},
	"SetTerminationTime": {
		unknown: wsrf.LifetimeResourceUnknown,
		invalid: wsrf.TerminationTimeChangeRejected,
		denied:  wsrf.TerminationTimeChangeRejected,
		other:   wsrf.UnableToSetTerminationTime,
	},
	"Subscribe": {
		unknown: wsn.ResourceUnknown, other: wsn.SubscribeCreationFailed,
	},
	"GetCurrentMessage":  {unknown: wsn.ResourceUnknown, other: plainFault},
	"PauseSubscription":  {unknown: wsn.ResourceUnknown, other: wsn.PauseFailed},
	"ResumeSubscription": {unknown: wsn.ResourceUnknown, other: wsn.ResumeFailed},
}

var statusFault = xmlstrict.Name{Space: schema.Status, Local: "WorkspaceStatusFault"}

// faultsOf returns the row of an operation.
func faultsOf(operation string) *faultNames {
	row, ok := faultTable[operation]
	if !ok {
		row = faultNames{other: plainFault}
	}
	for _, name := range []*xmlstrict.Name{
		&row.invalid, &row.denied, &row.unknown, &row.conflict, &row.busy,
	} {
		if *name == (xmlstrict.Name{}) {
			*name = row.other
		}
	}
	return &row
}

// of returns the fault for a kind of error.
func (f *faultNames) of(kind workspace.Kind) xmlstrict.Name {
	switch kind {
	case workspace.Invalid:
		return f.invalid
	case workspace.Denied, workspace.Quota, workspace.NoResource:
		return f.denied
	case workspace.NotFound:
		return f.unknown
	case workspace.Conflict:
		return f.conflict
	case workspace.Busy, workspace.Transient, workspace.Unavailable:
		return f.busy
	}
	return f.other
}

// A fault is what becomes of an error: a typed fault when it has a name, and a
// bare SOAP fault otherwise.
type fault struct {
	status int
	code   string         // of a bare fault
	name   xmlstrict.Name // of a typed one
	kind   string         // of a typed one, in words; may be empty
	text   string
}

// userException is the code of the original's faults about resource keys.
const userException = soap.CodeServer + ".userException"

// noOperation says that the service has no operation for the body's element.
type noOperation struct{ element xmlstrict.Name }

func (e *noOperation) Error() string { return "No such operation '" + e.element.Local + "'" }

// contradiction says that a header names another operation than the body.
type contradiction struct{ header, value, want string }

func (e *contradiction) Error() string {
	return e.header + " " + clip(e.value) + " contradicts the body, expected " + e.want
}

// failed is the HTTP status of a fault (SOAP 1.1, section 6.2).
const failed = http.StatusInternalServerError

// faultFor finds the fault for an error; what is internal is logged.
func (x *exchange) faultFor(err error) fault {
	if f, ok := messageFault(err); ok {
		return f
	}
	var typed *wsrf.FaultError
	if errors.As(err, &typed) {
		return fault{status: failed, name: typed.Fault, text: describe(err)}
	}
	kind := workspace.KindOf(err)
	var content *xmlstrict.ContentError
	if errors.As(err, &content) && kind == workspace.Internal {
		kind = workspace.Invalid
	}
	if kind != workspace.Internal {
		name := x.names().of(kind)
		return fault{status: failed, name: name, kind: kind.String(), text: describe(err)}
	}
	id := newRequestID()
	if x.request.Context().Err() == nil { // else the caller hung up, and hears nothing
		x.handler.logger.Error("request failed", "request", id,
			"operation", x.operationName(), "owner", x.owner, "error", err)
	}
	return internalFault(x.names(), id)
}

// messageFault finds the fault for what is wrong with the message as such.
func messageFault(err error) (fault, bool) {
	var (
		refused *refusal
		syntax  *xmlstrict.SyntaxError
		form    *soap.Error
		key     *InvalidKey
		missing *noOperation
		against *contradiction
	)
	f := fault{status: http.StatusInternalServerError, code: soap.CodeClient, text: describe(err)}
	switch {
	case errors.As(err, &refused):
		f.status = refused.status
	case errors.As(err, &form):
		f.code = form.Code()
	case errors.As(err, &key):
		f.code = userException
	case errors.As(err, &syntax), errors.As(err, &missing), errors.As(err, &against):
	default:
		return fault{}, false
	}
	return f, true
}

// internalFault says no more than how to find the cause in the log.
func internalFault(names *faultNames, requestID string) fault {
	return fault{
		status: failed, name: names.other, text: "internal error, request " + requestID,
	}
}

// maxText is how long the text of a fault may be, in bytes. Errors quote what
// the caller wrote, and a large request must not get a large reply.
const maxText = 2 << 10

// describe returns an error's text, with the hint that some keep apart.
func describe(err error) string {
	text := err.Error()
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "..."
	}
	var content *xmlstrict.ContentError
	if errors.As(err, &content) && content.Hint != "" && !strings.Contains(text, content.Hint) {
		text += "; " + content.Hint
	}
	return text
}

// unrouted are the faults of a request whose operation is not known yet.
var unrouted = faultsOf("")

// names returns the faults of the operation, as far as it is known.
func (x *exchange) names() *faultNames {
	if x.operation == nil {
		return unrouted
	}
	return x.operation.faults
}

func (x *exchange) operationName() string {
	if x.operation == nil {
		return ""
	}
	return x.operation.name
}

// writeFault writes the fault's envelope and returns the HTTP status. As the
// original's, a typed fault has an empty faultstring and all else inside.
func (x *exchange) writeFault(enc *xmlstrict.Encoder, f fault) int {
	out := &soap.Fault{Code: f.code, String: f.text}
	if f.name != (xmlstrict.Name{}) {
		typed := wsrf.BaseFault{
			Name: f.name, Timestamp: time.Now(), Originator: x.self(),
			Description: []string{f.text},
		}
		if f.kind != "" {
			typed.ErrorCode, typed.Dialect = f.kind, wsrf.KindDialect
		}
		out = typed.SOAP()
	}
	soap.WriteFault(enc, x.version, x.faultHeader(), out)
	if x.version == soap.V12 && strings.HasPrefix(out.Code, soap.CodeClient) &&
		f.status == http.StatusInternalServerError {
		return http.StatusBadRequest // SOAP 1.2 part 2, 7.5.2.2
	}
	return f.status
}

// faultHeader writes the addressing of a fault; nil when the request never got
// as far as having one.
func (x *exchange) faultHeader() func(*xmlstrict.Encoder) {
	if x.message == nil {
		return nil
	}
	return x.blocks(x.addressing.FaultReply(newMessageID(), x.from()))
}

// clip quotes a stranger's text, short enough for an error message.
func clip(s string) string { return `"` + xmlstrict.Clip(s) + `"` }
