package dispatch

import (
	"context"
	"errors"
	"net/http"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A Replier sends messages to addresses that callers name.
type Replier interface {
	// Check says why nothing may be sent to the address, as far as its text
	// tells.
	Check(address string) error
	// Post posts a message with its HTTP headers to the address, once. It keeps
	// nothing of what it is given.
	Post(ctx context.Context, address string, header http.Header, message []byte) error
}

// destinations finds out where the reply and a fault go (WS-Addressing 1.0,
// core, 3.4). Only now that the caller is known: nobody else makes this server
// post anything anywhere.
func (x *exchange) destinations() error {
	if !x.addressed() || x.addressing.Action == "" && x.addressing.MessageID == "" {
		return nil // clients of ONVIF's event service name their consumer, and want the reply
	}
	replyTo, faultTo := x.addressing.ReplyTo, x.addressing.FaultTo
	if err := x.checkDestination("ReplyTo", replyTo); err != nil {
		return err
	}
	if err := x.checkDestination("FaultTo", faultTo); err != nil {
		return err
	}
	if faultTo == nil {
		faultTo = replyTo
	}
	x.replyTo, x.faultTo = unlessAnonymous(replyTo), unlessAnonymous(faultTo)
	return nil
}

// maxElsewhere is how large a reply to another address may be, in bytes: who gets
// it may not have asked for it.
const maxElsewhere = 256 << 10

var errLargeElsewhere = workspace.Errorf(workspace.Denied, "send the reply", "",
	"it is too large to go to another address, ask for it on the connection")

// unlessAnonymous returns the reference of a place other than the connection.
func unlessAnonymous(r *wsa.EPR) *wsa.EPR {
	if r == nil || r.Address == wsa.Anonymous200508 {
		return nil
	}
	return r
}

// checkDestination refuses a place that nothing can or may be sent to.
func (x *exchange) checkDestination(header string, r *wsa.EPR) error {
	if unlessAnonymous(r) == nil || r.Address == wsa.None200508 {
		return nil
	}
	switch {
	case x.handler.replier == nil:
		return wsa.InvalidHeader(wsa.OnlyAnonymousAddress, header, errOnlyAnonymous)
	case x.owner == "":
		return wsa.InvalidHeader(wsa.OnlyAnonymousAddress, header, errUnknownCaller)
	case x.addressing.MessageID == "":
		return wsa.HeaderRequired("MessageID", errNoMessageID)
	}
	if err := r.CheckProperties(x.message.Doc); err != nil {
		return wsa.InvalidHeader(wsa.InvalidEPR, header, err)
	}
	if err := x.handler.replier.Check(r.Address); err != nil {
		return wsa.InvalidHeader(wsa.InvalidAddress, header, err)
	}
	return x.occupy(r.Address)
}

var (
	errOnlyAnonymous = errors.New("replies go back on the connection alone, " +
		"expected the anonymous address or none")
	errUnknownCaller = errors.New("replies to other addresses are for callers who are known")
	errNoMessageID   = errors.New("a reply to another address needs a wsa:MessageID to relate to")
	errBusySending   = errors.New("too many replies are on their way to other addresses")
)

// occupy takes a place for a message to elsewhere, if there is one.
func (x *exchange) occupy(address string) error {
	if x.slot {
		return nil
	}
	select {
	case x.handler.sending <- struct{}{}:
		x.slot = true
		return nil
	default:
		return wsa.EndpointUnavailable(address, errBusySending)
	}
}

// vacate gives the place back.
func (x *exchange) vacate() {
	if x.slot {
		<-x.handler.sending
	}
}

// elsewhere answers the connection with an empty 202 (WS-Addressing 1.0, SOAP
// Binding, 5.2) and sends the message to where it goes, unless that is nowhere.
// The connection is not kept: who asks on it next would wait for the sending.
func (x *exchange) elsewhere(w http.ResponseWriter, message []byte) {
	header := w.Header()
	header["Content-Length"] = []string{"0"}
	if x.target.Address == wsa.None200508 {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	header["Connection"] = hangUp
	w.WriteHeader(http.StatusAccepted)
	if err := http.NewResponseController(w).Flush(); err != nil {
		return // the caller is gone
	}
	ctx, cancel := context.WithTimeout(
		context.WithoutCancel(x.request.Context()), x.handler.limits.ReplyTimeout)
	defer cancel()
	err := x.handler.replier.Post(ctx, x.target.Address, x.outgoing(), message)
	if err != nil {
		x.handler.logger.Warn("cannot send a reply to its address", "address", x.target.Address,
			"operation", x.operationName(), "owner", x.owner, "error", err)
	}
}

// outgoing returns the HTTP headers of what was written (SOAP 1.1, 6.1.1; SOAP
// 1.2 part 2, 7.1.4).
func (x *exchange) outgoing() http.Header {
	if x.version == soap.V12 {
		return http.Header{"Content-Type": {x.version.ContentType() + `; action="` + x.said + `"`}}
	}
	return http.Header{
		"Content-Type": contentTypes[x.version], "Soapaction": {`"` + x.said + `"`},
	}
}
