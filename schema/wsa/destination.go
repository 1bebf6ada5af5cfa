package wsa

import "github.com/philoxenia/philoxenia/schema/xmlstrict"

// Destination is what an address means to who must send something there.
type Destination uint8

// The destinations of replies (WS-Addressing 1.0 core, 2.1 and 3.2.1).
const (
	Back      Destination = iota // to the sender of the request, on its connection
	Nowhere                      // nothing is to be sent
	Elsewhere                    // to another address, on a connection of its own
)

// DestinationOf tells what an address means, of either version. No address at
// all means the sender of the request.
func DestinationOf(address string) Destination {
	switch address {
	case "", Anonymous200403, Anonymous200508:
		return Back
	case None200508:
		return Nowhere
	}
	return Elsewhere
}

// ReplyDestination tells where the reply to h must go (core, 3.4).
func (h Header) ReplyDestination() Destination { return destination(h.ReplyTo) }

// FaultDestination tells where a fault about h must go: where its FaultTo
// says, and else where the reply goes.
func (h Header) FaultDestination() Destination {
	if h.FaultTo != nil {
		return destination(h.FaultTo)
	}
	return h.ReplyDestination()
}

// destination tells what a reference means.
func destination(r *EPR) Destination {
	if r == nil {
		return Back
	}
	return DestinationOf(r.Address)
}

// CheckAnonymous fails with a *Fault when the reply to h, or a fault about it,
// would have to go to another address than back to its sender, or to nobody
// (SOAP binding, 6.4.1.7). It is what a server says that makes no connections
// for its callers.
func (h Header) CheckAnonymous(at *xmlstrict.Document) error {
	if h.Version != V200508 {
		return nil
	}
	for _, r := range [...]struct {
		block string
		epr   *EPR
	}{{"ReplyTo", h.ReplyTo}, {"FaultTo", h.FaultTo}} {
		if destination(r.epr) == Elsewhere {
			return InvalidHeader(OnlyAnonymousAddress, r.block, at.Errorf(at.Root,
				Anonymous200508+" or "+None200508, "replies do not go to %q",
				xmlstrict.Clip(r.epr.Address)))
		}
	}
	return nil
}

// Require fails with a *Fault (SOAP binding, 6.4.2) when a message of 2005/08
// lacks one of the blocks Action, MessageID and To. Who tolerates the absence
// of all does not ask.
func (h Header) Require(at *xmlstrict.Document, blocks ...string) error {
	if h.Version != V200508 {
		return nil
	}
	for _, local := range blocks {
		var text string
		switch local {
		case "Action":
			text = h.Action
		case "MessageID":
			text = h.MessageID
		case "To":
			text = h.To
		}
		if text == "" {
			return HeaderRequired(local,
				at.Errorf(at.Root, "the header block "+local, "there is no %s", local))
		}
	}
	return nil
}
