package dispatch

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// This file is the one place where an error becomes a fault. A fault is typed
// by the operation and the error's kind; its description is the error's text,
// which is what clients show to people. Of internal errors only a request id
// crosses the wire, and the log has the rest.

// A fault is what becomes of an error: a typed fault when it has a name, and a
// bare SOAP fault otherwise.
type fault struct {
	status int
	code   string         // of a bare fault
	name   xmlstrict.Name // of a typed one
	kind   string         // of a typed one, in words; may be empty
	ours   bool           // it is not the caller's mistake
	text   string
	more   func(*xmlstrict.Encoder) // what the type of a typed one adds; or nil
	first  func(*xmlstrict.Encoder) // what stands before the base type's parts; or nil

	addressing *wsa.Fault  // of WS-Addressing 1.0; or nil
	form       *soap.Error // of the envelope; or nil
	key        bool        // it is about the resource's key
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
		if f.key && x.endpoint.Face == wsdl.Two {
			f.name, f.kind = unknown2, workspace.NotFound.String()
		}
		return f
	}
	var typed *wsrf.FaultError
	if errors.As(err, &typed) {
		return fault{
			status: failed, name: typed.Fault, text: describe(err), more: typed.More,
			first: explained(x.endpoint.Face, err),
		}
	}
	kind := workspace.KindOf(err)
	var content *xmlstrict.ContentError
	if errors.As(err, &content) && kind == workspace.Internal {
		kind = workspace.Invalid
	}
	if kind != workspace.Internal {
		return fault{
			status: failed, name: x.names().of(kind), kind: kind.String(), text: describe(err),
			ours: kind >= workspace.Busy, first: explained(x.endpoint.Face, err),
		}
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
		header  *wsa.Fault
	)
	f := fault{status: http.StatusInternalServerError, code: soap.CodeClient, text: describe(err)}
	switch {
	case errors.As(err, &refused):
		f.status = refused.status
	case errors.As(err, &header):
		f.addressing = header
		if header.Receiver {
			f.code = soap.CodeServer
		}
	case errors.As(err, &form):
		f.code, f.form = form.Code(), form
	case errors.As(err, &key):
		f.code, f.key = userException, true
	case errors.As(err, &syntax), errors.As(err, &missing), errors.As(err, &against):
	default:
		return fault{}, false
	}
	return f, true
}

// internalFault says no more than how to find the cause in the log.
func internalFault(names *faultNames, requestID string) fault {
	return fault{
		status: failed, name: names.other, ours: true,
		text: "internal error, request " + requestID,
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

// names returns the faults of the operation, as far as it is known.
func (x *exchange) names() *faultNames {
	if x.operation == nil {
		return unrouted[x.endpoint.Face]
	}
	return x.operation.faults
}

func (x *exchange) operationName() string {
	if x.operation == nil {
		return ""
	}
	return x.operation.name
}

// writeFault writes the fault's envelope and returns the HTTP status.
func (x *exchange) writeFault(enc *xmlstrict.Encoder, f fault) int {
	out, action := x.soapFault(f)
	x.target, x.said = x.faultTo, action
	var header func(*xmlstrict.Encoder)
	if x.message != nil { // else the request never got as far as having an addressing
		header = x.header(x.faultTo, action, true)
	}
	soap.WriteFault(enc, x.version, header, out)
	if x.version == soap.V12 && strings.HasPrefix(out.Code, soap.CodeClient) &&
		f.status == http.StatusInternalServerError {
		return http.StatusBadRequest // SOAP 1.2 part 2, 7.5.2.2
	}
	return f.status
}

// soapFault returns what the fault is in SOAP, and its action.
func (x *exchange) soapFault(f fault) (*soap.Fault, string) {
	switch {
	case f.name != (xmlstrict.Name{}):
		return x.typedFault(f), actionOf(f.name)
	case f.addressing != nil:
		out := f.addressing.SOAP(x.version)
		out.String = f.text
		return out, wsa.AddressingFaultAction
	}
	out := &soap.Fault{Code: f.code, String: f.text}
	if f.form != nil && x.endpoint.Face == wsdl.Two {
		out.Blocks = f.form.Blocks(x.version)
	}
	return out, wsa.FaultAction200508
}

// typedFault returns the SOAP fault around a typed one. As the original's, that
// of face one has an empty faultstring and all else inside.
func (x *exchange) typedFault(f fault) *soap.Fault {
	if f.more == nil && changeFaults[f.name] {
		f.more = wsrf.ChangeFailure{Edition: wsrf.Final, Restored: true}.Write
	}
	typed := wsrf.BaseFault{
		Name: f.name, Timestamp: time.Now(), Originator: x.self(),
		Description: []string{f.text}, More: f.more, First: f.first,
	}
	if f.kind != "" {
		typed.ErrorCode, typed.Dialect = f.kind, wsrf.KindDialect
	}
	if x.endpoint.Face == wsdl.One {
		return typed.SOAP()
	}
	typed.Edition = wsrf.Final
	out := &soap.Fault{Code: soap.CodeClient, String: f.text, Detail: typed.Write}
	if f.ours {
		out.Code = soap.CodeServer
	}
	return out
}

// clip quotes a stranger's text, short enough for an error message.
func clip(s string) string { return `"` + xmlstrict.Clip(s) + `"` }
