package dispatch

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

// This file holds what WS-Addressing asks of a receiver. Face one takes the
// headers as the original did: they are checked for contradiction and echoed,
// and replies go back on the connection. On face two the rules of WS-Addressing
// 1.0 hold as soon as a request has a header of it; missing ones are tolerated.

// addressed reports whether the rules of WS-Addressing 1.0 hold.
func (x *exchange) addressed() bool {
	return x.endpoint.Face == wsdl.Two && x.addressing.Version == wsa.V200508
}

// An action is what a header says the request asks for.
type action struct{ header, value, also string }

// checkActions refuses a request whose headers name another operation.
func (x *exchange) checkActions(o *operation) error {
	all := [...]action{
		{"SOAPAction", strings.Trim(x.request.Header.Get("Soapaction"), `" `), ""},
		{"the action of the content type", x.action, o.element},
		{"wsa:Action", x.addressing.Action, ""},
	}
	if named := all[2]; x.addressed() && named.value != "" {
		return checkNamed(o, named, all[:2])
	}
	for _, a := range all {
		if !a.names(o) {
			return a.contradicts(o)
		}
	}
	return nil
}

// names reports whether the action is the operation's, or not given.
func (a action) names(o *operation) bool {
	return a.value == "" || a.value == o.action || a.value == a.also
}

func (a action) contradicts(o *operation) error {
	return &contradiction{a.header, strings.Clone(a.value), o.action}
}

// checkNamed refuses a request whose wsa:Action is not the transport's
// (WS-Addressing 1.0, SOAP Binding, 6.4.1.6) or not the body's (6.4.4).
func checkNamed(o *operation, named action, transport []action) error {
	for _, a := range transport {
		if a.value != "" && a.value != named.value && a.value != a.also {
			return wsa.MismatchedAction(strings.Clone(named.value), strings.Clone(a.value),
				fmt.Errorf("%s %s is not the wsa:Action %s",
					a.header, clip(a.value), clip(named.value)))
		}
	}
	if !named.names(o) {
		return wsa.ActionNotSupported(strings.Clone(named.value), named.contradicts(o))
	}
	return nil
}

// header returns what writes the addressing of a reply or a fault that goes to
// a place; nil when the request has no headers that it could answer.
func (x *exchange) header(to *wsa.EPR, action string, fault bool) func(*xmlstrict.Encoder) {
	if x.addressed() {
		return x.published(to, action, fault)
	}
	if x.endpoint.Face == wsdl.Two && x.addressing == (wsa.Header{}) {
		return nil
	}
	h := x.addressing.Reply(newMessageID(), action, x.from())
	if fault {
		h = x.addressing.FaultReply(newMessageID(), x.from())
	}
	return func(enc *xmlstrict.Encoder) {
		enc.Declare(h.Version.Space())
		h.Write(enc, x.version)
	}
}

// unspecified is what an answer relates to when the request had no identifier
// (WS-Addressing 1.0, core, 3.2).
const unspecified = wsa.Space200508 + "/unspecified"

// published returns what writes the headers of WS-Addressing 1.0 (core, 3.4).
func (x *exchange) published(
	to *wsa.EPR, action string, fault bool,
) func(*xmlstrict.Encoder) {
	h := wsa.Header{
		Version: wsa.V200508, MessageID: "urn:" + newMessageID(), Action: action,
		RelatesTo: x.addressing.MessageID,
	}
	if h.RelatesTo == "" {
		h.RelatesTo = unspecified
	}
	if to == nil {
		to = x.back(fault)
	}
	return func(enc *xmlstrict.Encoder) {
		enc.Declare(h.Version.Space())
		h.WriteRequest(enc, x.version, *to)
	}
}

// back returns the reference of what goes back on the connection: the one from
// the request, for its parameters, or else the bare address.
func (x *exchange) back(fault bool) *wsa.EPR {
	r := x.addressing.ReplyTo
	if fault && x.addressing.FaultTo != nil {
		r = x.addressing.FaultTo
	}
	if r != nil && r.Address == wsa.Anonymous200508 {
		return r
	}
	return &wsa.EPR{Address: wsa.Anonymous200508}
}

// from returns who answers, key included; nil when the request did not say
// whom it asked.
func (x *exchange) from() *wsa.EPR {
	if x.addressing.To == "" {
		return nil
	}
	return x.self()
}

// self returns the reference of the resource that was asked.
func (x *exchange) self() *wsa.EPR {
	r := &wsa.EPR{Address: x.root + x.endpoint.path}
	if query := x.query(); len(query) == 1 && len(query[0]) <= maxKey {
		r.Address += "?" + url.Values{KeyParameter: query}.Encode()
	}
	if x.keyBlock != nil {
		r.Properties = []*etree.Element{x.keyBlock}
	}
	return r
}

// query returns the resource keys in the query of the request's address.
func (x *exchange) query() []string {
	if x.request.URL.RawQuery == "" {
		return nil
	}
	return x.request.URL.Query()[KeyParameter]
}

// errNowhere says that a path of face two has no service.
var errNowhere = errors.New("there is no such service, " +
	"expected a path from the service's description or from a reference")
